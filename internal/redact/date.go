package redact

import (
	"slices"
	"strings"

	"murmur/internal/redact/number"
)

// findDates marks days and claims clock times, prices and other counted numbers, so that the digit rules
// leave those alone.
func (s *scan) findDates() {
	for k := range s.runs {
		s.findSaidDate(&s.runs[k])
	}
	for i := range s.tok {
		t := s.tok[i]
		switch {
		case t.kind == digit:
			s.findDottedDay(i)
			s.claimQuantity(i)
			s.findNumericDate(i)
			s.findYear(i)
		case t.lex&month != 0:
			s.findMonth(i)
		}
		switch {
		case t.lex&day != 0:
			s.findDay(i)
		case t.lex&near != 0 || s.misspeltDay(i):
			s.findNear(i)
		case t.kind == word && holidays[s.low(i)] != "":
			s.findHoliday(i)
		case t.lex&(period|unit) != 0 || t.lex&greet != 0 && s.low(i) == "evening":
			s.findPeriod(i)
		}
		if s.dayNumber(i) > 0 && !s.taken[i] && (t.kind == mixed || t.kind == word) {
			s.findDayOfMonth(i)
		}
	}
}

// dateType gives the type of a day at token i and how sure: a birth date after such a cue or question.
func (s *scan) dateType(i int) (Type, uint8, Why) {
	k := s.cuesBefore(i)
	if k < len(s.cues) && s.cues[k].at-i <= 4 && s.low(s.cues[k].at-1) == "my" && s.cues[k].t == DateOfBirth {
		return DateOfBirth, 90, ByCue
	}
	for k--; k >= 0 && i-s.cues[k].at <= 9; k-- {
		if t := s.cues[k].t; t == DateOfBirth || t == CardExpiry {
			return t, 90, ByCue
		}
	}
	if s.ask.wants(DateOfBirth) {
		return DateOfBirth, 86, ByQuestion
	}
	return Date, 80, ByShape
}

func (s *scan) markDate(from, to int) {
	t, score, why := s.dateType(from)
	s.mark(from, to, t, score, why)
	s.take(from, to)
}

// findMonth marks the day around the name of a month at i.
func (s *scan) findMonth(i int) {
	from, to := i, i+1
	if s.low(to) == "." && s.glued(to) && s.at(i).lex&stray == 0 && len(s.low(i)) <= 4 {
		to++
	}
	b := i - 1
	if s.low(b) == "of" || s.low(b) == "-" || s.low(b) == "/" {
		b--
	}
	if s.suffix(b) && s.dayNumber(b-1) > 0 {
		b--
	}
	if s.dayNumber(b) > 0 {
		from = b
		if v, _ := s.spoken(b - 1); v == 20 || v == 30 { // twenty first
			from--
		}
		if s.low(from-1) == "the" && s.nthOf(b) > 0 { // said in words: "the fifth of may"
			from--
		}
	}
	f := to
	if s.low(f) == "the" || s.low(f) == "-" || s.low(f) == "/" {
		f++
	}
	if from == i && s.dayNumber(f) > 0 {
		to = f + 1
		if v, _ := s.spoken(f); (v == 20 || v == 30) && s.dayNumber(to) > 0 && s.dayNumber(to) < 10 && s.low(to+1) != "thousand" { // may twenty, two thousand four
			to++
		}
		if s.suffix(to) {
			to++
		}
	}
	to = s.yearEnd(to)
	if from == i && to <= i+2 && s.at(to-1).kind != digit && s.dayNumber(to-1) == 0 {
		t := s.at(i)
		if t.lex&stray != 0 && !(s.cased && t.shape == capital && i > 0) && !(s.low(i-1) == "in" && i+1 >= len(s.tok)) && !(s.low(i-1) == "of" && s.low(i-2) == "month") || s.at(i-1).lex&(prep|which) == 0 && s.low(i-1) != "of" && s.low(i-1) != "since" {
			return
		}
		if len(s.low(i)) < 4 && t.shape == small {
			return
		}
	}
	s.markDate(from, to)
}

