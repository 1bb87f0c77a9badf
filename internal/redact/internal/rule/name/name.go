// Package name marks people: by the words that introduce one, by lists, by the place where a name stands.
//
// Zone: RED.
package name

import (
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// How much the words before a token speak for a name.
const (
	NotName = iota - 1 // what is called so is no person
	NoCue
	WeakName  // with, for, from
	SomeName  // this is, hi, tell
	NameAsked // my name is, Mr
)

// FindNames marks people: after words that introduce one, and where the lists know a name.
func FindNames(s *scan.Scan) {
	for i := 0; i < len(s.Tokens); {
		if t := s.Tokens[i]; t.Kind != token.Word || t.Lex&token.Title != 0 && s.Low(i+1) != "." && !namePart(s, i+1) {
			i++
			continue
		}
		level := NameCue(s, i)
		if level == NotName { // all of "a restaurant called Patara Mayfair"
			for i++; s.At(i).Kind == token.Word && s.At(i).Shape == token.Capital && s.Cased; i++ {
			}
			continue
		}
		end := nameEnd(s, i, level)
		if end == i || level < SomeName && s.Dial != kind.Paranoid && Premises(s, end) {
			i = max(i+1, end)
			continue
		}
		end = credentials(s, end)
		score, why, t := uint8(60), kind.ByList, kind.Person
		if level <= WeakName && within(s, i, end) {
			if t = kind.Location; s.Low(i-1) == "the" { // the Martinez area
				why = kind.ByCue
			}
		}
		switch level {
		case NameAsked:
			score, why = 92, kind.ByCue
		case SomeName:
			score, why = 85, kind.ByCue
		case WeakName:
			score = 75
		}
		s.Mark(i, end, t, score, why)
		i = end
	}
}

// FindAnswering marks who answers the telephone: "Anna speaking", "hywel on the line", "una here".
func FindAnswering(s *scan.Scan) {
	for i := 1; i < len(s.Tokens); i++ {
		switch s.Low(i) {
		case "speaking":
		case "here":
			if g := s.At(i - 1).Gaz; i+1 < len(s.Tokens) && s.At(i+1).Kind >= token.Word && s.Low(i+1) != "from" && s.Low(i+1) != "at" && s.Low(i+1) != "with" || i > 12 ||
				g&gazetteer.Word != 0 && g&gazetteer.CommonFirst == 0 && !(s.Cased && s.At(i-1).Shape == token.Capital && s.At(i-2).Kind != token.Word) || i == 1 && g&gazetteer.Word != 0 {
				continue
			}
		case "this":
			if s.Low(i+1) != "side" || i > 12 {
				continue
			}
		case "on":
			if s.Low(i+1) != "the" || s.Low(i+2) != "line" || s.At(i-1).Gaz&gazetteer.Word != 0 && s.At(i-1).Gaz&gazetteer.CommonFirst == 0 { // stay on the line
				continue
			}
		default:
			continue
		}
		t := s.Tokens[i-1]
		if t.Kind != token.Word || t.Lex&(token.Stop|token.Ack|token.Greet|token.Unit|token.Near|token.Day|token.Kin|token.Common|token.Title|token.Verb) != 0 || t.End-t.Start < 2 || t.Gaz&gazetteer.Word != 0 && t.Gaz&gazetteer.Name == 0 {
			continue
		}
		s.Mark(i-1, i, kind.Person, 80, kind.ByCue)
	}
}

// Premises reports whether the word at token i makes what stands before it a place of business.
func Premises(s *scan.Scan, i int) bool {
	switch s.Low(i) {
	case "restaurant", "hotel", "brasserie", "cuisine", "food", "dish", "airport", "station", "bank":
		return true
	}
	return false
}

// within reports whether tokens [i, end) stand where a place does rather than a person: "in Los Gatos", "the Martinez
// area".
func within(s *scan.Scan, i, end int) bool {
	switch s.Low(i - 1) {
	case "in", "near", "around", "outside", "throughout", "across":
		return s.Low(i-2) != "as" && s.RunAt(i) == nil
	case "to", "from":
		switch s.Low(i - 2) {
		case "moved", "moving", "move", "flying", "fly", "flew", "drive", "driving", "drove", "travel", "traveling", "travelling", "trip", "flight", "relocated":
			return s.At(i).Gaz&gazetteer.Place != 0
		}
	case "the":
		switch s.Low(end) {
		case "area", "neighborhood", "neighbourhood", "district", "region":
			return true
		}
	}
	return false
}

// NameCue tells how strongly the words before token i introduce a name.
func NameCue(s *scan.Scan, i int) int {
	j := i - 1
	for s.Low(j) == "," || s.Low(j) == ":" || s.Low(j) == "-" || s.Low(j) == "\"" || s.At(j).Lex&token.Ack != 0 && s.Low(j) == "uh" || s.Low(j) == "um" {
		j--
	}
	p, p2, p3 := s.Low(j), s.Low(j-1), s.Low(j-2)
	named := func(w string) bool { return w == "name" || w == "names" || w == "surname" || w == "lastname" }
	switch {
	case s.Dial != kind.Paranoid && business(s, i, j):
		return NotName
	case p == ".":
		if s.At(j-1).Lex&token.Title != 0 && s.Glued(j) && shortTitle(s.Low(j-1)) {
			return NameAsked
		}
		return NoCue
	case s.At(j).Lex&token.Title != 0 && j == i-1:
		if (p == "sir" || p == "madam") && (s.At(i).Lex&(token.Stop|token.Ack) != 0 || s.At(i).Gaz&gazetteer.Word != 0 && s.At(i).Gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) == 0) {
			return NoCue // may i help you sir can i
		}
		return NameAsked
	case (p == "is" || p == "'s" || p == "was" || p == "as" || p == "are") && (named(p2) || named(p3)),
		named(p) && s.Low(i-1) != "'s" && s.At(i).Lex&token.Stop == 0, p == "to" && p2 == "through", p == "me" && p2 == "call" && s.At(i).Gaz&gazetteer.Name != 0,
		(p == "named" || p == "called") && p2 != "i" && p2 != "you" && !thing(s, j),
		(p == "under" || p == "under" && p2 == "put"),
		p == "of" && named(p2), p == "with" && p2 == "speaking", (p == "to" || p == "with") && (p2 == "speaking" || p2 == "speak" || p2 == "talking" || p2 == "talk"):
		return NameAsked
	case p == "is" && (p2 == "this" || p2 == "it" || p2 == "here"), p == "'s" && (p2 == "it" || p2 == "this" || p2 == "that") || p == "its" || p == "it's" || p == "i'm" || p == "im" || p == "am" && p2 == "i":
		return SomeName
	case p == "not" && (p2 == "im" || p2 == "i'm" || p2 == "am") && s.At(i).Lex == 0 && s.At(i).Gaz&gazetteer.Word == 0, p == "this" && p2 == "is" && s.At(i).Gaz&gazetteer.CommonFirst != 0:
		return SomeName // i'm not Caridad; is this Hunter
	case (p == "to" || p == "from" || p == "for") && s.At(i).Gaz&gazetteer.CommonFirst != 0 && writes(s, j):
		return NameAsked
	case (p == "to" || p == "from") && pays(s, j):
		if g := s.At(i).Gaz; g&(gazetteer.Place|gazetteer.Word) == 0 || g&gazetteer.Given != 0 && s.Cased && s.At(i).Shape == token.Capital {
			return NameAsked
		}
		return WeakName
	case p == "tell" || p == "told" || p == "ask" || p == "asked" || p == "call" || p == "text" || p == "message" || p == "meet" || p == "remind" || p == "invite":
		return SomeName
	case s.At(j).Lex&token.Kin != 0, p == "is" && s.At(j-1).Lex&token.Kin != 0, p == "'s" && s.At(j-1).Lex&token.Kin != 0:
		return SomeName
	case s.At(j).Lex&(token.Greet|token.Spoke) != 0 && s.At(j).Kind == token.Word:
		if s.At(j).Lex&(token.Stop|token.Prep) != 0 {
			return WeakName
		}
		return SomeName
	case p == "&" || p == "and" && (endsPerson(s, j) || s.At(j-1).Shape == token.Capital && s.At(j-1).Gaz&gazetteer.Name != 0 && s.At(j-1).Gaz&gazetteer.Word == 0):
		return SomeName
	case s.At(j).Lex&token.Prep != 0 && s.At(j).Kind == token.Word:
		return WeakName
	}
	return NoCue
}

