package redact

import "murmur/internal/redact/gazetteer"

// How much the words before a token speak for a name.
const (
	notName = iota - 1 // what is called so is no person
	noCue
	weakName  // with, for, from
	someName  // this is, hi, tell
	nameAsked // my name is, Mr
)

// findNames marks people: after words that introduce one, and where the lists know a name.
func (s *scan) findNames() {
	for i := 0; i < len(s.tok); {
		if t := s.tok[i]; t.kind != word || t.lex&title != 0 && s.low(i+1) != "." && !s.namePart(i+1) {
			i++
			continue
		}
		level := s.nameCue(i)
		if level == notName { // all of "a restaurant called Patara Mayfair"
			for i++; s.at(i).kind == word && s.at(i).shape == capital && s.cased; i++ {
			}
			continue
		}
		end := s.nameEnd(i, level)
		if end == i || level < someName && s.dial != Paranoid && s.premises(end) {
			i = max(i+1, end)
			continue
		}
		end = s.credentials(end)
		score, why, t := uint8(60), ByList, Person
		if level <= weakName && s.within(i, end) {
			if t = Location; s.low(i-1) == "the" { // the Martinez area
				why = ByCue
			}
		}
		switch level {
		case nameAsked:
			score, why = 92, ByCue
		case someName:
			score, why = 85, ByCue
		case weakName:
			score = 75
		}
		s.mark(i, end, t, score, why)
		i = end
	}
}

// findAnswering marks who answers the telephone: "Anna speaking", "hywel on the line", "una here".
func (s *scan) findAnswering() {
	for i := 1; i < len(s.tok); i++ {
		switch s.low(i) {
		case "speaking":
		case "here":
			if g := s.at(i - 1).gaz; i+1 < len(s.tok) && s.at(i+1).kind >= word && s.low(i+1) != "from" && s.low(i+1) != "at" && s.low(i+1) != "with" || i > 12 ||
				g&gazetteer.Word != 0 && g&gazetteer.CommonFirst == 0 && !(s.cased && s.at(i-1).shape == capital && s.at(i-2).kind != word) || i == 1 && g&gazetteer.Word != 0 {
				continue
			}
		case "this":
			if s.low(i+1) != "side" || i > 12 {
				continue
			}
		case "on":
			if s.low(i+1) != "the" || s.low(i+2) != "line" || s.at(i-1).gaz&gazetteer.Word != 0 && s.at(i-1).gaz&gazetteer.CommonFirst == 0 { // stay on the line
				continue
			}
		default:
			continue
		}
		t := s.tok[i-1]
		if t.kind != word || t.lex&(stop|ack|greet|unit|near|day|kin|common|title|verb) != 0 || t.e-t.s < 2 || t.gaz&gazetteer.Word != 0 && t.gaz&gazetteer.Name == 0 {
			continue
		}
		s.mark(i-1, i, Person, 80, ByCue)
	}
}

// premises reports whether the word at token i makes what stands before it a place of business.
func (s *scan) premises(i int) bool {
	switch s.low(i) {
	case "restaurant", "hotel", "brasserie", "cuisine", "food", "dish", "airport", "station", "bank":
		return true
	}
	return false
}

// within reports whether tokens [i, end) stand where a place does rather than a person: "in Los Gatos", "the Martinez
// area".
func (s *scan) within(i, end int) bool {
	switch s.low(i - 1) {
	case "in", "near", "around", "outside", "throughout", "across":
		return s.low(i-2) != "as" && s.runAt(i) == nil
	case "to", "from":
		switch s.low(i - 2) {
		case "moved", "moving", "move", "flying", "fly", "flew", "drive", "driving", "drove", "travel", "traveling", "travelling", "trip", "flight", "relocated":
			return s.at(i).gaz&gazetteer.Place != 0
		}
	case "the":
		switch s.low(end) {
		case "area", "neighborhood", "neighbourhood", "district", "region":
			return true
		}
	}
	return false
}

