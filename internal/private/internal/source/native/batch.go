package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/lines"
	"murmur/internal/private/internal/source/strictjson"
)

const (
	// MaxBatch is how many events one body may hold.
	MaxBatch = 10_000
	// MaxEvent is how many bytes one event may have.
	MaxEvent = 1 << 20
)

// Split cuts a body into one delivery an event. The id is the event's delivery_id; without one it is
// empty, and the caller's hash of the bytes stands for it. A body of a single event may be told by the id
// of its webhook. Events are cut, not judged: what is wrong with one is its own verdict.
func (Source) Split(d source.Delivery) ([]source.Delivery, error) {
	parts, err := cut(d.Body)
	if err != nil {
		return nil, err
	}
	deliveries := make([]source.Delivery, len(parts))
	for i, part := range parts {
		deliveries[i].Body = part
		if doc, err := strictjson.Parse(part); err == nil {
			deliveries[i].ID = doc.Text("delivery_id")
		}
	}
	if len(parts) == 1 && deliveries[0].ID == "" {
		deliveries[0].ID = d.ID
	}
	return deliveries, nil
}

// cut finds the events of a body. An array or {"events":[..]} that is not JSON cannot be cut and stays
// whole, as one delivery for Decode to refuse; of lines each stands alone.
func cut(body []byte) ([][]byte, error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		return elements(body)
	}
	if batch, ok := eventsField(body); ok {
		return elements(batch)
	}
	if json.Valid(body) {
		return [][]byte{body}, nil
	}
	var parts [][]byte
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if parts = append(parts, line); len(parts) > MaxBatch {
			return nil, source.Quarantine(fact.WhyTooLarge, "events")
		}
	}
	if len(parts) < 2 || !json.Valid(parts[0]) && !json.Valid(parts[len(parts)-1]) {
		return [][]byte{body}, nil // one broken object, perhaps over several lines
	}
	return parts, nil
}

// eventsField is the array of a {"events":[..]} envelope. An object with a type is an event itself.
func eventsField(body []byte) ([]byte, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var list json.RawMessage
	for d.More() {
		name, err := d.Token()
		if err != nil || name == "type" || name == "events" && list != nil {
			return nil, false
		}
		var field json.RawMessage
		if err := d.Decode(&field); err != nil {
			return nil, false
		}
		if name == "events" {
			list = field
		}
	}
	if _, err := d.Token(); err != nil || d.More() || len(list) == 0 || list[0] != '[' {
		return nil, false
	}
	return list, true
}

func elements(array []byte) ([][]byte, error) {
	d := json.NewDecoder(bytes.NewReader(array))
	if _, err := d.Token(); err != nil {
		return [][]byte{array}, nil
	}
	var parts [][]byte
	for d.More() {
		var part json.RawMessage
		if err := d.Decode(&part); err != nil {
			return [][]byte{array}, nil
		}
		if parts = append(parts, part); len(parts) > MaxBatch {
			return nil, source.Quarantine(fact.WhyTooLarge, "events")
		}
	}
	if _, err := d.Token(); err != nil || d.More() {
		return [][]byte{array}, nil
	}
	return parts, nil
}

// Lines reads a file of native events, one a line.
type Lines struct{ r *lines.Reader }

// NewLines reads r; an event may have MaxEvent bytes.
func NewLines(r io.Reader) *Lines { return &Lines{lines.NewReader(r, MaxEvent)} }

// Rows gives each line that is not blank. Only its length is judged here; Decode judges the rest.
func (l *Lines) Rows(yield func(line int, native []byte, bad *source.Verdict) bool) error {
	for {
		line, number, long, err := l.r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		var bad *source.Verdict
		if long {
			bad = source.Quarantine(fact.WhyTooLarge, "line")
		} else if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if !yield(number, bytes.Clone(line), bad) {
			return nil
		}
	}
}

var (
	_ source.Source   = Source{}
	_ source.Splitter = Source{}
	_ source.Tenanted = Source{}
	_ source.Lines    = (*Lines)(nil)
)
