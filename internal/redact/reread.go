package redact

import (
	"slices"

	"murmur/internal/redact/internal/echo"
	"murmur/internal/redact/internal/scan"
)

// rereading knows how the turns without a value were read, so that one is not read again where it would be read the same: the
// same words behind the same questions, heard from the other side as before, and none of them remembered since. It knows
// the first turns of a document, up to rereadWords.
type rereading struct {
	turns   []reread
	words   []heardWord
	moments []moment
	asks    []scan.Asked // of all moments
}

// rereadWords bounds what is known, words: 8 MB.
const rereadWords = 1 << 20

// reread is one turn as it was read last.
type reread struct {
	from, to      int32 // its words
	before, after int32 // the moments before and behind it
	spells        bool  // three digits or letters are said, which may be remembered in another form
}

// moment is a dialogue as it was: asks [from, to) of those kept.
type moment struct {
	turn     int
	said     scan.Asked
	last     heard
	from, to int32
}

// heardWord is a word as echoes took it.
type heardWord struct {
	hash           uint32
	counts, echoed bool
}

// now gives the number of the moment that d is at.
func (r *rereading) now(d *dialogue) int32 {
	last := int32(len(r.moments) - 1)
	if last < 0 || !r.is(last, d) {
		from := int32(len(r.asks))
		r.asks = append(r.asks, d.asks...)
		r.moments, last = append(r.moments, moment{d.turn, d.said, d.last, from, int32(len(r.asks))}), last+1
	}
	return last
}

// is reports whether d is at moment k.
func (r *rereading) is(k int32, d *dialogue) bool {
	m := &r.moments[k]
	return d.turn == m.turn && d.said == m.said && d.last == m.last && slices.Equal(d.asks, r.asks[m.from:m.to])
}

// begins notes the dialogue before turn i.
func (r *rereading) begins(i int, d *dialogue) {
	switch {
	case i < len(r.turns):
	case i == len(r.turns) && len(r.words) < rereadWords:
		r.turns = append(r.turns, reread{})
	default:
		return
	}
	r.turns[i].before = r.now(d)
}

// ends notes the dialogue behind turn i, which is in s, and its words if they were not noted before.
func (r *rereading) ends(i int, d *dialogue, s *turn) {
	if i >= len(r.turns) {
		return
	}
	t := &r.turns[i]
	t.after = r.now(d)
	if t.to > 0 && int(t.to-t.from) != len(s.Tokens) {
		return // it has masks by now, and is read again in any case
	}
	if t.to == 0 {
		t.from = int32(len(r.words))
		r.words = append(r.words, make([]heardWord, len(s.Tokens))...)
		t.to = int32(len(r.words))
	}
	for k := range s.Tokens {
		r.words[int(t.from)+k] = heardWord{s.Hashes[k], s.MayEcho(k), s.echoes.Heard[k]}
	}
	for k := range s.Runs {
		t.spells = t.spells || len(s.Runs[k].Symbols) >= 3
	}
}

// same reports whether turn i, which has no mask, would be read as before; if so it leaves d and e as that reading would.
func (r *rereading) same(i int, d *dialogue, e *echo.Echoes, y *memory, side Side) bool {
	if i >= len(r.turns) {
		return false
	}
	t := &r.turns[i]
	if t.spells || !r.is(t.before, d) {
		return false
	}
	words := r.words[t.from:t.to]
	for _, w := range words {
		if y.holds(w.hash) || w.counts && e.Echoes(w.hash, e.Turn+1, side) != w.echoed {
			return false
		}
	}
	e.Turn++
	for _, w := range words {
		if w.counts && !w.echoed {
			e.Take(w.hash, side)
		}
	}
	m := &r.moments[t.after]
	d.turn, d.said, d.last, d.asks = m.turn, m.said, m.last, append(d.asks[:0], r.asks[m.from:m.to]...)
	return true
}

// mayHold reports whether a word of turn i, which has no mask, may be remembered.
func (r *rereading) mayHold(i int, y *memory) bool {
	if i >= len(r.turns) {
		return true
	}
	return slices.ContainsFunc(r.words[r.turns[i].from:r.turns[i].to], func(w heardWord) bool { return y.holds(w.hash) })
}