// nameCue tells how strongly the words before token i introduce a name.
func (s *scan) nameCue(i int) int {
	j := i - 1
	for s.low(j) == "," || s.low(j) == ":" || s.low(j) == "-" || s.low(j) == "\"" || s.at(j).lex&ack != 0 && s.low(j) == "uh" || s.low(j) == "um" {
		j--
	}
	p, p2, p3 := s.low(j), s.low(j-1), s.low(j-2)
	named := func(w string) bool { return w == "name" || w == "names" || w == "surname" || w == "lastname" }
	switch {
	case s.dial != Paranoid && s.business(i, j):
		return notName
	case p == ".":
		if s.at(j-1).lex&title != 0 && s.glued(j) && shortTitle(s.low(j-1)) {
			return nameAsked
		}
		return noCue
	case s.at(j).lex&title != 0 && j == i-1:
		if (p == "sir" || p == "madam") && (s.at(i).lex&(stop|ack) != 0 || s.at(i).gaz&gazetteer.Word != 0 && s.at(i).gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) == 0) {
			return noCue // may i help you sir can i
		}
		return nameAsked
	case (p == "is" || p == "'s" || p == "was" || p == "as" || p == "are") && (named(p2) || named(p3)),
		named(p) && s.low(i-1) != "'s" && s.at(i).lex&stop == 0, p == "to" && p2 == "through", p == "me" && p2 == "call" && s.at(i).gaz&gazetteer.Name != 0,
		(p == "named" || p == "called") && p2 != "i" && p2 != "you" && !s.thing(j),
		(p == "under" || p == "under" && p2 == "put"),
		p == "of" && named(p2), p == "with" && p2 == "speaking", (p == "to" || p == "with") && (p2 == "speaking" || p2 == "speak" || p2 == "talking" || p2 == "talk"):
		return nameAsked
	case p == "is" && (p2 == "this" || p2 == "it" || p2 == "here"), p == "'s" && (p2 == "it" || p2 == "this" || p2 == "that") || p == "its" || p == "it's" || p == "i'm" || p == "im" || p == "am" && p2 == "i":
		return someName
	case p == "not" && (p2 == "im" || p2 == "i'm" || p2 == "am") && s.at(i).lex == 0 && s.at(i).gaz&gazetteer.Word == 0, p == "this" && p2 == "is" && s.at(i).gaz&gazetteer.CommonFirst != 0:
		return someName // i'm not Caridad; is this Hunter
	case (p == "to" || p == "from" || p == "for") && s.at(i).gaz&gazetteer.CommonFirst != 0 && s.writes(j):
		return nameAsked
	case (p == "to" || p == "from") && s.pays(j):
		if g := s.at(i).gaz; g&(gazetteer.Place|gazetteer.Word) == 0 || g&gazetteer.Given != 0 && s.cased && s.at(i).shape == capital {
			return nameAsked
		}
		return weakName
	case p == "tell" || p == "told" || p == "ask" || p == "asked" || p == "call" || p == "text" || p == "message" || p == "meet" || p == "remind" || p == "invite":
		return someName
	case s.at(j).lex&kin != 0, p == "is" && s.at(j-1).lex&kin != 0, p == "'s" && s.at(j-1).lex&kin != 0:
		return someName
	case s.at(j).lex&(greet|spoke) != 0 && s.at(j).kind == word:
		if s.at(j).lex&(stop|prep) != 0 {
			return weakName
		}
		return someName
	case p == "&" || p == "and" && (s.endsPerson(j) || s.at(j-1).shape == capital && s.at(j-1).gaz&gazetteer.Name != 0 && s.at(j-1).gaz&gazetteer.Word == 0):
		return someName
	case s.at(j).lex&prep != 0 && s.at(j).kind == word:
		return weakName
	}
	return noCue
}

// business reports whether the name at token i belongs to a place of business: "a restaurant called", "the hotel X".
func (s *scan) business(i, j int) bool {
	p := s.low(j)
	if p == "called" || p == "named" {
		return s.thing(j)
	}
	if p == "of" && s.low(j-1) == "name" && s.low(j-2) == "the" && s.low(j-3) == "by" {
		return s.thing(j - 3)
	}
	switch p {
	case "restaurant", "hotel", "cafe", "pub", "brasserie":
		return j == i-1 && s.at(i).shape == capital && s.cased
	}
	return false
}

// thing reports whether what is named before token i is no person: "a restaurant called".
func (s *scan) thing(i int) bool {
	for k := i - 1; k >= 0 && k >= i-3; k-- {
		switch s.low(k) {
		case "restaurant", "place", "hotel", "bar", "pub", "cafe", "alarm", "song", "movie", "film", "show", "app", "product", "event", "album", "book", "salon", "shop", "store", "company", "dish":
			return true
		}
	}
	return false
}

