package redact

import (
	"strings"

	"murmur/internal/redact/gazetteer"
)

// findAddresses marks streets with their numbers, flats and what follows of town, state and postcode.
func (s *scan) findAddresses() {
	for i := range s.tok {
		t := s.tok[i]
		switch {
		case s.taken[i]:
		case t.kind == word && (t.lex&street != 0 || foreignStreet(s.low(i))):
			s.findStreet(i)
		case t.kind == digit && s.cased:
			s.findForeign(i)
		case t.kind == word && t.lex&flat != 0:
			s.findFlat(i)
		}
	}
	s.findAddressAfterCue()
	s.findHouse()
	s.findOnStreet()
	s.findKind()
	s.findSaid()
	s.findZip()
	for i := range s.tok {
		if s.low(i) == "corner" && s.low(i+1) == "of" {
			s.findCorner(i)
		}
	}
}

// findCorner marks "the corner of Elm Street and Fifth", whose word "corner" is token i, if one of the two is an address.
func (s *scan) findCorner(i int) {
	and := i + 3
	for and < i+10 && s.low(and) != "and" && s.low(and) != "&" {
		and++
	}
	from, to := i, 0
	if s.low(i-1) == "the" {
		from--
	}
	for _, m := range s.marks {
		if m.t == Address && m.from >= i+2 && m.from <= and+4 {
			to = max(to, m.to)
		}
	}
	if to == 0 {
		return
	}
	if to == and && s.at(and+1).lex&(stop|ack) == 0 && s.at(and+1).kind == word {
		to = and + 2
	}
	s.mark(from, to, Address, 80, ByShape)
}

// foreignStreet reports whether a word ends like a street outside English.
func foreignStreet(low string) bool {
	if len(low) < 7 {
		return false
	}
	for _, end := range [...]string{"strasse", "straße", "straat", "gatan", "gata", "gade", "vägen", "vegen", "veien", "katu", "gasse", "platz", "utca", "laan", "vej", "kuja", "tie", "ulica", "weg", "plein", "dreef"} {
		if strings.HasSuffix(low, end) && len(low) > len(end)+2 {
			return true
		}
	}
	return false
}

// houseNumber gives the first token of a number that ends before token i, i if there is none: 4697, 28-30,
// 12b, "eighty four forty one".
func (s *scan) houseNumber(i int) int {
	t := s.at(i - 1)
	if t.kind == digit || t.kind == mixed && len(s.low(i-1)) <= 6 && num(s.low(i - 1)[0]) && !s.ordinal(i-1) {
		b := i - 1
		for b >= 2 && s.glued(b) && (s.low(b-1) == "-" || s.low(b-1) == "/") && s.at(b-2).kind == digit {
			b -= 2
		}
		if len(s.low(b)) > 6 || s.taken[b] {
			return i
		}
		for b > 0 && s.at(b-1).kind == digit && len(s.low(b-1)) <= 6 && !s.taken[b-1] { // 77 30 oak court
			b--
		}
		if s.low(b-1) == "#" {
			b--
		}
		return b
	}
	if r := s.runAt(i - 1); r != nil {
		if r.To == i && r.Digits > 0 && r.Digits <= 9 && r.Letters <= 1 && !s.taken[r.From] {
			return r.From
		}
	}
	return i
}

// streetName reports whether token i may be part of the name of a street.
func (s *scan) streetName(i int) bool {
	t := s.at(i)
	switch t.kind {
	case word:
		if t.lex&compass != 0 && len(s.low(i)) > 1 || t.shape != small && t.lex&(stop|greet) == 0 {
			return true
		}
		return t.lex&(stop|unit|money|period|ack|near|day) == 0 || s.low(i) == "back" || len(s.low(i)) == 1 && t.lex&compass != 0
	case mixed: // 184th
		low := s.low(i)
		return s.ordinal(i) || len(low) <= 5 && (strings.HasSuffix(low, "th") || strings.HasSuffix(low, "st") || strings.HasSuffix(low, "nd") || strings.HasSuffix(low, "rd"))
	}
	low := s.low(i)
	return low == "." && s.glued(i) || low == "-" && s.glued(i) && s.glued(i+1) || low == "'"
}

