package redact

import (
	"strings"

	"murmur/internal/redact/gazetteer"
)

// findSecrets marks user names and passwords behind "is", ":" or "/" after their cue.
func (s *scan) findSecrets() {
	for _, c := range s.cues {
		if c.t != Username && c.t != Password && !(c.t == PIN && s.low(c.at) == "passcode") {
			continue
		}
		t := c.t
		i := c.at + 1
		for s.low(i) == "id" || s.low(i) == "name" || s.low(i) == "code" || s.low(i) == "password" {
			i++
		}
		i, linked := s.link(i)
		if !linked && s.low(c.at) == "wifi" { // wifi 6
			continue
		}
		from, to := s.secretAt(i, linked)
		if n := s.at(i); to == from && !linked && t == Username && n.kind == word && n.gaz == 0 && n.lex == 0 && n.e-n.s > 3 { // login mardoin
			from, to = i, i+1
		}
		if to == from && linked && t != PIN {
			from, to = s.framed(i)
		}
		if to > from {
			s.mark(from, to, t, 92, ByCue)
			s.take(from, to)
			if s.low(to) == "/" && t == Username {
				if a, b := s.secretAt(to+1, true); b > a {
					s.mark(a, b, Password, 85, ByCue)
					s.take(a, b)
				}
			}
		}
	}
}

// findCodes marks what has a digit behind "the code is", "your pin:", "the gate code's": short ones too.
func (s *scan) findCodes() {
	for _, c := range s.cues {
		if c.t != PIN || c.weak {
			continue
		}
		i, linked := s.link(c.at + 1)
		t, low := s.at(i), s.low(i)
		if !linked || s.taken[min(i, len(s.taken)-1)] || t.kind != mixed && t.kind != digit || len(low) > 12 || t.kind == digit && len(low) < 3 || s.ordinal(i) {
			continue
		}
		if s.at(i+1).lex&(unit|money) != 0 || s.low(i+1) == "%" || t.kind == digit && s.glued(i+1) || s.runAt(i) != nil && s.runAt(i).To > i+1 {
			continue
		}
		s.mark(i, i+1, PIN, 91, ByCue)
		s.take(i, i+1)
	}
}

// link gives the token behind the words that link a secret to its name, which ends before token i: "is", "on the wifi is",
// "? it's", ":". Without them it gives i.
func (s *scan) link(i int) (int, bool) {
	linked := false
	for k := i; k < i+7 && k < len(s.tok); k++ {
		switch s.low(k) {
		case "is", "'s", ":", "=", "its", "it's", "are", "was", "still":
			i, linked = k+1, true
			continue
		case "to":
			if k == i {
				i, linked = k+1, true
				continue
			}
		case "?", ",", "it", "now":
			continue
		}
		if linked || s.tok[k].kind != word || s.tok[k].lex&ack != 0 {
			break
		}
	}
	return i, linked
}

// framed gives the words of a secret that is linked to its name, whatever they look like: to the next pause or word of a
// closed class. "expired", "wrong" and the like say how it is, not what it is.
func (s *scan) framed(i int) (from, to int) {
	to = i
	for to < len(s.tok) && to < i+4 {
		t := s.tok[to]
		if t.kind < word || t.kind == mask || t.lex&(stop|ack|prep|near) != 0 || states[s.low(to)] {
			break
		}
		to++
	}
	return i, to
}

// states are what is said about a secret instead of the secret.
var states = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`expired wrong incorrect invalid right correct fine old new changed different same reset needed required working locked blocked gone
		case long short sent being already always really optional there here saved stored written missing hidden secret weak strong good bad set due tied linked printed called
		something somewhere nothing that this what case-sensitive safe secure usually probably definitely`) {
		m[w] = true
	}
	return m
}()

// findIBANs marks what is spelled behind "my iban is": letters and digits in any mixture, "g b as in boy four eight awjv".
func (s *scan) findIBANs() {
	for _, c := range s.cues {
		if c.t != IBAN {
			continue
		}
		from := c.at + 1
		for from < len(s.tok) && (s.at(from).lex&verb != 0 || s.low(from) == "number" || s.low(from) == ":") {
			from++
		}
		to, digits := from, 0
		for i := from; i < len(s.tok) && i < from+60; i++ {
			t := s.at(i)
			if r := s.runAt(i); r != nil {
				if i+1 == r.To || i+1 == len(s.tok) {
					digits += r.Digits
				}
			} else if t.kind == sign && s.low(i) != "-" && s.low(i) != "," || t.kind == word && (len(s.low(i)) > 4 || t.lex&(stop|ack) != 0) || t.kind == line || t.kind == mask {
				break
			}
			if t.kind != sign {
				to = i + 1
			}
		}
		if digits >= 8 && to-from > 2 {
			s.mark(from, to, IBAN, 97, ByCue)
			s.take(from, to)
		}
	}
}

// secretAt gives the tokens of a user name or password at i. Not linked to its cue it must have a digit.
func (s *scan) secretAt(i int, linked bool) (from, to int) {
	from, to = i, i
	odd := false
	for to < len(s.tok) && to < i+12 {
		t := s.at(to)
		low := s.low(to)
		glued := to > i && s.glued(to)
		switch {
		case t.kind == line || t.kind == mask, low == "/" && !glued:
			return s.secret(from, to, odd, linked)
		case glued:
			odd = odd || t.kind == digit || t.kind == mixed
			if t.kind == sign && !s.glued(to+1) && (low == "." || low == "," || low == "?" || low == "!" || low == ";") && (low != "!" || !odd) {
				return s.secret(from, to, odd, linked)
			}
			if t.kind == sign && low == "/" {
				return s.secret(from, to, odd, linked)
			}
		case t.kind == mixed, t.kind == digit:
			odd = true
		case t.kind == word:
			inRun := s.runAt(to) != nil
			odd = odd || inRun || t.gaz&gazetteer.Word == 0 && t.lex == 0
			if t.lex&(stop|ack) != 0 && !inRun && !(s.low(to+1) == "_" && s.glued(to+1)) || to > i && !s.spelledOn(to) {
				return s.secret(from, to, odd, linked)
			}
		default:
			return s.secret(from, to, odd, linked)
		}
		to++
	}
	return s.secret(from, to, odd, linked)
}

// spelledOn reports whether token i goes on spelling a secret: names, digits in words, spoken signs.
func (s *scan) spelledOn(i int) bool {
	t := s.at(i)
	switch s.low(i) {
	case "underscore", "dash", "dot", "capital", "dollar", "sign", "hash", "exclamation":
		return true
	}
	return s.runAt(i) != nil || t.gaz&gazetteer.Name != 0 && t.gaz&gazetteer.Word == 0
}

func (s *scan) secret(from, to int, odd, linked bool) (int, int) {
	hasDigit := false
	for i := from; i < to; i++ {
		hasDigit = hasDigit || s.at(i).kind == digit || s.at(i).kind == mixed || s.runAt(i) != nil && s.runAt(i).Digits > 1
	}
	if linked && odd || hasDigit {
		return from, to
	}
	return from, from
}