// yearEnd gives the token behind a year that begins at i, with a comma or "of" before it, or i.
func (s *scan) yearEnd(i int) int {
	j := i
	if w := s.low(j); w == "," || w == "of" || w == "-" || w == "/" || w == "in" {
		j++
	}
	if s.at(j).kind == digit {
		if n := atoi(s.low(j)); n >= 1900 && n < 2100 && len(s.low(j)) == 4 {
			return j + 1
		}
		if len(s.low(j)) == 2 && s.at(j+1).lex&unit == 0 && j == i {
			return j + 1
		}
		return i
	}
	if s.low(j) == "'" && s.glued(j+1) && s.at(j+1).kind == digit {
		return j + 2
	}
	r := s.runAt(j) // nineteen thirty eight, two thousand and five, ninety one
	if r == nil || r.Letters > 0 {
		return i
	}
	digits, end := 0, j
	for _, sym := range r.Symbols {
		if sym.Start < int(s.tok[j].s) {
			continue
		}
		digits++
		for end < r.To && int(s.tok[end].e) <= sym.End {
			end++
		}
		if digits == 4 {
			break
		}
	}
	if digits == 4 || digits == 2 {
		return end
	}
	return i
}

// findDay marks a weekday at i with the word before it that says which.
func (s *scan) findDay(i int) {
	t := s.tok[i]
	if (t.lex&stray != 0 || t.e-t.s <= 3) && !(t.shape == capital && i > 0) && s.at(i-1).lex&which == 0 && s.low(i-1) != "on" {
		return
	}
	from := i
	for from > 0 && (s.at(from-1).lex&which != 0 || s.low(from-1) == "next") {
		from--
	}
	to := i + 1
	if s.at(to).lex&(which) != 0 && s.at(to+1).lex&period != 0 || s.at(to).lex&period != 0 && s.low(to) == "week" {
		to++
		if s.at(to).lex&period != 0 {
			to++
		}
	}
	s.mark(from, to, Date, 80, ByShape)
	s.take(from, to)
}

// holidays are days that have names, by their first word, with the words behind it.
var holidays = map[string]string{"christmas": "eve day", "xmas": "eve day", "easter": "sunday monday", "boxing": "day", "mother's": "day", "mothers": "day", "father's": "day", "fathers": "day",
	"memorial": "day", "labor": "day", "labour": "day", "thanksgiving": "day", "halloween": "night", "diwali": "day", "hogmanay": "night", "eid": "day", "hanukkah": "day"}

// findHoliday marks a day with a name at token i where something is on, by or until it.
func (s *scan) findHoliday(i int) {
	to := i + 1
	if second := s.low(to); second != "" && slices.Contains(strings.Fields(holidays[s.low(i)]), second) {
		to++
	}
	if to == i+1 && holidays[s.low(i)] == "day" && s.low(i) != "thanksgiving" && s.low(i) != "diwali" && s.low(i) != "eid" && s.low(i) != "hanukkah" {
		return // boxing, memorial
	}
	switch s.low(i - 1) {
	case "on", "at", "by", "before", "b4", "till", "until", "after", "since", "for", "from":
		s.mark(i, to, Date, 75, ByShape)
		s.take(i, to)
	}
}

// misspeltDay reports whether token i is "tomorrow" or another day of its kind, one slip of the finger away: "tomorow", "yestrday".
func (s *scan) misspeltDay(i int) bool {
	t := s.tok[i]
	if t.kind != word || t.lex != 0 || t.gaz != 0 || t.e-t.s < 5 {
		return false
	}
	low := s.low(i)
	for _, day := range [...]string{"tomorrow", "yesterday", "tonight"} {
		if low[0] == day[0] && slip(low, day) {
			return true
		}
	}
	return false
}

func (s *scan) findNear(i int) {
	if s.courtesy(i) {
		return
	}
	switch s.low(i - 1) {
	case "later", "earlier":
		s.mark(i-1, i+1, Date, 75, ByShape)
		return
	}
	from := i
	if s.low(i-1) == "after" && s.low(i-2) == "day" {
		from = i - 2
	}
	s.mark(from, i+1, Date, 75, ByShape)
}

// courtesy reports whether the day at token i only ends a courtesy: "how can I help you today".
func (s *scan) courtesy(i int) bool {
	switch s.low(i - 1) {
	case "help", "else", "assist":
		return s.at(i).lex&near != 0
	case "you":
		return s.at(i).lex&near != 0 && (s.low(i-2) == "help" || s.low(i-2) == "assist" || s.low(i-2) == "are" || s.low(i+1) == "?" || i+1 >= len(s.tok))
	}
	return false
}

