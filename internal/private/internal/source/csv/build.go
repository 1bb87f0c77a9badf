package csv

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
)

// builder makes native events of rows in the formats that the sample decided.
type builder struct {
	kind    string
	columns []column
	at      map[string]int    // column of a field
	orders  map[string]order  // of the date columns
	notes   map[string]string // how each of them is read, in words
	scale   string            // of a survey whose file names none
	assumed bool              // the scale is a guess from the scores
	zone    *time.Location
}

// timeFields are the fields that hold a date or a time.
var timeFields = []string{"occurred_at", "date", "time", "updated_at", "answered_at", "ended_at", "asked_at", "in_at", "out_at"}

func newBuilder(kind string, columns []column, sample []record, delimiter byte, zone *time.Location) builder {
	b := builder{kind: kind, columns: columns, at: map[string]int{}, orders: map[string]order{}, notes: map[string]string{}, zone: zone}
	if zone == nil {
		b.zone = time.UTC
	}
	for i, c := range columns {
		if c.field != "" {
			b.at[c.field] = i
		}
	}
	cellsOf := func(field string) (cells []string) {
		for _, rec := range sample {
			if i, ok := b.at[field]; ok && i < len(rec.cells) {
				cells = append(cells, rec.cells[i])
			}
		}
		return cells
	}
	for _, field := range timeFields {
		cells := cellsOf(field)
		b.orders[field] = orderOf(cells, delimiter)
		b.notes[field] = noteOf(cells, b.orders[field], b.zone)
	}
	if i, ok := b.at["score"]; ok {
		b.scale, b.assumed = scaleOf(columns[i].header, cellsOf("score"))
	}
	return b
}

// scaleOf takes the scale from the header of the scores, else from their size.
func scaleOf(header string, scores []string) (scale string, assumed bool) {
	plain, _ := stripUnit(header)
	for _, w := range []struct{ part, scale string }{
		{"nps", "nps"}, {"netpromoter", "nps"}, {"recommend", "nps"}, {"ces", "ces"}, {"easywasit", "ces"}, {"satisfiedareyou", "csat"}, {"csat", "csat"}, {"satisfaction", "csat"},
		{"star", "stars"}, {"rating", "stars"}, {"thumb", "thumb"},
	} {
		if strings.Contains(plain, w.part) {
			return w.scale, false
		}
	}
	for _, cell := range scores {
		if f, ok := parseNumber(cell); ok && (f > 5 || f == 0) {
			return "nps", true
		}
	}
	return "csat", true
}

// note says in words how a column is read.
func (b builder) note(i int) string {
	c := b.columns[i]
	switch {
	case slices.Contains(timeFields, c.field):
		return b.notes[c.field]
	case c.field == "score" && b.assumed:
		return b.scale + " (assumed)"
	case c.field == "score":
		return b.scale
	case (c.field == "ring_s" || c.field == "talk_s") && c.unit != 1:
		return fmt.Sprintf("times %g = seconds", c.unit)
	}
	return ""
}

// row is one row being read: its cells, the event made of it, and the first field that was wrong.
type row struct {
	b     builder
	cells []string
	event nativeEvent
	bad   *source.Verdict
}

func (b builder) event(cells []string) (nativeEvent, *source.Verdict) {
	r := &row{b: b, cells: cells, event: make(nativeEvent, 0, 16)}
	r.head()
	switch b.kind {
	case "calls":
		r.call()
	case "messages":
		r.message()
	case "surveys":
		r.answer()
	case "steps":
		r.step()
	}
	if r.bad != nil {
		return nil, r.bad
	}
	return r.event, nil
}

// cell is the content of a field's column; empty when the file or the row has none.
func (r *row) cell(field string) string {
	i, ok := r.b.at[field]
	if !ok || i >= len(r.cells) {
		return ""
	}
	switch c := r.cells[i]; c {
	case "-", "--", "\u2013", "\u2014", "N/A", "n/a", "NULL", "null":
		return "" // what exports write for nothing
	default:
		return c
	}
}

func (r *row) reject(why fact.Why, field string) {
	if r.bad == nil {
		r.bad = source.Quarantine(why, field)
	}
}

// put sets a field that has a value.
func (r *row) put(field, value string) {
	if value != "" {
		r.event.set(nativeField{name: field, text: value})
	}
}