// findStreet marks the street whose kind is at token i: "4697 Chestnut Blvd Apt 6", "Kingsley Drive".
func (s *scan) findStreet(i int) {
	t := s.tok[i]
	to := i + 1
	if s.low(to) == "." && s.glued(to) && shortened(s.low(i)) && (s.at(to+1).kind != word || s.at(to+1).lex&(stop|ack) == 0) {
		to++
	}
	if s.findForeignStreet(i) {
		return
	}
	for from, n := i, 0; n <= 5 && from > 0; n++ {
		if b := s.houseNumber(from); b < from && (n > 0 || foreignStreet(s.low(i))) {
			if n == 1 && t.shape == small && s.at(from).lex&(unit|stop) != 0 {
				break
			}
			if foreignStreet(s.low(i)) {
				to = s.numberEnd(to)
			}
			s.markAddress(b, to, 90)
			return
		}
		if !s.streetName(from - 1) {
			break
		}
		from--
	}
	if foreignStreet(s.low(i)) {
		from := i
		for from > i-3 && from > 0 && s.at(from-1).kind == word && (s.at(from-1).shape == capital || s.at(from-1).gaz == 0) && s.at(from-1).lex&stop == 0 {
			from--
		}
		if end := s.numberEnd(to); end > to {
			s.markAddress(from, end, 85)
		} else if t.shape == capital {
			s.markAddress(from, to, 60)
		}
		return
	}
	if t.shape == capital { // Kingsley Drive, Via Roma 5
		from := i
		for from > i-4 && from > 0 && s.at(from-1).kind == word && s.at(from-1).shape == capital && s.at(from-1).lex&(stop|title|month|day) == 0 {
			from--
		}
		if from < i && s.at(i).lex&title == 0 || from < i && s.low(i) == "dr" {
			if from == i-1 && s.at(i-1).gaz&gazetteer.Word == 0 || from < i-1 || s.low(from-1) == "on" || s.low(from-1) == "at" {
				s.markAddress(from, s.numberEnd(to), 65)
			}
			return
		}
		end := to
		for end < to+3 && s.at(end).kind == word && (s.at(end).shape == capital || s.at(end).lex&stop == 0 && len(s.low(end)) <= 3) {
			end++
		}
		if end > to && (s.at(end).kind == digit || s.low(end) == "," && s.at(end+1).kind == digit) {
			s.markAddress(i, end+1, 80)
		}
	}
	if p := s.at(i - 1); t.shape == small && p.kind == word && p.gaz&gazetteer.Word == 0 && p.lex == 0 && s.dial != Balanced {
		switch s.low(i) {
		case "street", "avenue", "road", "lane", "boulevard": // on bezrukov street
			if s.at(i-2).lex&prep != 0 || s.low(i-2) == "on" {
				s.markAddress(i-1, to, 60)
			}
		}
	}
	if t.lex&flat != 0 && s.low(i) == "box" {
		s.findFlat(i)
	}
}

// shortened reports whether the kind of a street is written short, so that a point may belong to it.
func shortened(low string) bool {
	switch low {
	case "road", "lane", "way", "path", "walk", "run", "pike", "row", "loop", "hill", "park", "rue", "via", "weg", "gata", "gade":
		return false
	}
	return len(low) <= 4
}

// numberEnd gives the end of a house number that begins at token i, or i.
func (s *scan) numberEnd(i int) int {
	if s.at(i).kind == digit || s.at(i).kind == mixed && len(s.low(i)) <= 6 && !s.ordinal(i) {
		return i + 1
	}
	if r := s.runAt(i); r != nil && r.From == i && r.Digits > 0 && r.Digits <= 5 && r.Spoken > 0 {
		return r.To
	}
	return i
}

// findForeignStreet marks "via Roma 131", "ul. Chrzanowska 61": the kind of street, its name, its number.
func (s *scan) findForeignStreet(i int) bool {
	switch s.low(i) {
	case "via", "viale", "rue", "rua", "calle", "carrera", "avenida", "strada", "ul", "ulica", "corso", "piazza":
	default:
		return false
	}
	end := i + 1
	if s.low(end) == "." {
		end++
	}
	first := end
	for end < first+5 && end < len(s.tok) && s.at(end).kind == word && s.runOf[end] == 0 && (s.at(end).lex&stop == 0 || len(s.low(end)) <= 3 && end > first) {
		end++
	}
	to, from := s.numberEnd(end), s.houseNumber(i)
	if end == first || to == end && from == i && s.at(first).shape != capital {
		return false
	}
	if to == end && from == i {
		return false
	}
	s.markAddress(from, to, 80)
	return true
}

