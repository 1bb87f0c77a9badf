package detect

import (
	"slices"

	"murmur/internal/private/internal/detect/gazetteer"
)

// patience is how many turns of the asker a question stays open for pieces of its answer; a repeated request
// ("one more time please?") opens the last question again at any time.
const patience = 3

// maxAnswers is how many turns may answer one question: the pieces of a long number.
const maxAnswers = 10

// asked is what one side of a conversation last asked the others for. Types are in the order of asking. It
// lives over turns: acknowledgements keep it, another question replaces it, other talk ages it.
type asked struct {
	side  Side
	at    int // turn it was last asked in
	types [4]Type
	n     int
	age   int
	heard int  // turns read as answers to it
	again bool // opened by a repeated request: the answer may be something else
}

func (a *asked) open() bool {
	return a != nil && a.n > 0 && a.age <= patience && a.heard <= maxAnswers
}

// dialogue holds the open questions of a conversation, one for each side that asked.
type dialogue struct {
	turn int
	asks []asked
	said asked // what a side began to say unasked: "visa, four zero one two"; its next digits go on
}

func (d dialogue) clone() dialogue {
	d.asks = slices.Clone(d.asks)
	return d
}

// note keeps what the turn in s, said by side, may go on with in the side's next turn.
func (d *dialogue) note(s *scan, side Side) {
	for _, m := range s.marks {
		switch m.t {
		case CreditCard, BankAcct, IBAN, SSN:
			if m.why == ByCue {
				d.said = asked{side: side, at: d.turn, types: [4]Type{m.t}, n: 1}
			}
		}
	}
}

// sides is how many sides' questions are kept; more are a forum, not a call.
const sides = 8

// hear takes in what side says with the turn in s. It gives the question that the turn may answer, nil if it
// asks something itself or none is open.
func (d *dialogue) hear(s *scan, side Side) *asked {
	d.turn++
	if side == Machine {
		return nil
	}
	var own, others *asked
	for i := range d.asks {
		switch a := &d.asks[i]; {
		case a.side == side:
			own = a
		case a.n > 0 && (others == nil || a.at > others.at):
			others = a
		}
	}
	answer := others
	if side == 0 {
		answer = own
	}
	if s := &d.said; s.n > 0 && s.side == side && (answer == nil || s.at > answer.at) && d.turn-s.at <= 2 {
		answer = s
	}
	if s.repeatRequest() {
		if own != nil && own.n > 0 {
			own.age, own.heard, own.again, own.at = 0, 0, true, d.turn
		}
		if side == 0 || own != nil {
			return nil
		}
		return answer
	}
	if types, n := s.questions(); n > 0 {
		if answer.open() && s.answers() {
			return answer
		}
		if own == nil && len(d.asks) < sides {
			d.asks = append(d.asks, asked{})
			own = &d.asks[len(d.asks)-1]
		}
		if own != nil {
			*own = asked{side: side, at: d.turn, types: types, n: n}
		}
		return nil
	}
	if own != nil && !s.acknowledges() {
		own.age++
	}
	if answer != nil {
		answer.heard++
	}
	return answer
}

func (a *asked) wants(t Type) bool {
	if !a.open() {
		return false
	}
	for _, w := range a.types[:a.n] {
		if w == t || t == Location && (w == Postcode || w == Address) {
			return true
		}
	}
	return false
}

// fits gives the asked type a reading is most likely the answer to, None if it is no answer.
func (a *asked) fits(s *scan, rd *reading) Type {
	if !a.open() {
		return None
	}
	best, bestScore := None, 0
	for k, t := range a.types[:a.n] {
		if !s.plausible(rd, t, true) {
			continue
		}
		score := 10 - k
		n := len(rd.value)
		switch t {
		case ID:
			if n < 4 && a.heard > 3 {
				continue
			}
		case Phone:
			if n == 7 || n == 10 || n == 11 {
				score += 10
			}
		case CVV:
			if n == 3 {
				score += 10
			}
		case CardExpiry:
			if expiry(rd.value) {
				score += 6
			}
		case Postcode:
			if n == 5 || postcodeLike(rd.value) {
				score += 10
			}
		case CreditCard:
			if n == 4 || n >= 13 {
				score += 8
			}
		case Person, Address, Password, Username, Email:
			score -= 6
		}
		if score > bestScore {
			best, bestScore = t, score
		}
	}
	if best == Number {
		return None
	}
	return best
}

