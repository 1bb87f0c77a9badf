package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/rule/name"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/reader"
)

// second is the reader at work on one document. It looks when the rules and the tagger find nothing more, always at the
// masked text, and again until that gives nothing: so what is written would be left as it is if it were read again. It
// judges only turns in which a word is in doubt.
type second struct {
	model   Reader
	scratch *reader.Scratch
	turns   []reader.Turn
	found   []reader.Word // of one turn
}

// Reader judges the words of a document by those around them. The one that ships is *reader.Model.
type Reader interface {
	Read(turns []reader.Turn, s *reader.Scratch, tell func(reader.Word))
}

// ErrReader says that the weights of the reader in the binary are damaged.
var ErrReader = reader.ErrModel

// look adds what the reader finds to the turns and reports whether any of it was new. s is scratch. ErrReader.
func (r *second) look(d *Detector, s *turn, said []Turn, turns []masking) (bool, error) {
	if !d.second {
		return false, nil
	}
	if !r.doubts(s, said, turns) {
		return false, nil
	}
	if r.model == nil {
		r.model, r.scratch = d.reader, &s.window
		r.scratch.Forget()
		if r.model == nil {
			m, err := reader.Embedded()
			if err != nil {
				return false, err
			}
			r.model = m
		}
	}
	fresh, at := false, -1
	take := func() {
		if len(r.found) > 0 {
			fresh = turns[at].add(s.values(turns[at].masked, r.found)) || fresh
		}
		r.found = r.found[:0]
	}
	r.model.Read(r.turns, r.scratch, func(w reader.Word) {
		if w.Turn != at {
			take()
			at = w.Turn
		}
		if w.Personal >= least[s.Dial] {
			r.found = append(r.found, w)
		}
	})
	take()
	return fresh, nil
}

// doubts prepares the turns that changed since they were last looked at, and reports whether any is to be read.
func (r *second) doubts(s *turn, said []Turn, turns []masking) (any bool) {
	if r.turns == nil {
		r.turns = make([]reader.Turn, len(turns))
	}
	for i := range turns {
		m, t := &turns[i], &r.turns[i]
		if t.Text != m.masked {
			s.load(token.ViewOf(m.masked), s.Dial)
			*t = reader.Turn{Side: reader.Other, Text: m.masked, Masks: t.Masks[:0], Read: s.doubtful()}
			if said[i].Side < Side(len(readerSides)) {
				t.Side = readerSides[said[i].Side]
			}
			t.Masks = masksIn(m.masked, t.Masks)
		}
		any = any || t.Read
	}
	return any
}

var readerSides = [...]reader.Side{reader.Text, reader.Contact, reader.Agent, reader.Agent}

// masksIn appends the masks of a text.
func masksIn(text string, to []reader.Mask) []reader.Mask {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '[')
		if i < 0 {
			return to
		}
		at += i
		if n := token.MaskLen(text[at:]); n > 0 {
			to = append(to, reader.Mask{Start: at, End: at + n, Kind: kindOf(text[at:])})
			at += n - 1
		}
		at++
	}
}

// kindOf tells the reader what a mask stands for.
func kindOf(mask string) reader.Kind {
	name := mask[1 : 1+strings.IndexAny(mask[1:], "]")]
	for t := kind.Types - 1; t > None; t-- {
		if strings.HasPrefix(name, kind.Names[t]) {
			switch t {
			case Person:
				return reader.Person
			case Location:
				return reader.Location
			case Address, Postcode:
				return reader.Address
			case Date, DateOfBirth, Age:
				return reader.Date
			}
			return reader.Value
		}
	}
	return reader.Value
}

// least is how likely a word must be personal to be masked; leastPlain, an everyday word that few are called.
var (
	least      = [kind.Dials]float32{Balanced: 0.7, Strict: 0.4, Paranoid: 0.2}
	leastPlain = [kind.Dials]float32{Balanced: 0.97, Strict: 0.9, Paranoid: 0.7}
)

// never is more than any word is likely to be personal.
const never = 2

// values gives the pieces of a masked text that the reader's words are. It loads the text.
func (s *turn) values(text string, words []reader.Word) (out []piece) {
	s.load(token.ViewOf(text), s.Dial)
	k, things := 0, -9 // where a name of no person ended
	for _, w := range words {
		for k < len(s.Tokens) && !s.reaches(k, w.Start) {
			k++
		}
		t := typeNamed(w.Type)
		if t == None || k == len(s.Tokens) || strings.IndexFunc(text[w.Start:w.End], sayable) < 0 || w.Personal < s.needs(k, t) {
			continue
		}
		if s.Dial != Paranoid && (name.NameCue(&s.Scan, k) == name.NotName || name.Premises(&s.Scan, k+1) || w.Start-things <= 1) { // a restaurant called
			things = w.End
			continue
		}
		score := uint8(100 * w.Personal)
		if n := len(out) - 1; n >= 0 && out[n].t == t && binds(text[out[n].e:w.Start]) {
			out[n].e, out[n].score = w.End, max(out[n].score, score)
			continue
		}
		out = append(out, piece{s: w.Start, e: w.End, t: t, score: score, why: ByReader})
	}
	return out
}

// reaches reports whether token i ends behind byte at of the text.
func (s *turn) reaches(i, at int) bool {
	_, end := s.Original(int(s.Tokens[i].Start), int(s.Tokens[i].End))
	return end > at
}

// needs gives how likely token i must be personal to be masked as t.
func (s *turn) needs(i int, t Type) float32 {
	k := s.Tokens[i]
	named := k.Gaz&(gazetteer.Given|gazetteer.CommonLast) != 0
	plain := k.Kind == token.Word && s.RunOf[i] == 0 && k.Gaz&gazetteer.Word != 0
	switch {
	case t == Person && (s.grammatical(i) || utf8.RuneCountInString(s.Low(i)) == 1):
		return never
	case t == Person && plain && !named, t == Location && plain && k.Gaz&gazetteer.Place == 0, t == Postcode:
		return leastPlain[s.Dial]
	case t == Person || t == Location || t == Address:
		return least[s.Dial]
	}
	return never // rules know better what digits and days are
}

// grammatical reports whether token i belongs to a closed class and is not what many people are called.
func (s *turn) grammatical(i int) bool {
	return s.Tokens[i].Lex&^(token.Month|token.Given) != 0 && s.Tokens[i].Gaz&gazetteer.CommonFirst == 0
}

// binds reports whether what stands between two words makes one value of them: nothing, space, or a sign inside a name.
func binds(gap string) bool {
	return strings.TrimSpace(gap) == "" && len(gap) < 4 || gap == "'" || gap == "’" || gap == "-"
}

func sayable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// doubtful reports whether the loaded turn has a word that may be personal and is not masked: a number, a letter that is
// spelled, a first name, a surname that many bear, a place, or a word that no dictionary knows.
func (s *turn) doubtful() bool {
	for i, t := range s.Tokens {
		switch {
		case t.Kind == token.Mixed, t.Kind == token.Digit && t.End-t.Start >= 3:
			return true
		case t.Kind != token.Word:
		case s.RunOf[i] > 0:
			if t.End-t.Start == 1 {
				return true
			}
		case s.grammatical(i):
		case t.Gaz&(gazetteer.Given|gazetteer.CommonLast|gazetteer.Place) != 0 || t.Gaz&gazetteer.Word == 0:
			return true
		}
	}
	return false
}
