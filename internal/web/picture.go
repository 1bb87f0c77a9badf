package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"murmur/internal/insight"
)

// trendWeeks is how many periods a trend shows.
const trendWeeks = 12

// figureID names a figure in a URL: a hash, so that no name of a workspace's making stands in an address.
func figureID(f insight.Figure) string {
	h := sha256.New()
	for _, s := range []string{f.Workspace, f.Insight, f.Measure, f.Grain, f.Period, splitKey(f)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:10]))
}

func splitDims(f insight.Figure) []string { return insight.SplitDimensions(f.Split) }

func splitKey(f insight.Figure) string {
	var b strings.Builder
	for _, d := range splitDims(f) {
		b.WriteString(d + "\x01" + strings.Join(f.Split[d], "\x02") + "\x03")
	}
	return b.String()
}

// splitText prints a group for people: "Front desk", "Main › Menu › no choice".
func splitText(f insight.Figure) string { return insight.SplitText(f.Split) }

// splitHead is the head of a table of groups.
func splitHead(f insight.Figure) string {
	var titles []string
	for _, d := range splitDims(f) {
		titles = append(titles, insight.DimensionTitle(d))
	}
	return strings.Join(titles, " › ")
}

// merged reports whether several groups were put together to reach the minimum.
func merged(f insight.Figure) bool {
	for _, m := range f.Split {
		if len(m) > 1 {
			return true
		}
	}
	return false
}

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// hourIndex reads an hour of the week: "0" to "167", or "Mon 09" with or without minutes.
func hourIndex(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, n >= 0 && n < 168
	}
	day, clock, ok := strings.Cut(s, " ")
	clock, _, _ = strings.Cut(clock, ":")
	h, err := strconv.Atoi(strings.TrimSuffix(clock, "h"))
	d := slices.IndexFunc(weekdays, func(w string) bool { return strings.HasPrefix(day, w) })
	return d*24 + h, ok && err == nil && d >= 0 && h >= 0 && h < 24
}

func hoursOf(f insight.Figure) (hours []int) {
	for _, d := range []string{"hour", "hour_of_week"} {
		for _, m := range f.Split[d] {
			if h, ok := hourIndex(m); ok {
				hours = append(hours, h)
			}
		}
	}
	slices.Sort(hours)
	return hours
}

// row is one line of a picture's table; the picture is drawn from its machine-readable part.
type row struct {
	Label, Series        string
	Value, Interval      string
	Base, People, Before string
	Hidden               string // in words; empty when shown
	Merged, Current      bool
	ID                   string // of the figure
	V, Low, High, Hours  string // numbers for the script; empty when hidden
	value                float64
}

func rowOf(f insight.Figure, label string) row {
	r := row{Label: label, Hidden: hiddenText(f), Merged: merged(f), ID: figureID(f), People: f.Contacts, Base: baseText(f)}
	for i, h := range hoursOf(f) {
		if i > 0 {
			r.Hours += " "
		}
		r.Hours += strconv.Itoa(h)
	}
	if f.Value == nil {
		r.Hidden = cmp.Or(r.Hidden, "nothing to count")
		return r
	}
	if f.Vague() {
		r.Hidden = "too little to tell: " + intervalText(f)
		return r
	}
	num := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	}
	r.value, r.Value, r.Interval = *f.Value, valueText(f), intervalText(f)
	r.V, r.Low, r.High = num(f.Value), num(f.Low), num(f.High)
	return r
}

// picture is one drawing with its table.
type picture struct {
	ID, Kind    string // trend, spark (a small trend), bars, heat
	Title, Desc string
	Unit, Head  string // Head: what the rows are
	Several     bool   // rows of more than one series
	Rows        []row
	Compare     bool // rows have a Before
}

// Wide reports whether a picture has names that are too long for half a page.
func (p picture) Wide() bool {
	return p.Kind == "bars" && slices.ContainsFunc(p.Rows, func(r row) bool { return utf8.RuneCountInString(r.Label) > 24 })
}