// questions gives the types the turn asks for: its cues, if it is a question, a request or a bare prompt.
func (s *scan) questions() (types [4]Type, n int) {
	who := s.asksWho()
	if len(s.cues) == 0 && !who {
		return
	}
	request := len(s.tok) <= 7
	mark := -1
	for i := range s.tok {
		switch s.low(i) {
		case "?":
			mark = i
			request = true
		case "please", "may", "can", "could", "need", "what", "what's", "whats", "verify", "confirm", "provide", "give", "who", "tell", "spell", "have", "which", "where", "when", "how", "for", "your":
			request = true
		}
	}
	if !request {
		return
	}
	digits := 0
	for _, r := range s.runs {
		digits += r.Digits
	}
	if digits >= 7 && mark < 0 {
		return
	}
	add := func(t Type) {
		if slices.Contains(types[:n], t) {
			return
		}
		if n < len(types) {
			types[n] = t
			n++
		}
	}
	for _, c := range s.cues {
		if n > 0 && s.aside(c.at) {
			continue
		}
		if !c.weak {
			add(c.t)
		}
	}
	for _, c := range s.cues {
		if c.weak && (n == 0 || c.t == Person) && (c.t != Phone || s.low(c.at) == "number" || s.low(c.at) == "reach" || mark > 0) {
			add(c.t)
		}
	}
	if who {
		add(Person)
	}
	return
}

// aside reports whether the cue at token i only says whose the thing asked for is: "the password on the account".
func (s *scan) aside(i int) bool {
	switch s.low(i - 1) {
	case "the", "your", "this":
	default:
		return false
	}
	switch s.low(i - 2) {
	case "on", "for", "to", "of", "from", "in", "with":
		return true
	}
	return false
}

// asksWho recognises "who's calling", "who am I speaking with".
func (s *scan) asksWho() bool {
	for i := range s.tok {
		if s.low(i) == "who" && len(s.tok) < 14 {
			return true
		}
	}
	return false
}

// repeatRequest recognises "one more time", "say that again", "could you spell it", "the last four".
func (s *scan) repeatRequest() bool {
	for _, c := range s.cues {
		if !c.weak && s.low(c.at) != "spell" && s.low(c.at) != "spelling" {
			return false // the last four of your social is a question of its own
		}
	}
	for i := range s.tok {
		a, b := s.low(i), s.low(i+1)
		switch {
		case a == "more" && b == "time", a == "again" && len(s.tok) < 12, a == "repeat" && len(s.tok) < 12, a == "didn't" && b == "catch", a == "did" && s.low(i+2) == "catch",
			a == "spell" && (b == "it" || b == "that"), a == "last" && (b == "four" || b == "4" || b == "part"), a == "pardon", a == "rest" && s.low(i+2) == "it",
			a == "next" && len(s.tok) <= 4, a == "say" && (b == "it" || b == "that"):
			return true
		}
	}
	return false
}

// acknowledges reports whether the turn says no more than "uh huh, go ahead".
func (s *scan) acknowledges() bool {
	n := 0
	for i, t := range s.tok {
		if t.kind < word {
			continue
		}
		if t.kind != word || t.lex&(ack|stop) == 0 && s.low(i) != "go" {
			return false
		}
		n++
	}
	return n <= 8
}

