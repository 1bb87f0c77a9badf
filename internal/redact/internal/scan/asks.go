package scan

import (
	"slices"

	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// Questions gives the types the turn asks for: its cues, if it is a question, a request or a bare prompt.
func (s *Scan) Questions() (types [4]kind.Type, n int) {
	who := s.AsksWho()
	if len(s.Cues) == 0 && !who {
		return
	}
	request := len(s.Tokens) <= 7
	mark := -1
	for i := range s.Tokens {
		switch s.Low(i) {
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
	for _, r := range s.Runs {
		digits += r.Digits
	}
	if digits >= 7 && mark < 0 {
		return
	}
	add := func(t kind.Type) {
		if slices.Contains(types[:n], t) {
			return
		}
		if n < len(types) {
			types[n] = t
			n++
		}
	}
	for _, c := range s.Cues {
		if n > 0 && s.aside(c.At) || s.Low(c.At) == "named" || s.Low(c.At) == "wifi" {
			continue
		}
		if !c.Weak {
			add(c.Type)
		}
	}
	for _, c := range s.Cues {
		if c.Weak && (n == 0 || c.Type == kind.Person) && (c.Type != kind.Phone || s.Low(c.At) == "number" || s.Low(c.At) == "reach" || mark > 0) {
			add(c.Type)
		}
	}
	if who {
		add(kind.Person)
	}
	return
}

// aside reports whether the cue at token i only says whose the thing asked for is: "the password on the account".
func (s *Scan) aside(i int) bool {
	switch s.Low(i - 1) {
	case "the", "your", "this":
	default:
		return false
	}
	switch s.Low(i - 2) {
	case "on", "for", "to", "of", "from", "in", "with":
		return true
	}
	return false
}

// AsksWho recognises "who's calling", "who am I speaking with".
func (s *Scan) AsksWho() bool {
	for i := range s.Tokens {
		if s.Low(i) == "who" && len(s.Tokens) < 14 {
			return true
		}
	}
	n := len(s.Tokens)
	return n >= 3 && n <= 5 && s.Low(n-1) == "?" && s.Low(n-2) == "what" && s.Tokens[n-3].Kind == token.Word && s.Tokens[n-3].Lex == 0 // Ann what?
}

// RepeatRequest recognises "one more time", "say that again", "could you spell it", "the last four".
func (s *Scan) RepeatRequest() bool {
	for _, c := range s.Cues {
		if !c.Weak && s.Low(c.At) != "spell" && s.Low(c.At) != "spelling" {
			return false // the last four of your social is a question of its own
		}
	}
	for i := range s.Tokens {
		a, b := s.Low(i), s.Low(i+1)
		switch {
		case a == "more" && b == "time", a == "again" && len(s.Tokens) < 12, a == "repeat" && len(s.Tokens) < 12, a == "didn't" && b == "catch", a == "did" && s.Low(i+2) == "catch",
			a == "spell" && (b == "it" || b == "that"), a == "last" && (b == "four" || b == "4" || b == "part"), a == "pardon", a == "rest" && s.Low(i+2) == "it",
			a == "next" && len(s.Tokens) <= 4, a == "say" && (b == "it" || b == "that"):
			return true
		}
	}
	return false
}

// NewTopic recognises a question after something else than a value: "how can I help?", "anything else?", "what's the
// problem?", "how much?". What was asked before waits until it is repeated.
func (s *Scan) NewTopic() bool {
	for i := range s.Tokens {
		switch s.Low(i) {
		case "how":
			if n := s.Low(i + 1); (n == "much" || n == "many" || n == "long") && (s.Low(len(s.Tokens)-1) == "?" || len(s.Tokens) < 12) {
				return true
			}
		case "help", "problem", "issue", "else", "assist", "wrong", "matter":
			return s.Low(len(s.Tokens)-1) == "?" || len(s.Tokens) < 12
		}
	}
	return false
}

// Acknowledges reports whether the turn says no more than "uh huh, go ahead".
func (s *Scan) Acknowledges() bool {
	n := 0
	for i, t := range s.Tokens {
		if t.Kind < token.Word {
			continue
		}
		if t.Kind != token.Word || t.Lex&(token.Ack|token.Stop) == 0 && s.Low(i) != "go" {
			return false
		}
		n++
	}
	return n <= 8
}

// OnlyAcks reports whether every word of the turn is one of "uh huh, okay, go ahead": it asks for nothing new.
func (s *Scan) OnlyAcks() bool {
	for i, t := range s.Tokens {
		if s.Low(i) == "?" || t.Kind >= token.Word && t.Lex&token.Ack == 0 && s.Low(i) != "go" {
			return false
		}
	}
	return true
}

// Answers reports whether the turn says a value itself, so that its cue words do not ask for one.
func (s *Scan) Answers() bool {
	for _, r := range s.Runs {
		if r.Digits >= 3 || r.Letters >= 3 {
			return true
		}
	}
	for i := range s.Tokens {
		if s.Low(i) == "?" || s.Low(i) == "your" || s.Low(i) == "please" {
			return false
		}
	}
	return true
}
