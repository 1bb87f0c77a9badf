package private

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"murmur/internal/private/internal/detect"
	"murmur/internal/private/internal/detect/score"
)

// RedactorVersion changes whenever the redactor would mask something differently; every fact carries it.
const RedactorVersion = detect.Version

// ErrDial is returned for an unknown dial.
var ErrDial = errors.New("the dial is balanced, strict or paranoid")

func newDetector(dial string) (*detect.Detector, error) {
	if dial == "" {
		dial = detect.Balanced.String()
	}
	d, ok := detect.ParseDial(dial)
	if !ok {
		return nil, ErrDial
	}
	return detect.New(detect.Config{Dial: d})
}

// Span is one masked place, in code points of the text, the end exclusive. Why is a reason from a closed set.
type Span struct {
	Start, End int
	Type       string
	Score      float64
	Why        string
	Turn       int
}

// Redact masks one plain text, as the pipeline would, and keeps nothing. Lines may begin with a speaker's label.
func (z *Zone) Redact(text string) (masked string, spans []Span, err error) {
	return (&Redactor{z.detector}).Explain(text)
}

func spansOf(found []detect.Span) []Span {
	spans := make([]Span, len(found))
	for i, s := range found {
		spans[i] = Span{Start: s.Start, End: s.End, Type: s.Type.String(), Score: s.Score, Why: s.Why.String(), Turn: s.Turn}
	}
	return spans
}

// Redactor masks text for the command line: it needs no data directory and keeps nothing.
type Redactor struct{ d *detect.Detector }

// NewRedactor makes a redactor. ErrDial.
func NewRedactor(dial string) (*Redactor, error) {
	d, err := newDetector(dial)
	if err != nil {
		return nil, err
	}
	return &Redactor{d}, nil
}

// Plain masks a stream of text, order kept. A conversation (consecutive labelled lines) is written when it ends,
// any other line at once.
func (r *Redactor) Plain(in io.Reader, out io.Writer) error {
	s := r.d.Stream(out)
	if _, err := io.Copy(s, in); err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	if err := s.Close(); err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	return nil
}

// ErrLine is the parent of what Lines says about a line that is not a record; the others are answered.
var ErrLine = errors.New("not a JSON record with id and text or turns")

// record is one line of --jsonl, in and out.
type record struct {
	ID       json.RawMessage `json:"id"`
	Text     *string         `json:"text,omitempty"`
	Turns    []recordTurn    `json:"turns,omitzero"`
	Redacted any             `json:"redacted,omitempty"`
	Spans    []recordSpan    `json:"spans"`
}

type recordTurn struct {
	Side string `json:"side"`
	Text string `json:"text"`
}

type recordSpan struct {
	Start int     `json:"start"`
	End   int     `json:"end"`
	Type  string  `json:"type"`
	Score float64 `json:"score"`
	Turn  *int    `json:"turn,omitempty"`
	Why   string  `json:"why,omitempty"`
}

// maxLine is the longest line of --jsonl, in bytes.
const maxLine = 16 << 20

// Lines masks records: {"id","text"} or {"id","turns":[{"side","text"}]} gives the same and "redacted" and "spans".
// A line that is no record is answered with its number and an error, the rest go on; Lines then returns ErrLine.
func (r *Redactor) Lines(in io.Reader, out io.Writer, explain bool) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	w := bufio.NewWriter(out)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	bad := 0
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var rec record
		err := json.Unmarshal(line, &rec)
		if err == nil {
			err = r.answer(&rec, explain)
		}
		if err != nil {
			bad++
			err = e.Encode(map[string]any{"line": n, "error": ErrLine.Error()})
		} else {
			err = e.Encode(&rec)
		}
		if err != nil {
			return fmt.Errorf("redact: %w", err)
		}
		if err := w.Flush(); err != nil { // a reader at the other end of a pipe waits for it
			return fmt.Errorf("redact: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("redact: read line: %w", err)
	}
	if bad > 0 {
		return fmt.Errorf("%d lines: %w", bad, ErrLine)
	}
	return nil
}

// answer masks one record in place.
func (r *Redactor) answer(rec *record, explain bool) error {
	if (rec.Text == nil) == (rec.Turns == nil) {
		return ErrLine
	}
	doc := detect.Doc{}
	if rec.Text != nil {
		doc.Turns = detect.ParsePlain(*rec.Text)
	}
	for _, t := range rec.Turns {
		doc.Turns = append(doc.Turns, detect.Turn{Side: detect.ParseSide(t.Side), Text: t.Text})
	}
	done, err := r.d.Redact(doc)
	if err != nil {
		return err
	}
	found := done.Spans()
	rec.Redacted = done.MaskedTurns()
	if rec.Text != nil {
		found, rec.Redacted = done.Flat(), done.Masked()
	} else {
		masked := make([]recordTurn, len(rec.Turns))
		for i, t := range done.MaskedTurns() {
			masked[i] = recordTurn{Side: rec.Turns[i].Side, Text: t}
		}
		rec.Redacted = masked
	}
	rec.Spans = make([]recordSpan, len(found))
	for i, s := range found {
		rec.Spans[i] = recordSpan{Start: s.Start, End: s.End, Type: s.Type.String(), Score: s.Score}
		if rec.Turns != nil {
			rec.Spans[i].Turn = &s.Turn
		}
		if explain {
			rec.Spans[i].Why = s.Why.String()
		}
	}
	return nil
}

// Explain masks a whole text and says of every span what gave it away, never the value.
func (r *Redactor) Explain(text string) (masked string, spans []Span, err error) {
	done, err := r.d.Redact(detect.Doc{Turns: detect.ParsePlain(text)})
	if err != nil {
		return "", nil, fmt.Errorf("redact: %w", err)
	}
	return done.Masked(), spansOf(done.Flat()), nil
}

// Score measures the redactor against a labelled sample (JSON lines with id, source, text and spans) and gives the
// table for people.
func (r *Redactor) Score(gold io.Reader) (string, error) {
	b := score.Board{Sources: map[string]*score.Counts{}, Types: map[string]*score.Counts{}}
	if err := b.Read(gold, r.d); err != nil {
		return "", fmt.Errorf("score: %w", err)
	}
	return b.Table(), nil
}