// insightView is an insight as a section page shows it.
type insightView struct {
	insight.Insight
	Now      []row // the undivided measures of the period
	Headline insight.Sentence
	Pictures []picture
	Without  []row  // pictures that have nothing to draw, each as a line
	Weeks    string // the dates of the block of weeks that its figures are of; empty: those of the page's week
	Empty    bool   // no figure of the period shows anything
	Why      row    // when Empty: the figure that says so
	Open     bool   // its pictures are unfolded
	// Longer is what the last four weeks say that were over, of an insight of weeks that is counted over four as well; nil: nothing.
	Longer *insightView

	anchor string // that the names of its pictures begin with
}

// viewOf arranges the figures of one insight for a week.
func viewOf(in insight.Insight, figures []insight.Figure, week string) insightView {
	var own, longer []insight.Figure
	for _, f := range figures {
		switch {
		case f.Insight != in.Slug:
		case in.Longer(f):
			longer = append(longer, f)
		default:
			own = append(own, f)
		}
	}
	v := insightView{Insight: in, anchor: in.Slug}
	v.lay(own, week)
	if _, last, ok := strings.Cut(insight.LastBlock(week), ".."); ok {
		l := insightView{Insight: in, anchor: in.Slug + "-weeks"}
		if l.lay(longer, last); !l.Empty {
			v.Longer, v.Empty = &l, false
		}
	}
	return v
}

// lay arranges figures of one insight. A picture without anything to draw becomes a line.
func (v *insightView) lay(own []insight.Figure, week string) {
	v.Empty, v.Why = true, row{Hidden: "nothing to count yet"}
	groups := map[string][]insight.Figure{} // by measure and shape
	var order []string
	for _, f := range own {
		key := series(f)
		if _, seen := groups[key]; !seen {
			order = append(order, key)
		}
		groups[key] = append(groups[key], f)
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(a[:1], b[:1]) })
	for _, key := range order {
		v.arrange(groups[key], week)
	}
	now, previous := split(own, week)
	v.Headline = insight.Headline(now, previous)
	if len(now) > 0 && strings.Contains(now[0].Period, "..") && !allHidden(now) {
		v.Weeks = periodText(now[0].Period)
	}
	if len(now) > 0 && allHidden(now) {
		i := max(0, slices.IndexFunc(now, func(f insight.Figure) bool { return f.Hidden == "small-group" }))
		v.Why = rowOf(now[i], "")
	}
}

// arrange adds the figures of one picture.
func (v *insightView) arrange(fs []insight.Figure, week string) {
	whole := len(fs[0].Split) == 0
	var now []row
	if whole {
		now = rowsOf(fs, week, func(f insight.Figure) string { return measureText(f.Insight, f.Measure) })
	}
	p := draw(fs, week)
	shown := 0
	for _, r := range p.Rows {
		if r.Hidden == "" {
			shown++
		}
	}
	switch {
	case len(p.Rows) == 0:
	case shown == 0 && !whole:
		p.Rows[0].Label = p.Title
		v.Without = append(v.Without, p.Rows[0])
	case !whole && len(p.Rows) == 1: // one group is no comparison
		p.Rows[0].Label = measureText(fs[0].Insight, fs[0].Measure) + ", " + p.Rows[0].Label
		v.Without, v.Empty = append(v.Without, p.Rows[0]), false
	case shown > 1 || shown == 1 && !whole:
		p.ID = v.anchor + "-" + strconv.Itoa(len(v.Pictures)+1)
		v.Pictures = append(v.Pictures, p)
		v.Empty = false
	}
	for _, r := range now {
		v.Empty = v.Empty && r.Hidden != ""
	}
	if whole && (shown > 0 || !allHidden(fs)) {
		v.Now = append(v.Now, now...)
	}
}

func allHidden(fs []insight.Figure) bool {
	return !slices.ContainsFunc(fs, func(f insight.Figure) bool { return f.Value != nil })
}

