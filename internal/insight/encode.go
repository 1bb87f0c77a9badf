package insight

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"murmur/internal/crowd/release"
)

// Encode writes figures as JSON lines. It is the one encoder: equal figures give equal bytes, in whatever
// order they come.
func Encode(w io.Writer, figures []Figure) error {
	sorted := slices.Clone(figures)
	slices.SortStableFunc(sorted, compare)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for i := range sorted {
		if err := e.Encode(&sorted[i]); err != nil {
			return fmt.Errorf("encode figure of %s: %w", sorted[i].Insight, err)
		}
	}
	return nil
}

func compare(a, b Figure) int {
	return cmp.Or(
		cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Insight, b.Insight), cmp.Compare(a.Measure, b.Measure),
		cmp.Compare(a.Grain, b.Grain), cmp.Compare(a.Period, b.Period), cmp.Compare(splitKey(a.Split), splitKey(b.Split)),
	)
}

// splitKey is a split as one comparable string; a figure without a split comes first.
func splitKey(split map[string][]string) string {
	var b strings.Builder
	for _, d := range Dimensions(split) {
		b.WriteString(d + "\x00" + strings.Join(split[d], "\x01") + "\x00")
	}
	return b.String()
}

// Dimensions lists the dimensions of a split in order.
func Dimensions(split map[string][]string) []string {
	ds := make([]string, 0, len(split))
	for d := range split {
		ds = append(ds, d)
	}
	slices.Sort(ds)
	return ds
}

var alwaysOpen = release.Settings{}.OpenHours

var weekdays = [7]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// hoursText prints open hours the way the policy reads them: "Mon-Fri 09:00-17:00; Sat 10:00-14:00", or
// "always".
func hoursText(open func(int) bool) string {
	var days [7]string
	for d := range days {
		var spans []string
		for h := 0; h < 24; h++ {
			if !open(d*24 + h) {
				continue
			}
			end := h + 1
			for end < 24 && open(d*24+end) {
				end++
			}
			spans = append(spans, fmt.Sprintf("%02d:00-%02d:00", h, end))
			h = end
		}
		days[d] = strings.Join(spans, ",")
	}
	var rules []string
	for d := 0; d < 7; d++ {
		last := d
		for last < 6 && days[last+1] == days[d] {
			last++
		}
		name := weekdays[d]
		if last > d {
			name += "-" + weekdays[last]
		}
		for span := range strings.SplitSeq(days[d], ",") {
			if span != "" {
				rules = append(rules, name+" "+span)
			}
		}
		d = last
	}
	if text := strings.Join(rules, "; "); text != "Mon-Sun 00:00-24:00" {
		return text
	}
	return "always"
}