// findPeriod marks "in 9 days", "next week", "2 days from now". What names no day, like "last month", "the following
// year" or "a few months ago", stays.
func (s *scan) findPeriod(i int) {
	t := s.tok[i]
	low := s.low(i)
	if low == "evening" && s.low(i-1) == "this" ||
		t.lex&period != 0 && s.at(i-1).lex&which != 0 && !s.vague(i) {
		s.mark(i-1, i+1, Date, 70, ByShape)
		return
	}
	switch low {
	case "day", "days", "week", "weeks", "month", "months":
	default:
		return
	}
	b := i - 1
	if s.low(b) == "more" {
		b--
	}
	_, said := s.spoken(b)
	if s.at(b).kind == digit || said || s.low(b) == "a" || s.low(b) == "few" || s.low(b) == "couple" {
		for _, said = s.spoken(b - 1); said; _, said = s.spoken(b - 1) {
			b--
		}
		if s.low(b) == "few" && s.low(b-1) == "a" {
			b--
		}
		to := i + 1
		if s.low(to) == "away" {
			to++
		}
		fromNow := s.low(to) == "from" && (s.low(to+1) == "now" || s.low(to+1) == "today")
		if fromNow {
			to += 2
		}
		if s.low(to) == "ago" {
			fromNow = true
			to++
		}
		if s.low(b-1) == "in" {
			b--
			fromNow = true
		}
		if _, said := s.spoken(to + 1); fromNow && s.low(to) == "and" && (said || s.at(to+1).kind == digit) && s.at(to+2).lex&unit != 0 {
			to += 3 // in two weeks and three days
		}
		if fromNow && !(s.low(b) == "a" && s.low(b+1) == "few" && t.lex&period != 0 || s.low(b) == "few" && t.lex&period != 0) {
			s.mark(b, to, Date, 70, ByShape)
			s.take(b, to)
		}
	}
}

// vague reports whether the period at token i, with the word before it, is too wide to name a day: a month or year
// that lies behind, or comes again and again.
func (s *scan) vague(i int) bool {
	switch s.low(i - 1) {
	case "every", "past":
		return true
	case "last", "previous", "following":
		return s.low(i) == "month" || s.low(i) == "year"
	}
	return false
}

// findDayOfMonth marks "the 5th", "11th of this month", "5th of the 2nd 2011".
func (s *scan) findDayOfMonth(i int) {
	from, to := i, i+1
	if !s.ordinal(i) {
		if !s.suffix(i+1) || s.low(i+1) == "road" || s.low(i+1) == "st" {
			return
		}
		to++
	}
	if v, _ := s.spoken(i - 1); v == 20 || v == 30 {
		from--
	}
	article, before := s.low(from-1) == "the", from-1 // the word before the article, if there is one
	if article {
		before--
	}
	if s.at(to).lex&month != 0 || s.low(to) == "of" && s.at(to+1).lex&month != 0 {
		return // findMonth's
	}
	switch {
	case s.low(to) == "of" && s.at(to+1).lex&which != 0 && s.at(to+2).lex&period != 0:
		to += 3
	case s.low(to) == "of" && s.low(to+1) == "the" && s.ordinal(to+2):
		to = s.yearEnd(to + 3)
	case s.low(to) == "of" && s.ordinal(to+1):
		to = s.yearEnd(to + 2)
	case article && s.low(before) != "of" && (s.at(i).kind == mixed || to > i+1 || untilOrFrom(s.low(before)) || s.at(before).lex&day != 0 || s.low(before) == "for" && s.dayNumber(i) > 3 || from < i) && (s.at(to).kind != word || s.at(to).lex&(stop|ack|prep|unit) != 0):
	case (s.at(i).kind == mixed || from < i) && untilOrFrom(s.low(before)) && (s.at(to).kind != word || untilOrFrom(s.low(to)) || from < i && s.at(to).lex&stop != 0):
	case !article && (s.low(before) == "on" || s.low(before) == "by" || s.low(before) == "until" || s.low(before) == "till" || s.low(before) == "for" || s.low(before) == "every") && (s.at(i).kind == mixed || s.nthOf(i) > 3 || from < i) && (s.at(to).kind != word || s.at(to).lex&(stop|prep|ack|title) != 0):
	default:
		return
	}
	if article && !s.ask.wants(DateOfBirth) && (s.low(to-1) == s.low(i) || to == i+2 && s.suffix(i+1) || s.nthOf(i) > 0) {
		from--
	}
	s.markDate(from, to)
}