// pays reports whether money is sent shortly before token i: "a transfer to".
func (s *scan) pays(i int) bool {
	for k := i - 1; k >= 0 && k >= i-6; k-- {
		switch s.low(k) {
		case "transfer", "transfers", "pay", "paid", "payment", "payments", "transaction", "sent", "send", "transferred", "order", "wire":
			return true
		}
	}
	return false
}

// writes reports whether something written is sent, had or looked up shortly before token i: "an email to".
func (s *scan) writes(i int) bool {
	for k := i - 1; k >= 0 && k >= i-3; k-- {
		switch s.low(k) {
		case "email", "emails", "mail", "mails", "message", "messages", "text", "texts", "reply", "note", "letter", "voicemail", "voicemails", "invite", "invitation":
			return true
		}
	}
	return false
}

// findRows marks the names in a row with one that was found: "Malon, Mark and Kaylee". Only where capitals tell.
func (s *scan) findRows() {
	if !s.cased {
		return
	}
	for k := 0; k < len(s.marks); k++ { // what is marked may go on with the row
		m := s.marks[k]
		if m.t != Person {
			continue
		}
		if i := m.to; s.low(i) == "," || s.joinsRow(i) {
			if i++; s.low(i-1) == "," && s.joinsRow(i) {
				i++
			}
			if s.rowName(i) && (s.low(i-1) != "," || s.low(i+1) == "," || s.joinsRow(i+1)) {
				s.mark(i, i+1, Person, 72, ByCue)
			}
		}
		if i := m.from - 2; s.joinsRow(m.from-1) && s.rowName(i) {
			s.mark(i, i+1, Person, 72, ByCue)
		}
	}
}

func (s *scan) joinsRow(i int) bool { return s.low(i) == "and" || s.low(i) == "&" || s.low(i) == "or" }

// rowName reports whether token i may be a name in a row of names and is not marked yet.
func (s *scan) rowName(i int) bool {
	t := s.at(i)
	if t.kind != word || t.shape != capital || t.gaz&gazetteer.Name == 0 || t.lex&(stop|common|ack|day|title) != 0 ||
		t.gaz&gazetteer.Word != 0 && t.gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) == 0 || s.at(i+1).shape != small {
		return false
	}
	return (t.gaz&gazetteer.Word == 0 || s.endsHere(i+1)) && !s.has(Person, i, i+1)
}

// endsPerson reports whether a name was marked that ends before token i.
func (s *scan) endsPerson(i int) bool {
	n := len(s.marks)
	return n > 0 && s.marks[n-1].t == Person && s.marks[n-1].to == i
}

// namePart reports whether token i can be a further part of a name where capitals mean something.
func (s *scan) namePart(i int) bool {
	t := s.at(i)
	if t.kind != word {
		return false
	}
	if t.shape == small {
		return !s.cased && t.lex&(stop|common) == 0 && t.gaz&gazetteer.Name != 0
	}
	return t.lex&(stop|ack|greet|month|day|common|title) == 0 || t.lex&(stop|common|ack|title) == 0 && t.gaz&gazetteer.CommonFirst != 0
}

