package redact

import (
	"strings"
	"testing"
	"unicode/utf8"

	"murmur/internal/redact/invent"
)

// TestNoValueIsLostAtACut puts texts across the place where a long turn is cut, the cut inside a value: what the rules mask whole
// in a turn that is read at once they mask there too. A turn is cut every 4 kB here, and in the same way every 64 kB elsewhere.
// A part is a turn of its own to the questions of a conversation, so that one value in 200 may be read otherwise.
func TestNoValueIsLostAtACut(t *testing.T) {
	t.Parallel()
	whole, err := New(Config{Dial: Strict, RulesOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	cut, err := New(Config{Dial: Strict, RulesOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	cut.part = 4 << 10
	before, after := strings.Repeat("and so it went on and on ", 200), " "+strings.Repeat("so that was all of it then ", 100)
	values, lost := 0, 0
	for doc := range invent.Documents(23, 600) {
		if len(doc.Spans) == 0 || len(doc.Text) > 1000 || values > 600 {
			continue
		}
		sp := doc.Spans[len(doc.Spans)/2]
		at := len(string([]rune(doc.Text)[:(sp.Start+sp.End)/2]))
		pad := cut.part - 1 - at
		line := before[len(before)-pad:] + " " + doc.Text + after
		want, err := whole.Redact(Doc{Turns: []Turn{{Text: line}}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := cut.Redact(Doc{Turns: []Turn{{Text: line}}})
		if err != nil {
			t.Fatal(err)
		}
		offset := utf8.RuneCountInString(line[:pad+1])
		for _, s := range doc.Spans {
			if s.Opt || s.Type == "ORG" {
				continue
			}
			values++
			if left(want.Spans(), offset+s.Start, offset+s.End) == 0 && left(got.Spans(), offset+s.Start, offset+s.End) > 0 {
				lost++
			}
		}
	}
	if values < 500 || lost > values/200 {
		t.Errorf("%d of %d values are lost at a cut", lost, values)
	}
}

// left counts code points [from, to) that no span holds.
func left(spans []Span, from, to int) int {
	n := to - from
	for _, s := range spans {
		n -= max(0, min(to, s.End)-max(from, s.Start))
	}
	return n
}
