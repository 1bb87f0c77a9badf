// Package insight turns released tables into figures and sentences. It is pure: no clock, no storage, no
// randomness; the same tables give the same figures, which every page, the API, the mail and the command
// line print through one encoder.
//
// Zone: open. It sees release.Table and nothing else of the crowd.
//
// The 95 % intervals say how far a figure may lie from the long-run value if the period were lived again. Where counts have
// noise for privacy (package release), the intervals are wider by it. What the package does not protect against: a reader
// who takes an association for a cause.
package insight

import (
	"math"
	"slices"
	"strconv"
	"time"

	"murmur/internal/crowd/release"
)

// Figure is one published number. Its JSON form is fixed (docs/format/figures.md).
type Figure struct {
	Workspace string              `json:"workspace"`
	Insight   string              `json:"insight"`
	Measure   string              `json:"measure"`
	Grain     string              `json:"grain"` // week, hour_of_week, block (four weeks)
	Period    string              `json:"period"`
	Split     map[string][]string `json:"split"`
	Value     *float64            `json:"value"` // null when hidden
	Low       *float64            `json:"low"`   // 95 % interval
	High      *float64            `json:"high"`
	Unit      string              `json:"unit"` // ratio, calls, answers, s, points
	Base      int64               `json:"base"` // denominator; 0 when hidden
	Contacts  string              `json:"contacts"`
	Verified  string              `json:"verified,omitempty"` // band of the contacts who are verified; empty: the same
	Tier      string              `json:"tier"`
	Noise     int64               `json:"noise"`  // scale of the noise on every count that the figure is made of; 0: exact
	Hidden    string              `json:"hidden"` // "", small-group, no-data
	// Reason says more about no-data: LaterQuestion, NotYet, FewWorkspaces, MaybeFew. Empty: there was nothing to count.
	Reason string `json:"reason,omitempty"`
	// Provisional is true while the period may still change.
	Provisional bool              `json:"provisional"`
	Definition  string            `json:"definition"`
	Settings    map[string]string `json:"settings,omitempty"`
	AsOf        time.Time         `json:"as_of"`
}

// Insight is one row of the catalogue.
type Insight struct {
	Slug     string
	Title    string // its display name
	Question string // in the owner's words
	Section  string // page: calls, messages, topics, flows, satisfaction, privacy
	Formula  string // the definition, in words
	Measures []Measure
	Caveat   string
	Needs    []release.Query // an insight may read a table that another one needs too
	// Blocks are those of Needs that are counted over four weeks as well, because one week has too few people to say much. The
	// same finish makes their figures, of the grain block, when the four weeks are over.
	Blocks []release.Query
	finish func([]answer) []Figure
	// since, when set, finishes instead: it sees the answers of up to four weeks before as well, oldest first.
	since func(now []answer, before [][]answer) []Figure
	story story
	rises bool // the headline itself says a clear change from before: it is compared with nothing else
}

// Measure is one number an insight publishes: its display name, its unit and how its interval is made.
type Measure struct{ Name, Title, Unit, Interval string }

// Of makes the figures of every period that sets tell of, which come oldest first. What a set has no table for, because the
// question is newer than it, says so.
func (in Insight) Of(sets []release.Set) (fs []Figure) {
	var before [][]answer
	for _, s := range sets {
		switch s.Period().Grain {
		case in.Needs[0].Grain:
			now, complete := answersOf(s, in.Needs)
			made := in.figures(now, before...)
			if !complete {
				made = append(made, in.Later(s.Tables()[0], made)...)
			}
			fs, before = append(fs, made...), append(before, now)
		case release.Block:
			if now, complete := answersOf(s, in.Blocks); complete {
				fs = append(fs, in.figures(now)...)
			}
		}
	}
	return fs
}

// answersOf gives the answers to queries, and whether the set has all.
func answersOf(s release.Set, queries []release.Query) (answers []answer, complete bool) {
	answers, complete = make([]answer, len(queries)), len(queries) > 0
	for i, q := range queries {
		if t := s.Table(q.Name); t.Valid() {
			answers[i] = answerOf(t)
		} else {
			complete = false
		}
	}
	return answers, complete
}