// answers reports whether the turn says a value itself, so that its cue words do not ask for one.
func (s *scan) answers() bool {
	for _, r := range s.runs {
		if r.Digits >= 3 || r.Letters >= 3 {
			return true
		}
	}
	for i := range s.tok {
		if s.low(i) == "?" || s.low(i) == "your" || s.low(i) == "please" {
			return false
		}
	}
	return true
}

// findAnswer marks what the turn answers to an open question: the whole of a short answer that is no
// sentence, without the words that lead in.
func (s *scan) findAnswer(a *asked) {
	if !a.open() || len(s.tok) == 0 {
		return
	}
	t := a.types[0]
	whole := of(Person, Postcode, DateOfBirth, ID, Vehicle, Username, Password, Address, Email, Location, PIN, IBAN, CardExpiry)
	for _, w := range a.types[:a.n] {
		if w == Person && s.spelled() {
			t = Person
		}
	}
	if !whole.has(t) || s.sentence(a.again || a.age > 0) {
		return
	}
	from, to := 0, len(s.tok)
	for from < to && s.leadIn(from, t) {
		from++
	}
	if from == to && from > 0 && t == Person && s.at(from-1).gaz&gazetteer.CommonFirst != 0 {
		s.mark(from-1, from, Person, 80, ByQuestion) // it's Will
		return
	}
	for to > from && (s.at(to-1).kind < word && s.low(to-1) != "]" || s.at(to-1).lex&ack != 0 && !(t == Person && to-from == 1) || s.low(to-1) == "please" || s.low(to-1) == "that" || s.at(to-1).kind == mask) {
		to--
	}
	if from >= to || to-from > 24 {
		return
	}
	n, stops, digits := 0, 0, 0
	for i := from; i < to; i++ {
		k := s.at(i)
		switch {
		case k.kind == mask || k.kind == line:
			return
		case k.kind == digit || k.kind == mixed:
			digits++
			n++
		case k.kind == word:
			n++
			if k.lex&stop != 0 && (len(s.low(i)) > 1 || !s.spelled()) {
				stops++
			}
		}
	}
	spoken := false
	for _, r := range s.runs {
		spoken = spoken || r.From < to && r.To > from && (r.Digits > 0 || r.Letters > 1)
	}
	limit := 5
	if s.spelled() || spoken && t != Person {
		limit = 20
	}
	switch t {
	case Person:
		if stops > 1 && !s.spelled() || s.has(Person, from, to) && !s.spelled() && (stops > 1 || n > 4) || digits > 0 && !spoken || n > limit || n == stops || !spoken && a.again && (n > 2 || stops > 0) && !s.unusual(from, to) {
			return
		}
	case Location:
		if digits > 0 || n > 4 || stops > 0 || !s.unusual(from, to) {
			return
		}
	case Postcode, DateOfBirth:
		if n > limit || !spoken && !s.dated(from, to) && (n > 3 || n > 2 && a.again || stops > 0) {
			return
		}
	case Username, Password, Email:
		if n > 8 && !spoken || n == stops || s.has(t, from, to) && stops > 0 || !spoken && digits == 0 && !s.unusual(from, to) {
			return
		}
	case Address:
		if !s.addressed(from, to) || n > 12 || stops > 1 || a.again && stops > 0 {
			return
		}
	default:
		if !s.spelled() || stops > 1 {
			return
		}
	}
	score := uint8(88)
	if a.again {
		score = 80
	}
	s.mark(from, to, t, score, ByQuestion)
}

// unusual reports whether a word between two tokens is no plain English, or is borne as a name.
func (s *scan) unusual(from, to int) bool {
	for i := from; i < to; i++ {
		if t := s.at(i); t.kind == word && t.lex&(stop|ack|common) == 0 && (t.gaz&gazetteer.Word == 0 || t.gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) != 0) {
			return true
		}
	}
	return false
}

// has reports whether something of type t is marked between two tokens.
func (s *scan) has(t Type, from, to int) bool {
	for _, m := range s.marks {
		if m.t == t && m.from < to && m.to > from {
			return true
		}
	}
	return false
}

