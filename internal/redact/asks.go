package redact

import "slices"

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
		if n > 0 && s.aside(c.at) || s.low(c.at) == "named" || s.low(c.at) == "wifi" {
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
	n := len(s.tok)
	return n >= 3 && n <= 5 && s.low(n-1) == "?" && s.low(n-2) == "what" && s.tok[n-3].kind == word && s.tok[n-3].lex == 0 // Ann what?
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

// newTopic recognises a question after something else than a value: "how can I help?", "anything else?", "what's the
// problem?", "how much?". What was asked before waits until it is repeated.
func (s *scan) newTopic() bool {
	for i := range s.tok {
		switch s.low(i) {
		case "how":
			if n := s.low(i + 1); (n == "much" || n == "many" || n == "long") && (s.low(len(s.tok)-1) == "?" || len(s.tok) < 12) {
				return true
			}
		case "help", "problem", "issue", "else", "assist", "wrong", "matter":
			return s.low(len(s.tok)-1) == "?" || len(s.tok) < 12
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

// onlyAcks reports whether every word of the turn is one of "uh huh, okay, go ahead": it asks for nothing new.
func (s *scan) onlyAcks() bool {
	for i, t := range s.tok {
		if s.low(i) == "?" || t.kind >= word && t.lex&ack == 0 && s.low(i) != "go" {
			return false
		}
	}
	return true
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