// business reports whether the name at token i belongs to a place of business: "a restaurant called", "the hotel X".
func business(s *scan.Scan, i, j int) bool {
	p := s.Low(j)
	if p == "called" || p == "named" {
		return thing(s, j)
	}
	if p == "of" && s.Low(j-1) == "name" && s.Low(j-2) == "the" && s.Low(j-3) == "by" {
		return thing(s, j-3)
	}
	switch p {
	case "restaurant", "hotel", "cafe", "pub", "brasserie":
		return j == i-1 && s.At(i).Shape == token.Capital && s.Cased
	}
	return false
}

// thing reports whether what is named before token i is no person: "a restaurant called".
func thing(s *scan.Scan, i int) bool {
	for k := i - 1; k >= 0 && k >= i-3; k-- {
		switch s.Low(k) {
		case "restaurant", "place", "hotel", "bar", "pub", "cafe", "alarm", "song", "movie", "film", "show", "app", "product", "event", "album", "book", "salon", "shop", "store", "company", "dish":
			return true
		}
	}
	return false
}

// pays reports whether money is sent shortly before token i: "a transfer to".
func pays(s *scan.Scan, i int) bool {
	for k := i - 1; k >= 0 && k >= i-6; k-- {
		switch s.Low(k) {
		case "transfer", "transfers", "pay", "paid", "payment", "payments", "transaction", "sent", "send", "transferred", "order", "wire":
			return true
		}
	}
	return false
}

