package name

import (
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// FindSignOff marks the name at the end of a text: "love Fifi x", "- earl", "see you there. Clive".
func FindSignOff(s *scan.Scan) {
	if s.Side != 0 || len(s.Tokens) > 150 {
		return
	}
	end, kissed := len(s.Tokens), false
	for end > 0 && (s.Tokens[end-1].Kind < token.Word || kisses(s.Low(end-1))) {
		kissed = kissed || s.Tokens[end-1].Kind == token.Word
		end--
	}
	for n := 1; n <= 2; n++ {
		from := end - n
		if from < 1 || !signs(s, from) {
			return
		}
		parting, pause := parts(s, from-1)
		if !parting && !pause {
			continue
		}
		for i := from; i < end; i++ {
			g := s.Tokens[i].Gaz
			alone := n == 1 && end > 4 && s.Low(from-1) != "," && (kissed || s.Cased && end == len(s.Tokens) && s.Tokens[i].Shape == token.Capital && g&gazetteer.Place == 0)
			if !parting && !alone && g&(gazetteer.Word|gazetteer.Place) != 0 && g&gazetteer.CommonFirst == 0 { // the last line of an address
				return
			}
		}
		s.Mark(from, end, kind.Person, 75, kind.ByCue)
		return
	}
}

// FindAddressed marks who a text greets, thanks or congratulates: "alright titch can you", "Sorry gaz, running late".
func FindAddressed(s *scan.Scan) {
	if s.Side != 0 {
		return
	}
	for i := 1; i < min(4, len(s.Tokens)); i++ {
		switch s.Low(i - 1) {
		case "alright", "alrite", "hiya", "morning", "mornin", "evening", "evenin", "sorry", "cheers", "ta", "thanks", "thx", "oi", "birthday", "congrats", "congratulations", "hi", "hey", "hello":
		case "up":
			if s.Low(i-2) != "ey" {
				continue
			}
		default:
			continue
		}
		t := s.Tokens[i]
		if t.Kind == token.Word && t.End-t.Start > 2 && t.Lex == 0 && s.RunOf[i] == 0 && (t.Gaz&gazetteer.Word == 0 || t.Gaz&gazetteer.CommonFirst != 0 && EndsHere(s, i+1) || t.Gaz&gazetteer.Given != 0 && s.Low(i+1) == ",") {
			s.Mark(i, i+1, kind.Person, 72, kind.ByCue)
		}
		return
	}
}

// signs reports whether token i may be a name under a text.
func signs(s *scan.Scan, i int) bool {
	t := s.Tokens[i]
	return t.Kind == token.Word && len(s.Low(i)) >= 2 && s.RunOf[i] == 0 && t.Lex&^(token.Month|token.Given) == 0 && (t.Lex&token.Month == 0 || t.Gaz&gazetteer.CommonFirst != 0)
}

// parts reports whether token i takes leave, or is a pause. A hyphen inside a word ("top-up") is neither.
func parts(s *scan.Scan, i int) (parting, pause bool) {
	switch low := s.Low(i); low {
	case "-":
		return i == 0 || s.Tokens[i-1].Kind < token.Word || s.Tokens[i-1].End < s.Tokens[i].Start, false
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
