package redact

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/number"
)

// reading is a run of symbols as the digit rules judge it: tokens [from, to), value without signs.
type reading struct {
	from, to        int
	value           string
	digits, letters int
	run             *number.Run
}

// findNumbers judges every run of digits and spelled letters that no date, price or address claimed.
func (s *scan) findNumbers() {
	for k := range s.runs {
		r := &s.runs[k]
		if r.Digits < 2 && r.Letters < 3 && !s.ask.open() {
			continue
		}
		for from := r.From; from < r.To; {
			if s.taken[from] {
				from++
				continue
			}
			to := from + 1
			for to < r.To && !s.taken[to] {
				to++
			}
			s.judge(r, from, to)
			from = to
		}
	}
}

// judge decides about the symbols of r between two tokens.
func (s *scan) judge(r *number.Run, from, to int) {
	to = s.withoutQuantity(r, from, to)
	var buf [64]byte
	value := buf[:0]
	first, last := -1, -1
	rd := reading{run: r}
	for _, sym := range r.Symbols {
		if from >= to || sym.Start < int(s.tok[from].s) || sym.Start >= int(s.tok[to-1].e) {
			continue
		}
		switch {
		case num(sym.C):
			rd.digits++
		case letter(sym.C):
			rd.letters++
		default:
			continue
		}
		value = append(value, sym.C)
		if first < 0 {
			first = sym.Start
		}
		last = sym.End
	}
	if first < 0 {
		return
	}
	if e := s.tok[to-1]; int(e.e) == last && s.low(to-1) == "e" && s.low(to) == "mail" { // "... six six e mail"
		to, last = to-1, int(s.tok[to-1].s)
		value, rd.letters = value[:len(value)-1], rd.letters-1
		if to == from {
			return
		}
	}
	for from > r.From && int(s.tok[from].e) <= first { // a run begins with a symbol, maybe one that was corrected
		from++
	}
	for int(s.tok[to-1].s) >= last {
		to--
	}
	if len(value) == 1 && !s.ask.open() {
		return
	}
	rd.from, rd.to, rd.value = from, to, string(value)
	if t, score, why := s.decide(&rd); t != None {
		if b := s.at(from - 2); t == Phone && why == ByShape && s.low(from-1) == "-" && s.glued(from) && s.glued(from-1) && b.kind == word && b.shape == upper {
			t = ID // ORD-2024-118822
		}
		if s.low(from-1) == "+" || s.low(from-1) == "#" && t == ID {
			from--
		}
		if s.low(from-1) == "(" {
			from--
		}
		if t == ID || t == Number || t == Vehicle { // XS-603-HP
			for s.low(to) == "-" && s.glued(to) && s.glued(to+1) && (s.at(to+1).kind > word && s.at(to+1).kind <= mixed || s.at(to+1).kind == word && len(s.low(to+1)) <= 3) {
				to += 2
			}
		}
		if t == ID || t == Number || t == BankAcct || t == Username || t == Vehicle { // WO-3122138
			for from > 1 && s.low(from-1) == "-" && s.glued(from) && s.glued(from-1) && s.at(from-2).kind >= word {
				from -= 2
			}
		}
		if b := s.at(from - 1); (t == ID || t == Number) && b.kind == word && b.shape == upper && b.e-b.s >= 2 && b.e-b.s <= 4 && b.lex == 0 && b.gaz&gazetteer.Word == 0 && !s.glued(from) { // INV 60557
			from--
		}
		if s.low(from-1) == "plus" && t == Phone {
			from--
		}
		s.mark(from, to, t, score, why)
		s.take(from, to)
	}
}

// withoutQuantity gives the end of the run before a number that a unit or a currency behind it makes a
// quantity: "my pin is 9017, 3 people".
func (s *scan) withoutQuantity(r *number.Run, from, to int) int {
	halfDay := (s.low(to) == "p" || s.low(to) == "a") && s.low(to+1) == "."
	if to < r.To || s.at(to).lex&(unit|money) == 0 && s.low(to) != "%" && s.low(to) != "/" && s.low(to) != "€" && s.low(to) != "$" && !halfDay {
		return to
	}
	if s.low(to) == "/" && s.at(to+1).lex&period == 0 && s.low(to+1) != "mo" && s.low(to+1) != "hr" {
		return to
	}
	digits := 0
	for _, sym := range r.Symbols {
		if num(sym.C) && sym.Start >= int(s.tok[from].s) {
			digits++
		}
	}
	if digits >= 9 {
		return to
	}
	if halfDay {
		return from
	}
	for to > from && s.at(to-1).kind != sign {
		to--
	}
	for to > from && s.at(to-1).kind == sign {
		to--
	}
	return to
}

