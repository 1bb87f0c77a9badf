package redact

import (
	"slices"
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/coarse"
	"murmur/internal/redact/internal/rule/name"
	"murmur/internal/redact/internal/token"
)

// memory holds what was masked in a document, to mask it wherever else it stands, in any case and spelling.
type memory struct {
	words   map[string]Type // parts of names, user names, e-mail addresses: lower case
	plain   map[string]bool // those of them that are English words too
	digits  map[string]Type // numbers of four digits and more
	phrases map[string][]phrase
	has     [1 << 9]uint64 // a bit for the hash of every word, number and first word of a phrase
	grown   bool           // there are phrases that were not looked for yet
}

// phrase is the words of a value, lower case, without signs. It is found by its first word.
type phrase struct {
	words []string
	t     Type
	turn  int // it was said in
	side  Side
	near  bool // words that say little: it is known again only where the other side says them in the next turns
}

// readBack is in how many turns behind its answer a value is read back.
const readBack = 3

// longPhrase is how many words of a value are compared.
const longPhrase = 16

// learn takes in the values of the pieces of turn nth, said by side.
func (y *memory) learn(m *masking, nth int, side Side) {
	if len(m.pieces) == m.fresh {
		return
	}
	m.fresh = len(m.pieces)
	if y.words == nil {
		y.words, y.digits, y.plain, y.phrases = map[string]Type{}, map[string]Type{}, map[string]bool{}, map[string][]phrase{}
	}
	for i := range m.pieces {
		y.piece(&m.pieces[i], m.text, nth, side)
	}
}

// note sets the bits of a word, and of it with an s.
func (y *memory) note(w string) {
	for _, w := range [...]string{w, w + "s"} {
		h := token.HashOf(w)
		h ^= h >> 15
		y.has[h>>6%uint32(len(y.has))] |= 1 << (h % 64)
	}
}

// holds reports whether a word of this hash may be remembered.
func (y *memory) holds(h uint32) bool {
	h ^= h >> 15
	return y.has[h>>6%uint32(len(y.has))]>>(h%64)&1 == 1
}

func (y *memory) piece(p *piece, text string, nth int, side Side) {
	value := text[p.s:p.e]
	if p.t == Date || p.t == Age || len(value) > longValue {
		return
	}
	v := coarse.Say(value)
	y.phrase(&v, phrase{t: p.t, turn: nth, side: side})
	switch p.t {
	case Location:
		if w := strings.ToLower(value); len(v.Tok) == 1 && len(w) >= 4 && token.Lexicon[w] == 0 && gazetteer.Lookup(w)&gazetteer.Word == 0 {
			y.words[w] = Location
			y.note(w)
		}
		return
	case Address, CardExpiry:
		return
	case Person:
		y.name(&v, p)
	case Username, Password, ID, Vehicle, Postcode:
		if w := strings.ToLower(value); len(w) >= 5 && !strings.Contains(w, " ") && gazetteer.Lookup(w)&gazetteer.Word == 0 {
			y.words[w] = p.t
			y.note(w)
		}
	}
	if d := check.DigitsOf(value); len(d) >= 4 {
		y.digits[d] = p.t
		y.note(d)
	}
	for k := range v.Runs {
		if r := &v.Runs[k]; r.Digits >= 4 && r.Letters == 0 {
			y.digits[r.Value()] = p.t
			y.note(r.Value())
		}
	}
}

// name takes in the words of a name, and what a spelling of it says.
func (y *memory) name(v *coarse.Said, p *piece) {
	if w := v.Letters(); w != "" {
		y.spelled(w)
	} else {
		for k := range v.Runs {
			if w := strings.ReplaceAll(v.Runs[k].Value(), "0", "o"); v.Runs[k].Digits == strings.Count(v.Runs[k].Value(), "0") { // "o" is read as a digit
				y.spelled(w)
			}
		}
	}
	for _, t := range v.Tok {
		w := v.Lower[t.Start:t.End]
		if t.Kind != token.Word || len(w) < 3 || token.Lexicon[w]&^(token.Month|token.Stop|token.Verb|token.Given) != 0 {
			continue
		}
		g := gazetteer.Lookup(w)
		switch {
		case g&gazetteer.Word == 0 && token.Lexicon[w]&^token.Given == 0 && (g != 0 || p.why != ByQuestion || len(w) >= 5):
			y.words[w] = Person
			y.note(w)
		case p.score >= 75 && g&gazetteer.CommonFirst != 0 && len(v.Tok) <= 2, len(v.Tok) <= 2 && token.Lexicon[w] == 0:
			if _, known := y.words[w]; !known {
				y.words[w], y.plain[w] = Person, true
				y.note(w)
			}
		}
	}
}

// spelled takes in a name that was spelled: a plain word too, for nobody spells one that is no name here.
func (y *memory) spelled(w string) {
	if len(w) < 3 || token.Lexicon[w]&(token.Stop|token.Ack) != 0 || len(w) == 3 && gazetteer.Lookup(w)&gazetteer.Name == 0 {
		return
	}
	y.words[w] = Person
	delete(y.plain, w)
	y.note(w)
}

// longValue is how many bytes of a value are remembered.
const longValue = 400

