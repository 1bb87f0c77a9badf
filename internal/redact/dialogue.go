package redact

import (
	"slices"

	"murmur/internal/redact/act"
)

// dialogue holds the open questions of a conversation, one for each side that asked.
type dialogue struct {
	turn int
	asks []asked
	said asked // what a side began to say unasked: "visa, four zero one two"; its next digits go on
	last heard // the turn before
}

// heard is what the tagger is told of the turn before: what it does and, if it asks something, hashes of its first two words and of
// its last two. Values are left out, so that a turn is not read again because one was masked before it.
type heard struct {
	does         act.Act
	begun, ended uint32
}

// hears gives the loaded turn as the next one hears it.
func (s *turn) hears() heard {
	h := heard{does: s.does}
	if !s.does.Asks() && s.does != act.AskOther && s.does != act.Repeat && s.does != act.Narrow {
		return h
	}
	w := s.said
	for len(w) > 0 && w[len(w)-1] == "?" {
		w = w[:len(w)-1]
	}
	if n := len(w); n > 0 {
		h.begun, h.ended = hashOf(w[0])*31+hashOf(w[min(1, n-1)])|1, hashOf(w[max(0, n-2)])*31+hashOf(w[n-1])|1
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
	for _, m := range s.marks {
		switch m.t {
		case CreditCard, BankAcct, IBAN, SSN:
			if m.why == ByCue {
				d.said = asked{side: side, at: d.turn, types: [4]Type{m.t}, n: 1}
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
func (d *dialogue) hear(s *turn, side Side) *asked {
	d.turn++
	s.before = d.last
	own, answer := d.questions(side)
	if side == Machine {
		answer = nil
	}
	if v := &d.said; v.n > 0 && v.side == side && (answer == nil || v.at > answer.at) && d.turn-v.at <= 2 {
		answer = v
	}
	s.waiting = asked{}
	if answer.open() && side != 0 && answer.side != side && d.turn-answer.at == 1 {
		s.waiting = *answer
	}
	s.does = s.findAct(own, answer)
	m := &moves[s.does]
	switch m.step {
	case opens:
		if s.says(0, len(s.tok)) && s.onlyAcks() || answer.open() && s.answers() {
			break
		}
		if own = d.add(own, side); own != nil {
			*own = asked{side: side, at: d.turn}
			own.types, own.n = s.wanted(m.types)
			types, n := s.questions()
			own.plain = slices.Contains(types[:n], Person)
		}
		return nil
	case spells, again:
		if types, n := s.questions(); m.step == again && n > 0 && (s.does == act.Narrow || s.asksWho()) && (own == nil || !slices.Contains(own.types[:own.n], types[0])) { // and the surname?
			if own = d.add(own, side); own != nil {
				*own = asked{side: side, at: d.turn, types: types, n: n, plain: types[0] == Person}
			}
			return nil
		}
		if own != nil && own.n > 0 {
			own.age, own.heard, own.again, own.at, own.spell = 0, 0, m.step == again || own.heard > 0, d.turn, m.step == spells
		} else if own = d.add(own, side); m.step == spells && own != nil {
			*own = asked{side: side, at: d.turn, n: 1, types: [4]Type{Person}, spell: true}
		}
		if side == 0 || own != nil && own.n > 0 {
			return nil
		}
		return answer
	case readsBack:
		if own != nil && own.n > 0 {
			own.age, own.at = 0, d.turn
			echo := *own
			echo.echo = true
			return &echo
		}
	case rests:
		if own != nil {
			own.age = patience + 1
		}
	case closes:
		if own != nil && !s.acknowledges() {
			own.age += 2
		}
	case ages:
		if own != nil && !s.acknowledges() {
			own.age++
		}
	}
	if answer != nil {
		answer.heard++
	}
	return answer
}

// questions gives the question of a side and the one that it may answer: the last of another side. A text without sides
// answers itself.
func (d *dialogue) questions(side Side) (own, answer *asked) {
	for i := range d.asks {
		switch a := &d.asks[i]; {
		case a.side == side:
			own = a
		case a.n > 0 && (answer == nil || a.at > answer.at):
			answer = a
		}
	}
	if side == 0 {
		answer = own
	}
	return own, answer
}

// add gives the place of a side's question, nil if there are too many sides.
func (d *dialogue) add(own *asked, side Side) *asked {
	if own == nil && len(d.asks) < sides {
		d.asks = append(d.asks, asked{side: side})
		own = &d.asks[len(d.asks)-1]
	}
	return own
}

// wanted gives the types that a question asks for: what its cue words name, and those of its act.
func (s *turn) wanted(of []Type) (types [4]Type, n int) {
	types, n = s.questions()
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