// markAddress marks a street and takes in compass, flat and floor behind it.
func (s *scan) markAddress(from, to int, score uint8) {
	for grown := true; grown; {
		grown = false
		j := to
		if s.low(j) == "," {
			j++
		}
		t := s.at(j)
		switch {
		case t.lex&compass != 0 && j == to && (t.shape != small || len(s.low(j)) > 2):
			to, grown = j+1, true
		case t.lex&flat != 0 && j == to || t.lex&flat != 0 && s.low(j) != "lot" || s.low(j) == "#":
			if end := s.flatEnd(j); end > j {
				to, grown = end, true
			}
		case t.lex&street != 0 && j == to && s.at(j).shape == capital:
			to, grown = j+1, true
		}
	}
	s.mark(from, to, Address, score, ByShape)
	s.take(from, to)
	s.findTown(to)
}

// flatEnd gives the end of "apt 6", "suite 4B", "unit forty seven", "# 12" at token j, or j.
func (s *scan) flatEnd(j int) int {
	k := j + 1
	for s.low(k) == "." || s.low(k) == "#" || s.low(k) == "number" {
		k++
	}
	t := s.at(k)
	if t.kind == digit || t.kind == mixed || t.kind == word && len(s.low(k)) == 1 && (t.lex&stop == 0 || s.low(k) == "a" && (t.shape != small || s.at(k+1).kind != word || s.at(k+1).lex&stop != 0)) {
		if s.glued(k+1) && s.low(k+1) == "-" && s.glued(k+2) {
			return k + 3
		}
		return k + 1
	}
	if r := s.runAt(k); r != nil && r.From == k && r.Digits > 0 && r.Digits <= 5 {
		return r.To
	}
	if t.lex&compass != 0 { // apartment east
		return k + 1
	}
	return j
}

// findFlat marks "Apt. 123" and "PO Box 73" that stand alone.
func (s *scan) findFlat(i int) {
	end := s.flatEnd(i)
	if end == i || s.taken[i] {
		return
	}
	from := i
	low := s.low(i)
	switch low {
	case "room", "floor", "fl", "lot", "building", "bldg", "unit", "box":
		if low == "box" && (s.low(i-1) == "po" || s.low(i-1) == "office" || s.low(i-1) == "." || s.low(i-1) == "o") {
			for from > 0 && from > i-4 && (strings.Contains("po.", s.low(from-1)) || s.low(from-1) == "post" || s.low(from-1) == "office") {
				from--
			}
		} else if s.at(i).shape == small && low != "unit" && low != "box" || low != "unit" && low != "box" && (i == 0 || s.at(i-1).kind < word && s.low(i-1) != ",") {
			return // "Room two is cold" begins a sentence
		}
	}
	s.mark(from, end, Address, 75, ByShape)
	s.take(from, end)
	s.findTown(end)
}

// findTown marks town, state and postcode behind an address that ends before token i.
func (s *scan) findTown(i int) {
	j := i
	for n := 0; n < 12 && j < len(s.tok); n++ {
		t := s.at(j)
		if s.low(j+1) == ":" || s.low(j) == "'s" { // the next field of a form; "the flat's cold"
			return
		}
		switch {
		case t.kind == line || s.low(j) == "," || s.low(j) == ".":
			if s.low(j) == "." && !s.glued(j+1) && s.at(j+1).kind != line {
				return
			}
		case t.kind == digit && len(s.low(j)) >= 4 && len(s.low(j)) <= 6 && s.at(j+1).lex&(unit|money) == 0:
			end := j + 1
			if s.low(end) == "-" && s.glued(end) && s.at(end+1).kind == digit {
				if len(s.low(end+1)) > 4 { // a telephone number
					return
				}
				end += 2
			}
			s.mark(j, end, Postcode, 80, ByShape)
			s.take(j, end)
			j = end - 1
		case t.kind == mixed && len(s.low(j)) <= 7 && !s.ordinal(j) && t.shape != small:
			s.mark(j, j+1, Postcode, 60, ByShape)
		case t.kind == word && t.shape == upper && (t.lex&state != 0 || len(s.low(j)) == 2):
			s.mark(j, j+1, Location, 75, ByShape)
		case t.kind == word && t.shape != small && t.lex&(stop|greet) == 0 && s.low(j) != "sorry":
			s.mark(j, j+1, Location, 65, ByShape)
		case t.kind == word && t.lex&stop == 0 && (s.placeLen(j) > 1 || t.gaz&gazetteer.Word == 0 && t.lex&(unit|near|day|ack|common) == 0):
			n := max(1, s.placeLen(j))
			s.mark(j, j+n, Location, 65, ByShape)
			j += n - 1
		case t.kind == word && t.lex&state != 0 && j > i && (t.lex&(stop|prep|ack) == 0 || s.at(j+1).kind == digit && len(s.low(j+1)) == 5):
			s.mark(j, j+1, Location, 60, ByShape)
		default:
			r := s.runAt(j)
			if r == nil || r.From != j || r.Digits < 3 || r.Digits > 9 || r.Letters > 2 || r.Digits >= 6 && s.lineWord(r.To) {
				return
			}
			s.mark(j, r.To, Postcode, 75, ByShape)
			s.take(j, r.To)
			j = r.To - 1
		}
		j++
	}
}

