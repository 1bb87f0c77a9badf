package csv

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"murmur/internal/fact"
)

// order is how a numeric date that does not begin with the year is read.
type order struct {
	dayFirst bool
	assumed  bool // nothing in the sample proved it
}

func (o order) String() string {
	s := "month/day/year"
	if o.dayFirst {
		s = "day/month/year"
	}
	if o.assumed {
		s += " (assumed)"
	}
	return s
}

var (
	numericDate = regexp.MustCompile(`^(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})\b`)
	dayMonth    = regexp.MustCompile(`^(?:[a-z]{2,9}\.?,?\s+)?(\d{1,2})(?:st|nd|rd|th)?[-\s.]+([a-z]{3,9})\.?,?[-\s]+(\d{4}|\d{2})\b`)
	monthDay    = regexp.MustCompile(`^(?:[a-z]{2,9}\.?,?\s+)?([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b`)
	clock       = regexp.MustCompile(`^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]\.?m\.?)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2})?$`)
)

// orderOf decides how a column's numeric dates are read: a number over 12 is a day. Without proof, dots
// and semicolons are taken for the European custom, everything else for the American.
func orderOf(cells []string, delimiter byte) order {
	european := delimiter == ';'
	ambiguous := false
	for _, cell := range cells {
		m := numericDate.FindStringSubmatch(undayed(cell))
		if m == nil || len(m[1]) > 2 {
			continue
		}
		first, _ := strconv.Atoi(m[1])
		second, _ := strconv.Atoi(m[2])
		if first > 12 {
			return order{dayFirst: true}
		}
		if second > 12 {
			return order{}
		}
		ambiguous = true
		european = european || strings.Contains(m[0], ".")
	}
	return order{dayFirst: european, assumed: ambiguous}
}

// noteOf says in words how the dates of a column are read: by the notation of the first cell that has one.
func noteOf(cells []string, o order, zone *time.Location) string {
	for _, cell := range cells {
		var notation string
		cell = undayed(cell)
		zoned := strings.HasSuffix(strings.ToLower(cell), "z") || offset.MatchString(cell)
		if yearFirst.MatchString(cell) {
			notation = "year-month-day"
		} else if numericDate.MatchString(cell) {
			notation = o.String()
		} else if _, ok := parseClock(cell); ok {
			return "time of day, " + zone.String()
		} else if _, err := strconv.ParseInt(cell, 10, 64); err == nil && len(cell) == 13 {
			return "milliseconds since 1970"
		} else if err == nil && len(cell) == 10 {
			return "seconds since 1970"
		} else if _, ok := parseTime(cell, o, zone); ok {
			notation = "month by name"
		} else {
			continue
		}
		if zoned {
			return notation + ", with its zone"
		}
		return notation + ", " + zone.String() + " where no zone is written"
	}
	return ""
}

var (
	offset    = regexp.MustCompile(`:\d{2}(?:[.,]\d+)? ?[+-]\d{2}:?\d{2}$`) // behind a time of day
	yearFirst = regexp.MustCompile(`^\d{4}[-/.]\d`)
	weekday   = regexp.MustCompile(`(?i)^(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)[a-z]*[.,]*\s+`)
)

// undayed is a date without the day of the week before its numbers.
func undayed(cell string) string {
	if cell == "" || cell[0] >= '0' && cell[0] <= '9' {
		return cell
	}
	rest := cell[len(weekday.FindString(cell)):]
	if rest == "" || rest[0] < '0' || rest[0] > '9' {
		return cell
	}
	return rest
}

