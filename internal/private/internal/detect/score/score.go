// Package score measures a redactor against texts labelled by hand: what leaks, what is masked for nothing.
//
// Zone: RED, reads personal text. All counts are characters (Unicode code points) unless they say spans or
// documents. A gold span with opt is "don't care": it neither counts as leak nor as false.
package score

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"murmur/internal/private/internal/detect"
)

// Record is one line of a gold file.
type Record struct {
	ID     string
	Source string
	Text   string
	Spans  []Gold
}

// Gold is one labelled stretch, code points [Start, End).
type Gold struct {
	Start, End int
	Type       string
	Opt        bool
}

// ErrGold says that a line of a gold file cannot be read; the line's number comes with it.
var ErrGold = errors.New("score: not a gold record")

// Counts of one source or type.
type Counts struct {
	Documents, Leaking int // documents, and those with a personal letter or digit left
	Personal, Masked   int // personal characters, and those of them that are masked
	Plain, False       int // other characters, and those of them that are masked
	FalseSpans         int // masked spans that touch no gold span
	Whole, Spans       int // gold spans, fully covered and all
	Hit, Found         int // for strict F2: spans equal in place and type; spans found
}

// Recall is the share of personal characters that are masked.
func (c Counts) Recall() float64 { return ratio(c.Masked, c.Personal) }

// Precision is the share of masked characters that are personal.
func (c Counts) Precision() float64 { return ratio(c.Masked, c.Masked+c.False) }

// Leak is the share of documents that hold a personal letter or digit after masking.
func (c Counts) Leak() float64 {
	if c.Documents == 0 {
		return 0
	}
	return float64(c.Leaking) / float64(c.Documents)
}

// F2 weighs recall of strict spans (place and type) over precision.
func (c Counts) F2() float64 {
	p, r := ratio(c.Hit, c.Found), ratio(c.Hit, c.Spans)
	if p+r == 0 {
		return 0
	}
	return 5 * p * r / (4*p + r)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// Board holds the counts by source and, across sources, by type.
type Board struct {
	Sources map[string]*Counts
	Types   map[string]*Counts
}

// Read scores every record of a gold file (JSON lines) with d.
func (b *Board) Read(r io.Reader, d *detect.Detector) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 1<<16), 64<<20)
	for line := 1; s.Scan(); line++ {
		if len(strings.TrimSpace(s.Text())) == 0 {
			continue
		}
		var g Record
		if json.Unmarshal(s.Bytes(), &g) != nil {
			return fmt.Errorf("%w, line %d", ErrGold, line)
		}
		red, err := d.Redact(detect.Doc{Turns: detect.ParsePlain(g.Text)})
		if err != nil {
			return err
		}
		b.Add(g, red.Flat())
	}
	return s.Err()
}

// Add counts one record against the spans that were found in it.
func (b *Board) Add(g Record, found []detect.Span) {
	if b.Sources == nil {
		b.Sources, b.Types = map[string]*Counts{}, map[string]*Counts{}
	}
	src := counts(b.Sources, g.Source)
	text := []rune(g.Text)
	n := len(text)
	gold, masked := make([]byte, n), make([]bool, n) // gold: 0 plain, 1 personal, 2 don't care
	for _, want := range []bool{true, false} {
		for _, s := range g.Spans {
			for i := max(0, s.Start); i < min(s.End, n) && s.Opt == want; i++ {
				gold[i] = 1
				if want {
					gold[i] = 2
				}
			}
		}
	}
	for _, s := range found {
		touches := false
		for i := s.Start; i < min(s.End, n); i++ {
			masked[i] = true
			touches = touches || gold[i] > 0
		}
		if !touches {
			src.FalseSpans++
		}
	}
	src.Documents++
	leaks := false
	for i := range n {
		switch {
		case gold[i] == 1 && masked[i]:
			src.Personal++
			src.Masked++
		case gold[i] == 1:
			src.Personal++
			leaks = leaks || unicode.IsLetter(text[i]) || unicode.IsDigit(text[i])
		case gold[i] == 0:
			src.Plain++
			if masked[i] {
				src.False++
			}
		}
	}
	if leaks {
		src.Leaking++
	}
	b.spans(g, found, masked, src)
}

// spans counts whole and exact spans.
func (b *Board) spans(g Record, found []detect.Span, masked []bool, src *Counts) {
	for _, s := range g.Spans {
		if s.Opt {
			continue
		}
		typ := counts(b.Types, s.Type)
		whole := true
		for i := max(0, s.Start); i < min(s.End, len(masked)); i++ {
			typ.Personal++
			if masked[i] {
				typ.Masked++
			} else {
				whole = false
			}
		}
		hit := slices.ContainsFunc(found, func(f detect.Span) bool {
			return f.Start == s.Start && f.End == s.End && f.Type.String() == s.Type
		})
		for _, c := range []*Counts{src, typ} {
			c.Spans++
			if whole {
				c.Whole++
			}
			if hit {
				c.Hit++
			}
		}
	}
	for _, f := range found {
		if slices.ContainsFunc(g.Spans, func(s Gold) bool { return s.Opt && s.Start < f.End && f.Start < s.End }) {
			continue
		}
		src.Found++
		counts(b.Types, f.Type.String()).Found++
	}
}

func counts(m map[string]*Counts, key string) *Counts {
	c := m[key]
	if c == nil {
		c = new(Counts)
		m[key] = c
	}
	return c
}

// Table prints both boards for people.
func (b *Board) Table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-24s %7s %7s %7s %7s %7s %7s %7s %7s\n", "source", "docs", "recall", "prec", "leak", "docs!", "whole", "F2", "false")
	for _, k := range slices.Sorted(maps.Keys(b.Sources)) {
		c := b.Sources[k]
		fmt.Fprintf(&out, "%-24s %7d %7.3f %7.3f %7.3f %7d %7.3f %7.3f %7d\n", k, c.Documents, c.Recall(), c.Precision(), c.Leak(), c.Leaking, ratio(c.Whole, c.Spans), c.F2(), c.FalseSpans)
	}
	fmt.Fprintf(&out, "\n%-24s %7s %7s %7s %7s\n", "type", "spans", "recall", "whole", "F2")
	for _, k := range slices.Sorted(maps.Keys(b.Types)) {
		c := b.Types[k]
		fmt.Fprintf(&out, "%-24s %7d %7.3f %7.3f %7.3f\n", k, c.Spans, c.Recall(), ratio(c.Whole, c.Spans), c.F2())
	}
	return out.String()
}
