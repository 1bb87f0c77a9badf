package invent

import (
	"strconv"
	"strings"
)

var months = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}

var weekdays = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

var holidays = []string{"Christmas", "Christmas Eve", "Easter", "Thanksgiving", "New Year's Eve", "Labor Day", "Memorial Day", "Boxing Day", "Halloween", "the 4th of July", "Mother's Day", "Diwali"}

// weekday is "Friday", "next Friday" or "Friday the 5th".
func (w *writer) weekday() string {
	d := pick(w.r, weekdays)
	switch w.r.IntN(8) {
	case 0, 1:
		return "next " + d
	case 2:
		return "this " + d
	case 3:
		return d + " the " + w.nth(1+w.r.IntN(28))
	case 4:
		if !w.style.spoken {
			return d[:3]
		}
	}
	return d
}

func (w *writer) nth(n int) string {
	if w.style.spoken && w.one(75) {
		return ordinal(n)
	}
	return nth(n)
}

// dayOfMonth is a day without a year: "the 5th", "March 3rd", "3/14".
func (w *writer) dayOfMonth() string {
	d, m := 1+w.r.IntN(28), months[w.r.IntN(12)]
	if w.style.spoken {
		return pick(w.r, []string{"the " + w.nth(d), m + " " + w.nth(d), "the " + w.nth(d) + " of " + m, m + " " + cardinal(d), w.nth(d) + " of " + m, m + " the " + w.nth(d), w.nth(d) + " " + m, w.nth(d)})
	}
	n := strconv.Itoa(d)
	short := m[:3] + pick(w.r, []string{"", ".", ""})
	return pick(w.r, []string{"the " + nth(d), m + " " + nth(d), m + " " + n, n + " " + m, nth(d) + " of " + m, nth(d) + " " + m, short + " " + n, n + " " + short,
		short + " " + nth(d), strconv.Itoa(1+w.r.IntN(12)) + "/" + n, n + "." + strconv.Itoa(1+w.r.IntN(12)) + ".", "the " + nth(d) + " of " + m})
}

// day is what may stand behind "on".
func (w *writer) day(_, _ string) {
	if w.one(50) {
		w.label("DATE", w.weekday())
		return
	}
	w.label("DATE", w.dayOfMonth())
}

func (w *writer) count() string {
	n := 2 + w.r.IntN(pick(w.r, []int{4, 10, 20}))
	if w.style.spoken || w.one(40) {
		return cardinal(n)
	}
	return strconv.Itoa(n)
}

// when is a day to come, with the word that leads to it: "on Friday", "tomorrow", "in three days".
func (w *writer) when(_, _ string) {
	switch n := w.r.IntN(100); {
	case n < 22:
		w.label("DATE", pick(w.r, []string{"tomorrow", "tomorrow", "tomorrow", "today", "today", "the day after tomorrow", "day after tomorrow"}))
	case n < 28:
		w.out = append(w.out, piece{text: pick(w.r, []string{"tonight", "this evening", "this afternoon", "this morning", "tomorrow night", "later today"}), typ: "DATE", opt: true})
	case n < 38:
		w.label("DATE", pick(w.r, []string{"next week", "this week", "this weekend", "next month", "next weekend", "next year", "this month", "the week after next", "over the weekend", "at the weekend"}))
	case n < 48:
		w.label("DATE", pick(w.r, []string{"in " + w.count() + pick(w.r, []string{" days", " days", " weeks", " months"}), w.count() + " days from now", "in a week", "in a fortnight", "in a couple of days", "a week from " + pick(w.r, weekdays), "a week on " + pick(w.r, weekdays)}))
	case n < 51:
		w.label("DATE", pick(w.r, []string{"a fortnight today", "today week", "first thing tomorrow", "the weekend of the " + w.nth(1+w.r.IntN(28)), "the Friday after", "the " + pick(w.r, ordinalWords[:4]) + " of " + pick(w.r, months), "tomorrow or " + pick(w.r, weekdays), "early next week", "the end of the month", "the end of " + pick(w.r, months)}))
	case n < 54:
		w.label("DATE", "next "+pick(w.r, weekdays))
	case n < 58:
		w.plain(pick(w.r, []string{"on ", "at ", "for ", "by ", "before "}))
		w.label("DATE", pick(w.r, holidays))
	case n < 63:
		w.plain("in ")
		w.label("DATE", pick(w.r, []string{pick(w.r, months), pick(w.r, months) + " " + strconv.Itoa(2024+w.r.IntN(6)), "late " + pick(w.r, months), "the spring", "the summer"}))
	case n < 66 && !w.style.spoken:
		w.plain("on ")
		w.calendar("2027")
	default:
		w.plain(pick(w.r, []string{"on ", "on ", "on ", "by ", "for ", ""}))
		w.day("", "")
	}
}

