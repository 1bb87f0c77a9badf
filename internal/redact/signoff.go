package redact

import "murmur/internal/redact/gazetteer"

// findSignOff marks the name at the end of a text: "love Fifi x", "- earl", "see you there. Clive".
func (s *scan) findSignOff() {
	if s.side != 0 || len(s.tok) > 150 {
		return
	}
	end, kissed := len(s.tok), false
	for end > 0 && (s.tok[end-1].kind < word || kisses(s.low(end-1))) {
		kissed = kissed || s.tok[end-1].kind == word
		end--
	}
	for n := 1; n <= 2; n++ {
		from := end - n
		if from < 1 || !s.signs(from) {
			return
		}
		parting, pause := s.parts(from - 1)
		if !parting && !pause {
			continue
		}
		for i := from; i < end; i++ {
			g := s.tok[i].gaz
			alone := n == 1 && end > 4 && s.low(from-1) != "," && (kissed || s.cased && end == len(s.tok) && s.tok[i].shape == capital && g&gazetteer.Place == 0)
			if !parting && !alone && g&(gazetteer.Word|gazetteer.Place) != 0 && g&gazetteer.CommonFirst == 0 { // the last line of an address
				return
			}
		}
		s.mark(from, end, Person, 75, ByCue)
		return
	}
}

// findAddressed marks who a text greets, thanks or congratulates: "alright titch can you", "Sorry gaz, running late".
func (s *scan) findAddressed() {
	if s.side != 0 {
		return
	}
	for i := 1; i < min(4, len(s.tok)); i++ {
		switch s.low(i - 1) {
		case "alright", "alrite", "hiya", "morning", "mornin", "evening", "evenin", "sorry", "cheers", "ta", "thanks", "thx", "oi", "birthday", "congrats", "congratulations", "hi", "hey", "hello":
		case "up":
			if s.low(i-2) != "ey" {
				continue
			}
		default:
			continue
		}
		t := s.tok[i]
		if t.kind == word && t.e-t.s > 2 && t.lex == 0 && s.runOf[i] == 0 && (t.gaz&gazetteer.Word == 0 || t.gaz&gazetteer.CommonFirst != 0 && s.endsHere(i+1) || t.gaz&gazetteer.Given != 0 && s.low(i+1) == ",") {
			s.mark(i, i+1, Person, 72, ByCue)
		}
		return
	}
}

// signs reports whether token i may be a name under a text.
func (s *scan) signs(i int) bool {
	t := s.tok[i]
	return t.kind == word && len(s.low(i)) >= 2 && s.runOf[i] == 0 && t.lex&^(month|given) == 0 && (t.lex&month == 0 || t.gaz&gazetteer.CommonFirst != 0)
}

// parts reports whether token i takes leave, or is a pause. A hyphen inside a word ("top-up") is neither.
func (s *scan) parts(i int) (parting, pause bool) {
	switch low := s.low(i); low {
	case "-":
		return i == 0 || s.tok[i-1].kind < word || s.tok[i-1].e < s.tok[i].s, false
	case "–", "—", "~", "^", "love", "thanks", "thx", "tnx", "thank", "ta", "cheers", "regards", "yours", "kr":
		return true, false
	case ".", "!", "?", ",", "\n":
		return false, true
	default:
		return kisses(low), false
	}
}

// kisses reports whether a word is "x", "xx" and so on.
func kisses(low string) bool {
	for i := range len(low) {
		if low[i] != 'x' {
			return low == "xoxo" || low == "xo"
		}
	}
	return low != ""
}