// Longer reports whether a figure is one of those over four weeks of an insight of weeks.
func (in Insight) Longer(f Figure) bool { return len(in.Blocks) > 0 && f.Grain == "block" }

// Queries are all that the insight asks.
func (in Insight) Queries() []release.Query { return slices.Concat(in.Needs, in.Blocks) }

// LaterQuestion is the reason of a figure whose question joined the catalogue after its period was counted: tables are
// only safe beside those that they were checked against, so that it is counted in later periods alone.
const LaterQuestion = "later-question"

// FewWorkspaces is the reason of a figure about many businesses while there are too few of them.
const FewWorkspaces = "few-workspaces"

// NotYet is the reason of a figure whose tables are made on some mornings, and were not yet.
const NotYet = "not-yet"

// MaybeFew is the reason of a figure with noise that has none left: there was nothing, or so few that the noise took them.
// Which of the two it was is not told, and changes from one publication to the next while few are there.
const MaybeFew = "maybe-few"

// Later makes the figures that a period lacks because tables of its set are missing: of each measure that made does not
// have, that there is none. like is any table of the set.
func (in Insight) Later(like release.Table, made []Figure) (fs []Figure) {
	a := answerOf(like)
	a.query = in.Needs[0]
	for _, m := range in.Measures {
		if slices.ContainsFunc(made, func(f Figure) bool { return f.Measure == m.Name }) {
			continue
		}
		f := a.blank(release.Group{Hidden: release.NoData}, m.Name, "")
		f.Reason = LaterQuestion
		if !in.Needs[0].Activity() {
			f.Reason = NotYet
		}
		fs = append(fs, f)
	}
	return in.named(fs)
}

// figures names what finish made. A breakdown that is empty or hidden altogether has no split and says the
// same as the whole before it: only the first of each key stands.
func (in Insight) figures(answers []answer, before ...[]answer) []Figure {
	var fs []Figure
	seen := map[string]bool{}
	for i := range answers {
		answers[i].groups = withoutEmpty(answers[i].groups)
	}
	finish := in.finish
	if in.since != nil {
		finish = func(now []answer) []Figure { return in.since(now, before) }
	}
	for _, f := range finish(answers) {
		if key := f.Measure + "\x00" + splitKey(f.Split); !seen[key] {
			seen[key] = true
			fs = append(fs, f)
		}
	}
	return in.named(fs)
}

// named fills in what all figures of an insight say.
func (in Insight) named(fs []Figure) []Figure {
	for i := range fs {
		fs[i].Insight = in.Slug
		fs[i].Definition = in.Slug + "/1"
		for _, m := range in.Measures {
			if m.Name == fs[i].Measure {
				fs[i].Unit = m.Unit
			}
		}
	}
	return fs
}

// withoutEmpty leaves out the members of a split that nobody belongs to. When nobody is anywhere no group is
// left, and the table is said to have no data as a whole.
func withoutEmpty(groups []release.Group) []release.Group {
	return slices.DeleteFunc(slices.Clone(groups), func(g release.Group) bool { return g.Hidden == release.NoData })
}

// answer is a released table laid open: all that finishing reads.
type answer struct {
	ok       bool
	query    release.Query
	settings release.Settings
	period   release.Period
	groups   []release.Group
	asOf     time.Time
	closed   bool
	variance func(release.Group) float64 // of the noise on each count of a group; nil: none
	// everywhere: counts of nothing have noise too
	everywhere bool
}

// noise is the variance of the noise on each count of a group.
func (a answer) noise(g release.Group) float64 {
	if a.variance == nil {
		return 0
	}
	return a.variance(g)
}

func answerOf(t release.Table) answer {
	return answer{
		ok: true, query: t.Query(), settings: t.Settings(), period: t.Period(), groups: t.Groups(), asOf: t.AsOf(), closed: t.Closed(),
		variance: t.NoiseVariance,
	}
}