// decide gives the type of a reading, None to leave it in clear. Check digits first, then the words before
// it, then the question, then its own form, then its length.
func (s *scan) decide(rd *reading) (Type, uint8, Why) {
	v, n := rd.value, len(rd.value)
	c, cued := s.cueBefore(rd.from, 9)
	if !cued || c.weak {
		if b, ok := s.cueBehind(rd.to); ok {
			c, cued = b, true
		}
	}
	if rd.letters > 0 && s.hour(rd) {
		return None, 0, 0
	}
	onlyDigits := rd.letters == 0
	switch {
	case iban(v):
		return IBAN, 98, ByChecksum
	case s.extended(rd), s.lineBehind(rd), onlyDigits && n >= 10 && n <= 20 && s.low(rd.from-1) == "+" && !(cued && c.t == CreditCard):
		return Phone, 88, ByShape
	case vin(v):
		return Vehicle, 85, ByShape
	case ibanLike(v) && (rd.digits >= 10 || cued && c.t == IBAN):
		return IBAN, 88, ByShape
	case onlyDigits && n >= 13 && cardLike(v) && !(cued && c.t == BankAcct):
		if luhn(v) {
			return CreditCard, 96, ByChecksum
		}
		return CreditCard, 85, ByShape
	}
	if cued && !c.weak && s.plausible(rd, c.t, false) {
		return s.refine(rd, c.t), 90, ByCue
	}
	if onlyDigits && n >= 2 && n <= 6 && s.endOf(rd.from) {
		switch {
		case cued && !c.weak:
			return c.t, 88, ByCue
		case s.ask.open():
			return s.ask.types[0], 88, ByCue
		}
		return Number, 70, ByCue
	}
	if cued && c.t == Phone && onlyDigits && (n == 10 || n == 11 && v[0] == '1') {
		return Phone, 85, ByCue
	}
	if t := s.fits(rd); t != None {
		return t, 90, ByQuestion
	}
	if cued && c.weak && s.plausible(rd, c.t, false) {
		return s.refine(rd, c.t), 80, ByCue
	}
	if onlyDigits {
		return s.decideDigits(rd)
	}
	if rd.letters > 0 && rd.digits > 0 {
		if postcodeLike(v) && rd.to-rd.from <= 8 {
			return Postcode, 80, ByShape
		}
		if s.measure(rd) {
			return None, 0, 0
		}
		if rd.digits >= 3 && n >= 5 || rd.digits >= 2 && n >= 6 || n >= 4 && rd.to-rd.from == 1 && changes(v) > 1 || s.dial == Paranoid && n >= 3 {
			return ID, 70, ByLength
		}
		return None, 0, 0
	}
	if rd.letters >= 4 && rd.to-rd.from >= 4 && !cued || rd.letters >= 3 && rd.to-rd.from >= 3 && s.low(rd.from+1) != "." && cued {
		return Person, 60, ByShape
	}
	return None, 0, 0
}

// changes counts the places of v where letters give way to digits or digits to letters.
func changes(v string) (n int) {
	for i := 1; i < len(v); i++ {
		if num(v[i]) != num(v[i-1]) {
			n++
		}
	}
	return n
}

// endOf reports whether the words before token i call what follows a part of a number: "ending in", "the last four are".
func (s *scan) endOf(i int) bool {
	for k := i - 1; k >= 0 && k >= i-7; k-- {
		switch s.low(k) {
		case "in", "with", "is", "are", "of", "the", "it", "'s", "its", "it's", ",", ":", "a", "my", "your", "her", "his", "um", "uh", "er", "there", "that", "that's", "card", "phone", "number", "social", "account":
			continue
		case "ending", "ends":
			return true
		case "end":
			n := s.low(k + 1)
			return n == "in" || n == "with"
		case "two", "three", "four", "five", "six", "2", "3", "4", "5", "6", "digits", "numbers", "bit", "part", "half":
			return s.low(k-1) == "last" || s.low(k-1) == "first" || (s.low(k) == "digits" || s.low(k) == "numbers") && (s.low(k-2) == "last" || s.low(k-2) == "first")
		}
		return false
	}
	return false
}