// writes reports whether something written is sent, had or looked up shortly before token i: "an email to".
func writes(s *scan.Scan, i int) bool {
	for k := i - 1; k >= 0 && k >= i-3; k-- {
		switch s.Low(k) {
		case "email", "emails", "mail", "mails", "message", "messages", "text", "texts", "reply", "note", "letter", "voicemail", "voicemails", "invite", "invitation":
			return true
		}
	}
	return false
}

// FindRows marks the names in a row with one that was found: "Malon, Mark and Kaylee". Only where capitals tell.
func FindRows(s *scan.Scan) {
	if !s.Cased {
		return
	}
	for k := 0; k < len(s.Marks); k++ { // what is marked may go on with the row
		m := s.Marks[k]
		if m.Type != kind.Person {
			continue
		}
		if i := m.To; s.Low(i) == "," || joinsRow(s, i) {
			if i++; s.Low(i-1) == "," && joinsRow(s, i) {
				i++
			}
			if rowName(s, i) && (s.Low(i-1) != "," || s.Low(i+1) == "," || joinsRow(s, i+1)) {
				s.Mark(i, i+1, kind.Person, 72, kind.ByCue)
			}
		}
		if i := m.From - 2; joinsRow(s, m.From-1) && rowName(s, i) {
			s.Mark(i, i+1, kind.Person, 72, kind.ByCue)
		}
	}
}

func joinsRow(s *scan.Scan, i int) bool {
	return s.Low(i) == "and" || s.Low(i) == "&" || s.Low(i) == "or"
}

// rowName reports whether token i may be a name in a row of names and is not marked yet.
func rowName(s *scan.Scan, i int) bool {
	t := s.At(i)
	if t.Kind != token.Word || t.Shape != token.Capital || t.Gaz&gazetteer.Name == 0 || t.Lex&(token.Stop|token.Common|token.Ack|token.Day|token.Title) != 0 ||
		t.Gaz&gazetteer.Word != 0 && t.Gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) == 0 || s.At(i+1).Shape != token.Small {
		return false
	}
	return (t.Gaz&gazetteer.Word == 0 || EndsHere(s, i+1)) && !s.Has(kind.Person, i, i+1)
}