// series names the picture a figure belongs to; its first letter orders them: trends first. Quantiles of one
// thing (p50, p90) share a picture.
func series(f insight.Figure) string {
	if f.Grain == "hour_of_week" && len(f.Split) > 0 {
		return "c" + f.Measure
	}
	if len(f.Split) > 0 {
		return "b" + f.Measure + "\x00" + strings.Join(splitDims(f), "\x00")
	}
	stem, _, _ := strings.Cut(f.Measure, "_p50")
	stem, _, _ = strings.Cut(stem, "_p90")
	return "a" + stem + "\x00" + f.Unit
}

func draw(fs []insight.Figure, week string) picture {
	f := fs[0]
	p := picture{Title: measureText(f.Insight, f.Measure), Unit: f.Unit}
	switch {
	case len(f.Split) == 0:
		p.Kind, p.Head = "trend", "Period"
		drawTrend(&p, fs, week)
	case f.Grain == "hour_of_week":
		p.Kind, p.Head = "heat", "Hours"
		drawGroups(&p, fs, week)
		slices.SortStableFunc(p.Rows, func(a, b row) int { return cmp.Compare(firstHour(a), firstHour(b)) })
		p.Desc = "Days down, hours across; darker is more. Each cell's number is in the table."
	default:
		p.Kind, p.Head = "bars", splitHead(f)
		p.Title += ", by " + strings.ToLower(strings.ReplaceAll(splitHead(f), " › ", ", "))
		drawGroups(&p, fs, week)
		if f.Unit != "calls" || !slices.Contains(splitDims(f), "node") { // a funnel keeps the order of the menu
			slices.SortStableFunc(p.Rows, func(a, b row) int {
				return cmp.Or(cmp.Compare(len(a.Hidden), len(b.Hidden)), cmp.Compare(b.value, a.value))
			})
		}
		p.Desc = "One mark a group, the line through it is its 95 % interval."
	}
	return p
}

func firstHour(r row) int {
	h, _, _ := strings.Cut(r.Hours, " ")
	n, _ := strconv.Atoi(h)
	return n
}

func drawTrend(p *picture, fs []insight.Figure, week string) {
	periods := map[string]bool{}
	for _, f := range fs {
		if first, _, _ := strings.Cut(f.Period, ".."); first <= week {
			periods[f.Period] = true
		}
	}
	var names []string
	for n := range periods {
		names = append(names, n)
	}
	slices.Sort(names)
	names = names[max(0, len(names)-trendWeeks):]
	seen := map[string]bool{}
	for _, n := range names {
		for _, f := range fs {
			if f.Period == n {
				r := rowOf(f, n)
				r.Series, r.Current = measureText(f.Insight, f.Measure), inPeriod(n, week)
				seen[f.Measure] = true
				p.Rows = append(p.Rows, r)
			}
		}
	}
	p.Desc = "One point a period, the band around it is the 95 % interval."
	if p.Several = len(seen) > 1; p.Several {
		p.Desc += " Solid line: half of the people. Dashed line: nine in ten."
		p.Title = strings.TrimPrefix(strings.Replace(p.Title, "Half", "How long until people", 1), "Nine in ten ")
		p.Title = strings.NewReplacer("are answered within", "are answered", "get a reply within", "get a reply").Replace(p.Title)
	}
	slices.Reverse(p.Rows) // newest first in the table
}

func drawGroups(p *picture, fs []insight.Figure, week string) {
	p.Rows = rowsOf(fs, week, splitText)
	for _, r := range p.Rows {
		p.Compare = p.Compare || r.Before != ""
	}
}

// rowsOf makes the rows of the week out of figures of one grain, each beside the period before.
func rowsOf(fs []insight.Figure, week string, label func(insight.Figure) string) (rows []row) {
	now, previous := split(fs, week)
	last := map[string]insight.Figure{}
	for _, f := range previous {
		last[f.Measure+"\x00"+splitKey(f)] = f
	}
	for _, f := range now {
		r := rowOf(f, label(f))
		if p, ok := last[f.Measure+"\x00"+splitKey(f)]; ok && p.Value != nil && !p.Vague() {
			r.Before = valueText(p)
			if i := intervalText(p); i != "" {
				r.Before += " (" + strings.ReplaceAll(i, " ", "\u00a0") + ")"
			}
		}
		rows = append(rows, r)
	}
	return rows
}
