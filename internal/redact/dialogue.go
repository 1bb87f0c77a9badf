package redact

import (
	"slices"

	"murmur/internal/redact/act"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
)

// dialogue holds the open questions of a conversation, one for each side that asked.
type dialogue struct {
	turn int
	asks []scan.Asked
	said scan.Asked // what a side began to say unasked: "visa, four zero one two"; its next digits go on
	last heard      // the turn before
}

// heard is what the tagger is told of the turn before: what it does and, if it asks something, hashes of its first two words and of
// its last two. Values are left out, so that a turn is not read again because one was masked before it.
type heard struct {
	does         act.Act
	begun, ended uint32
}

// hears gives the loaded turn as the next one hears it.
func (s *turn) hears() heard {
	h := heard{does: s.Does}
	if !s.Does.Asks() && s.Does != act.AskOther && s.Does != act.Repeat && s.Does != act.Narrow {
		return h
	}
	w := s.said
	for len(w) > 0 && w[len(w)-1] == "?" {
		w = w[:len(w)-1]
	}
	if n := len(w); n > 0 {
		h.begun, h.ended = token.HashOf(w[0])*31+token.HashOf(w[min(1, n-1)])|1, token.HashOf(w[max(0, n-2)])*31+token.HashOf(w[n-1])|1
	}
	return h
}

func (d dialogue) clone() dialogue {
	d.asks = slices.Clone(d.asks)
	return d
}

// note keeps what the turn in s, said by side, may go on with in the side's next turn.
func (d *dialogue) note(s *turn, side Side) {
	d.last = s.hears()
	for _, m := range s.Marks {
		switch m.Type {
		case CreditCard, BankAcct, IBAN, SSN:
			if m.Why == ByCue {
				d.said = scan.Asked{Side: side, At: d.turn, Types: [4]Type{m.Type}, N: 1}
			}
		}
	}
}

// step is what an act does to the question of the side that acts.
type step uint8

const (
	ages      step = iota // other talk: a question that is not answered soon is closed
	opens                 // a new question
	spells                // the same question, letter by letter
	again                 // the same question again
	readsBack             // reads the answer back; the question stays open
	rests                 // another topic: closed until it is asked again
	closes                // the answer was taken: only a piece of it may follow
	keeps                 // gives a value of its own
)

// moves says for every act what becomes of the question of the side that acts, and which types a new one asks for,
// behind those that the cue words of the turn name.
var moves = [act.Acts]struct {
	step  step
	types []Type
}{
	act.None:        {ages, nil},
	act.AskName:     {opens, []Type{Person}},
	act.AskSpelling: {spells, []Type{Person}},
	act.AskPostcode: {opens, []Type{Postcode}},
	act.AskAddress:  {opens, []Type{Address, Location}},
	act.AskBirth:    {opens, []Type{DateOfBirth}},
	act.AskPhone:    {opens, []Type{Phone}},
	act.AskNumber:   {opens, []Type{ID, BankAcct, CreditCard}},
	act.AskCode:     {opens, []Type{PIN, Password, CVV}},
	act.AskEmail:    {opens, []Type{Email, Username}},
	act.AskOther:    {rests, nil},
	act.Repeat:      {again, nil},
	act.Narrow:      {again, nil},
	act.Confirm:     {readsBack, nil},
	act.Accept:      {closes, nil},
	act.Answer:      {keeps, nil},
}

// sides is how many sides' questions are kept; more are a forum, not a call.
const sides = 8

// hear takes in what side says with the turn in s. It gives the question that the turn may answer, nil if it
// asks something itself or none is open.
func (d *dialogue) hear(s *turn, side Side) *scan.Asked {
	d.turn++
	s.before = d.last
	own, answer := d.questions(side)
	if side == Machine {
		answer = nil
	}
	if v := &d.said; v.N > 0 && v.Side == side && (answer == nil || v.At > answer.At) && d.turn-v.At <= 2 {
		answer = v
	}
	s.Waiting = scan.Asked{}
	if answer.Open() && side != 0 && answer.Side != side && d.turn-answer.At == 1 {
		s.Waiting = *answer
	}
	s.Does = s.findAct(own, answer)
	m := &moves[s.Does]
	switch m.step {
	case opens:
		if s.Says(0, len(s.Tokens)) && s.OnlyAcks() || answer.Open() && s.Answers() {
			break
		}
		if own = d.add(own, side); own != nil {
			*own = scan.Asked{Side: side, At: d.turn}
			own.Types, own.N = s.wanted(m.types)
			types, n := s.Questions()
			own.Plain = slices.Contains(types[:n], Person)
		}
		return nil
	case spells, again:
		if types, n := s.Questions(); m.step == again && n > 0 && (s.Does == act.Narrow || s.AsksWho()) && (own == nil || !slices.Contains(own.Types[:own.N], types[0])) { // and the surname?
			if own = d.add(own, side); own != nil {
				*own = scan.Asked{Side: side, At: d.turn, Types: types, N: n, Plain: types[0] == Person}
			}
			return nil
		}
		if own != nil && own.N > 0 {
			own.Age, own.Heard, own.Again, own.At, own.Spell = 0, 0, m.step == again || own.Heard > 0, d.turn, m.step == spells
		} else if own = d.add(own, side); m.step == spells && own != nil {
			*own = scan.Asked{Side: side, At: d.turn, N: 1, Types: [4]Type{Person}, Spell: true}
		}
		if side == 0 || own != nil && own.N > 0 {
			return nil
		}
		return answer
	case readsBack:
		if own != nil && own.N > 0 {
			own.Age, own.At = 0, d.turn
			echo := *own
			echo.Echo = true
			return &echo
		}
	case rests:
		if own != nil {
			own.Age = scan.Patience + 1
		}
	case closes:
		if own != nil && !s.Acknowledges() {
			own.Age += 2
		}
	case ages:
		if own != nil && !s.Acknowledges() {
			own.Age++
		}
	}
	if answer != nil {
		answer.Heard++
	}
	return answer
}

// questions gives the question of a side and the one that it may answer: the last of another side. A text without sides
// answers itself.
func (d *dialogue) questions(side Side) (own, answer *scan.Asked) {
	for i := range d.asks {
		switch a := &d.asks[i]; {
		case a.Side == side:
			own = a
		case a.N > 0 && (answer == nil || a.At > answer.At):
			answer = a
		}
	}
	if side == 0 {
		answer = own
	}
	return own, answer
}

// add gives the place of a side's question, nil if there are too many sides.
func (d *dialogue) add(own *scan.Asked, side Side) *scan.Asked {
	if own == nil && len(d.asks) < sides {
		d.asks = append(d.asks, scan.Asked{Side: side})
		own = &d.asks[len(d.asks)-1]
	}
	return own
}

// wanted gives the types that a question asks for: what its cue words name, and those of its act.
func (s *turn) wanted(of []Type) (types [4]Type, n int) {
	types, n = s.Questions()
	add := func(t Type) {
		if n < len(types) && !slices.Contains(types[:n], t) {
			types[n] = t
			n++
		}
	}
	if len(of) == 0 {
		return types, n
	}
	if !slices.Contains(types[:n], of[0]) && n > 0 && len(of) == 1 { // the act knows better than a stray cue
		copy(types[1:], types[:min(n, 3)])
		types[0], n = of[0], min(n+1, 4)
	}
	if n == 0 || len(of) == 1 {
		for _, t := range of {
			add(t)
		}
	} else if !slices.ContainsFunc(of, func(t Type) bool { return slices.Contains(types[:n], t) }) {
		add(of[0])
	}
	return types, n
}