// endsPerson reports whether a name was marked that ends before token i.
func endsPerson(s *scan.Scan, i int) bool {
	n := len(s.Marks)
	return n > 0 && s.Marks[n-1].Type == kind.Person && s.Marks[n-1].To == i
}

// namePart reports whether token i can be a further part of a name where capitals mean something.
func namePart(s *scan.Scan, i int) bool {
	t := s.At(i)
	if t.Kind != token.Word {
		return false
	}
	if t.Shape == token.Small {
		return !s.Cased && t.Lex&(token.Stop|token.Common) == 0 && t.Gaz&gazetteer.Name != 0
	}
	return t.Lex&(token.Stop|token.Ack|token.Greet|token.Month|token.Day|token.Common|token.Title) == 0 || t.Lex&(token.Stop|token.Common|token.Ack|token.Title) == 0 && t.Gaz&gazetteer.CommonFirst != 0
}

// nameStart judges the first token of a name at i.
func nameStart(s *scan.Scan, i, level int) bool {
	t := s.At(i)
	g := t.Gaz
	if t.Lex&(token.Unit|token.Period|token.Near) != 0 && !(t.Shape == token.Capital && g&gazetteer.CommonFirst != 0) {
		return false
	}
	if t.End-t.Start < 2 || s.Low(i) == "'s" {
		return false
	}
	listed, plain := g&gazetteer.Name != 0, g&gazetteer.Word != 0
	barred := t.Lex&(token.Stop|token.Common|token.Ack|token.Greet|token.Day) != 0 || t.Lex&token.Month != 0 && g&gazetteer.CommonFirst == 0
	if s.Dial == kind.Paranoid && !barred && !plain && t.Lex == 0 {
		return true
	}
	if s.Dial == kind.Strict && !s.Cased && listed && !plain && t.Lex == 0 && len(s.Low(i)) >= 4 && g&gazetteer.Place == 0 {
		return true
	}
	if s.Dial == kind.Strict && !s.Cased && g == 0 && t.Lex == 0 && len(s.Low(i)) >= 4 && s.At(i+1).Kind == token.Word && s.At(i+1).Lex == 0 &&
		s.At(i+1).Gaz&gazetteer.Sur != 0 && s.At(i+1).Gaz&gazetteer.Word == 0 {
		return true
	}
	pair := pairs(s, i)
	if t.Shape != token.Small && s.Cased {
		first := i == 0 || s.At(i-1).Kind < token.Word && s.Low(i-1) != "," && s.Low(i-1) != "&" && s.Low(i-1) != "-" && s.Low(i-1) != "\""
		switch {
		case barred || t.Lex&token.Month != 0 && level < SomeName:
			return (level == NameAsked && g&gazetteer.Given != 0 || pair && g&gazetteer.CommonFirst != 0) && t.Lex&(token.Common|token.Ack) == 0
		case level == NameAsked:
			return true
		case level == SomeName:
			return listed && (!plain || g&gazetteer.CommonFirst != 0 || pair) || g&^gazetteer.Prefix == 0 && t.Shape == token.Capital
		case g&gazetteer.Given != 0 && !plain:
			return g&gazetteer.Place == 0 || g&gazetteer.CommonFirst != 0 || pair || s.Dial != kind.Balanced && !first
		case pair:
			return listed || g == 0
		case g&gazetteer.CommonLast != 0 && !plain && g&gazetteer.Place == 0:
			return true
		case level == WeakName && g&gazetteer.CommonFirst != 0:
			return s.At(i+1).Kind != token.Word || s.At(i+1).Shape != token.Small || !plain
		case first && s.Dial != kind.Balanced && !plain && g&gazetteer.Place == 0 && t.Shape == token.Capital && (s.Low(i+1) == "," || s.Low(i+1) == ":" && t.End-t.Start > 3) && s.At(i+1).Start == t.End && len(s.Tokens) > i+2:
			return true
		case first:
			return s.Dial != kind.Balanced && g&gazetteer.Sur != 0 && !plain && g&gazetteer.Place == 0
		case s.Dial != kind.Balanced && t.Shape == token.Capital:
			return !plain && g&gazetteer.Place == 0
		}
		return false
	}
	if barred || t.Lex&(token.Month|token.Title|token.Kin|token.Street|token.Flat) != 0 {
		return false
	}
	known := g&(gazetteer.CommonFirst|gazetteer.CommonLast) != 0
	switch level {
	case NameAsked:
		return listed && (!plain || (g&gazetteer.CommonFirst != 0 || s.Dial != kind.Balanced) && t.Lex&^token.Given == 0 && EndsHere(s, i+1) || pair) || g == 0
	case SomeName:
		return !plain && (known || listed && g&gazetteer.Place == 0 && s.Dial != kind.Balanced && !s.Cased) ||
			g&gazetteer.CommonFirst != 0 && (EndsHere(s, i+1) && s.Dial != kind.Balanced && (s.At(i-1).Lex&token.Greet == 0 || s.At(i+1).Kind < token.Word) || pair) ||
			listed && s.At(i-1).Lex&token.Spoke != 0 && (s.Low(i+1) == "happy" || s.Low(i+1) == "that" || s.Low(i+1) == "to")
	case WeakName:
		return !plain && (g&gazetteer.CommonFirst != 0 || pair || s.Dial != kind.Balanced && !s.Cased && g&gazetteer.First != 0 && g&gazetteer.Place == 0) ||
			s.Dial != kind.Balanced && g&gazetteer.Given != 0 && (g&gazetteer.CommonFirst != 0 || s.Low(i+1) == "&") && (i+1 >= len(s.Tokens) || s.At(i+1).Lex&(token.Near|token.Day) != 0 || s.Low(i+1) == "at" || s.Low(i+1) == "&" || s.Low(i+1) == "please")
	}
	if s.Dial != kind.Balanced && !s.Cased && !plain && g&gazetteer.Place == 0 && len(s.Low(i)) >= 4 && g&(gazetteer.First|gazetteer.CommonLast) != 0 {
		return true
	}
	return g&gazetteer.CommonFirst != 0 && !plain && (g&gazetteer.Place == 0 || pair) || pair && !plain && g&gazetteer.Given != 0
}

