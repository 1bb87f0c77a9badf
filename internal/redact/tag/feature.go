package tag

import "math/bits"

// templates is the number of features of a word.
const templates = 81

// rowBits is the size of the table of rows: features are hashed into it and share rows where hashes meet.
const (
	rowBits = 20
	rowMask = 1<<rowBits - 1
)

// cell holds a token's own observations, made once and combined into features of it and its neighbours.
type cell struct {
	word       uint64    // hash of the lower-case word
	head, tail [4]uint64 // its first and last 1..4 bytes, the whole word if it is shorter
	form       uint64    // kind and shape
	known      uint64    // lists
	class      uint64    // closed classes
	hint       uint64    // rules
	length     uint64
	sparse     uint64 // the word itself if it is of a closed class or a sign, else what lists and shape say
	pattern    uint64 // form, known and class together
	vowel      uint64
	clause     uint64 // how many words stand before and behind it between two signs
	again      uint64 // 1: another side has just said it
}

// outside stands for the tokens before the first and behind the last.
var outside = cell{word: 1, form: 99, known: 999, class: 1 << 40, hint: 255, sparse: 3, pattern: 5}

const (
	mulA = 0x9e3779b97f4a7c15
	mulB = 0xd6e8feb86659fd93
	mulC = 0xa0761d6478bd642f
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^mulC, b^mulB)
	return hi ^ lo
}

// observe fills c with what token t of lower says.
func (c *cell) observe(lower string, t *Token) {
	w := lower[t.Start:t.End]
	h := uint64(len(w)) * mulA
	var last uint64
	vowels := uint64(0)
	for i := range len(w) {
		b := w[i]
		h = (h ^ uint64(b)) * mulB
		h ^= h >> 29
		last = last<<8 | uint64(b)
		if i < 4 {
			for k := i; k < 4; k++ {
				c.head[k] = last
			}
		}
		switch b {
		case 'a', 'e', 'i', 'o', 'u', 'y':
			vowels++
		}
	}
	if len(w) == 0 {
		c.head = [4]uint64{}
	}
	for k := range 4 {
		c.tail[k] = last & (1<<(8*(k+1)) - 1)
	}
	c.word = h
	c.form = uint64(t.Kind)<<4 | uint64(t.Shape) + 1
	c.known = uint64(t.Known) + 1
	c.class = uint64(t.Words)
	c.hint = uint64(t.Hint) + 1
	c.length = min(uint64(len(w)), 9)
	c.vowel = vowels
	c.again = 0
	if t.Again {
		c.again = 1
	}
	c.pattern = mix(c.form<<40|c.known<<32|c.class, 77)
	c.sparse = c.word
	if t.Words == 0 && t.Kind >= 2 {
		c.sparse = mix(c.form<<16|c.known, 78)
	}
}

// beside is how many words on each side are looked at.
const beside = 3

// clauses tells of every token how many words, up to three, stand before and behind it between two signs.
func (s *Scratch) clauses(t *Turn) {
	before := uint64(0)
	for i := range t.Tokens {
		s.cells[i+beside].clause = before << 2
		if before = min(before+1, 3); t.Tokens[i].Kind < 2 {
			before = 0
		}
	}
	behind := uint64(0)
	for i := len(t.Tokens) - 1; i >= 0; i-- {
		s.cells[i+beside].clause |= behind
		if behind = min(behind+1, 3); t.Tokens[i].Kind < 2 {
			behind = 0
		}
	}
}

// prepare observes all tokens of t into s.
func (s *Scratch) prepare(t *Turn) {
	n := len(t.Tokens)
	if cap(s.cells) < n+2*beside {
		s.cells = make([]cell, n+2*beside, 2*n+16)
	}
	s.cells = s.cells[:n+2*beside]
	for k := range beside {
		s.cells[k], s.cells[n+beside+k] = outside, outside
	}
	for i := range t.Tokens {
		s.cells[i+beside].observe(t.Lower, &t.Tokens[i])
	}
	s.clauses(t)
	ask := uint64(t.Asked[0])
	all := uint64(0)
	for _, a := range t.Asked {
		if a != 0 {
			all |= 1 << a
		}
	}
	stale, cased := uint64(0), uint64(0)
	if t.Stale {
		stale = 1
	}
	if t.Cased {
		cased = 1
	}
	s.ask = ask<<1 | stale
	s.asks = all
	s.cased = cased
	s.acts = uint64(t.Act)<<1 | uint64(t.Asked[0])<<8
	if t.Echo {
		s.acts |= 1
	}
	s.before = uint64(t.Before)<<1 | 1<<20
	s.begun, s.ended = uint64(t.Begun)|1<<33, uint64(t.Ended)|1<<34
	s.side = uint64(t.Side)
	s.size = uint64(min(bits.Len(uint(n)), 6))
}

