// Package score measures a redactor against texts labelled by hand: what leaks, what is masked for nothing.
//
// Zone: RED, reads personal text. All counts are characters (Unicode code points) unless they say spans or
// documents. A gold span with opt is "don't care": it neither counts as leak nor as false.
package score

import (
	"io"
	"slices"
	"unicode"

	"murmur/internal/redact"
	"murmur/internal/redact/gold"
)

// Counts of one source, type or document. For a type only spans and personal characters count.
type Counts struct {
	Documents, Leaking int // documents, and those with a personal letter or digit left
	Personal, Masked   int // personal characters, and those of them that are masked
	Plain, False       int // other characters, and those of them that are masked
	FalseSpans         int // masked spans that touch no gold span
	Clean              int // documents without a gold span
	CleanSpans         int // masked spans in those that are no dates
	CleanDates         int // and those that are
	Whole, Spans       int // gold spans, fully covered and all
	Hit, Found         int // for strict F2: spans equal in place and type; spans found
	Near, NearFound    int // gold spans that a found one matches at an intersection over union of .9, whatever its type; found ones that match
}

// plus adds the counts of d.
func (c *Counts) plus(d *Counts) {
	c.Documents += d.Documents
	c.Leaking += d.Leaking
	c.Personal += d.Personal
	c.Masked += d.Masked
	c.Plain += d.Plain
	c.False += d.False
	c.FalseSpans += d.FalseSpans
	c.Clean += d.Clean
	c.CleanSpans += d.CleanSpans
	c.CleanDates += d.CleanDates
	c.Whole += d.Whole
	c.Spans += d.Spans
	c.Hit += d.Hit
	c.Found += d.Found
	c.Near += d.Near
	c.NearFound += d.NearFound
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

// Cover is the share of gold spans of which every character is masked.
func (c Counts) Cover() float64 { return ratio(c.Whole, c.Spans) }

// NearRecall and NearPrecision are those of whole spans at an intersection over union of .9, blind to their type.
func (c Counts) NearRecall() float64    { return ratio(c.Near, c.Spans) }
func (c Counts) NearPrecision() float64 { return ratio(c.NearFound, c.Found) }

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
	docs    map[string][]Counts // by source, for the intervals
}

// Read scores every document of a gold file (JSON lines) with d. The error is gold.ErrRecord with the line, or the
// reader's.
func (b *Board) Read(r io.Reader, d *redact.Detector) error {
	for g, err := range gold.Read(r) {
		if err != nil {
			return err
		}
		red, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(g.Text)})
		if err != nil {
			return err
		}
		b.Add(&g, red.Flat())
	}
	return nil
}

// Add counts one document against the spans that were found in it.
func (b *Board) Add(g *gold.Doc, found []redact.Span) {
	if b.Sources == nil {
		b.Sources, b.Types = map[string]*Counts{}, map[string]*Counts{}
	}
	if b.docs == nil {
		b.docs = map[string][]Counts{}
	}
	doc := Counts{Documents: 1}
	masked := doc.characters(g, found)
	b.spans(g, found, masked, &doc)
	if !slices.ContainsFunc(g.Spans, func(s gold.Span) bool { return !s.Opt }) {
		doc.Clean = 1
		for _, s := range found {
			switch {
			case touches(s, g.Spans):
			case s.Type == redact.Date:
				doc.CleanDates++
			default:
				doc.CleanSpans++
			}
		}
	}
	counts(b.Sources, g.Source).plus(&doc)
	b.docs[g.Source] = append(b.docs[g.Source], doc)
}

// touches reports whether a found span lies over one of the gold spans.
func touches(f redact.Span, spans []gold.Span) bool {
	return slices.ContainsFunc(spans, func(s gold.Span) bool { return s.Start < f.End && f.Start < s.End })
}

// Join adds the counts of another board.
func (b *Board) Join(o *Board) {
	if b.Sources == nil {
		b.Sources, b.Types, b.docs = map[string]*Counts{}, map[string]*Counts{}, map[string][]Counts{}
	}
	for k, c := range o.Sources {
		counts(b.Sources, k).plus(c)
		b.docs[k] = append(b.docs[k], o.docs[k]...)
	}
	for k, c := range o.Types {
		counts(b.Types, k).plus(c)
	}
}

// characters counts the characters of a document and gives which of them are masked.
func (c *Counts) characters(g *gold.Doc, found []redact.Span) []bool {
	text := []rune(g.Text)
	n := len(text)
	want, masked := make([]byte, n), make([]bool, n) // want: 0 plain, 1 personal, 2 don't care
	for _, opt := range []bool{true, false} {
		for _, s := range g.Spans {
			for i := max(0, s.Start); i < min(s.End, n) && s.Opt == opt; i++ {
				want[i] = 1
				if opt {
					want[i] = 2
				}
			}
		}
	}
	for _, s := range found {
		for i := s.Start; i < min(s.End, n); i++ {
			masked[i] = true
		}
		if !touches(s, g.Spans) {
			c.FalseSpans++
		}
	}
	leaks := false
	for i := range n {
		switch {
		case want[i] == 1 && masked[i]:
			c.Personal++
			c.Masked++
		case want[i] == 1:
			c.Personal++
			leaks = leaks || unicode.IsLetter(text[i]) || unicode.IsDigit(text[i])
		case want[i] == 0:
			c.Plain++
			if masked[i] {
				c.False++
			}
		}
	}
	if leaks {
		c.Leaking++
	}
	return masked
}

// spans counts whole, near and exact spans.
func (b *Board) spans(g *gold.Doc, found []redact.Span, masked []bool, doc *Counts) {
	for _, s := range g.Spans {
		if s.Opt {
			continue
		}
		typ := counts(b.Types, s.Type)
		whole, near, hit := true, false, false
		for i := max(0, s.Start); i < min(s.End, len(masked)); i++ {
			typ.Personal++
			if masked[i] {
				typ.Masked++
			} else {
				whole = false
			}
		}
		for _, f := range found {
			near = near || overlap(f, s) >= .9
			hit = hit || f.Start == s.Start && f.End == s.End && f.Type.String() == s.Type
		}
		for _, c := range []*Counts{doc, typ} {
			c.Spans++
			c.Whole += one(whole)
			c.Near += one(near)
			c.Hit += one(hit)
		}
	}
	for _, f := range found {
		if slices.ContainsFunc(g.Spans, func(s gold.Span) bool { return s.Opt && s.Start < f.End && f.Start < s.End }) {
			continue
		}
		near := one(slices.ContainsFunc(g.Spans, func(s gold.Span) bool { return !s.Opt && overlap(f, s) >= .9 }))
		for _, c := range []*Counts{doc, counts(b.Types, f.Type.String())} {
			c.Found++
			c.NearFound += near
		}
	}
}

// overlap is the intersection of two spans over their union.
func overlap(f redact.Span, s gold.Span) float64 {
	both := min(f.End, s.End) - max(f.Start, s.Start)
	if both <= 0 {
		return 0
	}
	return float64(both) / float64(max(f.End, s.End)-min(f.Start, s.Start))
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func counts(m map[string]*Counts, key string) *Counts {
	c := m[key]
	if c == nil {
		c = new(Counts)
		m[key] = c
	}
	return c
}
