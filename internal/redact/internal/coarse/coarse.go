// Package coarse reads a value the way the rules read it, and makes it coarser: the week of a day, the decade of a birth date,
// the last symbols of a number.
//
// Zone: RED.
package coarse

import (
	"strconv"
	"strings"
	"time"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// Said is a value read the way the rules read it.
type Said struct {
	token.View
	Tok  []token.Token
	Runs []number.Run
}

// Say reads a value.
func Say(value string) Said {
	v := Said{View: token.ViewOf(value)}
	v.Tok = token.Tokenise(&v.View, nil)
	var r number.Reader
	v.Runs = r.Read(token.Words(&v.View, v.Tok, nil))
	return v
}

// Symbols gives the digits and letters of all runs.
func (v *Said) Symbols() string {
	var b strings.Builder
	for _, r := range v.Runs {
		b.WriteString(r.Value())
	}
	return b.String()
}

// whole is how many symbols a number of a type has at least. Less is a piece of one, said over several turns, and the
// ends of pieces together would be the number.
var whole = [kind.Types]int{kind.Phone: 7, kind.CreditCard: 12, kind.BankAcct: 7, kind.IBAN: 15, kind.SSN: 9, kind.ID: 7}

// Last4 gives the last four symbols of a whole number, "" of a piece of one.
func Last4(t kind.Type, value string) string {
	v := Say(value)
	s := v.Symbols()
	if len(s) < whole[t] || check.DigitsOf(s[len(s)-4:]) != s[len(s)-4:] {
		return ""
	}
	return s[len(s)-4:]
}

// Week gives the ISO 8601 week of a day said with its year: "2026_W46"; "" of any other.
func Week(value string) string {
	day, ok := dayOf(value)
	if !ok {
		return ""
	}
	y, w := day.ISOWeek()
	return strconv.Itoa(y) + "_W" + strconv.Itoa(w/10) + strconv.Itoa(w%10)
}

// dayOf reads a day with its year: 2026-03-14, 3/14/2026 (the US order, the other one where it can only be that),
// "March 14th, 2026", "the fourteenth of march twenty twenty six".
func dayOf(value string) (time.Time, bool) {
	v := Say(value)
	monthAt, n := 0, []int{}
	for i := 0; i < len(v.Tok); i++ {
		low := v.Lower[v.Tok[i].Start:v.Tok[i].End]
		switch {
		case v.Tok[i].Lex&token.Month != 0:
			monthAt = monthNumber(low)
		case v.Tok[i].Kind == token.Digit:
			n = append(n, check.Atoi(low))
		case v.Tok[i].Kind == token.Mixed && len(low) > 2:
			n = append(n, check.Atoi(low[:len(low)-2]))
		case number.Ordinal(low) > 0:
			ordinal := number.Ordinal(low)
			if k := len(n); ordinal < 10 && k > 0 && (n[k-1] == 20 || n[k-1] == 30) { // twenty first
				n[k-1] += ordinal
				continue
			}
			n = append(n, ordinal)
		default:
			for _, r := range v.Runs {
				if r.From == i {
					n = append(n, numbersSaid(&r)...)
					i = r.To - 1
					break
				}
			}
		}
	}
	y, m, d := 0, monthAt, 0
	switch {
	case m > 0 && len(n) == 2:
		d, y = n[0], n[1]
	case m == 0 && len(n) == 3 && n[0] >= 1900:
		y, m, d = n[0], n[1], n[2]
	case m == 0 && len(n) == 3:
		m, d, y = n[0], n[1], n[2]
		if m > 12 {
			m, d = d, m
		}
	}
	if y >= 0 && y < 70 {
		y += 2000
	}
	day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return day, y >= 1900 && y < 2100 && day.Day() == d && int(day.Month()) == m
}

// numbersSaid gives the numbers of a run, a year said in two halves as one.
func numbersSaid(r *number.Run) []int {
	var n []int
	for k, sym := range r.Symbols {
		switch {
		case !check.Digit(sym.C):
		case k > 0 && sym.Start == r.Symbols[k-1].Start:
			n[len(n)-1] = n[len(n)-1]*10 + int(sym.C-'0')
		default:
			n = append(n, int(sym.C-'0'))
		}
	}
	if k := len(n); k >= 2 && (n[k-2] == 19 || n[k-2] == 20) && n[k-1] >= 10 && n[k-1] < 100 {
		n = append(n[:k-2], n[k-2]*100+n[k-1])
	}
	return n
}

// monthNumber gives 1 to 12 for a month's name or its first letters.
func monthNumber(low string) int {
	for m := time.January; m <= time.December; m++ {
		if strings.HasPrefix(strings.ToLower(m.String()), low[:min(3, len(low))]) {
			return int(m)
		}
	}
	return 0
}

// oldest is the decade before which people are over 89 or will be within one: they are shown together.
const oldest = 1940

// Decade gives the decade of a birth date: "1970S", "BEFORE_1940"; "" where no year is said.
func Decade(value string) string {
	day, ok := dayOf(value)
	y := day.Year()
	if ok && y >= 2030 { // a birthday with two digits of its year
		y -= 100
	}
	if !ok {
		v := Say(value)
		s := v.Symbols()
		if y = check.Atoi(s[max(0, len(s)-4):]); y < 1900 || y > 2099 {
			return ""
		}
	}
	if y < oldest {
		return "BEFORE_" + strconv.Itoa(oldest)
	}
	return strconv.Itoa(y/10) + "0S"
}

// Band gives ten years around an age: "40_49", "90_UP"; "" of anything else.
func Band(value string) string {
	v := Say(value)
	n := check.Atoi(check.DigitsOf(v.Symbols()))
	switch {
	case n < 0 || n > 130:
		return ""
	case n >= 90:
		return "90_UP"
	case n < 10:
		return "0_9"
	}
	return strconv.Itoa(n/10) + "0_" + strconv.Itoa(n/10) + "9"
}

// sparse are the first three digits of ZIP codes shared by 20,000 people or fewer: the 17 of the guidance of the US
// Department of Health and Human Services (census of 2000), and those that the census of 2010 adds.
const sparse = " 036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893 205 369 "

// ZIP3 gives the first three digits of a US ZIP code: "787XX", "000XX" where few people live; "" of anything else.
func ZIP3(value string) string {
	v := Say(value)
	s := v.Symbols()
	if d := check.DigitsOf(s); d != s || len(d) != 5 && len(d) != 9 {
		return ""
	}
	if strings.Contains(sparse, " "+s[:3]+" ") {
		return "000XX"
	}
	return s[:3] + "XX"
}

// State gives the US state of a town or of its own name: "TX"; "" where it is not clear.
func State(value string) string {
	low := strings.ToLower(value)
	if s := gazetteer.State(low); s != "" {
		return s
	}
	at := strings.LastIndexAny(low, " ,")
	tail := low[at+1:] // Durham, NC
	if len(tail) == 2 && token.Lexicon[tail]&token.State != 0 {
		return strings.ToUpper(tail)
	}
	return gazetteer.State(tail)
}

// Letters gives the word that a value spells if it is single letters and signs only.
func (v *Said) Letters() string {
	var w []byte
	for _, t := range v.Tok {
		switch {
		case t.Kind == token.Sign:
		case t.Kind == token.Word && t.End-t.Start == 1:
			w = append(w, v.Lower[t.Start])
		default:
			return ""
		}
	}
	return string(w)
}