// EndsHere reports whether the clause ends before token i.
func EndsHere(s *scan.Scan, i int) bool {
	t := s.At(i)
	switch s.Low(i) {
	case "w", "speaking", "calling", "here", "regarding", "saying", "asking", "telling":
		return true
	}
	return i >= len(s.Tokens) || t.Kind < token.Word || t.Lex&token.Stop != 0 && t.Lex&token.Verb == 0
}

// pairs reports whether tokens i and i+1 look like a first name and a surname.
func pairs(s *scan.Scan, i int) bool {
	a, b := s.At(i), s.At(i+1)
	if s.Low(i+1) == "." || b.Kind == token.Word && b.End-b.Start == 1 && b.Shape != token.Small || b.Kind == token.Word && b.End-b.Start == 1 && s.Low(i+2) == "." { // Zoe J. Young
		c := s.At(i + 2)
		if s.Low(i+2) == "." {
			c = s.At(i + 3)
		}
		return a.Gaz&gazetteer.Given != 0 && b.Kind == token.Word && c.Kind == token.Word && c.Shape == a.Shape && c.Gaz&gazetteer.Sur != 0
	}
	if b.Kind != token.Word || b.Lex&(token.Stop|token.Common|token.Unit|token.Month|token.Day|token.Near|token.Street) != 0 && !(b.Shape == token.Capital && b.Gaz&gazetteer.CommonLast != 0 && b.Lex&token.Stop == 0) || b.End-b.Start < 2 {
		return false
	}
	given, sur := a.Gaz&gazetteer.Given != 0, b.Gaz&gazetteer.Sur != 0
	if a.Shape != token.Small && s.Cased {
		if b.Shape == token.Small {
			return false
		}
		return given && (sur || b.Gaz&gazetteer.Word == 0) || a.Gaz == 0 && (b.Gaz&^gazetteer.Prefix == 0 || sur && b.Gaz&gazetteer.Word == 0) || a.Gaz&gazetteer.Sur != 0 && a.Gaz&gazetteer.Word == 0 && sur && b.Gaz&gazetteer.Word == 0
	}
	if b.Shape != token.Small && s.Cased {
		return false
	}
	strong := a.Gaz&gazetteer.CommonFirst != 0 || b.Gaz&gazetteer.CommonLast != 0 && given
	return given && sur && strong && (a.Gaz&gazetteer.Word == 0 || b.Gaz&gazetteer.Word == 0)
}