// untilOrFrom reports whether a word begins or ends a stay: "from 20th to 24th".
func untilOrFrom(low string) bool {
	switch low {
	case "on", "until", "till", "from", "to", "between", "by":
		return true
	}
	return false
}

// stampEnd gives the end of the clock time of a time stamp ("2018-02-24 12:45:18") that begins at token i, or i.
func (s *scan) stampEnd(i int) int {
	to := i
	for n := range 3 {
		if k := s.at(to); k.kind != digit || k.e-k.s != 2 || n > 0 && !s.glued(to) {
			return i
		}
		if to++; s.low(to) != ":" || !s.glued(to) || !s.glued(to+1) {
			if n == 0 {
				return i
			}
			return to
		}
		if n < 2 {
			to++
		}
	}
	return i
}

// findNumericDate marks 5/27/1952, 2020-01-31, 1.5.2024, and 08/27 after a cue.
func (s *scan) findNumericDate(i int) {
	if s.taken[i] || i > 0 && s.glued(i) && s.tok[i-1].kind == digit {
		return
	}
	sep := s.low(i + 1)
	if sep != "/" && sep != "-" && sep != "." || !s.glued(i+1) || !s.glued(i+2) || s.at(i+2).kind != digit {
		return
	}
	a, b := atoi(s.low(i)), atoi(s.low(i+2))
	if s.low(i+3) == sep && s.glued(i+3) && s.glued(i+4) && s.at(i+4).kind == digit {
		c := atoi(s.low(i + 4))
		la, lc := len(s.low(i)), len(s.low(i+4))
		iso := la == 4 && a >= 1900 && a < 2100 && b >= 1 && b <= 12 && c >= 1 && c <= 31
		if iso || la <= 2 && len(s.low(i+2)) <= 2 && (lc == 2 || lc == 4 && c >= 1900 && c < 2100) && a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12) {
			to := i + 5
			if lc == 2 && iso && s.at(to).kind == digit {
				to = s.stampEnd(to)
			}
			s.markDate(i, to)
		}
		return
	}
	if sep == "." || len(s.low(i)) > 2 || a < 1 || a > 12 || s.glued(i+3) && s.at(i+3).kind != sign {
		return
	}
	lb := len(s.low(i + 2))
	if t, score, why := s.dateType(i); t != Date && (lb == 2 || lb == 4) {
		s.mark(i, i+3, t, score, why)
		s.take(i, i+3)
	} else if sep == "/" && lb <= 2 && b >= 1 && b <= 31 && (s.low(i-1) == "on" || s.low(i-1) == "by" || s.low(i-1) == "for" || s.low(i-1) == "until") {
		s.mark(i, i+3, Date, 60, ByCue)
		s.take(i, i+3)
	}
}

// findDottedDay marks "on 15.3.", a day and a month with a point behind each.
func (s *scan) findDottedDay(i int) {
	a, b := atoi(s.low(i)), atoi(s.low(i+2))
	if s.taken[i] || s.low(i+1) != "." || s.low(i+3) != "." || a < 1 || a > 31 || b < 1 || b > 12 || len(s.low(i)) > 2 || len(s.low(i+2)) > 2 {
		return
	}
	for k := i + 1; k < i+4; k++ {
		if !s.glued(k) {
			return
		}
	}
	if s.glued(i+4) && s.at(i+4).kind == digit {
		return
	}
	if untilOrFrom(s.low(i-1)) || s.low(i-1) == "for" || s.low(i-1) == "in" || s.at(i-1).lex&day != 0 || s.at(i+4).kind == word && s.at(i+4).shape == small && !s.glued(i+4) && s.at(i+4).lex&(unit|money) == 0 && s.low(i-1) != "version" || s.at(i+4).kind == digit && s.low(i+5) == ":" {
		s.markDate(i, i+3)
	}
}