// blank is a figure of a group without its numbers. dim renames the split's dimension when it is not empty.
func (a answer) blank(g release.Group, measure, dim string) Figure {
	f := Figure{
		Workspace: a.settings.Workspace.String(), Measure: measure, Grain: a.grain(), Period: a.period.Name,
		Split: splitOf(g, dim), Tier: "guarded", Noise: a.settings.Noise, Provisional: !a.closed, Settings: a.printed(), AsOf: a.moment(),
	}
	switch {
	case g.Hidden == release.SmallGroup:
		f.Hidden = "small-group"
	case g.Hidden == release.NoData:
		f.Hidden = "no-data"
		if a.settings.Noise > 0 {
			f.Reason = MaybeFew
		}
	}
	if f.Hidden == "" {
		f.Contacts = Band(g.Contacts)
		if v := Band(min(g.Verified, g.Contacts)); g.Verified > 0 && v != f.Contacts { // the noise of each is its own
			f.Verified = v
		}
	}
	return f
}

// put makes the figure of a group from an estimate over base rows; without base it is no data.
func (a answer) put(g release.Group, measure, dim string, base int64, e estimate) Figure {
	if g.Hidden == release.Shown && (base == 0 || math.IsNaN(e.low+e.value+e.high)) { // one that is no number would hide all others
		g.Hidden = release.NoData
	}
	f := a.blank(g, measure, dim)
	if f.Hidden != "" {
		return f
	}
	f.Value, f.Low, f.High, f.Base = round(e.value), round(e.low), round(e.high), base
	return f
}

// missing is what a table without groups shows: that there is nothing.
func (a answer) missing(measures ...string) (fs []Figure) {
	if !a.ok {
		return nil
	}
	for _, m := range measures {
		fs = append(fs, a.blank(release.Group{Hidden: release.NoData}, m, ""))
	}
	return fs
}

// none is a count of nothing where nothing is a number: 0.
func (a answer) none(measure string) Figure {
	f, e := a.blank(release.Group{}, measure, ""), garwood(0)
	f.Contacts = ""
	f.Value, f.Low, f.High = round(e.value), round(e.low), round(e.high)
	return f
}

func (a answer) grain() string {
	switch {
	case a.query.Split == release.ByHourOfWeek:
		return "hour_of_week"
	case a.query.Grain == release.Block:
		return "block"
	}
	return "week"
}

// printed gives the settings that can change this figure.
func (a answer) printed() map[string]string {
	s := a.settings
	zone := "UTC"
	if s.Zone != nil {
		zone = s.Zone.String()
	}
	min := s.MinGroup
	if a.query.Content {
		min = s.MinContent
	}
	return map[string]string{
		"open_hours": hoursText(s.OpenHours.Has), "short_abandon_seconds": strconv.FormatInt(s.ShortAbandonS, 10),
		"min_group": strconv.FormatInt(min, 10), "timezone": zone,
	}
}

// splitOf lists the members of a group by dimension, each name once, in the order of the public tree. A group
// without members has no split.
func splitOf(g release.Group, dim string) map[string][]string {
	split := map[string][]string{}
	for _, m := range g.Members {
		d := m.Dim
		if dim != "" {
			d = dim
		}
		if !slices.Contains(split[d], m.Name) {
			split[d] = append(split[d], m.Name)
		}
	}
	return split
}

// Band says roughly how many contacts stand behind a figure: 5-9, 10-19, 20-49, 50-99, 100-199, ..
func Band(contacts int64) string {
	low, high := BandOf(contacts)
	return strconv.FormatInt(low, 10) + "-" + strconv.FormatInt(high, 10)
}

// BandOf gives the lowest and the highest number of a band.
func BandOf(contacts int64) (low, high int64) {
	if contacts < 5 {
		return 0, 4
	}
	low = 5
	for i := 0; ; i++ {
		next := low * 2
		if i%3 == 2 { // 20 to 50, 200 to 500, ..
			next = low * 5 / 2
		}
		if contacts < next {
			return low, next - 1
		}
		low = next
	}
}

// round keeps six decimals: enough for every unit, and equal on every processor.
func round(v float64) *float64 {
	r := math.Round(v*1e6) / 1e6
	if r == 0 {
		r = 0 // no negative zero
	}
	return &r
}

// moment is what a figure speaks of: the end of its period, or, before that, when it was made. So equal rows of a
// past period give equal bytes whenever they are counted.
func (a answer) moment() time.Time {
	if a.period.End.Before(a.asOf) {
		return a.period.End.UTC()
	}
	return a.asOf.UTC()
}