// rows gives the rows of the features of token i. Template k is a fixed place of the result, so that a
// trainer may leave features out.
func (s *Scratch) rows(i int, out *[templates]uint32) {
	p3, p2, p, c, n, n2, n3 := &s.cells[i], &s.cells[i+1], &s.cells[i+2], &s.cells[i+3], &s.cells[i+4], &s.cells[i+5], &s.cells[i+6]
	place := uint64(min(i, 3))<<4 | uint64(min(len(s.cells)-7-i, 3))
	f := [templates]uint64{
		// 0: the word itself and its parts
		c.word, c.head[0], c.head[1], c.head[2], c.head[3], c.tail[0], c.tail[1], c.tail[2], c.tail[3],
		mix(c.word, c.form), mix(c.tail[2], c.form|s.cased<<20), mix(c.length<<8|c.vowel, c.form|c.known<<20),
		// 12: form, lists and classes
		c.form | s.cased<<20, c.known<<20 | c.form | s.cased<<40, c.class, c.pattern, c.hint, mix(c.hint, c.pattern), mix(c.hint, c.word),
		mix(c.hint, p.hint<<8|n.hint), mix(p.form<<16|c.form<<8|n.form, s.cased),
		// 21: the words around it
		p.word, n.word, p2.word, n2.word, mix(p.word, c.word), mix(c.word, n.word+1), mix(p2.word, p.word+2), mix(n.word, n2.word+3), mix(p.word, n.word+4),
		mix(p.word, c.known<<16|c.form), mix(n.word, c.known<<16|c.form|1<<40), mix(p2.word, mix(p.word, c.pattern)), mix(mix(p.word, n.word), c.pattern), mix(mix(n.word, n2.word), c.pattern),
		// 35: their lists, classes and forms
		p.known<<20 | p.form | s.cased<<40, n.known<<20 | n.form | s.cased<<40, p.class, n.class, p.hint, n.hint,
		mix(p.pattern, c.pattern), mix(c.pattern, n.pattern+1), mix(mix(p.pattern, c.pattern), n.pattern), mix(mix(p2.sparse, p.sparse), c.pattern),
		mix(mix(p.sparse, c.sparse), n.sparse), mix(mix(c.sparse, n.sparse), n2.sparse), mix(p.tail[2], c.pattern), mix(n.tail[2], c.pattern+1),
		mix(p2.pattern, mix(p.pattern, c.pattern)), mix(n2.pattern, mix(n.pattern, c.pattern)),
		// 51: the conversation
		s.ask, mix(s.ask, c.pattern), mix(s.ask, place<<8|s.size), mix(s.ask, mix(c.pattern, place)), mix(s.ask, c.word), mix(s.asks, c.pattern), mix(s.ask, mix(c.hint, c.sparse)),
		mix(s.side, c.pattern), place<<8 | s.size,
		// 60: what the turn and the one before it do
		mix(s.acts, place<<8|s.size), mix(s.acts, c.pattern), mix(s.acts, c.sparse), mix(s.acts, p.word+5), mix(s.acts, mix(p.sparse, c.pattern)), mix(s.acts, mix(n.sparse, c.pattern)),
		mix(c.again<<2|p.again<<1|n.again, c.pattern), mix(c.again<<2|p.again<<1|n.again, mix(s.acts, c.form)), mix(c.again<<1|p.again, mix(p.word, c.form)),
		// 69: words three away, endings behind a word, how far the clause reaches
		mix(p3.word, c.pattern+2), mix(n3.word, c.pattern+3), mix(mix(p3.sparse, p2.sparse), mix(p.sparse, c.pattern)),
		mix(c.tail[2], p.word+7), mix(c.tail[2], p.pattern), mix(c.clause, c.pattern), mix(mix(c.clause, s.side), mix(c.known, p.sparse)),
		// 76: the turn before
		mix(s.before, place<<8|s.size), mix(s.before, c.pattern), mix(s.ended, place<<8|s.size), mix(s.ended, mix(c.pattern, s.size)), mix(s.begun, mix(c.pattern, place)),
	}
	for k := range f {
		h := (f[k] + uint64(k)*mulC) * mulA
		h ^= h >> 32
		out[k] = uint32(h*mulB>>(64-rowBits)) & rowMask
	}
}