// findYear marks "in 1977".
func (s *scan) findYear(i int) {
	n := atoi(s.low(i))
	if len(s.low(i)) != 4 || n < 1900 || n > 2099 || s.taken[i] || s.at(i+1).lex&(unit|money|street) != 0 || s.glued(i) || s.glued(i+1) && s.low(i+1) == "-" {
		return
	}
	if beforeYear(s.low(i - 1)) {
		s.markDate(i, i+1)
	}
}

// beforeYear reports whether a year may follow the word.
func beforeYear(low string) bool {
	switch low {
	case "in", "since", "until", "from", "of", "year", "by", "back", "late", "early", "during":
		return true
	}
	return false
}

// findSaidDate marks what a run says as numbers that can only be a day: "six slash twenty three slash nineteen
// eighty two", "on ten twelve twenty six", "in nineteen ninety".
func (s *scan) findSaidDate(r *number.Run) {
	if r.Letters > 0 || r.Spoken == 0 || r.Digits < 4 || r.Digits > 8 || s.taken[r.From] || s.at(r.To).lex&(unit|money|street|flat) != 0 {
		return
	}
	var part [4]int // the numbers said, one after another
	n, slashes := 0, 0
	for k, sym := range r.Symbols {
		switch {
		case sym.C == '/':
			slashes++
		case !num(sym.C):
			return
		case k == 0 || sym.Start != r.Symbols[k-1].Start:
			if n == len(part) {
				return
			}
			part[n] = int(sym.C - '0')
			n++
		default:
			part[n-1] = part[n-1]*10 + int(sym.C-'0')
		}
	}
	day := n >= 3 && part[0] >= 1 && part[1] >= 1 && part[0] <= 31 && part[1] <= 31 && (part[0] <= 12 || part[1] <= 12)
	year := n == 3 && (part[2] >= 10 && part[2] < 100 || part[2] >= 1900 && part[2] < 2100) || n == 4 && (part[2] == 19 || part[2] == 20) && part[3] < 100
	before := s.low(r.From - 1)
	switch {
	case day && year && slashes == 2, day && year && slashes == 0 && (before == "on" || before == "since" || before == "until" || before == "by"):
		s.markDate(r.From, r.To)
	case beforeYear(before) && slashes == 0 && (n == 1 && part[0] >= 1900 && part[0] < 2100 || n == 2 && (part[0] == 19 || part[0] == 20) && part[1] >= 10 && part[1] < 100):
		s.markDate(r.From, r.To)
	}
}

// clock reports whether token i is minutes, with am or pm glued to them if they must have it.
func (s *scan) clock(i int, bare bool) bool {
	low := s.low(i)
	if len(low) < 2 || !num(low[0]) || !num(low[1]) {
		return false
	}
	return len(low) == 2 && bare || low[2:] == "am" || low[2:] == "pm" || low[2:] == "h" || low[2:] == "hrs"
}

// claimQuantity takes clock times, prices, decimals and thousands from the digit rules.
func (s *scan) claimQuantity(i int) {
	if s.taken[i] {
		return
	}
	to := i + 1
	whole := len(s.low(i)) <= 3
	grouped := whole
	for s.low(to) == "," && s.glued(to) && s.glued(to+1) && s.at(to+1).kind == digit && len(s.low(to+1)) == 3 && grouped && to < i+5 {
		to += 2
	}
	thousands := to > i+1 && len(s.low(i)) <= 3 && !(s.glued(to) && s.at(to).kind != sign)
	if s.low(to) == "." && s.glued(to) && s.glued(to+1) && s.at(to+1).kind == digit && len(s.low(to+1)) <= 2 && !(s.low(to+2) == "." && s.glued(to+3) && s.at(to+3).kind == digit) {
		to += 2
		thousands = true
	}
	if sep := s.low(i + 1); (sep == ":" || sep == ".") && s.glued(i+1) && s.glued(i+2) && len(s.low(i)) <= 2 && s.clock(i+2, sep == ":") {
		s.take(i, i+3)
		return
	}
	if i > 0 {
		switch s.low(i - 1) {
		case "$", "€", "£", "¥":
			s.take(i, to)
			return
		}
	}
	if after := s.at(to); after.lex&money != 0 || s.low(to) == "%" || thousands {
		s.take(i, to)
	}
}
