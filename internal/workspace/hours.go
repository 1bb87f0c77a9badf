package workspace

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Hours is a set of hours of the week: bit h is the hour h from Monday 00:00 (0-167). The zero value means
// always open.
type Hours [3]uint64

var days = map[string]int{"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}

var errHours = errors.New(`must look like "mon-fri 09:00-17:00; sat 10:00-14:00", in whole hours`)

// ParseHours reads open hours: rules separated by ";" or ",", each one day or a range of days and one span of
// whole hours, the end exclusive ("24:00" is midnight). Spans that pass midnight run into the next day.
// An empty string means always open.
func ParseHours(s string) (Hours, error) {
	var h Hours
	for _, rule := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == ',' }) {
		d, span, ok := strings.Cut(strings.ToLower(strings.TrimSpace(rule)), " ")
		if !ok {
			return Hours{}, errHours
		}
		first, last, isRange := strings.Cut(d, "-")
		if !isRange {
			last = first
		}
		a, okA := days[first]
		b, okB := days[last]
		from, to, okSpan := strings.Cut(strings.TrimSpace(span), "-")
		lo, errLo := hour(from)
		hi, errHi := hour(to)
		if !okA || !okB || !okSpan || errLo != nil || errHi != nil || lo == 24 || lo == hi {
			return Hours{}, errHours
		}
		if hi < lo {
			hi += 24
		}
		for day := a; ; day = (day + 1) % 7 {
			for i := lo; i < hi; i++ {
				bit := (day*24 + i) % 168
				h[bit/64] |= 1 << (bit % 64)
			}
			if day == b {
				break
			}
		}
	}
	return h, nil
}

func hour(s string) (int, error) {
	hh, mm, ok := strings.Cut(strings.TrimSpace(s), ":")
	n, err := strconv.Atoi(hh)
	if err != nil || n < 0 || n > 24 || ok && mm != "00" || len(hh) > 2 {
		return 0, fmt.Errorf("hour: %w", errHours)
	}
	return n, nil
}
