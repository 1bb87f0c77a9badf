package redact

import (
	"murmur/internal/redact/act"
	"murmur/internal/redact/gazetteer"
)

// findAnswer marks what the turn answers to an open question: the whole of a short answer that is no
// sentence, without the words that lead in.
func (s *scan) findAnswer() {
	a := s.ask
	if !s.mayAnswer() {
		return
	}
	t := a.types[0]
	whole := of(Person, Postcode, DateOfBirth, ID, Vehicle, Username, Password, Address, Email, Location, PIN, IBAN, CardExpiry)
	for _, w := range a.types[:a.n] {
		if w == Person && s.spelled() {
			t = Person
		}
	}
	if !whole.has(t) || s.sentence(a.again || a.age > 0) || s.waits() {
		return
	}
	if a.heard <= 1 && (t == Person || t == Postcode || t == DateOfBirth) && s.findDirectAnswer(t, a.again) {
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
		if s.quantityOnly(from, to) || stops > 1 && !s.spelled() || s.has(Person, from, to) && !s.spelled() && (stops > 1 || n > 4) || digits > 0 && !spoken || n > limit || n == stops || !spoken && a.again && (n > 2 || stops > 0) && !s.unusual(from, to) {
			return
		}
	case Location:
		if digits > 0 || n > 4 || stops > 0 || !s.foreign(from, to) {
			return
		}
	case Postcode, DateOfBirth:
		if n > limit || !spoken && !s.dated(from, to) && (n > 3 || n > 2 && a.again || stops > 0) {
			return
		}
	case Username, Password, Email:
		if t == Email && !s.spelled() && !s.joined(from, to) {
			return
		}
		if n > 8 && !spoken || n == stops || s.has(t, from, to) && stops > 0 || !spoken && digits == 0 && !s.unusual(from, to) {
			return
		}
	case Address:
		if !s.addressed(from, to) || n > 12 || stops > 1 || a.again && stops > 0 {
			return
		}
	default:
		if !s.spelled() || stops > 1 || s.cued(from, to) {
			return
		}
	}
	score := uint8(88)
	if a.again {
		score = 80
	}
	s.markAnswer(from, to, t, score)
}

// findWhole marks the whole of the first answer to a question just asked, whatever it is: the tagger takes words of it back.
func (s *scan) findWhole() {
	if s.mayAnswer() && s.direct(s.ask) {
		s.marks = append(s.marks, mark{from: 0, to: len(s.tok), t: s.ask.types[0], score: 40, why: ByQuestion, loose: true, whole: true})
	}
}

// mayAnswer reports whether the turn may answer the open question.
func (s *scan) mayAnswer() bool {
	return s.ask.open() && len(s.tok) > 0 && !s.ask.echo && (!s.asksBack() || s.spelled())
}

// findLead marks the one or two words with which a turn right behind a question for a name begins, if no word of a closed class is
// among them and a pause follows, whatever else they mean and whatever comes then: "Bright. She never changed it". Where nobody
// writes pauses, one word before a word of a closed class: "woods i think he said".
func (s *scan) findLead() {
	a := &s.waiting
	if a.n == 0 || a.types[0] != Person || a.echo {
		return
	}
	from := 0
	for from < len(s.tok) && (s.tok[from].kind == sign || s.tok[from].lex&(ack|greet) != 0 && s.tok[from].gaz&gazetteer.CommonFirst == 0) {
		from++
	}
	to := from
	for to < from+2 && s.leads(to, a) {
		to++
	}
	t := s.at(to)
	switch {
	case to == from || from > 0 && s.low(from-1) == "no":
		return
	case to >= len(s.tok), t.kind == sign && s.low(to) != "?" && s.low(to) != "'" && !(s.glued(to) && s.low(to) == "-"):
	case a.plain && to == from+1 && t.kind == word && t.lex&stop != 0 && !s.some(func(i int) bool { return s.tok[i].kind == sign }):
	default:
		return
	}
	s.mark(from, to, Person, 84, ByQuestion)
}

// leads reports whether token i may be part of a name that question a asks for.
func (s *scan) leads(i int, a *asked) bool {
	t := s.at(i)
	return t.kind == word && t.lex&^(month|given|title|kin|street) == 0 && t.e-t.s > 1 && s.runOf[i] == 0 && (a.plain || t.gaz&gazetteer.Word == 0 || t.gaz&gazetteer.Name != 0)
}

// asksBack reports whether the turn asks something instead of answering.
func (s *scan) asksBack() bool {
	return s.does == act.AskOther || s.does == act.Repeat || s.does == act.Narrow
}

// direct reports whether the turn is the first answer to a question just asked, and short or spelled.
func (s *scan) direct(a *asked) bool {
	if a.heard > 1 || s.does != act.Answer || s.waits() {
		return false
	}
	n, said := 0, false
	for i, t := range s.tok {
		switch {
		case t.kind == line || s.low(i) == "?":
			return false
		case t.kind >= word && t.kind < mask:
			n++
			said = said || t.lex&ack == 0 && !refuses(s.low(i)) && s.low(i) != "what"
		}
	}
	return said && (n <= shortAnswer || s.spelled() && n <= spelledAnswer)
}

