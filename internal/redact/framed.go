package redact

import "murmur/internal/redact/gazetteer"

// findFramed marks names that the place where they stand gives away, where the tagger has found none: behind a title, in a row
// with other names, and in a text as its only word or as the first, of whom it tells or asks something.
func (s *scan) findFramed() {
	for i, t := range s.tok {
		switch {
		case t.kind != word:
		case courtesyTitle(s.low(i)):
			s.findTitled(i)
		case s.low(i) == "'s" && s.at(i+1).lex&kin != 0:
			s.findKinOf(i - 1)
		}
	}
	for k := 0; k < len(s.marks); k++ { // what is marked may go on with the row
		if m := s.marks[k]; m.t == Person {
			s.findNext(m.to)
		}
	}
	if s.side != 0 {
		return
	}
	s.findAlone()
	for i := range s.tok {
		if i == 0 || s.tok[i-1].kind == line {
			s.findFirst(i)
		}
	}
}

// findKinOf marks the word at token i, whose relative is spoken of: "chance's mum". What an article or "my" stands before is no name.
func (s *scan) findKinOf(i int) {
	t := s.at(i)
	if t.kind != word || t.lex&^(month|given) != 0 || s.runOf[i] > 0 || s.at(i-1).kind == word && s.at(i-1).lex&stop != 0 && determines(s.low(i-1)) {
		return
	}
	s.mark(i, i+1, Person, 70, ByCue)
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
func (s *scan) findTitled(i int) {
	if s.low(i+1) == "." && s.glued(i+1) {
		i++
	}
	t := s.at(i + 1)
	if t.kind == word && t.lex&^(month|day|given|stray|street) == 0 && t.e-t.s > 2 && s.runOf[i+1] == 0 && s.tok[i+1].s <= s.tok[i].e+1 {
		s.mark(i+1, i+2, Person, 70, ByCue)
	}
}

// findNext marks the next name in a row, behind the name that ends before token i: "cathal, eamon and alasdair".
func (s *scan) findNext(i int) {
	if s.low(i) != "," && s.low(i) != "&" && s.low(i) != "and" {
		return
	}
	i++
	if s.low(i-1) == "," && s.joinsRow(i) {
		i++
	}
	end := s.low(i + 1)
	if t := s.at(i); s.bears(i) && (t.shape != small || !s.cased || s.side == 0) && (i+1 >= len(s.tok) || end == "," || end == "&" || end == "." || s.tok[i+1].kind == line) && !s.has(Person, i, i+1) {
		s.mark(i, i+1, Person, 65, ByCue)
	}
}

// bears reports whether people are called like the word at token i, often if it is plain English too.
func (s *scan) bears(i int) bool {
	t := s.at(i)
	if t.kind != word || t.lex&^(month|given) != 0 || t.e-t.s < 3 || s.runOf[i] > 0 {
		return false
	}
	return t.gaz&gazetteer.CommonFirst != 0 || t.gaz&gazetteer.Name != 0 && t.gaz&gazetteer.Word == 0
}

// findAlone marks a text that is a name and nothing else.
func (s *scan) findAlone() {
	at := -1
	for i, t := range s.tok {
		switch {
		case t.kind < word:
		case at >= 0:
			return
		default:
			at = i
		}
	}
	if at >= 0 && (s.bears(at) || s.tok[at].gaz&gazetteer.CommonLast != 0 && s.tok[at].lex == 0) {
		s.mark(at, at+1, Person, 60, ByList)
	}
}

// findFirst marks the first word of a line of a text that people are called by, if it is greeted, asked or told of: "poppy its
// your neighbour", "hamish can you".
func (s *scan) findFirst(i int) {
	if !s.bears(i) {
		return
	}
	t, next, then := s.at(i), s.low(i+1), s.low(i+2)
	plain := t.gaz&gazetteer.Word != 0
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
	s.mark(i, i+1, Person, 65, ByCue)
}