// addressed reports whether an answer that holds no address the rules know may be one: a number and a name.
func (s *scan) addressed(from, to int) bool {
	if s.has(Address, from, to) {
		return false
	}
	if r := s.runAt(from); r != nil && r.From == from && r.Digits > 0 && r.To < to && s.at(r.To).lex&(unit|money|stop|period) == 0 && (to-from <= 6 || s.at(r.To).gaz&gazetteer.Word == 0) {
		return true
	}
	return false
}

// dated reports whether a date was found between two tokens.
func (s *scan) dated(from, to int) bool {
	if s.has(Date, from, to) || s.has(DateOfBirth, from, to) {
		return true
	}
	for i := from; i < to; i++ {
		if s.at(i).lex&month != 0 {
			return true
		}
	}
	return false
}

// leadIn reports whether token i comes before the value of an answer: "sure, it's", "my name is", "yeah the".
func (s *scan) leadIn(i int, asked Type) bool {
	t := s.at(i)
	if t.kind < word {
		return true
	}
	if t.kind != word || len(s.low(i)) == 1 {
		return false
	}
	if _, cue := cueWords[s.low(i)]; cue && (s.at(i+1).lex&verb != 0 || s.low(i+1) == "number" || s.low(i+1) == "id") {
		return true
	}
	switch s.low(i) {
	case "first", "last", "full", "user", "yes", "no", "oh", "number", "code", "'s":
		return s.low(i) != "oh" || len(s.low(i+1)) > 1
	}
	if (asked == Person || asked == Postcode || asked == DateOfBirth) && s.spelled() && s.at(i-1).kind != word {
		switch s.low(i) { // a recogniser makes words of letters: "I said a be a th"
		case "all", "to", "if", "out", "every", "i", "me", "are", "see", "so", "you", "hey", "be":
			return false
		}
	}
	return t.lex&(stop|ack|greet) != 0
}

// spelled reports whether most of the turn is letters, digits and spelling words, or scraps of one to three
// letters that a recogniser made of them.
func (s *scan) spelled() bool {
	n, scraps, all, odd := 0, 0, 0, 0
	for _, r := range s.runs {
		n += r.To - r.From
	}
	for i, t := range s.tok {
		if t.kind >= word {
			all++
			if len(s.low(i)) <= 3 {
				scraps++
				if t.lex&stop == 0 || len(s.low(i)) == 1 {
					odd++
				}
			}
		}
	}
	return n*2 > len(s.tok) || all >= 4 && scraps*4 >= all*3 && odd*3 >= all*2
}

// sentence reports whether the turn is talk rather than a value: it has verbs and pronouns. strict: the
// question is old or repeated, so an answer must look like one.
func (s *scan) sentence(strict bool) bool {
	n, talk, strong, plain := 0, 0, 0, 0
	for i, t := range s.tok {
		if t.kind < word {
			if s.low(i) == "?" {
				strong++
			}
			continue
		}
		n++
		if t.kind != word {
			continue
		}
		low := s.low(i)
		if len(low) == 1 && (low == "i" || low == "a") && len(s.low(i+1)) > 2 {
			talk++
		} else if len(low) > 1 && t.lex&stop != 0 {
			talk++
			switch low {
			case "my", "is", "it", "its", "it's", "the", "to", "for", "and", "of", "one", "as", "in", "may", "at", "will", "see", "are", "why", "you", "yes", "no":
			default:
				strong++
			}
		} else if t.gaz&gazetteer.Word != 0 && len(low) > 2 && t.lex&ack == 0 {
			plain++
		}
	}
	if s.spelled() && strong <= 1 {
		return false
	}
	if strict {
		return strong >= 2 || n >= 4 && (talk+plain)*3 >= n*2 && strong >= 1 || n >= 6 && talk+plain >= n-1
	}
	return strong >= 3 && n >= 6 || n >= 8 && strong >= 2 && (talk+plain)*4 >= n*3
}