// nameStart judges the first token of a name at i.
func (s *scan) nameStart(i, level int) bool {
	t := s.at(i)
	g := t.gaz
	if t.lex&(unit|period|near) != 0 && !(t.shape == capital && g&gazetteer.CommonFirst != 0) {
		return false
	}
	if t.e-t.s < 2 || s.low(i) == "'s" {
		return false
	}
	listed, plain := g&gazetteer.Name != 0, g&gazetteer.Word != 0
	barred := t.lex&(stop|common|ack|greet|day) != 0 || t.lex&month != 0 && g&gazetteer.CommonFirst == 0
	if s.dial == Paranoid && !barred && !plain && t.lex == 0 {
		return true
	}
	if s.dial == Strict && !s.cased && listed && !plain && t.lex == 0 && len(s.low(i)) >= 4 && g&gazetteer.Place == 0 {
		return true
	}
	if s.dial == Strict && !s.cased && g == 0 && t.lex == 0 && len(s.low(i)) >= 4 && s.at(i+1).kind == word && s.at(i+1).lex == 0 &&
		s.at(i+1).gaz&gazetteer.Sur != 0 && s.at(i+1).gaz&gazetteer.Word == 0 {
		return true
	}
	pair := s.pairs(i)
	if t.shape != small && s.cased {
		first := i == 0 || s.at(i-1).kind < word && s.low(i-1) != "," && s.low(i-1) != "&" && s.low(i-1) != "-" && s.low(i-1) != "\""
		switch {
		case barred || t.lex&month != 0 && level < someName:
			return (level == nameAsked && g&gazetteer.Given != 0 || pair && g&gazetteer.CommonFirst != 0) && t.lex&(common|ack) == 0
		case level == nameAsked:
			return true
		case level == someName:
			return listed && (!plain || g&gazetteer.CommonFirst != 0 || pair) || g&^gazetteer.Prefix == 0 && t.shape == capital
		case g&gazetteer.Given != 0 && !plain:
			return g&gazetteer.Place == 0 || g&gazetteer.CommonFirst != 0 || pair || s.dial != Balanced && !first
		case pair:
			return listed || g == 0
		case g&gazetteer.CommonLast != 0 && !plain && g&gazetteer.Place == 0:
			return true
		case level == weakName && g&gazetteer.CommonFirst != 0:
			return s.at(i+1).kind != word || s.at(i+1).shape != small || !plain
		case first && s.dial != Balanced && !plain && g&gazetteer.Place == 0 && t.shape == capital && (s.low(i+1) == "," || s.low(i+1) == ":" && t.e-t.s > 3) && s.at(i+1).s == t.e && len(s.tok) > i+2:
			return true
		case first:
			return s.dial != Balanced && g&gazetteer.Sur != 0 && !plain && g&gazetteer.Place == 0
		case s.dial != Balanced && t.shape == capital:
			return !plain && g&gazetteer.Place == 0
		}
		return false
	}
	if barred || t.lex&(month|title|kin|street|flat) != 0 {
		return false
	}
	known := g&(gazetteer.CommonFirst|gazetteer.CommonLast) != 0
	switch level {
	case nameAsked:
		return listed && (!plain || (g&gazetteer.CommonFirst != 0 || s.dial != Balanced) && t.lex&^given == 0 && s.endsHere(i+1) || pair) || g == 0
	case someName:
		return !plain && (known || listed && g&gazetteer.Place == 0 && s.dial != Balanced && !s.cased) ||
			g&gazetteer.CommonFirst != 0 && (s.endsHere(i+1) && s.dial != Balanced && (s.at(i-1).lex&greet == 0 || s.at(i+1).kind < word) || pair) ||
			listed && s.at(i-1).lex&spoke != 0 && (s.low(i+1) == "happy" || s.low(i+1) == "that" || s.low(i+1) == "to")
	case weakName:
		return !plain && (g&gazetteer.CommonFirst != 0 || pair || s.dial != Balanced && !s.cased && g&gazetteer.First != 0 && g&gazetteer.Place == 0) ||
			s.dial != Balanced && g&gazetteer.Given != 0 && (g&gazetteer.CommonFirst != 0 || s.low(i+1) == "&") && (i+1 >= len(s.tok) || s.at(i+1).lex&(near|day) != 0 || s.low(i+1) == "at" || s.low(i+1) == "&" || s.low(i+1) == "please")
	}
	if s.dial != Balanced && !s.cased && !plain && g&gazetteer.Place == 0 && len(s.low(i)) >= 4 && g&(gazetteer.First|gazetteer.CommonLast) != 0 {
		return true
	}
	return g&gazetteer.CommonFirst != 0 && !plain && (g&gazetteer.Place == 0 || pair) || pair && !plain && g&gazetteer.Given != 0
}

// endsHere reports whether the clause ends before token i.
func (s *scan) endsHere(i int) bool {
	t := s.at(i)
	switch s.low(i) {
	case "w", "speaking", "calling", "here", "regarding", "saying", "asking", "telling":
		return true
	}
	return i >= len(s.tok) || t.kind < word || t.lex&stop != 0 && t.lex&verb == 0
}

