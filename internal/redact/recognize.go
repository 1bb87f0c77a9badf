package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// Recognizer is an optional second reader: slower than the rules, it sees names that no list, cue or question gives
// away. It must be deterministic and safe for concurrent use.
type Recognizer interface {
	// Find gives the personal stretches of a text in order of their start. They may overlap.
	Find(text string) []Found
}

// Found is one finding of a Recognizer: bytes [Start, End) of the text.
type Found struct {
	Start, End int
	Type       Type
	Score      float32 // 0 .. 1
}

// second is the Recognizer at work on one document. It looks when the rules find nothing more: first at the text
// as it was given, whose names are its best evidence, then at the masked text until that gives nothing, so that
// what is written would be left as it is if it were read again. It looks only where a doubtful word is left, at
// blocks of whole turns; a block that it has seen it does not read again.
type second struct {
	rec   Recognizer // nil for none
	seen  map[string][]Found
	again bool // the text as it was given has been read
}

// blockBytes is how much text is put into a block: about what a Recognizer reads at a time.
const blockBytes = 480

// look adds what the recognizer finds to the turns and reports whether any of it was new. s is scratch.
func (r *second) look(s *turn, turns []masking) bool {
	if r.rec == nil {
		return false
	}
	texts := make([]string, len(turns))
	for i := range turns {
		texts[i] = turns[i].text
		if r.again {
			texts[i] = turns[i].masked
		}
	}
	defer func() { r.again = true }()
	fresh := false
	for from := 0; from < len(turns); {
		to, size, doubt := from, 0, false
		for to < len(turns) && (to == from || size+len(texts[to]) <= blockBytes) {
			size += len(texts[to]) + 1
			s.load(token.ViewOf(turns[to].masked), s.Dial)
			doubt = doubt || s.doubtful()
			to++
		}
		if doubt {
			fresh = r.read(texts[from:to], turns[from:to]) || fresh
		}
		from = to
	}
	return fresh
}

// read shows one block to the recognizer.
func (r *second) read(texts []string, turns []masking) bool {
	block := strings.Join(texts, "\n")
	found, known := r.seen[block]
	if !known {
		if r.seen == nil {
			r.seen = map[string][]Found{}
		}
		found = r.rec.Find(block)
		r.seen[block] = found
	}
	fresh := false
	base := 0
	for i, text := range texts {
		var add []piece
		for _, f := range found {
			add = append(add, f.within(text, base)...)
		}
		if r.again {
			fresh = turns[i].add(add) || fresh
		} else {
			fresh = turns[i].insert(add) || fresh
		}
		base += len(text) + 1
	}
	return fresh
}

// within gives the parts of a finding that lie in text, which begins base bytes into what was read, and outside
// the masks in it.
func (f Found) within(text string, base int) (out []piece) {
	from, to := max(f.Start-base, 0), min(f.End-base, len(text))
	add := func(s, e int) {
		if s < e && strings.IndexFunc(text[s:e], sayable) >= 0 {
			out = append(out, piece{s: s, e: e, t: f.Type, score: uint8(f.Score * sure[f.Type]), why: ByRecognizer})
		}
	}
	for at := max(from-maskMax, 0); at < to; at++ {
		if n := 0; text[at] == '[' {
			if n = token.MaskLen(text[at:]); n > 0 && at+n > from {
				add(from, at)
				from = at + n
			}
		}
	}
	add(from, to)
	return out
}

// sure says how far its word on a type is taken, per cent: rules know better what digits are.
var sure = func() (m [kind.Types]float32) {
	for t := range m {
		m[t] = 50
	}
	m[Person], m[Location], m[Address] = 90, 90, 90
	return m
}()

// maskMax is the length of the longest mask.
const maskMax = token.LongestMask

func sayable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// doubtful reports whether the loaded turn has a word that may be a name and is not masked.
func (s *turn) doubtful() bool {
	begin := true
	for i, t := range s.Tokens {
		switch {
		case t.Kind == token.Sign || t.Kind == token.Line:
			begin = begin || strings.ContainsAny(s.Low(i), ".?!:\n")
			continue
		case t.Kind == token.Mixed, t.Kind == token.Digit && t.End-t.Start >= 3:
			return true
		case t.Kind == token.Word && utf8.RuneCountInString(s.Low(i)) > 1 && t.Lex&(token.Stop|token.Ack|token.Month|token.Day|token.Near|token.Unit|token.Period|token.Verb) == 0:
			plain := t.Gaz&gazetteer.Word != 0 || t.Lex != 0
			if !plain || t.Gaz&gazetteer.CommonFirst != 0 || t.Shape != token.Small && !begin {
				return true
			}
		}
		begin = false
	}
	return false
}
