// Package secret marks passwords, PINs and codes by what they are called, and letters that are spelled.
//
// Zone: RED.
package secret

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// FindSecrets marks user names and passwords behind "is", ":" or "/" after their cue.
func FindSecrets(s *scan.Scan) {
	for _, c := range s.Cues {
		if c.Type != kind.Username && c.Type != kind.Password && !(c.Type == kind.PIN && s.Low(c.At) == "passcode") {
			continue
		}
		t := c.Type
		i := c.At + 1
		for s.Low(i) == "id" || s.Low(i) == "name" || s.Low(i) == "code" || s.Low(i) == "password" {
			i++
		}
		i, linked := link(s, i)
		if !linked && s.Low(c.At) == "wifi" { // wifi 6
			continue
		}
		from, to := secretAt(s, i, linked)
		if n := s.At(i); to == from && !linked && t == kind.Username && n.Kind == token.Word && n.Gaz == 0 && n.Lex == 0 && n.End-n.Start > 3 { // login mardoin
			from, to = i, i+1
		}
		if to == from && linked && t != kind.PIN {
			from, to = framed(s, i)
		}
		if to > from {
			s.Mark(from, to, t, 92, kind.ByCue)
			s.Take(from, to)
			if s.Low(to) == "/" && t == kind.Username {
				if a, b := secretAt(s, to+1, true); b > a {
					s.Mark(a, b, kind.Password, 85, kind.ByCue)
					s.Take(a, b)
				}
			}
		}
	}
}

// FindCodes marks what has a digit behind "the code is", "your pin:", "the gate code's": short ones too.
func FindCodes(s *scan.Scan) {
	for _, c := range s.Cues {
		if c.Type != kind.PIN || c.Weak {
			continue
		}
		i, linked := link(s, c.At+1)
		t, low := s.At(i), s.Low(i)
		if !linked || s.Taken[min(i, len(s.Taken)-1)] || t.Kind != token.Mixed && t.Kind != token.Digit || len(low) > 12 || t.Kind == token.Digit && len(low) < 3 || s.Ordinal(i) {
			continue
		}
		if s.At(i+1).Lex&(token.Unit|token.Money) != 0 || s.Low(i+1) == "%" || t.Kind == token.Digit && s.Glued(i+1) || s.RunAt(i) != nil && s.RunAt(i).To > i+1 {
			continue
		}
		s.Mark(i, i+1, kind.PIN, 91, kind.ByCue)
		s.Take(i, i+1)
	}
}

// link gives the token behind the words that link a secret to its name, which ends before token i: "is", "on the wifi is",
// "? it's", ":". Without them it gives i.
func link(s *scan.Scan, i int) (int, bool) {
	linked := false
	for k := i; k < i+7 && k < len(s.Tokens); k++ {
		switch s.Low(k) {
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
		if linked || s.Tokens[k].Kind != token.Word || s.Tokens[k].Lex&token.Ack != 0 {
			break
		}
	}
	return i, linked
}

// framed gives the words of a secret that is linked to its name, whatever they look like: to the next pause or word of a
// closed class. "expired", "wrong" and the like say how it is, not what it is.
func framed(s *scan.Scan, i int) (from, to int) {
	to = i
	for to < len(s.Tokens) && to < i+4 {
		t := s.Tokens[to]
		if t.Kind < token.Word || t.Kind == token.Mask || t.Lex&(token.Stop|token.Ack|token.Prep|token.Near) != 0 || states[s.Low(to)] {
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

// FindIBANs marks what is spelled behind "my iban is": letters and digits in any mixture, "g b as in boy four eight awjv".
func FindIBANs(s *scan.Scan) {
	for _, c := range s.Cues {
		if c.Type != kind.IBAN {
			continue
		}
		from := c.At + 1
		for from < len(s.Tokens) && (s.At(from).Lex&token.Verb != 0 || s.Low(from) == "number" || s.Low(from) == ":") {
			from++
		}
		to, digits := from, 0
		for i := from; i < len(s.Tokens) && i < from+60; i++ {
			t := s.At(i)
			if r := s.RunAt(i); r != nil {
				if i+1 == r.To || i+1 == len(s.Tokens) {
					digits += r.Digits
				}
			} else if t.Kind == token.Sign && s.Low(i) != "-" && s.Low(i) != "," || t.Kind == token.Word && (len(s.Low(i)) > 4 || t.Lex&(token.Stop|token.Ack) != 0) || t.Kind == token.Line || t.Kind == token.Mask {
				break
			}
			if t.Kind != token.Sign {
				to = i + 1
			}
		}
		if digits >= 8 && to-from > 2 {
			s.Mark(from, to, kind.IBAN, 97, kind.ByCue)
			s.Take(from, to)
		}
	}
}

// secretAt gives the tokens of a user name or password at i. Not linked to its cue it must have a digit.
func secretAt(s *scan.Scan, i int, linked bool) (from, to int) {
	from, to = i, i
	odd := false
	for to < len(s.Tokens) && to < i+12 {
		t := s.At(to)
		low := s.Low(to)
		glued := to > i && s.Glued(to)
		switch {
		case t.Kind == token.Line || t.Kind == token.Mask, low == "/" && !glued:
			return secret(s, from, to, odd, linked)
		case glued:
			odd = odd || t.Kind == token.Digit || t.Kind == token.Mixed
			if t.Kind == token.Sign && !s.Glued(to+1) && (low == "." || low == "," || low == "?" || low == "!" || low == ";") && (low != "!" || !odd) {
				return secret(s, from, to, odd, linked)
			}
			if t.Kind == token.Sign && low == "/" {
				return secret(s, from, to, odd, linked)
			}
		case t.Kind == token.Mixed, t.Kind == token.Digit:
			odd = true
		case t.Kind == token.Word:
			inRun := s.RunAt(to) != nil
			odd = odd || inRun || t.Gaz&gazetteer.Word == 0 && t.Lex == 0
			if t.Lex&(token.Stop|token.Ack) != 0 && !inRun && !(s.Low(to+1) == "_" && s.Glued(to+1)) || to > i && !spelledOn(s, to) {
				return secret(s, from, to, odd, linked)
			}
		default:
			return secret(s, from, to, odd, linked)
		}
		to++
	}
	return secret(s, from, to, odd, linked)
}

// spelledOn reports whether token i goes on spelling a secret: names, digits in words, spoken signs.
func spelledOn(s *scan.Scan, i int) bool {
	t := s.At(i)
	switch s.Low(i) {
	case "underscore", "dash", "dot", "capital", "dollar", "sign", "hash", "exclamation":
		return true
	}
	return s.RunAt(i) != nil || t.Gaz&gazetteer.Name != 0 && t.Gaz&gazetteer.Word == 0
}

func secret(s *scan.Scan, from, to int, odd, linked bool) (int, int) {
	hasDigit := false
	for i := from; i < to; i++ {
		hasDigit = hasDigit || s.At(i).Kind == token.Digit || s.At(i).Kind == token.Mixed || s.RunAt(i) != nil && s.RunAt(i).Digits > 1
	}
	if linked && odd || hasDigit {
		return from, to
	}
	return from, from
}