// findForeign marks "92 Eusebio Dávila 57": a number, names, a number.
func (s *scan) findForeign(i int) {
	if s.taken[i] || len(s.low(i)) > 6 || s.low(i-1) == "$" {
		return
	}
	j := i + 1
	for j < i+6 && s.at(j).kind == word && (s.at(j).shape == capital || j > i+1 && len(s.low(j)) <= 3 && s.at(j).lex&unit == 0) && s.at(j).lex&(month|day) == 0 {
		j++
	}
	if j == i+1 {
		return
	}
	if s.at(j).kind == digit && len(s.low(j)) <= 5 && s.at(j+1).lex&unit == 0 || s.at(j).kind == line && (s.at(j+1).shape == capital || s.low(j+1) == "," || s.at(j+1).lex&flat != 0) {
		if s.at(j).kind == digit {
			j++
		}
		s.markAddress(i, j, 75)
	}
}

// findAddressAfterCue marks a house number and the words behind it after "my address is", "live at", "send it to".
func (s *scan) findAddressAfterCue() {
	for k := range s.runs {
		r := &s.runs[k]
		if r.Digits == 0 || r.Digits > 6 || r.Letters > 1 || s.taken[r.From] || s.at(r.To).kind != word {
			continue
		}
		c, ok := s.cueBefore(r.From, 6)
		where := s.low(r.From - 1)
		if !(ok && c.t == Address) && !(where == "at" || where == "on" || where == "to" || where == "in") {
			continue
		}
		to := r.To
		for n := 0; n < 8 && to < len(s.tok); n++ {
			t := s.at(to)
			if t.lex&(stop|unit|money|ack|near|day) != 0 && t.shape == small || t.kind < word {
				break
			}
			to++
		}
		odd := false // a word that is no plain English: the name of a street
		for j := r.To; j < to; j++ {
			t := s.at(j)
			odd = odd || t.kind == word && (t.gaz&gazetteer.Word == 0 || t.shape == capital)
		}
		if to > r.To && odd && (ok && c.t == Address || r.Digits >= 2 && (to-r.To >= 2 || s.at(to-1).kind == digit)) {
			s.markAddress(r.From, to, 70)
		}
	}
}

// findHouse marks the number and the name behind it with which the answer to a question for an address begins, to the edge of
// the clause: "eighty two beck side, there's a skip outside".
func (s *scan) findHouse() {
	a := s.ask
	if !a.open() || a.echo || a.types[0] != Address || a.heard > 3 {
		return
	}
	for k := range s.runs {
		r := &s.runs[k]
		for i := range r.From {
			switch s.low(i) {
			case "are", "have", "has", "got", "need", "want", "there", "one": // it counts something
				return
			}
			if t := s.tok[i]; t.kind > word || t.kind == word && t.lex&(stop|ack|greet) == 0 && s.low(i) != "number" {
				return
			}
		}
		if r.Digits == 0 || r.Letters > 1 {
			continue
		}
		if to := s.clauseEnd(r.To, 4); r.Digits <= 5 && to > r.To && !s.taken[r.From] && s.low(r.To) != "moment" && s.low(r.To) != "of" {
			s.markAddress(r.From, to, 78)
		}
		return
	}
}

// clauseEnd gives the end of the words, most at most, that may be a name and stand from token i to the edge of the clause; i if
// something else follows them.
func (s *scan) clauseEnd(i, most int) int {
	to := i
	for to < len(s.tok) && to < i+most {
		t := s.tok[to]
		if t.kind != word || s.runOf[to] > 0 && len(s.low(to)) > 1 || t.lex&(stop|unit|money|period|ack|near|day|month|greet|verb|prep) != 0 {
			break
		}
		to++
	}
	if t := s.at(to); to >= len(s.tok) || t.kind < word || t.kind == word && t.lex&(stop|verb|ack|prep) != 0 && t.lex&unit == 0 {
		return to
	}
	return i
}

