// Package digits marks numbers: it judges each run of digits and spelled letters by check digits, the words around it, the
// question that is open, its form and its length. Quantities, prices and times stay.
//
// Zone: RED.
package digits

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// reading is a run of symbols as the digit rules judge it: tokens [from, to), value without signs.
type reading struct {
	from, to        int
	value           string
	digits, letters int
	run             *number.Run
}

// FindNumbers judges every run of digits and spelled letters that no date, price or address claimed.
func FindNumbers(s *scan.Scan) {
	for k := range s.Runs {
		r := &s.Runs[k]
		if r.Digits < 2 && r.Letters < 3 && !s.Ask.Open() {
			continue
		}
		for from := r.From; from < r.To; {
			if s.Taken[from] {
				from++
				continue
			}
			to := from + 1
			for to < r.To && !s.Taken[to] {
				to++
			}
			judge(s, r, from, to)
			from = to
		}
	}
}

// judge decides about the symbols of r between two tokens.
func judge(s *scan.Scan, r *number.Run, from, to int) {
	to = withoutQuantity(s, r, from, to)
	var buf [64]byte
	value := buf[:0]
	first, last := -1, -1
	rd := reading{run: r}
	for _, sym := range r.Symbols {
		if from >= to || sym.Start < int(s.Tokens[from].Start) || sym.Start >= int(s.Tokens[to-1].End) {
			continue
		}
		switch {
		case check.Digit(sym.C):
			rd.digits++
		case check.Letter(sym.C):
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
	if e := s.Tokens[to-1]; int(e.End) == last && s.Low(to-1) == "e" && s.Low(to) == "mail" { // "... six six e mail"
		to, last = to-1, int(s.Tokens[to-1].Start)
		value, rd.letters = value[:len(value)-1], rd.letters-1
		if to == from {
			return
		}
	}
	for from > r.From && int(s.Tokens[from].End) <= first { // a run begins with a symbol, maybe one that was corrected
		from++
	}
	for int(s.Tokens[to-1].Start) >= last {
		to--
	}
	if len(value) == 1 && !s.Ask.Open() {
		return
	}
	rd.from, rd.to, rd.value = from, to, string(value)
	if t, score, why := decide(s, &rd); t != kind.None {
		if b := s.At(from - 2); t == kind.Phone && why == kind.ByShape && s.Low(from-1) == "-" && s.Glued(from) && s.Glued(from-1) && b.Kind == token.Word && b.Shape == token.Upper {
			t = kind.ID // ORD-2024-118822
		}
		if s.Low(from-1) == "+" || s.Low(from-1) == "#" && t == kind.ID {
			from--
		}
		if s.Low(from-1) == "(" {
			from--
		}
		if t == kind.ID || t == kind.Number || t == kind.Vehicle { // XS-603-HP
			for s.Low(to) == "-" && s.Glued(to) && s.Glued(to+1) && (s.At(to+1).Kind > token.Word && s.At(to+1).Kind <= token.Mixed || s.At(to+1).Kind == token.Word && len(s.Low(to+1)) <= 3) {
				to += 2
			}
		}
		if t == kind.ID || t == kind.Number || t == kind.BankAcct || t == kind.Username || t == kind.Vehicle { // WO-3122138
			for from > 1 && s.Low(from-1) == "-" && s.Glued(from) && s.Glued(from-1) && s.At(from-2).Kind >= token.Word {
				from -= 2
			}
		}
		if b := s.At(from - 1); (t == kind.ID || t == kind.Number) && b.Kind == token.Word && b.Shape == token.Upper && b.End-b.Start >= 2 && b.End-b.Start <= 4 && b.Lex == 0 && b.Gaz&gazetteer.Word == 0 && !s.Glued(from) { // INV 60557
			from--
		}
		if s.Low(from-1) == "plus" && t == kind.Phone {
			from--
		}
		s.Mark(from, to, t, score, why)
		s.Take(from, to)
	}
}

// withoutQuantity gives the end of the run before a number that a unit or a currency behind it makes a
// quantity: "my pin is 9017, 3 people".
func withoutQuantity(s *scan.Scan, r *number.Run, from, to int) int {
	halfDay := (s.Low(to) == "p" || s.Low(to) == "a") && s.Low(to+1) == "."
	if to < r.To || s.At(to).Lex&(token.Unit|token.Money) == 0 && s.Low(to) != "%" && s.Low(to) != "/" && s.Low(to) != "€" && s.Low(to) != "$" && !halfDay {
		return to
	}
	if s.Low(to) == "/" && s.At(to+1).Lex&token.Period == 0 && s.Low(to+1) != "mo" && s.Low(to+1) != "hr" {
		return to
	}
	digits := 0
	for _, sym := range r.Symbols {
		if check.Digit(sym.C) && sym.Start >= int(s.Tokens[from].Start) {
			digits++
		}
	}
	if digits >= 9 {
		return to
	}
	if halfDay {
		return from
	}
	for to > from && s.At(to-1).Kind != token.Sign {
		to--
	}
	for to > from && s.At(to-1).Kind == token.Sign {
		to--
	}
	return to
}

// decide gives the type of a reading, None to leave it in clear. Check digits first, then the words before
// it, then the question, then its own form, then its length.
func decide(s *scan.Scan, rd *reading) (kind.Type, uint8, kind.Why) {
	v, n := rd.value, len(rd.value)
	c, cued := s.CueBefore(rd.from, 9)
	if !cued || c.Weak {
		if b, ok := s.CueBehind(rd.to); ok {
			c, cued = b, true
		}
	}
	if rd.letters > 0 && hour(s, rd) {
		return kind.None, 0, 0
	}
	onlyDigits := rd.letters == 0
	switch {
	case check.IBAN(v):
		return kind.IBAN, 98, kind.ByChecksum
	case extended(s, rd), lineBehind(s, rd), onlyDigits && n >= 10 && n <= 20 && s.Low(rd.from-1) == "+" && !(cued && c.Type == kind.CreditCard):
		return kind.Phone, 88, kind.ByShape
	case check.VIN(v):
		return kind.Vehicle, 85, kind.ByShape
	case check.IBANLike(v) && (rd.digits >= 10 || cued && c.Type == kind.IBAN):
		return kind.IBAN, 88, kind.ByShape
	case onlyDigits && n >= 13 && check.CardLike(v) && !(cued && c.Type == kind.BankAcct):
		if check.Luhn(v) {
			return kind.CreditCard, 96, kind.ByChecksum
		}
		return kind.CreditCard, 85, kind.ByShape
	}
	if cued && !c.Weak && plausible(s, rd, c.Type, false) {
		return refine(s, rd, c.Type), 90, kind.ByCue
	}
	if onlyDigits && n >= 2 && n <= 6 && endOf(s, rd.from) {
		switch {
		case cued && !c.Weak:
			return c.Type, 88, kind.ByCue
		case s.Ask.Open():
			return s.Ask.Types[0], 88, kind.ByCue
		}
		return kind.Number, 70, kind.ByCue
	}
	if cued && c.Type == kind.Phone && onlyDigits && (n == 10 || n == 11 && v[0] == '1') {
		return kind.Phone, 85, kind.ByCue
	}
	if t := fits(s, rd); t != kind.None {
		return t, 90, kind.ByQuestion
	}
	if cued && c.Weak && plausible(s, rd, c.Type, false) {
		return refine(s, rd, c.Type), 80, kind.ByCue
	}
	if onlyDigits {
		return decideDigits(s, rd)
	}
	if rd.letters > 0 && rd.digits > 0 {
		if check.PostcodeLike(v) && rd.to-rd.from <= 8 {
			return kind.Postcode, 80, kind.ByShape
		}
		if measure(s, rd) {
			return kind.None, 0, 0
		}
		if rd.digits >= 3 && n >= 5 || rd.digits >= 2 && n >= 6 || n >= 4 && rd.to-rd.from == 1 && changes(v) > 1 || s.Dial == kind.Paranoid && n >= 3 {
			return kind.ID, 70, kind.ByLength
		}
		return kind.None, 0, 0
	}
	if rd.letters >= 4 && rd.to-rd.from >= 4 && !cued || rd.letters >= 3 && rd.to-rd.from >= 3 && s.Low(rd.from+1) != "." && cued {
		return kind.Person, 60, kind.ByShape
	}
	return kind.None, 0, 0
}

// changes counts the places of v where letters give way to digits or digits to letters.
func changes(v string) (n int) {
	for i := 1; i < len(v); i++ {
		if check.Digit(v[i]) != check.Digit(v[i-1]) {
			n++
		}
	}
	return n
}

// endOf reports whether the words before token i call what follows a part of a number: "ending in", "the last four are".
func endOf(s *scan.Scan, i int) bool {
	for k := i - 1; k >= 0 && k >= i-7; k-- {
		switch s.Low(k) {
		case "in", "with", "is", "are", "of", "the", "it", "'s", "its", "it's", ",", ":", "a", "my", "your", "her", "his", "um", "uh", "er", "there", "that", "that's", "card", "phone", "number", "social", "account":
			continue
		case "ending", "ends":
			return true
		case "end":
			n := s.Low(k + 1)
			return n == "in" || n == "with"
		case "two", "three", "four", "five", "six", "2", "3", "4", "5", "6", "digits", "numbers", "bit", "part", "half":
			return s.Low(k-1) == "last" || s.Low(k-1) == "first" || (s.Low(k) == "digits" || s.Low(k) == "numbers") && (s.Low(k-2) == "last" || s.Low(k-2) == "first")
		}
		return false
	}
	return false
}

// decideDigits judges digits without a word that says what they are.
func decideDigits(s *scan.Scan, rd *reading) (kind.Type, uint8, kind.Why) {
	v, n := rd.value, len(rd.value)
	plus := s.Low(rd.from-1) == "+" || s.Low(rd.from-1) == "plus"
	switch {
	case plus && n >= 7 && n <= 20:
		return kind.Phone, 92, kind.ByShape
	case n == 9 && dashed(s, rd, 3, 5) && check.SocialSecurity(v):
		return kind.SSN, 88, kind.ByShape
	case n == 9 && check.ABA(v):
		return kind.BankAcct, 60, kind.ByChecksum
	case n == 10, n == 11 && v[0] <= '1', n == 9 && v[0] == '0' && rd.run.Digits == n, n == 7 && dashed(s, rd, 3):
		return kind.Phone, 80, kind.ByShape
	case n == 9 && dashed(s, rd, 5):
		return kind.Postcode, 80, kind.ByShape
	case n >= 8 && s.Low(rd.from) == "00", n >= 9 && n <= 15 && rd.to-rd.from >= 5 && rd.run.Spoken == 0:
		return kind.Phone, 70, kind.ByShape
	case n >= 8 && n <= 15 && !rd.run.Cardinal && (check.Dialled(v, false) || check.Dialled(v, true)):
		return kind.Phone, 60, kind.ByChecksum
	case n >= 7:
		return kind.Number, 70, kind.ByLength
	case s.Dial == kind.Strict && n >= 5 && !rd.run.Cardinal && s.At(rd.to).Kind != token.Word:
		return kind.Number, 50, kind.ByLength
	case s.Dial == kind.Paranoid && n >= 3:
		return kind.Number, 40, kind.ByLength
	}
	return kind.None, 0, 0
}

// extended reports whether a reading is a telephone number with its extension: "619-648-6618x20779".
func extended(s *scan.Scan, rd *reading) bool {
	v := rd.value
	for i := range len(v) {
		if check.Letter(v[i]) {
			return v[i] == 'x' && rd.letters == 1 && i >= 7 && len(v)-i <= 7
		}
	}
	return false
}

// lineBehind reports whether the word behind a number says which line it is: "455 6186 office", "0319 3649187-Fax".
func lineBehind(s *scan.Scan, rd *reading) bool {
	if rd.letters > 0 || rd.digits < 6 || rd.digits > 15 {
		return false
	}
	return s.LineWord(rd.to)
}

// dashed reports whether dashes stand behind the given counts of symbols and nowhere else.
func dashed(s *scan.Scan, rd *reading, after ...int) bool {
	n, k := 0, 0
	for _, sym := range rd.run.Symbols {
		if sym.Start < int(s.Tokens[rd.from].Start) || sym.Start >= int(s.Tokens[rd.to-1].End) {
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
func measure(s *scan.Scan, rd *reading) bool {
	if rd.to-rd.from != 1 || s.At(rd.from).Kind != token.Mixed {
		return false
	}
	low := s.Low(rd.from)
	i := 0
	for i < len(low) && check.Digit(low[i]) {
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
func hour(s *scan.Scan, rd *reading) bool {
	low := s.Low(rd.to - 1)
	for _, end := range [...]string{"am", "pm", "ish", "hrs"} {
		if d, ok := strings.CutSuffix(low, end); ok && d != "" && len(d) <= 4 && check.Atoi(d) >= 0 {
			return true
		}
	}
	return false
}

// plausible reports whether a reading can be of type t; expected: after a question, where pieces count.
func plausible(s *scan.Scan, rd *reading, t kind.Type, expected bool) bool {
	n, d, l := len(rd.value), rd.digits, rd.letters
	least := func(cue, asked int) bool {
		if expected {
			return d >= asked
		}
		return d >= cue
	}
	switch t {
	case kind.CreditCard:
		return l == 0 && least(4, 2)
	case kind.CardExpiry:
		return l == 0 && d >= 3 && d <= 8 && (expected || check.Expiry(rd.value)) || expected && d >= 2
	case kind.CVV:
		return l == 0 && d >= 3 && d <= 4
	case kind.SSN:
		return l == 0 && least(4, 2)
	case kind.BankAcct:
		return l <= 4 && least(4, 2)
	case kind.IBAN:
		return d >= 4 && l >= 2 || least(8, 3)
	case kind.DateOfBirth:
		return l == 0 && d >= 3 && d <= 8 && !(rd.run.Cardinal && !expected)
	case kind.PIN:
		return l <= 2 && d <= 8 && least(4, 3) || l > 0 && d > 0 && n >= 3 && n <= 10 && rd.to-rd.from == 1
	case kind.Phone:
		return l == 0 && least(7, 3)
	case kind.Postcode:
		return l == 0 && d >= 3 && d <= 9 || l > 0 && d > 0 && n <= 8 || expected && n >= 2
	case kind.ID:
		return least(4, 2) || d >= 2 && n >= 4
	case kind.Vehicle:
		return d >= 2 && l >= 1 && n >= 5 && n <= 17 || least(5, 3) && n <= 8 && (expected || s.At(rd.from).Kind == token.Mixed || rd.run.Spoken > 0 || n > 4)
	case kind.Age:
		return l == 0 && d <= 3 && check.Atoi(rd.value) <= 120 && (expected || rd.from > 0 && (s.Low(rd.from-1) == "age" || s.Low(rd.from-1) == "aged" || s.Low(rd.from-1) == "is" || s.Low(rd.from-1) == "turns" || s.Low(rd.from-1) == "turning"))
	case kind.Person, kind.Email, kind.Username, kind.Password:
		return expected && n >= 2 || l >= 3 && rd.to-rd.from >= 3
	}
	return false
}

// refine corrects a cue by what the digits can only be: nine digits behind "account" that are dashed like a
// social security number stay an account, three behind a card are its CVV.
func refine(s *scan.Scan, rd *reading, t kind.Type) kind.Type {
	n := len(rd.value)
	switch {
	case t == kind.CreditCard && n == 3 && rd.letters == 0:
		return kind.CVV
	case t == kind.CVV && n >= 12, t == kind.CardExpiry && n >= 12:
		return kind.CreditCard
	case (t == kind.PIN || t == kind.CVV || t == kind.CardExpiry) && n >= 10 && rd.letters == 0:
		return kind.Phone
	case t == kind.ID && n == 10 && rd.letters == 0 && dashed(s, rd, 3, 6):
		return kind.Phone
	}
	return t
}

// findBirthday marks the number in what wishes somebody a happy birthday: "happy birthday gran, 80 and no wiser".
func findBirthday(s *scan.Scan) {
	at := -1
	for i := range s.Tokens {
		switch s.Low(i) {
		case "birthday", "bday", "b'day", "birthdya":
			at = i
		}
		n := check.Atoi(s.Low(i))
		if v, ok := s.Spoken(i); ok {
			n = v
		}
		if at < 0 || i > at+14 || i == at || s.Taken[i] || n < 1 || n > 110 || s.Tokens[i].Kind != token.Digit && s.Tokens[i].Kind != token.Word || s.Glued(i) && s.Low(i-1) != "!" || s.Glued(i+1) && s.At(i+1).Kind != token.Sign {
			continue
		}
		end := i + 1
		if r := s.RunAt(i); r != nil && r.From == i && r.Digits <= 2 && r.Letters == 0 {
			end = r.To
		}
		switch low := s.Low(end); {
		case s.At(end).Lex&(token.Unit|token.Money) != 0 && low != "years" && low != "today" || low == "%" || low == ":" || low == "/" || low == "off":
			continue
		case s.At(i-1).Lex&token.Prep != 0 || s.Low(i-1) == "$" || s.Low(i-1) == "£" || s.Low(i-1) == "€" || s.Low(i-1) == "no" || s.At(i-1).Lex&(token.Stop|token.Ack) != 0 && s.Low(i-1) != "now":
			continue
		}
		s.Mark(i, end, kind.Age, 80, kind.ByCue)
		s.Take(i, end)
		return
	}
}

// FindAges marks "45 years old", "he's 9", "happy 7th bday".
func FindAges(s *scan.Scan) {
	findBirthday(s)
	for i := range s.Tokens {
		low := s.Low(i)
		n := check.Atoi(low)
		if s.At(i).Kind == token.Mixed && len(low) > 2 && (s.Low(i+1) == "birthday" || s.Low(i+1) == "bday" || s.Low(i+1) == "b'day") {
			n = check.Atoi(low[:len(low)-2])
		}
		end := i + 1
		if v, ok := s.Spoken(i); ok && v > 0 {
			n = v
			if v%10 == 0 && v >= 20 {
				if w, ok := s.Spoken(i + 1); ok && w > 0 && w < 10 {
					end++
				}
			}
		}
		if n < 1 || n > 120 {
			continue
		}
		b, b2 := s.Low(i-1), s.Low(i-2)
		a, a2 := s.Low(end), s.Low(end+1)
		switch {
		case (a == "years" || a == "yrs" || a == "year" || a == "yr" || a == "months") && (a2 == "old" || a2 == "of" || a2 == "young"):
		case a == "-" && s.Low(end+1) == "year" && s.Low(end+2) == "-" && s.Low(end+3) == "old":
		case a == "yo" || a == "y" && a2 == "o":
		case (a == "birthday" || a == "bday" || a == "b'day") && b == "happy":
		case b == "was" && (b2 == "he" || b2 == "she" || b2 == "i") && (s.Low(i-3) == "when" || s.Low(i-3) == "since"):
			if s.At(end).Lex&token.Unit != 0 {
				continue
			}
		case b == "age" || b == "aged" || b == "turning" || b == "turned" || b == "turns" || b == "turn" && (b2 == "ll" || b2 == "will" || b2 == "to" || strings.HasSuffix(b2, "'ll")):
			if s.At(end).Lex&token.Unit != 0 && s.At(end).Lex&token.Period == 0 && a != "years" {
				continue
			}
		case b == "'s" && (b2 == "he" || b2 == "she" || b2 == "who" && s.At(i-3).Kind == token.Word) && s.At(end).Lex&(token.Unit|token.Money) == 0 && s.At(end).Kind != token.Digit && a != ":" && a != "%":
		case (b == "is" || b == "am" || b == "i'm" || b == "im" || b == "hes" || b == "shes" || b == "whos" || b == "be" && (strings.HasSuffix(b2, "'ll") || b2 == "ll" || b2 == "hell" || b2 == "shell")) && (b2 == "he" || b2 == "she" || b2 == "i" || s.At(i-2).Lex&token.Kin != 0 || s.At(i-3).Lex&token.Kin != 0 || b != "is" && b != "am") &&
			(s.At(end).Kind < token.Word || a == "and" || a == "now" || a == "soon" || n >= 10 && s.At(end).Kind == token.Word && s.At(end).Lex&token.Stop != 0 && s.At(end).Lex&(token.Unit|token.Period|token.Money) == 0 && a != "to") && a != ":" && a != "-" && a != "%":
		case (b == "be" || b == "been") && n >= 10 && s.At(end).Lex&(token.Unit|token.Period|token.Money) == 0 && s.At(end).Kind != token.Digit && a != ":" && a != "%" && a != "." && someone(s, i-4, i-1):
		case b == "," && a == "," && (b2 == "male" || b2 == "female" || b2 == "man" || b2 == "woman" || b2 == "boy" || b2 == "girl" || n > 15 && s.At(i-2).Gaz&gazetteer.Name != 0 && s.At(i-2).Gaz&gazetteer.Word == 0 && s.At(i-2).Lex == 0):
		default:
			continue
		}
		s.Mark(i, end, kind.Age, 85, kind.ByCue)
		s.Take(i, end)
	}
}

// someone reports whether tokens [from, to) speak of a person: "she would have been", "mum would be".
func someone(s *scan.Scan, from, to int) bool {
	for i := max(0, from); i < to; i++ {
		if low := s.Low(i); low == "he" || low == "she" || s.Tokens[i].Lex&token.Kin != 0 {
			return true
		}
	}
	return false
}

// fits gives the asked type a reading is most likely the answer to, None if it is no answer.
func fits(s *scan.Scan, rd *reading) kind.Type {
	a := s.Ask
	if !a.Open() {
		return kind.None
	}
	best, bestScore := kind.None, 0
	for k, t := range a.Types[:a.N] {
		if !plausible(s, rd, t, true) || t == kind.Person && s.QuantityOnly(rd.from, rd.to) {
			continue
		}
		score := 10 - k
		n := len(rd.value)
		switch t {
		case kind.ID:
			if n < 4 && a.Heard > 3 {
				continue
			}
		case kind.Phone:
			if n == 7 || n == 10 || n == 11 {
				score += 10
			}
		case kind.CVV:
			if n == 3 {
				score += 10
			}
		case kind.CardExpiry:
			if check.Expiry(rd.value) {
				score += 6
			}
		case kind.Postcode:
			if n == 5 || check.PostcodeLike(rd.value) {
				score += 10
			}
		case kind.CreditCard:
			if n == 4 || n >= 13 {
				score += 8
			}
		case kind.Person, kind.Address, kind.Password, kind.Username, kind.Email:
			score -= 6
		}
		if score > bestScore {
			best, bestScore = t, score
		}
	}
	if best == kind.Number {
		return kind.None
	}
	return best
}
