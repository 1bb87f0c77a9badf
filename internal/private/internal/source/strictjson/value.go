package strictjson

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
)

// Value is one JSON value, or nothing: the zero Value and every absent or null field read as empty.
// It is personal and prints as [json].
type Value struct {
	n     *node
	fault *fault
}

// fault is the first field of a body that could not be used; all Values of a body share it.
type fault struct{ bad *source.Verdict }

func (f *fault) set(why fact.Why, field string) {
	if f != nil && f.bad == nil {
		f.bad = source.Quarantine(why, field)
	}
}

// Fault is a *source.Verdict about the first field that had the wrong type, or nil.
func (v Value) Fault() error {
	if v.fault == nil || v.fault.bad == nil {
		return nil
	}
	return v.fault.bad
}

// Reject records that the named field cannot be used, for what a type cannot say (an unknown word).
func (v Value) Reject(field string) { v.fault.set(fact.WhyBadField, field) }

// Exists reports whether there is a value that is not null.
func (v Value) Exists() bool { return v.n != nil && v.n.kind != null }

// Has reports whether the object has the named field and it is not null.
func (v Value) Has(name string) bool { return v.field(name) != nil }

// Object is the named object; empty when absent.
func (v Value) Object(name string) Value { return Value{v.want(name, object), v.fault} }

// List is the items of the named array.
func (v Value) List(name string) []Value {
	n := v.want(name, array)
	if n == nil {
		return nil
	}
	list := make([]Value, len(n.items))
	for i, item := range n.items {
		list[i] = Value{item, v.fault}
	}
	return list
}

// Text is the named text.
func (v Value) Text(name string) string {
	if n := v.want(name, text); n != nil {
		return n.text
	}
	return ""
}

// Texts is the named array of texts; a single text counts as an array of one, null items are skipped.
func (v Value) Texts(name string) []string {
	n := v.field(name)
	if n == nil {
		return nil
	}
	items := n.items
	if n.kind == text {
		items = []*node{n}
	} else if n.kind != array {
		v.Reject(name)
	}
	var texts []string
	for _, item := range items {
		switch item.kind {
		case text:
			texts = append(texts, item.text)
		case null:
		default:
			v.Reject(name)
		}
	}
	return texts
}

// Label is the named text or whole number as text: for ids that some writers send as numbers.
func (v Value) Label(name string) string {
	if n := v.field(name); n != nil && n.kind == number {
		return n.text
	}
	return v.Text(name)
}

// Number is the named number, and whether there is one.
func (v Value) Number(name string) (float64, bool) {
	n := v.want(name, number)
	if n == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil {
		v.Reject(name)
		return 0, false
	}
	return f, true
}

// NumberOrText is Number for vendors that write some numbers as text.
func (v Value) NumberOrText(name string) (float64, bool) {
	n := v.field(name)
	if n == nil || n.kind != text {
		return v.Number(name)
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil || f-f != 0 { // not a finite number
		v.Reject(name)
		return 0, false
	}
	return f, true
}

// Count is the named whole number that is not negative; 0 when absent.
func (v Value) Count(name string) int {
	f, ok := v.Number(name)
	if ok && (f < 0 || f > 1<<31 || f != float64(int(f))) {
		v.Reject(name)
		return 0
	}
	return int(f)
}

// Seconds is the named number of seconds, within 0 and a year, and whether there is one.
func (v Value) Seconds(name string) (float64, bool) {
	f, ok := v.Number(name)
	if ok && (f < 0 || f > 366*24*3600) {
		v.Reject(name)
		return 0, false
	}
	return f, ok
}

// Bool is the named truth value; false when absent.
func (v Value) Bool(name string) bool {
	n := v.want(name, boolean)
	return n != nil && n.truth
}

// Time is the named RFC 3339 time, zero when absent. A time that cannot be read, or one outside 2000
// to 2100, is a fault.
func (v Value) Time(name string) time.Time {
	s := v.Text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !fact.Possible(t) {
		v.fault.set(fact.WhyBadTime, name)
		return time.Time{}
	}
	return t.UTC()
}

// Epoch is the named time in seconds since 1970, zero when absent; the same years are a fault as with Time.
func (v Value) Epoch(name string) time.Time {
	f, ok := v.NumberOrText(name)
	if !ok {
		return time.Time{}
	}
	if f < 946684800 || f >= 4102444800 { // as fact.Possible
		v.fault.set(fact.WhyBadTime, name)
		return time.Time{}
	}
	return time.UnixMicro(int64(f * 1e6)).UTC()
}

// Names are the names of an object's fields, in alphabetical order; of nothing else.
func (v Value) Names() []string {
	if !v.IsObject() {
		return nil
	}
	return slices.Sorted(maps.Keys(v.n.named))
}

// Step is one step down: the named field of an object, or the item of an array at a decimal place; empty where there is
// neither.
func (v Value) Step(name string) Value {
	if i, err := strconv.Atoi(name); err == nil && v.n != nil && v.n.kind == array {
		if i < 0 || i >= len(v.n.items) {
			return Value{fault: v.fault}
		}
		return Value{v.n.items[i], v.fault}
	}
	return Value{v.field(name), v.fault}
}

// Word is the named text translated by words; 0 when absent, a fault when the word is unknown.
func Word[T ~int64](v Value, name string, words map[string]T) T {
	s := v.Text(name)
	if s == "" {
		return 0
	}
	w, ok := words[s]
	if !ok {
		v.Reject(name)
	}
	return w
}

// field is the named field, nil when absent or null.
func (v Value) field(name string) *node {
	if v.n == nil {
		return nil
	}
	if f := v.n.named[name]; f != nil && f.kind != null {
		return f
	}
	return nil
}

// want is the named field if it has the wanted kind; another kind is a fault.
func (v Value) want(name string, k kind) *node {
	f := v.field(name)
	if f != nil && f.kind != k {
		v.Reject(name)
		return nil
	}
	return f
}

// IsObject reports whether v is an object.
func (v Value) IsObject() bool { return v.n != nil && v.n.kind == object }

func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[json]") }

// TextIn is a text of a document's top level; empty when the body cannot be read or has none.
func TextIn(body []byte, field string) string {
	doc, err := Parse(body)
	if err != nil {
		return ""
	}
	return doc.Text(field)
}

// First is the first of its arguments that is not blank.
func First(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// FirstTime is the first of its arguments that is not zero.
func FirstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
