package name

import (
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// FindFramed marks names that the place where they stand gives away, where the tagger has found none: behind a title, in a row
// with other names, and in a text as its only word or as the first, of whom it tells or asks something.
func FindFramed(s *scan.Scan) {
	for i, t := range s.Tokens {
		switch {
		case t.Kind != token.Word:
		case courtesyTitle(s.Low(i)):
			findTitled(s, i)
		case s.Low(i) == "'s" && s.At(i+1).Lex&token.Kin != 0:
			findKinOf(s, i-1)
		}
	}
	for k := 0; k < len(s.Marks); k++ { // what is marked may go on with the row
		if m := s.Marks[k]; m.Type == kind.Person {
			findNext(s, m.To)
		}
	}
	if s.Side != 0 {
		return
	}
	findAlone(s)
	for i := range s.Tokens {
		if i == 0 || s.Tokens[i-1].Kind == token.Line {
			findFirst(s, i)
		}
	}
}

// findKinOf marks the word at token i, whose relative is spoken of: "chance's mum". What an article or "my" stands before is no name.
func findKinOf(s *scan.Scan, i int) {
	t := s.At(i)
	if t.Kind != token.Word || t.Lex&^(token.Month|token.Given) != 0 || s.RunOf[i] > 0 || s.At(i-1).Kind == token.Word && s.At(i-1).Lex&token.Stop != 0 && determines(s.Low(i-1)) {
		return
	}
	s.Mark(i, i+1, kind.Person, 70, kind.ByCue)
}

// determines reports whether the word tells which one of several is meant, so that no name follows.
func determines(low string) bool {
	switch low {
	case "the", "a", "an", "my", "your", "his", "her", "our", "their", "this", "that", "some", "every", "each", "another", "no", "any":
		return true
	}
	return false
}

// courtesyTitle reports whether only the name of a person stands behind the word.
func courtesyTitle(low string) bool {
	switch low {
	case "mr", "mrs", "ms", "mister", "missus":
		return true
	}
	return false
}

// findTitled marks the word behind the title at token i, whatever else it means: "mrs hood".
func findTitled(s *scan.Scan, i int) {
	if s.Low(i+1) == "." && s.Glued(i+1) {
		i++
	}
	t := s.At(i + 1)
	if t.Kind == token.Word && t.Lex&^(token.Month|token.Day|token.Given|token.Stray|token.Street) == 0 && t.End-t.Start > 2 && s.RunOf[i+1] == 0 && s.Tokens[i+1].Start <= s.Tokens[i].End+1 {
		s.Mark(i+1, i+2, kind.Person, 70, kind.ByCue)
	}
}

// findNext marks the next name in a row, behind the name that ends before token i: "cathal, eamon and alasdair".
func findNext(s *scan.Scan, i int) {
	if s.Low(i) != "," && s.Low(i) != "&" && s.Low(i) != "and" {
		return
	}
	i++
	if s.Low(i-1) == "," && joinsRow(s, i) {
		i++
	}
	end := s.Low(i + 1)
	if t := s.At(i); bears(s, i) && (t.Shape != token.Small || !s.Cased || s.Side == 0) && (i+1 >= len(s.Tokens) || end == "," || end == "&" || end == "." || s.Tokens[i+1].Kind == token.Line) && !s.Has(kind.Person, i, i+1) {
		s.Mark(i, i+1, kind.Person, 65, kind.ByCue)
	}
}

// bears reports whether people are called like the word at token i, often if it is plain English too.
func bears(s *scan.Scan, i int) bool {
	t := s.At(i)
	if t.Kind != token.Word || t.Lex&^(token.Month|token.Given) != 0 || t.End-t.Start < 3 || s.RunOf[i] > 0 {
		return false
	}
	return t.Gaz&gazetteer.CommonFirst != 0 || t.Gaz&gazetteer.Name != 0 && t.Gaz&gazetteer.Word == 0
}

// findAlone marks a text that is a name and nothing else.
func findAlone(s *scan.Scan) {
	at := -1
	for i, t := range s.Tokens {
		switch {
		case t.Kind < token.Word:
		case at >= 0:
			return
		default:
			at = i
		}
	}
	if at >= 0 && (bears(s, at) || s.Tokens[at].Gaz&gazetteer.CommonLast != 0 && s.Tokens[at].Lex == 0) {
		s.Mark(at, at+1, kind.Person, 60, kind.ByList)
	}
}

// findFirst marks the first word of a line of a text that people are called by, if it is greeted, asked or told of: "poppy its
// your neighbour", "hamish can you".
func findFirst(s *scan.Scan, i int) {
	if !bears(s, i) {
		return
	}
	t, next, then := s.At(i), s.Low(i+1), s.Low(i+2)
	plain := t.Gaz&gazetteer.Word != 0
	switch next {
	case "its", "it's":
	case "this":
		if then != "is" {
			return
		}
	case "can", "could", "did", "are", "r":
		if plain && then != "u" && then != "you" && then != "ye" && then != "ya" {
			return
		}
	case "is", "has", "had", "says", "said", "was", "will", "cant", "can't", "call", "ring", "pls", "please", "wants", "needs", "rang", "called", "who":
		if plain && next != "says" && next != "said" && next != "rang" {
			return
		}
	default:
		return
	}
	s.Mark(i, i+1, kind.Person, 65, kind.ByCue)
}