// pairs reports whether tokens i and i+1 look like a first name and a surname.
func (s *scan) pairs(i int) bool {
	a, b := s.at(i), s.at(i+1)
	if s.low(i+1) == "." || b.kind == word && b.e-b.s == 1 && b.shape != small || b.kind == word && b.e-b.s == 1 && s.low(i+2) == "." { // Zoe J. Young
		c := s.at(i + 2)
		if s.low(i+2) == "." {
			c = s.at(i + 3)
		}
		return a.gaz&gazetteer.Given != 0 && b.kind == word && c.kind == word && c.shape == a.shape && c.gaz&gazetteer.Sur != 0
	}
	if b.kind != word || b.lex&(stop|common|unit|month|day|near|street) != 0 && !(b.shape == capital && b.gaz&gazetteer.CommonLast != 0 && b.lex&stop == 0) || b.e-b.s < 2 {
		return false
	}
	given, sur := a.gaz&gazetteer.Given != 0, b.gaz&gazetteer.Sur != 0
	if a.shape != small && s.cased {
		if b.shape == small {
			return false
		}
		return given && (sur || b.gaz&gazetteer.Word == 0) || a.gaz == 0 && (b.gaz&^gazetteer.Prefix == 0 || sur && b.gaz&gazetteer.Word == 0) || a.gaz&gazetteer.Sur != 0 && a.gaz&gazetteer.Word == 0 && sur && b.gaz&gazetteer.Word == 0
	}
	if b.shape != small && s.cased {
		return false
	}
	strong := a.gaz&gazetteer.CommonFirst != 0 || b.gaz&gazetteer.CommonLast != 0 && given
	return given && sur && strong && (a.gaz&gazetteer.Word == 0 || b.gaz&gazetteer.Word == 0)
}

// credentials gives the end of ", MD", "M.D.", "Jr." behind a name that ends before token i, or i.
func (s *scan) credentials(i int) int {
	j := i
	if s.low(j) == "," {
		j++
	}
	switch s.low(j) {
	case "md", "phd", "dds", "do", "lcsw", "mft", "lmft", "jr", "sr", "esq", "psyd", "np", "rn", "dpm", "od", "facs":
		if s.at(j).shape == small {
			return i
		}
		if s.low(j+1) == "." && s.glued(j+1) {
			j++
		}
		return j + 1
	case "m", "d", "ph":
		if s.low(j+1) == "." && s.glued(j+1) && s.low(j+2) == "d" && s.at(j).shape != small {
			j += 3
			if s.low(j) == "." && s.glued(j) {
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
func (s *scan) nameEnd(i, level int) int {
	if !s.nameStart(i, level) {
		return i
	}
	cased := s.at(i).shape != small && s.cased
	j := i + 1
	for n := 1; n < 5 && j < len(s.tok); n++ {
		t := s.at(j)
		low := s.low(j)
		switch {
		case low == "." && s.at(j-1).e-s.at(j-1).s == 1 && s.at(j+1).kind == word && s.at(j+1).shape != small:
			j++
			continue
		case (low == "-" || low == "'") && s.glued(j) && s.glued(j+1) && s.at(j+1).kind == word:
			j += 2
			continue
		case t.kind != word || s.tok[j].s > s.tok[j-1].e+2:
			return j
		case particle(low) && s.at(j+1).kind == word && s.at(j+1).lex&stop == 0 && (s.at(j+1).shape != small || !s.cased) && (cased || s.at(j+1).gaz&gazetteer.Sur != 0 || s.at(j+1).gaz == 0):
			j++
			continue
		}
		if cased {
			if !s.namePart(j) && !(t.e-t.s == 1 && t.shape != small) || t.shape == small {
				return j
			}
		} else {
			if t.lex&(stop|common|unit|near|month|day|ack|title|greet) != 0 || t.shape != small && s.cased {
				return j
			}
			g := t.gaz
			ok := g&gazetteer.Word != 0 && level >= someName && s.low(i-1) == "is" && s.low(j+1) == "w" || g&gazetteer.Sur != 0 && (g&gazetteer.Word == 0 || level >= someName && s.endsHere(j+1)) || g == 0 && t.lex == 0 && (level >= someName || s.dial != Balanced && !s.cased && t.e-t.s >= 4 && s.at(i).gaz&gazetteer.Word == 0) ||
				g&gazetteer.CommonLast != 0 && (level == nameAsked || s.at(i).gaz&gazetteer.CommonFirst != 0 && s.at(i).gaz&gazetteer.Word == 0) || g&gazetteer.CommonFirst != 0 && g&gazetteer.Word == 0
			if !ok || n > 2 && level < nameAsked {
				return j
			}
		}
		j++
	}
	return j
}