// credentials gives the end of ", MD", "M.D.", "Jr." behind a name that ends before token i, or i.
func credentials(s *scan.Scan, i int) int {
	j := i
	if s.Low(j) == "," {
		j++
	}
	switch s.Low(j) {
	case "md", "phd", "dds", "do", "lcsw", "mft", "lmft", "jr", "sr", "esq", "psyd", "np", "rn", "dpm", "od", "facs":
		if s.At(j).Shape == token.Small {
			return i
		}
		if s.Low(j+1) == "." && s.Glued(j+1) {
			j++
		}
		return j + 1
	case "m", "d", "ph":
		if s.Low(j+1) == "." && s.Glued(j+1) && s.Low(j+2) == "d" && s.At(j).Shape != token.Small {
			j += 3
			if s.Low(j) == "." && s.Glued(j) {
				j++
			}
			return j
		}
	}
	return i
}

// shortTitle reports whether a title is written short, so that a point behind it ends no sentence: "Dr. Osei", not "yes sir. Can I".
func shortTitle(low string) bool {
	switch low {
	case "sir", "madam", "miss", "mister", "missus", "doctor", "professor", "captain", "officer", "judge", "senator", "president", "reverend", "sergeant":
		return false
	}
	return true
}

// nameEnd gives the end of the name that begins at token i, i if there is none.
func nameEnd(s *scan.Scan, i, level int) int {
	if !nameStart(s, i, level) {
		return i
	}
	cased := s.At(i).Shape != token.Small && s.Cased
	j := i + 1
	for n := 1; n < 5 && j < len(s.Tokens); n++ {
		t := s.At(j)
		low := s.Low(j)
		switch {
		case low == "." && s.At(j-1).End-s.At(j-1).Start == 1 && s.At(j+1).Kind == token.Word && s.At(j+1).Shape != token.Small:
			j++
			continue
		case (low == "-" || low == "'") && s.Glued(j) && s.Glued(j+1) && s.At(j+1).Kind == token.Word:
			j += 2
			continue
		case t.Kind != token.Word || s.Tokens[j].Start > s.Tokens[j-1].End+2:
			return j
		case token.Particle(low) && s.At(j+1).Kind == token.Word && s.At(j+1).Lex&token.Stop == 0 && (s.At(j+1).Shape != token.Small || !s.Cased) && (cased || s.At(j+1).Gaz&gazetteer.Sur != 0 || s.At(j+1).Gaz == 0):
			j++
			continue
		}
		if cased {
			if !namePart(s, j) && !(t.End-t.Start == 1 && t.Shape != token.Small) || t.Shape == token.Small {
				return j
			}
		} else {
			if t.Lex&(token.Stop|token.Common|token.Unit|token.Near|token.Month|token.Day|token.Ack|token.Title|token.Greet) != 0 || t.Shape != token.Small && s.Cased {
				return j
			}
			g := t.Gaz
			ok := g&gazetteer.Word != 0 && level >= SomeName && s.Low(i-1) == "is" && s.Low(j+1) == "w" || g&gazetteer.Sur != 0 && (g&gazetteer.Word == 0 || level >= SomeName && EndsHere(s, j+1)) || g == 0 && t.Lex == 0 && (level >= SomeName || s.Dial != kind.Balanced && !s.Cased && t.End-t.Start >= 4 && s.At(i).Gaz&gazetteer.Word == 0) ||
				g&gazetteer.CommonLast != 0 && (level == NameAsked || s.At(i).Gaz&gazetteer.CommonFirst != 0 && s.At(i).Gaz&gazetteer.Word == 0) || g&gazetteer.CommonFirst != 0 && g&gazetteer.Word == 0
			if !ok || n > 2 && level < NameAsked {
				return j
			}
		}
		j++
	}
	return j
}