// findOnStreet marks a street without a number behind a word of place, in text without capitals: "the corner of back lane", "on
// foxglove close".
func (s *scan) findOnStreet() {
	if s.dial == Balanced {
		return
	}
	for i := 2; i < len(s.tok); i++ {
		if s.taken[i] || s.tok[i].kind != word || s.tok[i].shape == capital {
			continue
		}
		switch s.low(i) {
		case "street", "avenue", "road", "lane", "close", "crescent", "boulevard", "terrace", "gardens", "grove", "mews":
		default:
			continue
		}
		from := i
		for from > 0 && from > i-3 && s.at(from-1).kind == word && s.runOf[from-1] == 0 && s.at(from-1).lex&(stop|unit|ack|near|day|month|common|which|period) == 0 && !wayWords[s.low(from-1)] {
			from--
		}
		switch s.low(from - 1) {
		case "on", "off", "of", "at", "down", "up", "along", "in":
			if from < i {
				s.markAddress(from, i+1, 62)
			}
		}
	}
}

// findKind marks a number and up to three words that end in a word that streets end in, at the edge of a clause: "eighty two beck
// side", "303 rake head".
func (s *scan) findKind() {
	for i := 2; i < len(s.tok); i++ {
		if !placeKinds[s.low(i)] || s.taken[i] || i+1 < len(s.tok) && s.clauseEnd(i, 1) == i {
			continue
		}
		for from := i - 1; from > 0 && from >= i-3; from-- {
			if !s.streetName(from) || s.at(from).kind != word || s.runOf[from] > 0 && len(s.low(from)) > 1 {
				break
			}
			if b := s.houseNumber(from); b < from {
				s.markAddress(b, i+1, 66)
				break
			}
		}
	}
}

// placeKinds are words in which the names of streets and houses end, beside the kinds of streets.
var placeKinds = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`fold brow side head croft garth wynd vale mount view bottom cove landing moorings key nook hollow extension colony nagar enclave layout marg chowk bund quay wharf
		parade dene mead copse spinney orchard paddock drove reach bank top green common moor meadow meadows estate crest glen pointe rise chase mill bridge cross gate nab royd thwaite holme lea
		bluff branch brook bypass causeway creek curve dale ferry fork gateway haven isle junction knoll lodge manor passage prairie shore spur summit trace track turnpike viaduct vista approach
		concourse circus esplanade promenade access frontage`) {
		m[w] = true
	}
	return m
}()

// wayWords say which road it is without naming it: "on main road", "in fast lane".
var wayWords = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq("main high side wrong right left fast slow inside outside bus cycle open private public busy quiet nearby long dirt toll ring dead memory petty gravel country tight wide narrow car cash deal") {
		m[w] = true
	}
	return m
}()

// findSaid marks addresses as a recogniser writes them, without capitals or commas: a number, words of which
// one is no plain English, a number; or such words before "suite two fifty".
func (s *scan) findSaid() {
	name := func(i int) bool {
		t := s.at(i)
		return t.kind == word && s.runOf[i] == 0 && (t.lex&(stop|unit|money|period|ack|near|day|month) == 0 || particle(s.low(i)) || t.lex&flat != 0)
	}
	for k := range s.runs {
		r := &s.runs[k]
		if r.Digits == 0 || r.Digits > 7 || r.Letters > 2 || r.To >= len(s.tok) || !name(r.To) || s.taken[r.From] && s.taken[r.To-1] {
			continue
		}
		to, odd, dwelling := r.To, false, false
		for to < len(s.tok) && to < r.To+5 && name(to) {
			odd = odd || s.at(to).gaz&gazetteer.Word == 0
			dwelling = dwelling || s.at(to).lex&(flat|street) != 0
			to++
		}
		behind := s.runAt(to)
		if behind == nil || behind.From != to || behind.Digits == 0 || behind.Digits > 6 || behind.Letters > 2 || !odd && !dwelling {
			continue
		}
		if s.at(behind.To).lex&(unit|money) != 0 || r.Cardinal && r.Digits == 1 || r.Digits < 2 && !dwelling {
			continue
		}
		s.markAddress(r.From, behind.To, 70)
	}
}