// decideDigits judges digits without a word that says what they are.
func (s *scan) decideDigits(rd *reading) (Type, uint8, Why) {
	v, n := rd.value, len(rd.value)
	plus := s.low(rd.from-1) == "+" || s.low(rd.from-1) == "plus"
	switch {
	case plus && n >= 7 && n <= 20:
		return Phone, 92, ByShape
	case n == 9 && s.dashed(rd, 3, 5) && socialSecurity(v):
		return SSN, 88, ByShape
	case n == 9 && aba(v):
		return BankAcct, 60, ByChecksum
	case n == 10, n == 11 && v[0] <= '1', n == 9 && v[0] == '0' && rd.run.Digits == n, n == 7 && s.dashed(rd, 3):
		return Phone, 80, ByShape
	case n == 9 && s.dashed(rd, 5):
		return Postcode, 80, ByShape
	case n >= 8 && s.low(rd.from) == "00", n >= 9 && n <= 15 && rd.to-rd.from >= 5 && rd.run.Spoken == 0:
		return Phone, 70, ByShape
	case n >= 8 && n <= 15 && !rd.run.Cardinal && (dialled(v, false) || dialled(v, true)):
		return Phone, 60, ByChecksum
	case n >= 7:
		return Number, 70, ByLength
	case s.dial == Strict && n >= 5 && !rd.run.Cardinal && s.at(rd.to).kind != word:
		return Number, 50, ByLength
	case s.dial == Paranoid && n >= 3:
		return Number, 40, ByLength
	}
	return None, 0, 0
}

// extended reports whether a reading is a telephone number with its extension: "619-648-6618x20779".
func (s *scan) extended(rd *reading) bool {
	v := rd.value
	for i := range len(v) {
		if letter(v[i]) {
			return v[i] == 'x' && rd.letters == 1 && i >= 7 && len(v)-i <= 7
		}
	}
	return false
}

// lineBehind reports whether the word behind a number says which line it is: "455 6186 office", "0319 3649187-Fax".
func (s *scan) lineBehind(rd *reading) bool {
	if rd.letters > 0 || rd.digits < 6 || rd.digits > 15 {
		return false
	}
	return s.lineWord(rd.to)
}

// dashed reports whether dashes stand behind the given counts of symbols and nowhere else.
func (s *scan) dashed(rd *reading, after ...int) bool {
	n, k := 0, 0
	for _, sym := range rd.run.Symbols {
		if sym.Start < int(s.tok[rd.from].s) || sym.Start >= int(s.tok[rd.to-1].e) {
			continue
		}
		if sym.C == '-' {
			if k >= len(after) || after[k] != n {
				return false
			}
			k++
		} else {
			n++
		}
	}
	return k == len(after)
}

// measure reports whether a token is a quantity with its unit: 15hr, 20mg, 3pm, 128gb, 2nd.
func (s *scan) measure(rd *reading) bool {
	if rd.to-rd.from != 1 || s.at(rd.from).kind != mixed {
		return false
	}
	low := s.low(rd.from)
	i := 0
	for i < len(low) && num(low[i]) {
		i++
	}
	if i == 0 {
		return false
	}
	for _, c := range low[i:] {
		if c >= '0' && c <= '9' {
			return false
		}
	}
	return i <= 4 && len(low)-i <= 5
}

// hour reports whether a reading ends in a clock time with its half of the day: 930pm, 3:30ish.
func (s *scan) hour(rd *reading) bool {
	low := s.low(rd.to - 1)
	for _, end := range [...]string{"am", "pm", "ish", "hrs"} {
		if d, ok := strings.CutSuffix(low, end); ok && d != "" && len(d) <= 4 && atoi(d) >= 0 {
			return true
		}
	}
	return false
}