// phrase takes in the words of a value.
func (y *memory) phrase(v *coarse.Said, p phrase) {
	telling, plain := 0, 0
	for _, k := range v.Tok {
		w := v.Lower[k.Start:k.End]
		switch {
		case k.Kind < token.Word || k.Kind == token.Mask:
			continue
		case k.Kind == token.Digit || k.Kind == token.Mixed:
			telling += len(w)
		case k.Lex&(token.Stop|token.Ack|token.Common) != 0:
			plain++
		case k.Gaz&gazetteer.Word == 0:
			telling += 2
		default:
			telling++
		}
		p.words = append(p.words, w)
	}
	if n := len(p.words); n == plain || n > longPhrase {
		return
	}
	p.near = telling < 2 || len(p.words) < 2
	if p.near && (p.t == Location || p.side == 0) {
		return
	}
	for _, q := range y.phrases[p.words[0]] {
		if slices.Equal(p.words, q.words) && (!q.near || p.near && q.turn == p.turn) {
			return
		}
	}
	y.note(p.words[0])
	y.phrases[p.words[0]], y.grown = append(y.phrases[p.words[0]], p), true
}

// again masks remembered phrases in the turns as they were said: also where a part of one is masked already.
func (y *memory) again(s *turn, said []Turn, turns []masking, read *rereading) {
	if !y.grown {
		return
	}
	y.grown = false
	for n := range turns {
		m := &turns[n]
		if len(m.pieces) == 0 && !read.mayHold(n, y) {
			continue
		}
		v := token.ViewOf(m.text)
		s.Tokens = token.Tokenise(&v, s.Tokens[:0])
		s.View = v
		var found []piece
		for i, t := range s.Tokens {
			if t.Kind < token.Word || t.Kind == token.Mask {
				continue
			}
			for _, p := range y.phrases[s.Low(i)] {
				if p.near && (n <= p.turn || n > p.turn+readBack || said[n].Side == p.side) {
					continue
				}
				if end := s.follows(i, p.words); end > i {
					a, b := s.Original(int(t.Start), int(s.Tokens[end-1].End))
					found = append(found, piece{s: a, e: b, t: p.t, score: 70, why: ByMemory})
				}
			}
		}
		if len(m.pieces) > 0 {
			found = y.numbers(s, found)
		}
		if len(found) > 0 {
			m.insert(found)
		}
	}
}

// numbers adds the remembered numbers and spelled words of the turn whose tokens are in s: one that is masked in part is not
// whole in the masked text.
func (y *memory) numbers(s *turn, found []piece) []piece {
	s.Words = token.Words(&s.View, s.Tokens, s.Words[:0])
	for _, r := range s.Reader.Read(s.Words) {
		t, known := None, false
		switch {
		case r.Digits >= 4 && r.Letters == 0:
			t, known = y.digits[r.Value()]
		case r.Letters >= 4 && r.Digits == 0 && !y.plain[r.Value()]:
			t, known = y.words[r.Value()]
		}
		if known {
			a, b := s.Original(int(s.Tokens[r.From].Start), int(s.Tokens[r.To-1].End))
			found = append(found, piece{s: a, e: b, t: t, score: 70, why: ByMemory})
		}
	}
	return found
}

// recall marks remembered values in the loaded turn.
func (y *memory) recall(s *turn) {
	s.maybe = s.maybe[:0]
	if len(y.words) == 0 && len(y.digits) == 0 {
		return
	}
	for i, t := range s.Tokens {
		if t.Kind == token.Word || t.Kind == token.Mixed {
			y.recallWord(s, i)
		}
		if t.Kind == token.Digit && t.End-t.Start >= 4 && !s.Taken[i] {
			if typ, ok := y.digits[s.Low(i)]; ok {
				s.Mark(i, i+1, typ, 70, ByMemory)
			}
		}
	}
	for k := range s.Runs {
		if r := &s.Runs[k]; r.Digits >= 4 && r.Letters == 0 {
			if typ, ok := y.digits[r.Value()]; ok {
				s.Mark(r.From, r.To, typ, 70, ByMemory)
			}
		} else if r.Letters >= 3 && r.Digits == 0 {
			if typ, ok := y.words[r.Value()]; ok && !y.plain[r.Value()] {
				s.Mark(r.From, r.To, typ, 70, ByMemory)
			}
		}
	}
}

// recallWord marks token i if it is a remembered word. One that is plain English too is left to the tagger where nothing
// else says that it is a name here.
func (y *memory) recallWord(s *turn, i int) {
	w := s.Low(i)
	typ, ok := y.words[w]
	if n := len(w); !ok && n > 4 && w[n-1] == 's' { // "three dawns"
		w = w[:n-1]
		typ, ok = y.words[w]
		ok = ok && typ == Person
	}
	if !ok {
		return
	}
	if y.plain[w] && s.At(i).Shape == token.Small && (s.Cased || i+1 < len(s.Tokens) && name.NameCue(&s.Scan, i) <= name.NoCue) {
		s.maybe = append(s.maybe, i)
		return
	}
	s.Mark(i, i+1, typ, 70, ByMemory)
}

// follows gives the end of the words of a phrase that begins at token i, signs between them left out; i if others stand there.
func (s *turn) follows(i int, words []string) int {
	j := i
	for _, w := range words {
		for j > i && j < len(s.Tokens) && s.Tokens[j].Kind == token.Sign {
			j++
		}
		if s.Low(j) != w {
			return i
		}
		j++
	}
	return j
}
