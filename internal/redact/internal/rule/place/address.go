package place

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// FindAddresses marks streets with their numbers, flats and what follows of town, state and postcode.
func FindAddresses(s *scan.Scan) {
	for i := range s.Tokens {
		t := s.Tokens[i]
		switch {
		case s.Taken[i]:
		case t.Kind == token.Word && (t.Lex&token.Street != 0 || foreignStreet(s.Low(i))):
			findStreet(s, i)
		case t.Kind == token.Digit && s.Cased:
			findForeign(s, i)
		case t.Kind == token.Word && t.Lex&token.Flat != 0:
			findFlat(s, i)
		}
	}
	findAddressAfterCue(s)
	findHouse(s)
	findOnStreet(s)
	findKind(s)
	findSaid(s)
	findZip(s)
	for i := range s.Tokens {
		if s.Low(i) == "corner" && s.Low(i+1) == "of" {
			findCorner(s, i)
		}
	}
}

// findCorner marks "the corner of Elm Street and Fifth", whose word "corner" is token i, if one of the two is an address.
func findCorner(s *scan.Scan, i int) {
	and := i + 3
	for and < i+10 && s.Low(and) != "and" && s.Low(and) != "&" {
		and++
	}
	from, to := i, 0
	if s.Low(i-1) == "the" {
		from--
	}
	for _, m := range s.Marks {
		if m.Type == kind.Address && m.From >= i+2 && m.From <= and+4 {
			to = max(to, m.To)
		}
	}
	if to == 0 {
		return
	}
	if to == and && s.At(and+1).Lex&(token.Stop|token.Ack) == 0 && s.At(and+1).Kind == token.Word {
		to = and + 2
	}
	s.Mark(from, to, kind.Address, 80, kind.ByShape)
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
func houseNumber(s *scan.Scan, i int) int {
	t := s.At(i - 1)
	if t.Kind == token.Digit || t.Kind == token.Mixed && len(s.Low(i-1)) <= 6 && check.Digit(s.Low(i - 1)[0]) && !s.Ordinal(i-1) {
		b := i - 1
		for b >= 2 && s.Glued(b) && (s.Low(b-1) == "-" || s.Low(b-1) == "/") && s.At(b-2).Kind == token.Digit {
			b -= 2
		}
		if len(s.Low(b)) > 6 || s.Taken[b] {
			return i
		}
		for b > 0 && s.At(b-1).Kind == token.Digit && len(s.Low(b-1)) <= 6 && !s.Taken[b-1] { // 77 30 oak court
			b--
		}
		if s.Low(b-1) == "#" {
			b--
		}
		return b
	}
	if r := s.RunAt(i - 1); r != nil {
		if r.To == i && r.Digits > 0 && r.Digits <= 9 && r.Letters <= 1 && !s.Taken[r.From] {
			return r.From
		}
	}
	return i
}

// streetName reports whether token i may be part of the name of a street.
func streetName(s *scan.Scan, i int) bool {
	t := s.At(i)
	switch t.Kind {
	case token.Word:
		if t.Lex&token.Compass != 0 && len(s.Low(i)) > 1 || t.Shape != token.Small && t.Lex&(token.Stop|token.Greet) == 0 {
			return true
		}
		return t.Lex&(token.Stop|token.Unit|token.Money|token.Period|token.Ack|token.Near|token.Day) == 0 || s.Low(i) == "back" || len(s.Low(i)) == 1 && t.Lex&token.Compass != 0
	case token.Mixed: // 184th
		low := s.Low(i)
		return s.Ordinal(i) || len(low) <= 5 && (strings.HasSuffix(low, "th") || strings.HasSuffix(low, "st") || strings.HasSuffix(low, "nd") || strings.HasSuffix(low, "rd"))
	}
	low := s.Low(i)
	return low == "." && s.Glued(i) || low == "-" && s.Glued(i) && s.Glued(i+1) || low == "'"
}

// findStreet marks the street whose kind is at token i: "4697 Chestnut Blvd Apt 6", "Kingsley Drive".
func findStreet(s *scan.Scan, i int) {
	t := s.Tokens[i]
	to := i + 1
	if s.Low(to) == "." && s.Glued(to) && shortened(s.Low(i)) && (s.At(to+1).Kind != token.Word || s.At(to+1).Lex&(token.Stop|token.Ack) == 0) {
		to++
	}
	if findForeignStreet(s, i) {
		return
	}
	for from, n := i, 0; n <= 5 && from > 0; n++ {
		if b := houseNumber(s, from); b < from && (n > 0 || foreignStreet(s.Low(i))) {
			if n == 1 && t.Shape == token.Small && s.At(from).Lex&(token.Unit|token.Stop) != 0 {
				break
			}
			if foreignStreet(s.Low(i)) {
				to = numberEnd(s, to)
			}
			markAddress(s, b, to, 90)
			return
		}
		if !streetName(s, from-1) {
			break
		}
		from--
	}
	if foreignStreet(s.Low(i)) {
		from := i
		for from > i-3 && from > 0 && s.At(from-1).Kind == token.Word && (s.At(from-1).Shape == token.Capital || s.At(from-1).Gaz == 0) && s.At(from-1).Lex&token.Stop == 0 {
			from--
		}
		if end := numberEnd(s, to); end > to {
			markAddress(s, from, end, 85)
		} else if t.Shape == token.Capital {
			markAddress(s, from, to, 60)
		}
		return
	}
	if t.Shape == token.Capital { // Kingsley Drive, Via Roma 5
		from := i
		for from > i-4 && from > 0 && s.At(from-1).Kind == token.Word && s.At(from-1).Shape == token.Capital && s.At(from-1).Lex&(token.Stop|token.Title|token.Month|token.Day) == 0 {
			from--
		}
		if from < i && s.At(i).Lex&token.Title == 0 || from < i && s.Low(i) == "dr" {
			if from == i-1 && s.At(i-1).Gaz&gazetteer.Word == 0 || from < i-1 || s.Low(from-1) == "on" || s.Low(from-1) == "at" {
				markAddress(s, from, numberEnd(s, to), 65)
			}
			return
		}
		end := to
		for end < to+3 && s.At(end).Kind == token.Word && (s.At(end).Shape == token.Capital || s.At(end).Lex&token.Stop == 0 && len(s.Low(end)) <= 3) {
			end++
		}
		if end > to && (s.At(end).Kind == token.Digit || s.Low(end) == "," && s.At(end+1).Kind == token.Digit) {
			markAddress(s, i, end+1, 80)
		}
	}
	if p := s.At(i - 1); t.Shape == token.Small && p.Kind == token.Word && p.Gaz&gazetteer.Word == 0 && p.Lex == 0 && s.Dial != kind.Balanced {
		switch s.Low(i) {
		case "street", "avenue", "road", "lane", "boulevard": // on bezrukov street
			if s.At(i-2).Lex&token.Prep != 0 || s.Low(i-2) == "on" {
				markAddress(s, i-1, to, 60)
			}
		}
	}
	if t.Lex&token.Flat != 0 && s.Low(i) == "box" {
		findFlat(s, i)
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
func numberEnd(s *scan.Scan, i int) int {
	if s.At(i).Kind == token.Digit || s.At(i).Kind == token.Mixed && len(s.Low(i)) <= 6 && !s.Ordinal(i) {
		return i + 1
	}
	if r := s.RunAt(i); r != nil && r.From == i && r.Digits > 0 && r.Digits <= 5 && r.Spoken > 0 {
		return r.To
	}
	return i
}

// findForeignStreet marks "via Roma 131", "ul. Chrzanowska 61": the kind of street, its name, its number.
func findForeignStreet(s *scan.Scan, i int) bool {
	switch s.Low(i) {
	case "via", "viale", "rue", "rua", "calle", "carrera", "avenida", "strada", "ul", "ulica", "corso", "piazza":
	default:
		return false
	}
	end := i + 1
	if s.Low(end) == "." {
		end++
	}
	first := end
	for end < first+5 && end < len(s.Tokens) && s.At(end).Kind == token.Word && s.RunOf[end] == 0 && (s.At(end).Lex&token.Stop == 0 || len(s.Low(end)) <= 3 && end > first) {
		end++
	}
	to, from := numberEnd(s, end), houseNumber(s, i)
	if end == first || to == end && from == i && s.At(first).Shape != token.Capital {
		return false
	}
	if to == end && from == i {
		return false
	}
	markAddress(s, from, to, 80)
	return true
}

// markAddress marks a street and takes in compass, flat and floor behind it.
func markAddress(s *scan.Scan, from, to int, score uint8) {
	for grown := true; grown; {
		grown = false
		j := to
		if s.Low(j) == "," {
			j++
		}
		t := s.At(j)
		switch {
		case t.Lex&token.Compass != 0 && j == to && (t.Shape != token.Small || len(s.Low(j)) > 2):
			to, grown = j+1, true
		case t.Lex&token.Flat != 0 && j == to || t.Lex&token.Flat != 0 && s.Low(j) != "lot" || s.Low(j) == "#":
			if end := flatEnd(s, j); end > j {
				to, grown = end, true
			}
		case t.Lex&token.Street != 0 && j == to && s.At(j).Shape == token.Capital:
			to, grown = j+1, true
		}
	}
	s.Mark(from, to, kind.Address, score, kind.ByShape)
	s.Take(from, to)
	findTown(s, to)
}

// flatEnd gives the end of "apt 6", "suite 4B", "unit forty seven", "# 12" at token j, or j.
func flatEnd(s *scan.Scan, j int) int {
	k := j + 1
	for s.Low(k) == "." || s.Low(k) == "#" || s.Low(k) == "number" {
		k++
	}
	t := s.At(k)
	if t.Kind == token.Digit || t.Kind == token.Mixed || t.Kind == token.Word && len(s.Low(k)) == 1 && (t.Lex&token.Stop == 0 || s.Low(k) == "a" && (t.Shape != token.Small || s.At(k+1).Kind != token.Word || s.At(k+1).Lex&token.Stop != 0)) {
		if s.Glued(k+1) && s.Low(k+1) == "-" && s.Glued(k+2) {
			return k + 3
		}
		return k + 1
	}
	if r := s.RunAt(k); r != nil && r.From == k && r.Digits > 0 && r.Digits <= 5 {
		return r.To
	}
	if t.Lex&token.Compass != 0 { // apartment east
		return k + 1
	}
	return j
}

// findFlat marks "Apt. 123" and "PO Box 73" that stand alone.
func findFlat(s *scan.Scan, i int) {
	end := flatEnd(s, i)
	if end == i || s.Taken[i] {
		return
	}
	from := i
	low := s.Low(i)
	switch low {
	case "room", "floor", "fl", "lot", "building", "bldg", "unit", "box":
		if low == "box" && (s.Low(i-1) == "po" || s.Low(i-1) == "office" || s.Low(i-1) == "." || s.Low(i-1) == "o") {
			for from > 0 && from > i-4 && (strings.Contains("po.", s.Low(from-1)) || s.Low(from-1) == "post" || s.Low(from-1) == "office") {
				from--
			}
		} else if s.At(i).Shape == token.Small && low != "unit" && low != "box" || low != "unit" && low != "box" && (i == 0 || s.At(i-1).Kind < token.Word && s.Low(i-1) != ",") {
			return // "Room two is cold" begins a sentence
		}
	}
	s.Mark(from, end, kind.Address, 75, kind.ByShape)
	s.Take(from, end)
	findTown(s, end)
}

// findTown marks town, state and postcode behind an address that ends before token i.
func findTown(s *scan.Scan, i int) {
	j := i
	for n := 0; n < 12 && j < len(s.Tokens); n++ {
		t := s.At(j)
		if s.Low(j+1) == ":" || s.Low(j) == "'s" { // the next field of a form; "the flat's cold"
			return
		}
		switch {
		case t.Kind == token.Line || s.Low(j) == "," || s.Low(j) == ".":
			if s.Low(j) == "." && !s.Glued(j+1) && s.At(j+1).Kind != token.Line {
				return
			}
		case t.Kind == token.Digit && len(s.Low(j)) >= 4 && len(s.Low(j)) <= 6 && s.At(j+1).Lex&(token.Unit|token.Money) == 0:
			end := j + 1
			if s.Low(end) == "-" && s.Glued(end) && s.At(end+1).Kind == token.Digit {
				if len(s.Low(end+1)) > 4 { // a telephone number
					return
				}
				end += 2
			}
			s.Mark(j, end, kind.Postcode, 80, kind.ByShape)
			s.Take(j, end)
			j = end - 1
		case t.Kind == token.Mixed && len(s.Low(j)) <= 7 && !s.Ordinal(j) && t.Shape != token.Small:
			s.Mark(j, j+1, kind.Postcode, 60, kind.ByShape)
		case t.Kind == token.Word && t.Shape == token.Upper && (t.Lex&token.State != 0 || len(s.Low(j)) == 2):
			s.Mark(j, j+1, kind.Location, 75, kind.ByShape)
		case t.Kind == token.Word && t.Shape != token.Small && t.Lex&(token.Stop|token.Greet) == 0 && s.Low(j) != "sorry":
			s.Mark(j, j+1, kind.Location, 65, kind.ByShape)
		case t.Kind == token.Word && t.Lex&token.Stop == 0 && (PlaceLen(s, j) > 1 || t.Gaz&gazetteer.Word == 0 && t.Lex&(token.Unit|token.Near|token.Day|token.Ack|token.Common) == 0):
			n := max(1, PlaceLen(s, j))
			s.Mark(j, j+n, kind.Location, 65, kind.ByShape)
			j += n - 1
		case t.Kind == token.Word && t.Lex&token.State != 0 && j > i && (t.Lex&(token.Stop|token.Prep|token.Ack) == 0 || s.At(j+1).Kind == token.Digit && len(s.Low(j+1)) == 5):
			s.Mark(j, j+1, kind.Location, 60, kind.ByShape)
		default:
			r := s.RunAt(j)
			if r == nil || r.From != j || r.Digits < 3 || r.Digits > 9 || r.Letters > 2 || r.Digits >= 6 && s.LineWord(r.To) {
				return
			}
			s.Mark(j, r.To, kind.Postcode, 75, kind.ByShape)
			s.Take(j, r.To)
			j = r.To - 1
		}
		j++
	}
}

// findForeign marks "92 Eusebio Dávila 57": a number, names, a number.
func findForeign(s *scan.Scan, i int) {
	if s.Taken[i] || len(s.Low(i)) > 6 || s.Low(i-1) == "$" {
		return
	}
	j := i + 1
	for j < i+6 && s.At(j).Kind == token.Word && (s.At(j).Shape == token.Capital || j > i+1 && len(s.Low(j)) <= 3 && s.At(j).Lex&token.Unit == 0) && s.At(j).Lex&(token.Month|token.Day) == 0 {
		j++
	}
	if j == i+1 {
		return
	}
	if s.At(j).Kind == token.Digit && len(s.Low(j)) <= 5 && s.At(j+1).Lex&token.Unit == 0 || s.At(j).Kind == token.Line && (s.At(j+1).Shape == token.Capital || s.Low(j+1) == "," || s.At(j+1).Lex&token.Flat != 0) {
		if s.At(j).Kind == token.Digit {
			j++
		}
		markAddress(s, i, j, 75)
	}
}

// findAddressAfterCue marks a house number and the words behind it after "my address is", "live at", "send it to".
func findAddressAfterCue(s *scan.Scan) {
	for k := range s.Runs {
		r := &s.Runs[k]
		if r.Digits == 0 || r.Digits > 6 || r.Letters > 1 || s.Taken[r.From] || s.At(r.To).Kind != token.Word {
			continue
		}
		c, ok := s.CueBefore(r.From, 6)
		where := s.Low(r.From - 1)
		if !(ok && c.Type == kind.Address) && !(where == "at" || where == "on" || where == "to" || where == "in") {
			continue
		}
		to := r.To
		for n := 0; n < 8 && to < len(s.Tokens); n++ {
			t := s.At(to)
			if t.Lex&(token.Stop|token.Unit|token.Money|token.Ack|token.Near|token.Day) != 0 && t.Shape == token.Small || t.Kind < token.Word {
				break
			}
			to++
		}
		odd := false // a word that is no plain English: the name of a street
		for j := r.To; j < to; j++ {
			t := s.At(j)
			odd = odd || t.Kind == token.Word && (t.Gaz&gazetteer.Word == 0 || t.Shape == token.Capital)
		}
		if to > r.To && odd && (ok && c.Type == kind.Address || r.Digits >= 2 && (to-r.To >= 2 || s.At(to-1).Kind == token.Digit)) {
			markAddress(s, r.From, to, 70)
		}
	}
}

// findHouse marks the number and the name behind it with which the answer to a question for an address begins, to the edge of
// the clause: "eighty two beck side, there's a skip outside".
func findHouse(s *scan.Scan) {
	a := s.Ask
	if !a.Open() || a.Echo || a.Types[0] != kind.Address || a.Heard > 3 {
		return
	}
	for k := range s.Runs {
		r := &s.Runs[k]
		for i := range r.From {
			switch s.Low(i) {
			case "are", "have", "has", "got", "need", "want", "there", "one": // it counts something
				return
			}
			if t := s.Tokens[i]; t.Kind > token.Word || t.Kind == token.Word && t.Lex&(token.Stop|token.Ack|token.Greet) == 0 && s.Low(i) != "number" {
				return
			}
		}
		if r.Digits == 0 || r.Letters > 1 {
			continue
		}
		if to := ClauseEnd(s, r.To, 4); r.Digits <= 5 && to > r.To && !s.Taken[r.From] && s.Low(r.To) != "moment" && s.Low(r.To) != "of" {
			markAddress(s, r.From, to, 78)
		}
		return
	}
}

// ClauseEnd gives the end of the words, most at most, that may be a name and stand from token i to the edge of the clause; i if
// something else follows them.
func ClauseEnd(s *scan.Scan, i, most int) int {
	to := i
	for to < len(s.Tokens) && to < i+most {
		t := s.Tokens[to]
		if t.Kind != token.Word || s.RunOf[to] > 0 && len(s.Low(to)) > 1 || t.Lex&(token.Stop|token.Unit|token.Money|token.Period|token.Ack|token.Near|token.Day|token.Month|token.Greet|token.Verb|token.Prep) != 0 {
			break
		}
		to++
	}
	if t := s.At(to); to >= len(s.Tokens) || t.Kind < token.Word || t.Kind == token.Word && t.Lex&(token.Stop|token.Verb|token.Ack|token.Prep) != 0 && t.Lex&token.Unit == 0 {
		return to
	}
	return i
}

// findOnStreet marks a street without a number behind a word of place, in text without capitals: "the corner of back lane", "on
// foxglove close".
func findOnStreet(s *scan.Scan) {
	if s.Dial == kind.Balanced {
		return
	}
	for i := 2; i < len(s.Tokens); i++ {
		if s.Taken[i] || s.Tokens[i].Kind != token.Word || s.Tokens[i].Shape == token.Capital {
			continue
		}
		switch s.Low(i) {
		case "street", "avenue", "road", "lane", "close", "crescent", "boulevard", "terrace", "gardens", "grove", "mews":
		default:
			continue
		}
		from := i
		for from > 0 && from > i-3 && s.At(from-1).Kind == token.Word && s.RunOf[from-1] == 0 && s.At(from-1).Lex&(token.Stop|token.Unit|token.Ack|token.Near|token.Day|token.Month|token.Common|token.Which|token.Period) == 0 && !wayWords[s.Low(from-1)] {
			from--
		}
		switch s.Low(from - 1) {
		case "on", "off", "of", "at", "down", "up", "along", "in":
			if from < i {
				markAddress(s, from, i+1, 62)
			}
		}
	}
}

// findKind marks a number and up to three words that end in a word that streets end in, at the edge of a clause: "eighty two beck
// side", "303 rake head".
func findKind(s *scan.Scan) {
	for i := 2; i < len(s.Tokens); i++ {
		if !placeKinds[s.Low(i)] || s.Taken[i] || i+1 < len(s.Tokens) && ClauseEnd(s, i, 1) == i {
			continue
		}
		for from := i - 1; from > 0 && from >= i-3; from-- {
			if !streetName(s, from) || s.At(from).Kind != token.Word || s.RunOf[from] > 0 && len(s.Low(from)) > 1 {
				break
			}
			if b := houseNumber(s, from); b < from {
				markAddress(s, b, i+1, 66)
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
func findSaid(s *scan.Scan) {
	name := func(i int) bool {
		t := s.At(i)
		return t.Kind == token.Word && s.RunOf[i] == 0 && (t.Lex&(token.Stop|token.Unit|token.Money|token.Period|token.Ack|token.Near|token.Day|token.Month) == 0 || token.Particle(s.Low(i)) || t.Lex&token.Flat != 0)
	}
	for k := range s.Runs {
		r := &s.Runs[k]
		if r.Digits == 0 || r.Digits > 7 || r.Letters > 2 || r.To >= len(s.Tokens) || !name(r.To) || s.Taken[r.From] && s.Taken[r.To-1] {
			continue
		}
		to, odd, dwelling := r.To, false, false
		for to < len(s.Tokens) && to < r.To+5 && name(to) {
			odd = odd || s.At(to).Gaz&gazetteer.Word == 0
			dwelling = dwelling || s.At(to).Lex&(token.Flat|token.Street) != 0
			to++
		}
		behind := s.RunAt(to)
		if behind == nil || behind.From != to || behind.Digits == 0 || behind.Digits > 6 || behind.Letters > 2 || !odd && !dwelling {
			continue
		}
		if s.At(behind.To).Lex&(token.Unit|token.Money) != 0 || r.Cardinal && r.Digits == 1 || r.Digits < 2 && !dwelling {
			continue
		}
		markAddress(s, r.From, behind.To, 70)
	}
}