// parseTime reads the notations of exports: ISO 8601, numeric dates in the given order, dates with a
// month's name, seconds or milliseconds since 1970. A time without a zone is in zone. False: no time.
func parseTime(cell string, o order, zone *time.Location) (time.Time, bool) {
	if len(cell) > 10 && cell[10] == 'T' {
		if t, err := time.Parse(time.RFC3339Nano, cell); err == nil {
			return checked(t.UTC())
		}
	}
	if n, err := strconv.ParseInt(cell, 10, 64); err == nil {
		switch len(cell) {
		case 10:
			return checked(time.Unix(n, 0).UTC())
		case 13:
			return checked(time.UnixMilli(n).UTC())
		}
		return time.Time{}, false
	}
	cell = strings.ToLower(undayed(cell))
	year, month, day, rest, ok := parseDate(cell, o)
	if !ok {
		return time.Time{}, false
	}
	rest = strings.TrimLeft(rest, " ,t")
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "at "))
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, zone)
	if t.Day() != day || int(t.Month()) != month {
		return time.Time{}, false
	}
	if rest == "" {
		return checked(t.UTC())
	}
	c, ok := parseClock(rest)
	if !ok {
		return time.Time{}, false
	}
	if c.zone != nil {
		zone = c.zone
	}
	return checked(time.Date(year, time.Month(month), day, c.hour, c.minute, c.second, c.nanos, zone).UTC())
}

func checked(t time.Time) (time.Time, bool) { return t, fact.Possible(t) }

func parseDate(cell string, o order) (year, month, day int, rest string, ok bool) {
	if m := numericDate.FindStringSubmatch(cell); m != nil {
		a, _ := strconv.Atoi(m[1])
		b, _ := strconv.Atoi(m[2])
		c, _ := strconv.Atoi(m[3])
		rest = cell[len(m[0]):]
		switch {
		case len(m[1]) == 4:
			return a, b, c, rest, true
		case len(m[1]) > 2 || len(m[3]) != 4 && len(m[3]) != 2:
			return 0, 0, 0, "", false
		case o.dayFirst:
			return century(c), b, a, rest, true
		}
		return century(c), a, b, rest, true
	}
	if m := dayMonth.FindStringSubmatch(cell); m != nil && monthOf(m[2]) > 0 {
		day, _ = strconv.Atoi(m[1])
		year, _ = strconv.Atoi(m[3])
		return century(year), monthOf(m[2]), day, cell[len(m[0]):], true
	}
	if m := monthDay.FindStringSubmatch(cell); m != nil && monthOf(m[1]) > 0 {
		day, _ = strconv.Atoi(m[2])
		year, _ = strconv.Atoi(m[3])
		return year, monthOf(m[1]), day, cell[len(m[0]):], true
	}
	return 0, 0, 0, "", false
}

func century(year int) int {
	if year < 100 {
		return 2000 + year
	}
	return year
}

func monthOf(name string) int {
	for m := time.January; m <= time.December; m++ {
		if full := strings.ToLower(m.String()); len(name) >= 3 && strings.HasPrefix(full, name) || name == "sept" && m == time.September {
			return int(m)
		}
	}
	return 0
}

// wallClock is a time of day.
type wallClock struct {
	hour, minute, second, nanos int
	zone                        *time.Location // nil: not said
}

func parseClock(s string) (wallClock, bool) {
	if i := strings.IndexByte(s, ':'); i != 1 && i != 2 { // most cells are not: spare the pattern
		return wallClock{}, false
	}
	m := clock.FindStringSubmatch(strings.ToLower(s))
	if m == nil {
		return wallClock{}, false
	}
	var c wallClock
	c.hour, _ = strconv.Atoi(m[1])
	c.minute, _ = strconv.Atoi(m[2])
	c.second, _ = strconv.Atoi(m[3])
	c.nanos, _ = strconv.Atoi((m[4] + "000000000")[:9])
	if m[5] != "" {
		if c.hour < 1 || c.hour > 12 {
			return wallClock{}, false
		}
		c.hour %= 12
		if m[5][0] == 'p' {
			c.hour += 12
		}
	}
	switch z := strings.ReplaceAll(m[6], ":", ""); {
	case z == "":
	case len(z) == 5:
		n, _ := strconv.Atoi(z[1:])
		offset := n/100*3600 + n%100*60
		if z[0] == '-' {
			offset = -offset
		}
		c.zone = time.FixedZone("", offset)
	default:
		c.zone = time.UTC
	}
	return c, c.hour < 24 && c.minute < 60 && c.second < 60
}
