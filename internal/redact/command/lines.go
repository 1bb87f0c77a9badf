package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"murmur/internal/redact"
)

// ErrLine is the parent of what Lines says about a line that is not a record; the others are answered.
var ErrLine = errors.New("not a JSON record with id and text or turns")

// record is one line of --jsonl, in and out.
type record struct {
	ID         json.RawMessage `json:"id"`
	Text       *string         `json:"text,omitempty"`
	Turns      []recordTurn    `json:"turns,omitzero"`
	Redacted   any             `json:"redacted,omitempty"`
	Spans      []recordSpan    `json:"spans"`
	Unverified string          `json:"unverified,omitempty"` // why the masked text cannot be vouched for
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

// maxLine is the longest line of --jsonl, in bytes. A longer one is answered as no record.
const maxLine = 16 << 20

// Lines masks records: {"id","text"} or {"id","turns":[{"side","text"}]} gives the same and "redacted" and "spans".
// A line that is no record is answered with its number and an error, the rest go on; Lines then returns ErrLine.
func (r *Redactor) Lines(in io.Reader, out io.Writer, explain bool) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	w := bufio.NewWriter(out)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	bad := 0
	var buf []byte
	for n, ended := 1, false; !ended; n++ {
		var fits bool
		var err error
		buf, fits, err = readLine(lines, buf[:0])
		ended = errors.Is(err, io.EOF)
		if err != nil && !ended {
			return fmt.Errorf("redact: read line: %w", err)
		}
		line := bytes.TrimSpace(buf)
		if fits && len(line) == 0 {
			continue
		}
		var rec record
		if !fits || json.Unmarshal(line, &rec) != nil || r.answer(&rec, explain) != nil {
			bad++
			err = e.Encode(map[string]any{"line": n, "error": ErrLine.Error()})
		} else {
			err = e.Encode(&rec)
		}
		if err != nil {
			return fmt.Errorf("redact: %w", err)
		}
		if lines.Buffered() == 0 || ended { // a reader at the other end of a pipe waits for it
			if err := w.Flush(); err != nil {
				return fmt.Errorf("redact: %w", err)
			}
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	if bad > 0 {
		return fmt.Errorf("%d lines: %w", bad, ErrLine)
	}
	return nil
}

// readLine appends the next line to buf. One longer than maxLine is read to its end and does not fit. The error is
// io.EOF behind the last line.
func readLine(r *bufio.Reader, buf []byte) (line []byte, fits bool, err error) {
	fits = true
	for {
		part, err := r.ReadSlice('\n')
		if fits = fits && len(buf)+len(part) <= maxLine; fits {
			buf = append(buf, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, fits, err
		}
	}
}

// withheld stands for a text whose masked form still gave something.
const withheld = "[WITHHELD]"

// answer masks one record in place.
func (r *Redactor) answer(rec *record, explain bool) error {
	if (rec.Text == nil) == (rec.Turns == nil) {
		return ErrLine
	}
	doc := redact.Doc{}
	if rec.Text != nil {
		doc.Turns = redact.ParsePlain(*rec.Text)
	}
	for _, t := range rec.Turns {
		doc.Turns = append(doc.Turns, redact.Turn{Side: redact.ParseSide(t.Side), Text: t.Text})
	}
	done, err := r.d.Redact(doc)
	if err != nil {
		return err
	}
	turns, whole, found := done.MaskedTurns(), done.Masked(), done.Spans()
	switch done.Verdict() {
	case redact.Unsettled:
		rec.Unverified, whole = "unsettled", withheld
		for i := range turns {
			turns[i] = withheld
		}
	case redact.Foreign:
		rec.Unverified = "language"
	case redact.Unreadable:
		rec.Unverified = "encoding"
	}
	if rec.Text != nil {
		found, rec.Redacted = done.Flat(), whole
	} else {
		masked := make([]recordTurn, len(rec.Turns))
		for i, t := range turns {
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