// plausible reports whether a reading can be of type t; expected: after a question, where pieces count.
func (s *scan) plausible(rd *reading, t Type, expected bool) bool {
	n, d, l := len(rd.value), rd.digits, rd.letters
	least := func(cue, asked int) bool {
		if expected {
			return d >= asked
		}
		return d >= cue
	}
	switch t {
	case CreditCard:
		return l == 0 && least(4, 2)
	case CardExpiry:
		return l == 0 && d >= 3 && d <= 8 && (expected || expiry(rd.value)) || expected && d >= 2
	case CVV:
		return l == 0 && d >= 3 && d <= 4
	case SSN:
		return l == 0 && least(4, 2)
	case BankAcct:
		return l <= 4 && least(4, 2)
	case IBAN:
		return d >= 4 && l >= 2 || least(8, 3)
	case DateOfBirth:
		return l == 0 && d >= 3 && d <= 8 && !(rd.run.Cardinal && !expected)
	case PIN:
		return l <= 2 && d <= 8 && least(4, 3) || l > 0 && d > 0 && n >= 3 && n <= 10 && rd.to-rd.from == 1
	case Phone:
		return l == 0 && least(7, 3)
	case Postcode:
		return l == 0 && d >= 3 && d <= 9 || l > 0 && d > 0 && n <= 8 || expected && n >= 2
	case ID:
		return least(4, 2) || d >= 2 && n >= 4
	case Vehicle:
		return d >= 2 && l >= 1 && n >= 5 && n <= 17 || least(5, 3) && n <= 8 && (expected || s.at(rd.from).kind == mixed || rd.run.Spoken > 0 || n > 4)
	case Age:
		return l == 0 && d <= 3 && atoi(rd.value) <= 120 && (expected || rd.from > 0 && (s.low(rd.from-1) == "age" || s.low(rd.from-1) == "aged" || s.low(rd.from-1) == "is" || s.low(rd.from-1) == "turns" || s.low(rd.from-1) == "turning"))
	case Person, Email, Username, Password:
		return expected && n >= 2 || l >= 3 && rd.to-rd.from >= 3
	}
	return false
}

// refine corrects a cue by what the digits can only be: nine digits behind "account" that are dashed like a
// social security number stay an account, three behind a card are its CVV.
func (s *scan) refine(rd *reading, t Type) Type {
	n := len(rd.value)
	switch {
	case t == CreditCard && n == 3 && rd.letters == 0:
		return CVV
	case t == CVV && n >= 12, t == CardExpiry && n >= 12:
		return CreditCard
	case (t == PIN || t == CVV || t == CardExpiry) && n >= 10 && rd.letters == 0:
		return Phone
	case t == ID && n == 10 && rd.letters == 0 && s.dashed(rd, 3, 6):
		return Phone
	}
	return t
}

// findBirthday marks the number in what wishes somebody a happy birthday: "happy birthday gran, 80 and no wiser".
func (s *scan) findBirthday() {
	at := -1
	for i := range s.tok {
		switch s.low(i) {
		case "birthday", "bday", "b'day", "birthdya":
			at = i
		}
		n := atoi(s.low(i))
		if v, ok := s.spoken(i); ok {
			n = v
		}
		if at < 0 || i > at+14 || i == at || s.taken[i] || n < 1 || n > 110 || s.tok[i].kind != digit && s.tok[i].kind != word || s.glued(i) && s.low(i-1) != "!" || s.glued(i+1) && s.at(i+1).kind != sign {
			continue
		}
		end := i + 1
		if r := s.runAt(i); r != nil && r.From == i && r.Digits <= 2 && r.Letters == 0 {
			end = r.To
		}
		switch low := s.low(end); {
		case s.at(end).lex&(unit|money) != 0 && low != "years" && low != "today" || low == "%" || low == ":" || low == "/" || low == "off":
			continue
		case s.at(i-1).lex&prep != 0 || s.low(i-1) == "$" || s.low(i-1) == "£" || s.low(i-1) == "€" || s.low(i-1) == "no" || s.at(i-1).lex&(stop|ack) != 0 && s.low(i-1) != "now":
			continue
		}
		s.mark(i, end, Age, 80, ByCue)
		s.take(i, end)
		return
	}
}

