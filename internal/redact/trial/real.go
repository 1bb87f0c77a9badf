package trial

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
)

// meant are the acts of the fourteen prompts of evi_asr.
var meant = map[string]string{
	"One more time please?": "repeat", "Sorry, could you say that again?": "repeat", "I didn't catch that, could you spell it?": "ask-spelling",
	"Anything else I can do?": "ask-other", "What's the problem?": "ask-other", "How can I help today?": "ask-other",
	"What's your date of birth?": "ask-birth", "And when were you born?": "ask-birth",
	"Can I take the postcode?": "ask-postcode", "And the post code there?": "ask-postcode", "What's your postcode, please?": "ask-postcode",
	"Who am I speaking to?": "ask-name", "Your name please?": "ask-name", "And your full name?": "ask-name",
}

// Of a hundred answers, how many are wrapped in a hand's words, and how many are read back.
const (
	wrapped  = 20
	readBack = 15
)

// asked puts the questions of a hand in the place of a call's own, wraps some answers in the hand's words and reads some
// back. bare: all in lower case, without punctuation.
func asked(d *gold.Doc, h *hand.Hand, bare bool, r *rand.Rand) gold.Doc {
	out := gold.Doc{ID: d.ID + " " + h.Name, Group: d.Group}
	w := builder{doc: &out, bare: bare}
	phrase := func(act string) string { return h.Prompts[act][r.IntN(len(h.Prompts[act]))] }
	at := 0
	for line := range strings.SplitSeq(d.Text, "\n") {
		n := utf8.RuneCountInString(line)
		said, agent := strings.CutPrefix(line, "Agent: ")
		var inside []gold.Span
		for _, s := range d.Spans {
			if s.Start >= at && s.End <= at+n {
				s.Start, s.End = s.Start-at, s.End-at
				inside = append(inside, s)
			}
		}
		at += n + 1
		if act, ok := meant[said]; agent && ok {
			if r.IntN(100) < 10 {
				w.line("Agent: "+phrase("accept"), nil)
			}
			w.line("Agent: "+phrase(act), nil)
			continue
		}
		label, value, _ := strings.Cut(line, ": ")
		shift := utf8.RuneCountInString(label) + 2
		whole := len(inside) == 1 && inside[0].Start == shift && inside[0].End == n
		if whole && r.IntN(100) < wrapped {
			w.wrap(label+": ", h.Carriers[r.IntN(len(h.Carriers))], value, inside[0].Type)
		} else {
			w.line(line, inside)
		}
		if whole && r.IntN(100) < readBack {
			w.wrap("Agent: ", phrase("confirm"), value, inside[0].Type)
		}
	}
	return out
}

// builder writes a document line by line.
type builder struct {
	doc  *gold.Doc
	bare bool
	n    int // code points
}

func (b *builder) add(s string) {
	b.doc.Text += s
	b.n += utf8.RuneCountInString(s)
}

// line adds a line with its spans.
func (b *builder) line(s string, spans []gold.Span) {
	if b.n > 0 {
		b.add("\n")
	}
	runes, at := []rune(s), 0
	if i := strings.Index(s, ": "); i >= 0 {
		at = utf8.RuneCountInString(s[:i+2])
		b.add(string(runes[:at]))
	}
	for _, sp := range spans {
		b.add(b.plain(string(runes[at:sp.Start])))
		from := b.n
		b.add(b.plain(string(runes[sp.Start:sp.End])))
		if at = sp.End; b.n > from {
			sp.Start, sp.End = from, b.n
			b.doc.Spans = append(b.doc.Spans, sp)
		}
	}
	b.add(b.plain(string(runes[at:])))
}

// wrap adds a line in which a value stands at every "{value}" of a phrase.
func (b *builder) wrap(label, phrase, value, typ string) {
	var spans []gold.Span
	s := label
	for {
		before, after, more := strings.Cut(phrase, "{value}")
		s += before
		if !more {
			break
		}
		from := utf8.RuneCountInString(s)
		s += value
		spans = append(spans, gold.Span{Start: from, End: utf8.RuneCountInString(s), Type: typ})
		phrase = after
	}
	b.line(s, spans)
}

// plain drops capitals and punctuation where the document has none.
func (b *builder) plain(s string) string {
	if !b.bare {
		return s
	}
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(",.?!;:\"…", c) {
			return -1
		}
		return unicode.ToLower(c)
	}, s)
}