// past is a day gone: "yesterday", "last Tuesday", "two weeks ago".
func (w *writer) past(_, _ string) {
	switch n := w.r.IntN(100); {
	case n < 25:
		w.label("DATE", "yesterday")
	case n < 32:
		w.label("DATE", pick(w.r, []string{"the day before yesterday", "last night", "the other day", "earlier this week", "a week ago", "a couple of weeks ago", "a few days ago", "some months ago", "a while back", "earlier today"}))
	case n < 48:
		w.label("DATE", "last "+pick(w.r, append([]string{"week", "month", "year", "weekend", "night", "summer"}, weekdays...)))
	case n < 62:
		w.label("DATE", w.count()+pick(w.r, []string{" days", " weeks", " months", " years"})+" ago")
	case n < 68:
		w.plain("in ")
		w.label("DATE", pick(w.r, []string{pick(w.r, months), w.year(1960 + w.r.IntN(66)), pick(w.r, months) + " " + w.year(1990+w.r.IntN(36))}))
	default:
		w.plain("on ")
		w.day("", "")
	}
}

// date is a day of a calendar with its year.
func (w *writer) date(key, _ string) {
	y := strconv.Itoa(1995 + w.r.IntN(35))
	w.calendarOf("DATE", w.once(key, func() string { return y + "-" + pad(1+w.r.IntN(12)) + "-" + pad(1+w.r.IntN(28)) }), "")
}

func (w *writer) calendar(year string) {
	w.calendarOf("DATE", year+"-"+pad(1+w.r.IntN(12))+"-"+pad(1+w.r.IntN(28)), "")
}

// dob is a birth date; its parts are "day", "month", "year".
func (w *writer) dob(key, mod string) {
	v := w.once(key, func() string {
		return strconv.Itoa(1925+w.r.IntN(98)) + "-" + pad(1+w.r.IntN(12)) + "-" + pad(1+w.r.IntN(28))
	})
	w.calendarOf("DATE_OF_BIRTH", v, mod)
}

// year says or writes a year.
func (w *writer) year(y int) string {
	if !w.style.spoken || w.one(25) {
		return strconv.Itoa(y)
	}
	switch {
	case y >= 2000 && y < 2010 || y >= 2010 && y < 2020 && w.one(35):
		if y == 2000 {
			return "two thousand"
		}
		return "two thousand " + pick(w.r, []string{"", "and "}) + cardinal(y%100)
	case y%100 == 0:
		return cardinal(y/100) + " hundred"
	}
	return cardinal(y/100) + " " + oh(y%100)
}

func (w *writer) calendarOf(typ, v, mod string) {
	f := strings.Split(v, "-")
	y, _ := strconv.Atoi(f[0])
	m, _ := strconv.Atoi(f[1])
	d, _ := strconv.Atoi(f[2])
	month := months[m-1]
	switch mod {
	case "day":
		w.label(typ, pick(w.r, []string{w.nth(d), "the " + w.nth(d), strconv.Itoa(d)}))
		return
	case "month":
		w.label(typ, month)
		return
	case "year":
		w.label(typ, w.year(y))
		return
	}
	if w.style.spoken {
		w.label(typ, w.saidDate(y, m, d))
		return
	}
	us := strconv.Itoa(m) + "/" + strconv.Itoa(d)
	uk := strconv.Itoa(d) + "/" + strconv.Itoa(m)
	n := strconv.Itoa(d)
	s := pick(w.r, []string{
		us + "/" + f[0], f[1] + "/" + f[2] + "/" + f[0], us + "/" + f[0][2:], f[1] + "-" + f[2] + "-" + f[0], uk + "/" + f[0], f[2] + "." + f[1] + "." + f[0], v, f[0] + "/" + f[1] + "/" + f[2],
		month + " " + n + ", " + f[0], month + " " + nth(d) + ", " + f[0], month + " " + nth(d) + " " + f[0], n + " " + month + " " + f[0], nth(d) + " " + month + " " + f[0],
		nth(d) + " of " + month + " " + f[0], month[:3] + " " + n + ", " + f[0], n + " " + month[:3] + " " + f[0], n + "-" + month[:3] + "-" + f[0], f[2] + " " + f[1] + " " + f[0],
		f[1] + f[2] + f[0], month[:3] + ". " + n + " " + f[0], "the " + nth(d) + " of " + month + ", " + f[0]})
	w.out = append(w.out, piece{text: s, typ: typ, raw: strings.Trim(s, "0123456789/.-") == ""})
}

func (w *writer) saidDate(y, m, d int) string {
	month, year := months[m-1], w.year(y)
	if y > 1929 && w.one(12) {
		year = oh(y % 100)
	}
	digits := func(n int) string {
		return pick(w.r, []string{strconv.Itoa(n), cardinal(n), oh(n), pad(n)})
	}
	uh := pick(w.r, []string{" ", " ", " ", " ", " uh ", " um "})
	return pick(w.r, []string{
		month + " " + w.nth(d) + uh + year, month + " " + cardinal(d) + " " + year, "the " + w.nth(d) + " of " + month + " " + year, w.nth(d) + " of " + month + uh + year,
		w.nth(d) + " " + month + " " + year, strconv.Itoa(d) + " " + month + " " + strconv.Itoa(y), month + " the " + w.nth(d) + uh + year, digits(m) + " " + digits(d) + " " + year,
		digits(d) + " " + digits(m) + " " + year, "the " + w.nth(d) + " of the " + w.nth(m) + " " + year, w.nth(d) + " of the " + w.nth(m) + " " + year,
		digits(m) + " slash " + digits(d) + " slash " + year, nth(d) + " of " + month + " " + strconv.Itoa(y), nth(d) + " " + month + " " + strconv.Itoa(y), digits(d) + "-" + digits(m) + " " + strconv.Itoa(y)})
}