// findAges marks "45 years old", "he's 9", "happy 7th bday".
func (s *scan) findAges() {
	s.findBirthday()
	for i := range s.tok {
		low := s.low(i)
		n := atoi(low)
		if s.at(i).kind == mixed && len(low) > 2 && (s.low(i+1) == "birthday" || s.low(i+1) == "bday" || s.low(i+1) == "b'day") {
			n = atoi(low[:len(low)-2])
		}
		end := i + 1
		if v, ok := s.spoken(i); ok && v > 0 {
			n = v
			if v%10 == 0 && v >= 20 {
				if w, ok := s.spoken(i + 1); ok && w > 0 && w < 10 {
					end++
				}
			}
		}
		if n < 1 || n > 120 {
			continue
		}
		b, b2 := s.low(i-1), s.low(i-2)
		a, a2 := s.low(end), s.low(end+1)
		switch {
		case (a == "years" || a == "yrs" || a == "year" || a == "yr" || a == "months") && (a2 == "old" || a2 == "of" || a2 == "young"):
		case a == "-" && s.low(end+1) == "year" && s.low(end+2) == "-" && s.low(end+3) == "old":
		case a == "yo" || a == "y" && a2 == "o":
		case (a == "birthday" || a == "bday" || a == "b'day") && b == "happy":
		case b == "was" && (b2 == "he" || b2 == "she" || b2 == "i") && (s.low(i-3) == "when" || s.low(i-3) == "since"):
			if s.at(end).lex&unit != 0 {
				continue
			}
		case b == "age" || b == "aged" || b == "turning" || b == "turned" || b == "turns" || b == "turn" && (b2 == "ll" || b2 == "will" || b2 == "to" || strings.HasSuffix(b2, "'ll")):
			if s.at(end).lex&unit != 0 && s.at(end).lex&period == 0 && a != "years" {
				continue
			}
		case b == "'s" && (b2 == "he" || b2 == "she" || b2 == "who" && s.at(i-3).kind == word) && s.at(end).lex&(unit|money) == 0 && s.at(end).kind != digit && a != ":" && a != "%":
		case (b == "is" || b == "am" || b == "i'm" || b == "im" || b == "hes" || b == "shes" || b == "whos" || b == "be" && (strings.HasSuffix(b2, "'ll") || b2 == "ll" || b2 == "hell" || b2 == "shell")) && (b2 == "he" || b2 == "she" || b2 == "i" || s.at(i-2).lex&kin != 0 || s.at(i-3).lex&kin != 0 || b != "is" && b != "am") &&
			(s.at(end).kind < word || a == "and" || a == "now" || a == "soon" || n >= 10 && s.at(end).kind == word && s.at(end).lex&stop != 0 && s.at(end).lex&(unit|period|money) == 0 && a != "to") && a != ":" && a != "-" && a != "%":
		case (b == "be" || b == "been") && n >= 10 && s.at(end).lex&(unit|period|money) == 0 && s.at(end).kind != digit && a != ":" && a != "%" && a != "." && s.someone(i-4, i-1):
		case b == "," && a == "," && (b2 == "male" || b2 == "female" || b2 == "man" || b2 == "woman" || b2 == "boy" || b2 == "girl" || n > 15 && s.at(i-2).gaz&gazetteer.Name != 0 && s.at(i-2).gaz&gazetteer.Word == 0 && s.at(i-2).lex == 0):
		default:
			continue
		}
		s.mark(i, end, Age, 85, ByCue)
		s.take(i, end)
	}
}

// someone reports whether tokens [from, to) speak of a person: "she would have been", "mum would be".
func (s *scan) someone(from, to int) bool {
	for i := max(0, from); i < to; i++ {
		if low := s.low(i); low == "he" || low == "she" || s.tok[i].lex&kin != 0 {
			return true
		}
	}
	return false
}

// fits gives the asked type a reading is most likely the answer to, None if it is no answer.
func (s *scan) fits(rd *reading) Type {
	a := s.ask
	if !a.open() {
		return None
	}
	best, bestScore := None, 0
	for k, t := range a.types[:a.n] {
		if !s.plausible(rd, t, true) || t == Person && s.quantityOnly(rd.from, rd.to) {
			continue
		}
		score := 10 - k
		n := len(rd.value)
		switch t {
		case ID:
			if n < 4 && a.heard > 3 {
				continue
			}
		case Phone:
			if n == 7 || n == 10 || n == 11 {
				score += 10
			}
		case CVV:
			if n == 3 {
				score += 10
			}
		case CardExpiry:
			if expiry(rd.value) {
				score += 6
			}
		case Postcode:
			if n == 5 || postcodeLike(rd.value) {
				score += 10
			}
		case CreditCard:
			if n == 4 || n >= 13 {
				score += 8
			}
		case Person, Address, Password, Username, Email:
			score -= 6
		}
		if score > bestScore {
			best, bestScore = t, score
		}
	}
	if best == Number {
		return None
	}
	return best
}
