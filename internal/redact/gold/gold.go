// Package gold reads texts whose personal data is labelled: what the tagger learns from and what a redactor
// is measured against.
//
// Zone: RED, the texts may be personal. It promises that every document it yields has its spans inside the
// text, in order of their start. It does not check that a type is one the detector knows, nor that the labels
// are right. Its errors name a line, never its content.
package gold

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"unicode/utf8"
)

// Doc is one labelled text. A conversation has one line a turn, "Agent: how can I help?".
type Doc struct {
	ID     string `json:"id"`
	Group  string `json:"group"`  // documents made alike (one template, one speaker): never split a group between training and test
	Source string `json:"source"` // the collection it belongs to
	Text   string `json:"text"`
	Spans  []Span `json:"spans"` // by start
}

// Span is a labelled stretch of a text.
type Span struct {
	Start int    `json:"start"`         // code points
	End   int    `json:"end"`           // code points, exclusive
	Type  string `json:"type"`          // a name of the detector's list, "PERSON"
	Opt   bool   `json:"opt,omitempty"` // "don't care": neither a leak when left nor false when masked
}

// ErrRecord says that a line is no labelled text; the line's number comes with it.
var ErrRecord = errors.New("gold: not a labelled text")

// lineMax bounds one record, bytes.
const lineMax = 64 << 20

// Read yields the documents of a JSON lines file. Empty lines are skipped. A line that cannot be read is
// yielded as an error (ErrRecord) and reading goes on if the caller wants it to; an error of r ends it.
func Read(r io.Reader) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 1<<16), lineMax)
		for line := 1; s.Scan(); line++ {
			if blank(s.Bytes()) {
				continue
			}
			d, err := decode(s.Bytes())
			if err != nil {
				err = fmt.Errorf("%w, line %d", err, line)
			}
			if !yield(d, err) {
				return
			}
		}
		if err := s.Err(); err != nil {
			yield(Doc{}, fmt.Errorf("gold: read: %w", err))
		}
	}
}

func blank(line []byte) bool {
	return !slices.ContainsFunc(line, func(b byte) bool { return b != ' ' && b != '\t' && b != '\r' })
}

func decode(line []byte) (Doc, error) {
	var wire struct {
		Doc
		ID json.RawMessage `json:"id"` // some files number their records
	}
	if json.Unmarshal(line, &wire) != nil {
		return Doc{}, ErrRecord
	}
	d := wire.Doc
	if json.Unmarshal(wire.ID, &d.ID) != nil {
		d.ID = string(wire.ID)
	}
	n := utf8.RuneCountInString(d.Text)
	for _, s := range d.Spans {
		if s.Start < 0 || s.Start >= s.End || s.End > n {
			return Doc{}, ErrRecord
		}
	}
	slices.SortStableFunc(d.Spans, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	return d, nil
}
