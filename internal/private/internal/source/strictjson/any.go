package strictjson

import "strconv"

// Get is the named field whatever its type, for formats in which a field may be one of several.
func (v Value) Get(name string) Value { return Value{v.field(name), v.fault} }

// IsNull reports whether the object has the named field and it is null.
func (v Value) IsNull(name string) bool {
	return v.n != nil && v.n.named[name] != nil && v.n.named[name].kind == null
}

// IsList reports whether v is an array.
func (v Value) IsList() bool { return v.n != nil && v.n.kind == array }

// Items are the values of an array, null ones included; of nothing else.
func (v Value) Items() []Value {
	if !v.IsList() {
		return nil
	}
	items := make([]Value, len(v.n.items))
	for i, n := range v.n.items {
		items[i] = Value{n, v.fault}
	}
	return items
}

// AsText is v where it is a text.
func (v Value) AsText() (string, bool) {
	if v.n == nil || v.n.kind != text {
		return "", false
	}
	return v.n.text, true
}

// AsNumber is v where it is a number that float64 can hold.
func (v Value) AsNumber() (float64, bool) {
	if v.n == nil || v.n.kind != number {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.n.text, 64)
	return f, err == nil
}

// AsIndex is v where it is a whole number that is not negative.
func (v Value) AsIndex() (int, bool) {
	f, ok := v.AsNumber()
	if !ok || f < 0 || f > 1<<31 || f != float64(int(f)) {
		return 0, false
	}
	return int(f), true
}

// AsBool is v where it is true or false.
func (v Value) AsBool() (truth, ok bool) {
	if v.n == nil || v.n.kind != boolean {
		return false, false
	}
	return v.n.truth, true
}
