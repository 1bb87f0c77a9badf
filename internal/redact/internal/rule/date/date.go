// Package date marks days: written, said, and told by their distance from today.
//
// Zone: RED.
package date

import (
	"slices"
	"strings"

	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// FindDates marks days and claims clock times, prices and other counted numbers, so that the digit rules
// leave those alone.
func FindDates(s *scan.Scan) {
	for k := range s.Runs {
		findSaidDate(s, &s.Runs[k])
	}
	for i := range s.Tokens {
		t := s.Tokens[i]
		switch {
		case t.Kind == token.Digit:
			findDottedDay(s, i)
			claimQuantity(s, i)
			findNumericDate(s, i)
			findYear(s, i)
		case t.Lex&token.Month != 0:
			findMonth(s, i)
		}
		switch {
		case t.Lex&token.Day != 0:
			findDay(s, i)
		case t.Lex&token.Near != 0 || misspeltDay(s, i):
			findNear(s, i)
		case t.Kind == token.Word && holidays[s.Low(i)] != "":
			findHoliday(s, i)
		case t.Lex&(token.Period|token.Unit) != 0 || t.Lex&token.Greet != 0 && s.Low(i) == "evening":
			findPeriod(s, i)
		}
		if s.DayNumber(i) > 0 && !s.Taken[i] && (t.Kind == token.Mixed || t.Kind == token.Word) {
			findDayOfMonth(s, i)
		}
	}
}

// dateType gives the type of a day at token i and how sure: a birth date after such a cue or question.
func dateType(s *scan.Scan, i int) (kind.Type, uint8, kind.Why) {
	k := s.CuesBefore(i)
	if k < len(s.Cues) && s.Cues[k].At-i <= 4 && s.Low(s.Cues[k].At-1) == "my" && s.Cues[k].Type == kind.DateOfBirth {
		return kind.DateOfBirth, 90, kind.ByCue
	}
	for k--; k >= 0 && i-s.Cues[k].At <= 9; k-- {
		if t := s.Cues[k].Type; t == kind.DateOfBirth || t == kind.CardExpiry {
			return t, 90, kind.ByCue
		}
	}
	if s.Ask.Wants(kind.DateOfBirth) {
		return kind.DateOfBirth, 86, kind.ByQuestion
	}
	return kind.Date, 80, kind.ByShape
}

func markDate(s *scan.Scan, from, to int) {
	t, score, why := dateType(s, from)
	s.Mark(from, to, t, score, why)
	s.Take(from, to)
}

// findMonth marks the day around the name of a month at i.
func findMonth(s *scan.Scan, i int) {
	from, to := i, i+1
	if s.Low(to) == "." && s.Glued(to) && s.At(i).Lex&token.Stray == 0 && len(s.Low(i)) <= 4 {
		to++
	}
	b := i - 1
	if s.Low(b) == "of" || s.Low(b) == "-" || s.Low(b) == "/" {
		b--
	}
	if s.Suffix(b) && s.DayNumber(b-1) > 0 {
		b--
	}
	if s.DayNumber(b) > 0 {
		from = b
		if v, _ := s.Spoken(b - 1); v == 20 || v == 30 { // twenty first
			from--
		}
		if s.Low(from-1) == "the" && s.NthOf(b) > 0 { // said in words: "the fifth of may"
			from--
		}
	}
	f := to
	if s.Low(f) == "the" || s.Low(f) == "-" || s.Low(f) == "/" {
		f++
	}
	if from == i && s.DayNumber(f) > 0 {
		to = f + 1
		if v, _ := s.Spoken(f); (v == 20 || v == 30) && s.DayNumber(to) > 0 && s.DayNumber(to) < 10 && s.Low(to+1) != "thousand" { // may twenty, two thousand four
			to++
		}
		if s.Suffix(to) {
			to++
		}
	}
	to = yearEnd(s, to)
	if from == i && to <= i+2 && s.At(to-1).Kind != token.Digit && s.DayNumber(to-1) == 0 {
		t := s.At(i)
		if t.Lex&token.Stray != 0 && !(s.Cased && t.Shape == token.Capital && i > 0) && !(s.Low(i-1) == "in" && i+1 >= len(s.Tokens)) && !(s.Low(i-1) == "of" && s.Low(i-2) == "month") || s.At(i-1).Lex&(token.Prep|token.Which) == 0 && s.Low(i-1) != "of" && s.Low(i-1) != "since" {
			return
		}
		if len(s.Low(i)) < 4 && t.Shape == token.Small {
			return
		}
	}
	markDate(s, from, to)
}

// yearEnd gives the token behind a year that begins at i, with a comma or "of" before it, or i.
func yearEnd(s *scan.Scan, i int) int {
	j := i
	if w := s.Low(j); w == "," || w == "of" || w == "-" || w == "/" || w == "in" {
		j++
	}
	if s.At(j).Kind == token.Digit {
		if n := check.Atoi(s.Low(j)); n >= 1900 && n < 2100 && len(s.Low(j)) == 4 {
			return j + 1
		}
		if len(s.Low(j)) == 2 && s.At(j+1).Lex&token.Unit == 0 && j == i {
			return j + 1
		}
		return i
	}
	if s.Low(j) == "'" && s.Glued(j+1) && s.At(j+1).Kind == token.Digit {
		return j + 2
	}
	r := s.RunAt(j) // nineteen thirty eight, two thousand and five, ninety one
	if r == nil || r.Letters > 0 {
		return i
	}
	digits, end := 0, j
	for _, sym := range r.Symbols {
		if sym.Start < int(s.Tokens[j].Start) {
			continue
		}
		digits++
		for end < r.To && int(s.Tokens[end].End) <= sym.End {
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
func findDay(s *scan.Scan, i int) {
	t := s.Tokens[i]
	if (t.Lex&token.Stray != 0 || t.End-t.Start <= 3) && !(t.Shape == token.Capital && i > 0) && s.At(i-1).Lex&token.Which == 0 && s.Low(i-1) != "on" {
		return
	}
	from := i
	for from > 0 && (s.At(from-1).Lex&token.Which != 0 || s.Low(from-1) == "next") {
		from--
	}
	to := i + 1
	if s.At(to).Lex&(token.Which) != 0 && s.At(to+1).Lex&token.Period != 0 || s.At(to).Lex&token.Period != 0 && s.Low(to) == "week" {
		to++
		if s.At(to).Lex&token.Period != 0 {
			to++
		}
	}
	s.Mark(from, to, kind.Date, 80, kind.ByShape)
	s.Take(from, to)
}

// holidays are days that have names, by their first word, with the words behind it.
var holidays = map[string]string{"christmas": "eve day", "xmas": "eve day", "easter": "sunday monday", "boxing": "day", "mother's": "day", "mothers": "day", "father's": "day", "fathers": "day",
	"memorial": "day", "labor": "day", "labour": "day", "thanksgiving": "day", "halloween": "night", "diwali": "day", "hogmanay": "night", "eid": "day", "hanukkah": "day"}

// findHoliday marks a day with a name at token i where something is on, by or until it.
func findHoliday(s *scan.Scan, i int) {
	to := i + 1
	if second := s.Low(to); second != "" && slices.Contains(strings.Fields(holidays[s.Low(i)]), second) {
		to++
	}
	if to == i+1 && holidays[s.Low(i)] == "day" && s.Low(i) != "thanksgiving" && s.Low(i) != "diwali" && s.Low(i) != "eid" && s.Low(i) != "hanukkah" {
		return // boxing, memorial
	}
	switch s.Low(i - 1) {
	case "on", "at", "by", "before", "b4", "till", "until", "after", "since", "for", "from":
		s.Mark(i, to, kind.Date, 75, kind.ByShape)
		s.Take(i, to)
	}
}

// misspeltDay reports whether token i is "tomorrow" or another day of its kind, one slip of the finger away: "tomorow", "yestrday".
func misspeltDay(s *scan.Scan, i int) bool {
	t := s.Tokens[i]
	if t.Kind != token.Word || t.Lex != 0 || t.Gaz != 0 || t.End-t.Start < 5 {
		return false
	}
	low := s.Low(i)
	for _, day := range [...]string{"tomorrow", "yesterday", "tonight"} {
		if low[0] == day[0] && check.Slip(low, day) {
			return true
		}
	}
	return false
}

func findNear(s *scan.Scan, i int) {
	if Courtesy(s, i) {
		return
	}
	switch s.Low(i - 1) {
	case "later", "earlier":
		s.Mark(i-1, i+1, kind.Date, 75, kind.ByShape)
		return
	}
	from := i
	if s.Low(i-1) == "after" && s.Low(i-2) == "day" {
		from = i - 2
	}
	s.Mark(from, i+1, kind.Date, 75, kind.ByShape)
}

// Courtesy reports whether the day at token i only ends a courtesy: "how can I help you today".
func Courtesy(s *scan.Scan, i int) bool {
	switch s.Low(i - 1) {
	case "help", "else", "assist":
		return s.At(i).Lex&token.Near != 0
	case "you":
		return s.At(i).Lex&token.Near != 0 && (s.Low(i-2) == "help" || s.Low(i-2) == "assist" || s.Low(i-2) == "are" || s.Low(i+1) == "?" || i+1 >= len(s.Tokens))
	}
	return false
}

// findPeriod marks "in 9 days", "next week", "2 days from now". What names no day, like "last month", "the following
// year" or "a few months ago", stays.
func findPeriod(s *scan.Scan, i int) {
	t := s.Tokens[i]
	low := s.Low(i)
	if low == "evening" && s.Low(i-1) == "this" ||
		t.Lex&token.Period != 0 && s.At(i-1).Lex&token.Which != 0 && !vague(s, i) {
		s.Mark(i-1, i+1, kind.Date, 70, kind.ByShape)
		return
	}
	switch low {
	case "day", "days", "week", "weeks", "month", "months":
	default:
		return
	}
	b := i - 1
	if s.Low(b) == "more" {
		b--
	}
	_, said := s.Spoken(b)
	if s.At(b).Kind == token.Digit || said || s.Low(b) == "a" || s.Low(b) == "few" || s.Low(b) == "couple" {
		for _, said = s.Spoken(b - 1); said; _, said = s.Spoken(b - 1) {
			b--
		}
		if s.Low(b) == "few" && s.Low(b-1) == "a" {
			b--
		}
		to := i + 1
		if s.Low(to) == "away" {
			to++
		}
		fromNow := s.Low(to) == "from" && (s.Low(to+1) == "now" || s.Low(to+1) == "today")
		if fromNow {
			to += 2
		}
		if s.Low(to) == "ago" {
			fromNow = true
			to++
		}
		if s.Low(b-1) == "in" {
			b--
			fromNow = true
		}
		if _, said := s.Spoken(to + 1); fromNow && s.Low(to) == "and" && (said || s.At(to+1).Kind == token.Digit) && s.At(to+2).Lex&token.Unit != 0 {
			to += 3 // in two weeks and three days
		}
		if fromNow && !(s.Low(b) == "a" && s.Low(b+1) == "few" && t.Lex&token.Period != 0 || s.Low(b) == "few" && t.Lex&token.Period != 0) {
			s.Mark(b, to, kind.Date, 70, kind.ByShape)
			s.Take(b, to)
		}
	}
}

// vague reports whether the period at token i, with the word before it, is too wide to name a day: a month or year
// that lies behind, or comes again and again.
func vague(s *scan.Scan, i int) bool {
	switch s.Low(i - 1) {
	case "every", "past":
		return true
	case "last", "previous", "following":
		return s.Low(i) == "month" || s.Low(i) == "year"
	}
	return false
}

// findDayOfMonth marks "the 5th", "11th of this month", "5th of the 2nd 2011".
func findDayOfMonth(s *scan.Scan, i int) {
	from, to := i, i+1
	if !s.Ordinal(i) {
		if !s.Suffix(i+1) || s.Low(i+1) == "road" || s.Low(i+1) == "st" {
			return
		}
		to++
	}
	if v, _ := s.Spoken(i - 1); v == 20 || v == 30 {
		from--
	}
	article, before := s.Low(from-1) == "the", from-1 // the word before the article, if there is one
	if article {
		before--
	}
	if s.At(to).Lex&token.Month != 0 || s.Low(to) == "of" && s.At(to+1).Lex&token.Month != 0 {
		return // findMonth's
	}
	switch {
	case s.Low(to) == "of" && s.At(to+1).Lex&token.Which != 0 && s.At(to+2).Lex&token.Period != 0:
		to += 3
	case s.Low(to) == "of" && s.Low(to+1) == "the" && s.Ordinal(to+2):
		to = yearEnd(s, to+3)
	case s.Low(to) == "of" && s.Ordinal(to+1):
		to = yearEnd(s, to+2)
	case article && s.Low(before) != "of" && (s.At(i).Kind == token.Mixed || to > i+1 || untilOrFrom(s.Low(before)) || s.At(before).Lex&token.Day != 0 || s.Low(before) == "for" && s.DayNumber(i) > 3 || from < i) && (s.At(to).Kind != token.Word || s.At(to).Lex&(token.Stop|token.Ack|token.Prep|token.Unit) != 0):
	case (s.At(i).Kind == token.Mixed || from < i) && untilOrFrom(s.Low(before)) && (s.At(to).Kind != token.Word || untilOrFrom(s.Low(to)) || from < i && s.At(to).Lex&token.Stop != 0):
	case !article && (s.Low(before) == "on" || s.Low(before) == "by" || s.Low(before) == "until" || s.Low(before) == "till" || s.Low(before) == "for" || s.Low(before) == "every") && (s.At(i).Kind == token.Mixed || s.NthOf(i) > 3 || from < i) && (s.At(to).Kind != token.Word || s.At(to).Lex&(token.Stop|token.Prep|token.Ack|token.Title) != 0):
	default:
		return
	}
	if article && !s.Ask.Wants(kind.DateOfBirth) && (s.Low(to-1) == s.Low(i) || to == i+2 && s.Suffix(i+1) || s.NthOf(i) > 0) {
		from--
	}
	markDate(s, from, to)
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
func stampEnd(s *scan.Scan, i int) int {
	to := i
	for n := range 3 {
		if k := s.At(to); k.Kind != token.Digit || k.End-k.Start != 2 || n > 0 && !s.Glued(to) {
			return i
		}
		if to++; s.Low(to) != ":" || !s.Glued(to) || !s.Glued(to+1) {
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
func findNumericDate(s *scan.Scan, i int) {
	if s.Taken[i] || i > 0 && s.Glued(i) && s.Tokens[i-1].Kind == token.Digit {
		return
	}
	sep := s.Low(i + 1)
	if sep != "/" && sep != "-" && sep != "." || !s.Glued(i+1) || !s.Glued(i+2) || s.At(i+2).Kind != token.Digit {
		return
	}
	a, b := check.Atoi(s.Low(i)), check.Atoi(s.Low(i+2))
	if s.Low(i+3) == sep && s.Glued(i+3) && s.Glued(i+4) && s.At(i+4).Kind == token.Digit {
		c := check.Atoi(s.Low(i + 4))
		la, lc := len(s.Low(i)), len(s.Low(i+4))
		iso := la == 4 && a >= 1900 && a < 2100 && b >= 1 && b <= 12 && c >= 1 && c <= 31
		if iso || la <= 2 && len(s.Low(i+2)) <= 2 && (lc == 2 || lc == 4 && c >= 1900 && c < 2100) && a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12) {
			to := i + 5
			if lc == 2 && iso && s.At(to).Kind == token.Digit {
				to = stampEnd(s, to)
			}
			markDate(s, i, to)
		}
		return
	}
	if sep == "." || len(s.Low(i)) > 2 || a < 1 || a > 12 || s.Glued(i+3) && s.At(i+3).Kind != token.Sign {
		return
	}
	lb := len(s.Low(i + 2))
	if t, score, why := dateType(s, i); t != kind.Date && (lb == 2 || lb == 4) {
		s.Mark(i, i+3, t, score, why)
		s.Take(i, i+3)
	} else if sep == "/" && lb <= 2 && b >= 1 && b <= 31 && (s.Low(i-1) == "on" || s.Low(i-1) == "by" || s.Low(i-1) == "for" || s.Low(i-1) == "until") {
		s.Mark(i, i+3, kind.Date, 60, kind.ByCue)
		s.Take(i, i+3)
	}
}

// findDottedDay marks "on 15.3.", a day and a month with a point behind each.
func findDottedDay(s *scan.Scan, i int) {
	a, b := check.Atoi(s.Low(i)), check.Atoi(s.Low(i+2))
	if s.Taken[i] || s.Low(i+1) != "." || s.Low(i+3) != "." || a < 1 || a > 31 || b < 1 || b > 12 || len(s.Low(i)) > 2 || len(s.Low(i+2)) > 2 {
		return
	}
	for k := i + 1; k < i+4; k++ {
		if !s.Glued(k) {
			return
		}
	}
	if s.Glued(i+4) && s.At(i+4).Kind == token.Digit {
		return
	}
	if untilOrFrom(s.Low(i-1)) || s.Low(i-1) == "for" || s.Low(i-1) == "in" || s.At(i-1).Lex&token.Day != 0 || s.At(i+4).Kind == token.Word && s.At(i+4).Shape == token.Small && !s.Glued(i+4) && s.At(i+4).Lex&(token.Unit|token.Money) == 0 && s.Low(i-1) != "version" || s.At(i+4).Kind == token.Digit && s.Low(i+5) == ":" {
		markDate(s, i, i+3)
	}
}

// findYear marks "in 1977".
func findYear(s *scan.Scan, i int) {
	n := check.Atoi(s.Low(i))
	if len(s.Low(i)) != 4 || n < 1900 || n > 2099 || s.Taken[i] || s.At(i+1).Lex&(token.Unit|token.Money|token.Street) != 0 || s.Glued(i) || s.Glued(i+1) && s.Low(i+1) == "-" {
		return
	}
	if beforeYear(s.Low(i - 1)) {
		markDate(s, i, i+1)
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
func findSaidDate(s *scan.Scan, r *number.Run) {
	if r.Letters > 0 || r.Spoken == 0 || r.Digits < 4 || r.Digits > 8 || s.Taken[r.From] || s.At(r.To).Lex&(token.Unit|token.Money|token.Street|token.Flat) != 0 {
		return
	}
	var part [4]int // the numbers said, one after another
	n, slashes := 0, 0
	for k, sym := range r.Symbols {
		switch {
		case sym.C == '/':
			slashes++
		case !check.Digit(sym.C):
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
	before := s.Low(r.From - 1)
	switch {
	case day && year && slashes == 2, day && year && slashes == 0 && (before == "on" || before == "since" || before == "until" || before == "by"):
		markDate(s, r.From, r.To)
	case beforeYear(before) && slashes == 0 && (n == 1 && part[0] >= 1900 && part[0] < 2100 || n == 2 && (part[0] == 19 || part[0] == 20) && part[1] >= 10 && part[1] < 100):
		markDate(s, r.From, r.To)
	}
}

// clock reports whether token i is minutes, with am or pm glued to them if they must have it.
func clock(s *scan.Scan, i int, bare bool) bool {
	low := s.Low(i)
	if len(low) < 2 || !check.Digit(low[0]) || !check.Digit(low[1]) {
		return false
	}
	return len(low) == 2 && bare || low[2:] == "am" || low[2:] == "pm" || low[2:] == "h" || low[2:] == "hrs"
}

// claimQuantity takes clock times, prices, decimals and thousands from the digit rules.
func claimQuantity(s *scan.Scan, i int) {
	if s.Taken[i] {
		return
	}
	to := i + 1
	whole := len(s.Low(i)) <= 3
	grouped := whole
	for s.Low(to) == "," && s.Glued(to) && s.Glued(to+1) && s.At(to+1).Kind == token.Digit && len(s.Low(to+1)) == 3 && grouped && to < i+5 {
		to += 2
	}
	thousands := to > i+1 && len(s.Low(i)) <= 3 && !(s.Glued(to) && s.At(to).Kind != token.Sign)
	if s.Low(to) == "." && s.Glued(to) && s.Glued(to+1) && s.At(to+1).Kind == token.Digit && len(s.Low(to+1)) <= 2 && !(s.Low(to+2) == "." && s.Glued(to+3) && s.At(to+3).Kind == token.Digit) {
		to += 2
		thousands = true
	}
	if sep := s.Low(i + 1); (sep == ":" || sep == ".") && s.Glued(i+1) && s.Glued(i+2) && len(s.Low(i)) <= 2 && clock(s, i+2, sep == ":") {
		s.Take(i, i+3)
		return
	}
	if i > 0 {
		switch s.Low(i - 1) {
		case "$", "€", "£", "¥":
			s.Take(i, to)
			return
		}
	}
	if after := s.At(to); after.Lex&token.Money != 0 || s.Low(to) == "%" || thousands {
		s.Take(i, to)
	}
}