// How many words an answer has that is read as one value.
const (
	shortAnswer   = 10
	spelledAnswer = 30
)

// markAnswer marks the whole of an answer.
func (s *scan) markAnswer(from, to int, t Type, score uint8) {
	s.marks = append(s.marks, mark{from: from, to: to, t: t, score: score, why: ByQuestion, loose: true})
}

// briefly is how many words the whole of a direct answer may have that is not spelled.
const briefly = 6

// findDirectAnswer marks the turn that comes right behind a question for a name, a postcode or a date of birth, if it
// is short or spelled. A recogniser writes letters as words ("you'll be a C4 b2"), so only words that carry an answer
// are left in clear. It reports whether it marked something.
func (s *scan) findDirectAnswer(t Type, again bool) bool {
	from, to := 0, len(s.tok)
	for from < to && (s.at(from).kind < word || carries(s.low(from)) && !(s.spelled() && len(s.low(from)) == 1)) {
		from++
	}
	for to > from && (s.at(to-1).kind < word || s.at(to-1).kind == mask || trails(s.low(to-1))) {
		to--
	}
	if refuses(s.low(0)) || refuses(s.low(from)) || t == Person && s.quantityOnly(from, to) {
		return false
	}
	n, acks := 0, 0
	for i := from; i < to; i++ {
		k := s.at(i)
		if k.kind == mask || k.kind == line || s.low(i) == "?" {
			return false
		}
		if k.kind >= word {
			n++
		}
		if k.lex&ack != 0 && k.gaz&gazetteer.CommonFirst == 0 && len(s.low(i)) > 2 {
			acks++
		}
	}
	switch {
	case n == acks:
		return false
	case s.spelled():
		if n > 24 {
			return false
		}
	case n > briefly, t == Person && n > 2 && (s.has(Person, from, to) || !s.unusual(from, to)):
		return false
	}
	score := uint8(88)
	if again {
		score = 80
	}
	s.markAnswer(from, to, t, score)
	return true
}

// waits reports whether the turn asks for time instead of answering: "hold on one second".
func (s *scan) waits() bool {
	switch s.low(0) {
	case "hold", "wait", "pardon", "excuse", "huh":
		return !s.spelled()
	case "what", "eh", "sorry", "hello":
		return len(s.tok) == 1 || s.at(1).kind < word && len(s.tok) == 2
	}
	return false
}

// refuses reports whether a turn that begins with the word answers nothing: "hold on", "no", "please book it".
func refuses(low string) bool {
	switch low {
	case "hold", "wait", "pardon", "excuse", "no", "nope", "not", "please", "thanks", "thank", "huh", "mm", "mhm", "hmm":
		return true
	}
	return false
}

// carries reports whether a word comes before the value of a direct answer: "it's", "my name is", "yes the".
func carries(low string) bool {
	switch low {
	case "you", "the", "and", "for", "in", "my", "it", "it's", "its", "'s", "is", "be", "am", "i'm", "do", "have", "don't", "know", "said", "okay", "ok",
		"sorry", "hello", "hi", "well", "name", "last", "full", "first", "spell", "so", "yes", "yeah", "yep", "sure", "uh", "um", "that", "that's", "this", "would",
		"under", "of", "course", "code", "postcode", "zip", "date", "birth", "was", "born", "on", "absolutely", "certainly":
		return true
	}
	return false
}

// trails reports whether a word comes behind the value of a direct answer.
func trails(low string) bool {
	switch low {
	case "is", "am", "be", "said", "me", "do", "you", "and", "that", "please", "thanks", "thank", "first", "okay", "yeah", "yes":
		return true
	}
	return false
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

// foreign reports whether a word between two tokens is a place or no plain English.
func (s *scan) foreign(from, to int) bool {
	for i := from; i < to; i++ {
		if t := s.at(i); t.kind == word && t.lex&(stop|ack|common|kin) == 0 && (t.gaz&gazetteer.Word == 0 || s.placeLen(i) > 1) {
			return true
		}
	}
	return false
}

// joined reports whether a sign of an e-mail address is said or written between two tokens.
func (s *scan) joined(from, to int) bool {
	for i := from; i < to; i++ {
		switch s.low(i) {
		case "@", "at", "dot", "underscore", "_":
			return true
		}
	}
	return false
}

// cued reports whether the words before a value between two tokens say what it is.
func (s *scan) cued(from, to int) bool {
	for _, m := range s.marks {
		if m.why == ByCue && m.from < to && m.to > from {
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
	if _, cue := s.cueAt(i); cue && (s.at(i+1).lex&verb != 0 || s.low(i+1) == "number" || s.low(i+1) == "id") {
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
