package listen

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"murmur/internal/redact"
)

// Pauses between words of a leg. A sentence ends at a full stop or a short pause; a turn at a long one, or where
// another leg says something between two sentences.
const (
	shortPause = 600 * time.Millisecond
	longPause  = 2 * time.Second
)

// turn is what one leg says without a long pause.
type turn struct {
	leg   int
	words []Word
	from  []int // code point of the text at which each word begins
	text  string
}

func (t *turn) start() time.Duration { return t.words[0].Start }
func (t *turn) end() time.Duration   { return t.words[len(t.words)-1].End }

// sentences cuts the words of each leg where it pauses for a moment or ends a sentence, and puts them in order of
// time. Words are in order.
func sentences(words []Word) []turn {
	legs := map[int][]Word{}
	for _, w := range words {
		legs[w.Leg] = append(legs[w.Leg], w)
	}
	var out []turn
	for leg, words := range legs {
		begin := 0
		for i := range words {
			if ends(words, i) {
				out = append(out, turn{leg: leg, words: words[begin : i+1 : i+1]})
				begin = i + 1
			}
		}
	}
	slices.SortFunc(out, func(a, b turn) int { return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(a.leg, b.leg)) })
	return out
}

func lastChar(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[len(s)-n:]
}

// turns joins the sentences that one leg says with nothing between them.
func turns(sentences []turn) []turn {
	var out []turn
	for _, s := range sentences {
		if last := len(out) - 1; last >= 0 && out[last].leg == s.leg && s.start()-out[last].end() < longPause {
			out[last].words = append(out[last].words, s.words...)
			continue
		}
		out = append(out, s)
	}
	for i := range out {
		out[i].write()
	}
	return out
}

// write makes the text of a turn of its words.
func (t *turn) write() {
	var b strings.Builder
	t.from = make([]int, len(t.words))
	n := 0
	for i, w := range t.words {
		if i > 0 {
			b.WriteByte(' ')
			n++
		}
		t.from[i] = n
		b.WriteString(w.Text)
		n += utf8.RuneCountInString(w.Text)
	}
	t.text = b.String()
}

// sentence gives the words of the sentence that word i is in.
func (t *turn) sentence(i int) []Word {
	from, to := i, i+1
	for from > 0 && !ends(t.words, from-1) {
		from--
	}
	for !ends(t.words, to-1) {
		to++
	}
	return t.words[from:to]
}

// ends reports whether a sentence ends with word i.
func ends(words []Word, i int) bool {
	return i+1 == len(words) || words[i+1].Start-words[i].End >= shortPause || strings.ContainsAny(lastChar(words[i].Text), ".?!")
}

// within gives the words that code points [start, end) of the text touch: [first, last).
func (t *turn) within(start, end int) (first, last int) {
	last = sort.SearchInts(t.from, end)
	first = max(0, sort.SearchInts(t.from, start+1)-1)
	if first < last && t.from[first]+utf8.RuneCountInString(t.words[first].Text) <= start {
		first++ // the span begins behind it, at the space
	}
	return first, last
}

// document is the conversation for the text anonymiser. One leg alone may hold any number of speakers.
func document(turns []turn, legs int) redact.Doc {
	d := redact.Doc{Turns: make([]redact.Turn, len(turns))}
	for i, t := range turns {
		d.Turns[i].Text = t.text
		if legs > 1 {
			d.Turns[i].Side = redact.Side(t.leg + int(redact.Contact))
		}
	}
	return d
}
