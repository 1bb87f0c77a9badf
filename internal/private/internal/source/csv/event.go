package csv

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"murmur/internal/private/internal/personal"
)

// nativeEvent is a murmur.v1 event by field.
type nativeEvent []nativeField

// nativeField has one value: of the four that are not zero, else the empty text.
type nativeField struct {
	name   string
	text   string
	number *float64
	truth  bool
	inner  nativeEvent
}

func (e *nativeEvent) set(f nativeField) {
	if i := slices.IndexFunc(*e, func(old nativeField) bool { return old.name == f.name }); i >= 0 {
		(*e)[i] = f
		return
	}
	*e = append(*e, f)
}

func (e nativeEvent) has(name string) bool {
	return slices.ContainsFunc(e, func(f nativeField) bool { return f.name == name })
}

// native is the event as a murmur.v1 line. Its delivery id is a hash of everything it says, so that the
// same row is the same delivery in every import and a changed row is a new version of its source_id.
func (e nativeEvent) native(kind string) []byte {
	line := append(make([]byte, 0, 512), kind...)
	line = e.json(append(line, 0))
	sum := sha256.Sum256(line)
	line = line[len(kind)+1:]
	id := hex.EncodeToString(sum[:16])
	named := append(make([]byte, 0, len(line)+len(idBefore)+96), idBefore...)
	named = append(append(named, id...), `",`...)
	if !e.has("source_id") {
		named = append(append(append(named, `"source_id":"row-`...), id...), `",`...)
	}
	return append(named, line[1:]...) // the event has fields: its schema and type at least
}

// idBefore is what a line has before the hash in its delivery id.
const idBefore = `{"delivery_id":"csv-`

// DeliveryID is the delivery id of a line that Rows gave, without reading all of it.
func DeliveryID(native []byte) string {
	return string(native[len(`{"delivery_id":"`) : len(idBefore)+2*16])
}

// json appends the event as JSON, fields in order of name: byte for byte what encoding/json makes of a map, at a third
// of its cost. The delivery ids of rows that were imported before rest on these bytes.
func (e nativeEvent) json(b []byte) []byte {
	slices.SortFunc(e, func(f, g nativeField) int { return cmp.Compare(f.name, g.name) })
	b = append(b, '{')
	for i, f := range e {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f.name...), `":`...)
		switch {
		case f.inner != nil:
			b = f.inner.json(b)
		case f.truth:
			b = append(b, "true"...)
		case f.number != nil && *f.number == math.Trunc(*f.number) && math.Abs(*f.number) < 1<<53:
			b = strconv.AppendFloat(b, *f.number, 'f', -1, 64)
		case f.number != nil:
			b = appendJSON(b, *f.number)
		case plain(f.text):
			b = append(append(append(b, '"'), f.text...), '"')
		default:
			b = appendJSON(b, f.text)
		}
	}
	return append(b, '}')
}

// appendJSON leaves the rare cases to encoding/json. Texts and finite numbers always have a JSON form.
func appendJSON(b []byte, v any) []byte {
	form, _ := json.Marshal(v)
	return append(b, form...)
}

// plain reports whether a text stands in JSON as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || strings.IndexByte(`"\<>&`, c) >= 0 {
			return false
		}
	}
	return true
}

// fields is the event as a list, in order of name.
func (e nativeEvent) fields() []Field {
	var list []Field
	for _, f := range e {
		value := f.text
		switch {
		case f.inner != nil:
			for _, g := range f.inner.fields() {
				list = append(list, Field{f.name + "." + g.Name, g.Value})
			}
			continue
		case f.truth:
			value = "true"
		case f.number != nil:
			value = strconv.FormatFloat(*f.number, 'g', -1, 64)
		}
		list = append(list, Field{f.name, personal.New(value)})
	}
	slices.SortFunc(list, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return list
}
