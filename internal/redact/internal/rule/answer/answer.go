// Package answer marks what a turn answers to the question that is open: the whole of it, less the words that lead in.
//
// Zone: RED.
package answer

import (
	"murmur/internal/redact/act"
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/rule/place"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// FindAnswer marks what the turn answers to an open question: the whole of a short answer that is no
// sentence, without the words that lead in.
func FindAnswer(s *scan.Scan) {
	a := s.Ask
	if !mayAnswer(s) {
		return
	}
	t := a.Types[0]
	whole := kind.Of(kind.Person, kind.Postcode, kind.DateOfBirth, kind.ID, kind.Vehicle, kind.Username, kind.Password, kind.Address, kind.Email, kind.Location, kind.PIN, kind.IBAN, kind.CardExpiry)
	for _, w := range a.Types[:a.N] {
		if w == kind.Person && Spelled(s) {
			t = kind.Person
		}
	}
	if !whole.Has(t) || sentence(s, a.Again || a.Age > 0) || Waits(s) {
		return
	}
	if a.Heard <= 1 && (t == kind.Person || t == kind.Postcode || t == kind.DateOfBirth) && findDirectAnswer(s, t, a.Again) {
		return
	}
	from, to := 0, len(s.Tokens)
	for from < to && leadIn(s, from, t) {
		from++
	}
	if from == to && from > 0 && t == kind.Person && s.At(from-1).Gaz&gazetteer.CommonFirst != 0 {
		s.Mark(from-1, from, kind.Person, 80, kind.ByQuestion) // it's Will
		return
	}
	for to > from && (s.At(to-1).Kind < token.Word && s.Low(to-1) != "]" || s.At(to-1).Lex&token.Ack != 0 && !(t == kind.Person && to-from == 1) || s.Low(to-1) == "please" || s.Low(to-1) == "that" || s.At(to-1).Kind == token.Mask) {
		to--
	}
	if from >= to || to-from > 24 {
		return
	}
	n, stops, digits := 0, 0, 0
	for i := from; i < to; i++ {
		k := s.At(i)
		switch {
		case k.Kind == token.Mask || k.Kind == token.Line:
			return
		case k.Kind == token.Digit || k.Kind == token.Mixed:
			digits++
			n++
		case k.Kind == token.Word:
			n++
			if k.Lex&token.Stop != 0 && (len(s.Low(i)) > 1 || !Spelled(s)) {
				stops++
			}
		}
	}
	spoken := false
	for _, r := range s.Runs {
		spoken = spoken || r.From < to && r.To > from && (r.Digits > 0 || r.Letters > 1)
	}
	limit := 5
	if Spelled(s) || spoken && t != kind.Person {
		limit = 20
	}
	switch t {
	case kind.Person:
		if s.QuantityOnly(from, to) || stops > 1 && !Spelled(s) || s.Has(kind.Person, from, to) && !Spelled(s) && (stops > 1 || n > 4) || digits > 0 && !spoken || n > limit || n == stops || !spoken && a.Again && (n > 2 || stops > 0) && !unusual(s, from, to) {
			return
		}
	case kind.Location:
		if digits > 0 || n > 4 || stops > 0 || !foreign(s, from, to) {
			return
		}
	case kind.Postcode, kind.DateOfBirth:
		if n > limit || !spoken && !dated(s, from, to) && (n > 3 || n > 2 && a.Again || stops > 0) {
			return
		}
	case kind.Username, kind.Password, kind.Email:
		if t == kind.Email && !Spelled(s) && !joined(s, from, to) {
			return
		}
		if n > 8 && !spoken || n == stops || s.Has(t, from, to) && stops > 0 || !spoken && digits == 0 && !unusual(s, from, to) {
			return
		}
	case kind.Address:
		if !addressed(s, from, to) || n > 12 || stops > 1 || a.Again && stops > 0 {
			return
		}
	default:
		if !Spelled(s) || stops > 1 || cued(s, from, to) {
			return
		}
	}
	score := uint8(88)
	if a.Again {
		score = 80
	}
	markAnswer(s, from, to, t, score)
}

// FindWhole marks the whole of the first answer to a question just asked, whatever it is: the tagger takes words of it back.
func FindWhole(s *scan.Scan) {
	if mayAnswer(s) && Direct(s, s.Ask) {
		s.Marks = append(s.Marks, scan.Mark{From: 0, To: len(s.Tokens), Type: s.Ask.Types[0], Score: 40, Why: kind.ByQuestion, Loose: true, Whole: true})
	}
}

// mayAnswer reports whether the turn may answer the open question.
func mayAnswer(s *scan.Scan) bool {
	return s.Ask.Open() && len(s.Tokens) > 0 && !s.Ask.Echo && (!asksBack(s) || Spelled(s))
}

// FindLead marks the one or two words with which a turn right behind a question for a name begins, if no word of a closed class is
// among them and a pause follows, whatever else they mean and whatever comes then: "Bright. She never changed it". Where nobody
// writes pauses, one word before a word of a closed class: "woods i think he said".
func FindLead(s *scan.Scan) {
	a := &s.Waiting
	if a.N == 0 || a.Types[0] != kind.Person || a.Echo {
		return
	}
	from := 0
	for from < len(s.Tokens) && (s.Tokens[from].Kind == token.Sign || s.Tokens[from].Lex&(token.Ack|token.Greet) != 0 && s.Tokens[from].Gaz&gazetteer.CommonFirst == 0) {
		from++
	}
	to := from
	for to < from+2 && leads(s, to, a) {
		to++
	}
	t := s.At(to)
	switch {
	case to == from || from > 0 && s.Low(from-1) == "no":
		return
	case to >= len(s.Tokens), t.Kind == token.Sign && s.Low(to) != "?" && s.Low(to) != "'" && !(s.Glued(to) && s.Low(to) == "-"):
	case a.Plain && to == from+1 && t.Kind == token.Word && t.Lex&token.Stop != 0 && !s.Some(func(i int) bool { return s.Tokens[i].Kind == token.Sign }):
	default:
		return
	}
	s.Mark(from, to, kind.Person, 84, kind.ByQuestion)
}

// leads reports whether token i may be part of a name that question a asks for.
func leads(s *scan.Scan, i int, a *scan.Asked) bool {
	t := s.At(i)
	return t.Kind == token.Word && t.Lex&^(token.Month|token.Given|token.Title|token.Kin|token.Street) == 0 && t.End-t.Start > 1 && s.RunOf[i] == 0 && (a.Plain || t.Gaz&gazetteer.Word == 0 || t.Gaz&gazetteer.Name != 0)
}

// asksBack reports whether the turn asks something instead of answering.
func asksBack(s *scan.Scan) bool {
	return s.Does == act.AskOther || s.Does == act.Repeat || s.Does == act.Narrow
}

// Direct reports whether the turn is the first answer to a question just asked, and short or spelled.
func Direct(s *scan.Scan, a *scan.Asked) bool {
	if a.Heard > 1 || s.Does != act.Answer || Waits(s) {
		return false
	}
	n, said := 0, false
	for i, t := range s.Tokens {
		switch {
		case t.Kind == token.Line || s.Low(i) == "?":
			return false
		case t.Kind >= token.Word && t.Kind < token.Mask:
			n++
			said = said || t.Lex&token.Ack == 0 && !refuses(s.Low(i)) && s.Low(i) != "what"
		}
	}
	return said && (n <= shortAnswer || Spelled(s) && n <= spelledAnswer)
}

// How many words an answer has that is read as one value.
const (
	shortAnswer   = 10
	spelledAnswer = 30
)

// markAnswer marks the whole of an answer.
func markAnswer(s *scan.Scan, from, to int, t kind.Type, score uint8) {
	s.Marks = append(s.Marks, scan.Mark{From: from, To: to, Type: t, Score: score, Why: kind.ByQuestion, Loose: true})
}

// Briefly is how many words the whole of a direct answer may have that is not spelled.
const Briefly = 6

// findDirectAnswer marks the turn that comes right behind a question for a name, a postcode or a date of birth, if it
// is short or spelled. A recogniser writes letters as words ("you'll be a C4 b2"), so only words that carry an answer
// are left in clear. It reports whether it marked something.
func findDirectAnswer(s *scan.Scan, t kind.Type, again bool) bool {
	from, to := 0, len(s.Tokens)
	for from < to && (s.At(from).Kind < token.Word || carries(s.Low(from)) && !(Spelled(s) && len(s.Low(from)) == 1)) {
		from++
	}
	for to > from && (s.At(to-1).Kind < token.Word || s.At(to-1).Kind == token.Mask || trails(s.Low(to-1))) {
		to--
	}
	if refuses(s.Low(0)) || refuses(s.Low(from)) || t == kind.Person && s.QuantityOnly(from, to) {
		return false
	}
	n, acks := 0, 0
	for i := from; i < to; i++ {
		k := s.At(i)
		if k.Kind == token.Mask || k.Kind == token.Line || s.Low(i) == "?" {
			return false
		}
		if k.Kind >= token.Word {
			n++
		}
		if k.Lex&token.Ack != 0 && k.Gaz&gazetteer.CommonFirst == 0 && len(s.Low(i)) > 2 {
			acks++
		}
	}
	switch {
	case n == acks:
		return false
	case Spelled(s):
		if n > 24 {
			return false
		}
	case n > Briefly, t == kind.Person && n > 2 && (s.Has(kind.Person, from, to) || !unusual(s, from, to)):
		return false
	}
	score := uint8(88)
	if again {
		score = 80
	}
	markAnswer(s, from, to, t, score)
	return true
}

// Waits reports whether the turn asks for time instead of answering: "hold on one second".
func Waits(s *scan.Scan) bool {
	switch s.Low(0) {
	case "hold", "wait", "pardon", "excuse", "huh":
		return !Spelled(s)
	case "what", "eh", "sorry", "hello":
		return len(s.Tokens) == 1 || s.At(1).Kind < token.Word && len(s.Tokens) == 2
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
func unusual(s *scan.Scan, from, to int) bool {
	for i := from; i < to; i++ {
		if t := s.At(i); t.Kind == token.Word && t.Lex&(token.Stop|token.Ack|token.Common) == 0 && (t.Gaz&gazetteer.Word == 0 || t.Gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) != 0) {
			return true
		}
	}
	return false
}

// foreign reports whether a word between two tokens is a place or no plain English.
func foreign(s *scan.Scan, from, to int) bool {
	for i := from; i < to; i++ {
		if t := s.At(i); t.Kind == token.Word && t.Lex&(token.Stop|token.Ack|token.Common|token.Kin) == 0 && (t.Gaz&gazetteer.Word == 0 || place.PlaceLen(s, i) > 1) {
			return true
		}
	}
	return false
}

// joined reports whether a sign of an e-mail address is said or written between two tokens.
func joined(s *scan.Scan, from, to int) bool {
	for i := from; i < to; i++ {
		switch s.Low(i) {
		case "@", "at", "dot", "underscore", "_":
			return true
		}
	}
	return false
}

// cued reports whether the words before a value between two tokens say what it is.
func cued(s *scan.Scan, from, to int) bool {
	for _, m := range s.Marks {
		if m.Why == kind.ByCue && m.From < to && m.To > from {
			return true
		}
	}
	return false
}

// addressed reports whether an answer that holds no address the rules know may be one: a number and a name.
func addressed(s *scan.Scan, from, to int) bool {
	if s.Has(kind.Address, from, to) {
		return false
	}
	if r := s.RunAt(from); r != nil && r.From == from && r.Digits > 0 && r.To < to && s.At(r.To).Lex&(token.Unit|token.Money|token.Stop|token.Period) == 0 && (to-from <= 6 || s.At(r.To).Gaz&gazetteer.Word == 0) {
		return true
	}
	return false
}

// dated reports whether a date was found between two tokens.
func dated(s *scan.Scan, from, to int) bool {
	if s.Has(kind.Date, from, to) || s.Has(kind.DateOfBirth, from, to) {
		return true
	}
	for i := from; i < to; i++ {
		if s.At(i).Lex&token.Month != 0 {
			return true
		}
	}
	return false
}

// leadIn reports whether token i comes before the value of an answer: "sure, it's", "my name is", "yeah the".
func leadIn(s *scan.Scan, i int, asked kind.Type) bool {
	t := s.At(i)
	if t.Kind < token.Word {
		return true
	}
	if t.Kind != token.Word || len(s.Low(i)) == 1 {
		return false
	}
	if _, cue := s.CueAt(i); cue && (s.At(i+1).Lex&token.Verb != 0 || s.Low(i+1) == "number" || s.Low(i+1) == "id") {
		return true
	}
	switch s.Low(i) {
	case "first", "last", "full", "user", "yes", "no", "oh", "number", "code", "'s":
		return s.Low(i) != "oh" || len(s.Low(i+1)) > 1
	}
	if (asked == kind.Person || asked == kind.Postcode || asked == kind.DateOfBirth) && Spelled(s) && s.At(i-1).Kind != token.Word {
		switch s.Low(i) { // a recogniser makes words of letters: "I said a be a th"
		case "all", "to", "if", "out", "every", "i", "me", "are", "see", "so", "you", "hey", "be":
			return false
		}
	}
	return t.Lex&(token.Stop|token.Ack|token.Greet) != 0
}

// Spelled reports whether most of the turn is letters, digits and spelling words, or scraps of one to three
// letters that a recogniser made of them.
func Spelled(s *scan.Scan) bool {
	n, scraps, all, odd := 0, 0, 0, 0
	for _, r := range s.Runs {
		n += r.To - r.From
	}
	for i, t := range s.Tokens {
		if t.Kind >= token.Word {
			all++
			if len(s.Low(i)) <= 3 {
				scraps++
				if t.Lex&token.Stop == 0 || len(s.Low(i)) == 1 {
					odd++
				}
			}
		}
	}
	return n*2 > len(s.Tokens) || all >= 4 && scraps*4 >= all*3 && odd*3 >= all*2
}

// sentence reports whether the turn is talk rather than a value: it has verbs and pronouns. strict: the
// question is old or repeated, so an answer must look like one.
func sentence(s *scan.Scan, strict bool) bool {
	n, talk, strong, plain := 0, 0, 0, 0
	for i, t := range s.Tokens {
		if t.Kind < token.Word {
			if s.Low(i) == "?" {
				strong++
			}
			continue
		}
		n++
		if t.Kind != token.Word {
			continue
		}
		low := s.Low(i)
		if len(low) == 1 && (low == "i" || low == "a") && len(s.Low(i+1)) > 2 {
			talk++
		} else if len(low) > 1 && t.Lex&token.Stop != 0 {
			talk++
			switch low {
			case "my", "is", "it", "its", "it's", "the", "to", "for", "and", "of", "one", "as", "in", "may", "at", "will", "see", "are", "why", "you", "yes", "no":
			default:
				strong++
			}
		} else if t.Gaz&gazetteer.Word != 0 && len(low) > 2 && t.Lex&token.Ack == 0 {
			plain++
		}
	}
	if Spelled(s) && strong <= 1 {
		return false
	}
	if strict {
		return strong >= 2 || n >= 4 && (talk+plain)*3 >= n*2 && strong >= 1 || n >= 6 && talk+plain >= n-1
	}
	return strong >= 3 && n >= 6 || n >= 8 && strong >= 2 && (talk+plain)*4 >= n*3
}