func (r *row) text(fields ...string) {
	for _, f := range fields {
		r.put(f, r.cell(f))
	}
}

// word translates a cell; a word that no export is known to use is unknown, not an error.
func (r *row) word(field string, words map[string]string) string {
	cell := r.cell(field)
	if cell == "" {
		return ""
	}
	if w, ok := words[plainWord(cell)]; ok {
		return w
	}
	return "unknown"
}

// types are the types of murmur.v1 by the kind of file.
var types = map[string]string{"calls": "call", "messages": "message", "surveys": "answer", "steps": "step"}

func (r *row) head() {
	r.put("schema", "murmur.v1")
	r.put("type", types[r.b.kind])
	r.put("source_id", r.cell("id"))
	at := r.time("occurred_at")
	if at.IsZero() {
		at = r.combine("date", "time")
	}
	if at.IsZero() && r.b.kind == "steps" {
		at = r.time("in_at")
	}
	if at.IsZero() {
		r.reject(fact.WhyBadTime, "occurred_at")
		return
	}
	r.put("occurred_at", at.Format(time.RFC3339Nano))
	r.putTime("updated_at", "source_updated_at")
}

// time is a time column; a bare time of day belongs to the day of the date column.
func (r *row) time(field string) time.Time {
	cell := r.cell(field)
	if cell == "" {
		return time.Time{}
	}
	if _, ok := parseClock(cell); ok {
		return r.combine("date", field)
	}
	t, ok := parseTime(cell, r.b.orders[field], r.b.zone)
	if !ok {
		r.reject(fact.WhyBadTime, field)
	}
	return t
}

// combine is the day of one column at the time of day of another. A time column may hold both.
func (r *row) combine(date, clock string) time.Time {
	day, hour := r.cell(date), r.cell(clock)
	order := r.b.orders[date]
	switch _, ok := parseClock(hour); {
	case day == "" && (ok || hour == ""):
		return time.Time{}
	case day == "":
		day, order = hour, r.b.orders[clock]
	case ok:
		day += " " + hour
	case hour != "":
		r.reject(fact.WhyBadTime, clock)
	}
	t, ok := parseTime(day, order, r.b.zone)
	if !ok {
		r.reject(fact.WhyBadTime, date)
	}
	return t
}

func (r *row) putTime(field, name string) {
	if t := r.time(field); !t.IsZero() {
		r.put(name, t.Format(time.RFC3339Nano))
	}
}

func (r *row) seconds(field string) (float64, bool) {
	cell := r.cell(field)
	if cell == "" {
		return 0, false
	}
	s, ok := parseSeconds(cell, r.b.columns[r.b.at[field]].unit)
	if !ok {
		r.reject(fact.WhyBadField, field)
		return 0, false
	}
	r.count(field, s)
	return s, true
}

func (r *row) count(field string, n float64) {
	r.event.set(nativeField{name: field, number: &n})
}

func (r *row) number(field string) (float64, bool) {
	cell := r.cell(field)
	if cell == "" {
		return 0, false
	}
	f, ok := parseNumber(cell)
	if !ok {
		r.reject(fact.WhyBadField, field)
	}
	return f, ok
}

func (r *row) flag(field string) bool {
	yes, ok := parseBool(r.cell(field))
	if r.cell(field) != "" && !ok {
		yes = field == "voicemail" // a link or a length where a yes is expected
	}
	if yes {
		r.event.set(nativeField{name: field, truth: true})
	}
	return yes
}

// party puts the contact, the business number and the member. Of from and to the contact is the far
// side; without a direction it is the caller.
func (r *row) party(direction string) {
	near, far := r.cell("to"), r.cell("from")
	if direction == "out" {
		near, far = far, near
	}
	r.put("number", cmp.Or(r.cell("number"), near))
	r.person("party", nativeEvent{{name: "email", text: r.cell("email")}, {name: "name", text: r.cell("contact_name")}, {name: "phone", text: cmp.Or(r.cell("contact"), far)}})
	r.person("member", nativeEvent{{name: "name", text: r.cell("member")}})
}

func (r *row) person(name string, fields nativeEvent) {
	fields = slices.DeleteFunc(fields, func(f nativeField) bool { return f.text == "" })
	if len(fields) > 0 {
		r.event.set(nativeField{name: name, inner: fields})
	}
}
