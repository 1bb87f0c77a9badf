package insight

import (
	"bytes"
	"slices"

	"murmur/internal/crowd/release"
)

// Reads says of each table of the catalogue which of its counts a reader of the figures learns anything about: those on
// which a figure depends.
func Reads() map[string]release.Read {
	all := map[string]release.Read{}
	for _, in := range All() {
		for _, queries := range [][]release.Query{in.Needs, in.Blocks} {
			for n, q := range queries {
				all[q.Name] = in.reads(queries, n, all[q.Name])
			}
		}
	}
	return all
}

// reads adds to r which counts of the n-th table the insight reads.
func (in Insight) reads(queries []release.Query, n int, r release.Read) release.Read {
	base := in.read(queries, n, func(*release.Group) {})
	if !bytes.Equal(base, in.read(queries, n, func(g *release.Group) { g.All += 7 })) {
		r.Rows = true
	}
	bins := max(1, len(queries[n].Value.Bins))
	for bin := range bins {
		more := in.read(queries, n, func(g *release.Group) { g.Bins[bin] += 7 })
		if !bytes.Equal(base, more) && !slices.Contains(r.Bins, bin) {
			r.Bins = append(r.Bins, bin)
		}
	}
	if !r.Rows && len(r.Bins) == 0 { // the invented table is none that a figure is made of: whatever there is may be read
		r.Rows = true
		for bin := range bins {
			r.Bins = append(r.Bins, bin)
		}
	}
	return r
}

// read makes the figures of invented tables, of which one group of the n-th was changed.
func (in Insight) read(queries []release.Query, n int, change func(*release.Group)) []byte {
	answers := make([]answer, len(queries))
	for i, q := range queries {
		g := release.Group{Contacts: 60, Step: 1, Members: members[q.Split]}
		for bin := range max(1, len(q.Value.Bins)) {
			g.Bins = append(g.Bins, int64(40+bin%3))
			g.All += g.Bins[bin]
		}
		answers[i] = answer{ok: true, query: q, groups: []release.Group{g}, settings: release.Settings{OpenHours: release.Hours{1 << 12}}}
	}
	change(&answers[n].groups[0])
	var b bytes.Buffer
	if err := Encode(&b, in.figures(answers)); err != nil {
		panic(err) // of numbers and names that were made here
	}
	return b.Bytes()
}

// members of an invented group. A group of closed hours, and a menu that was left without a choice, are those that figures
// are made of.
var members = map[release.Split][]release.Member{
	release.ByNumber: {{Dim: "number", Name: "a"}}, release.ByReason: {{Dim: "reason", Name: "a"}},
	release.ByTopic: {{Dim: "topic", Name: "a"}}, release.ByHourOfWeek: {{Dim: "hour_of_week", Name: "0"}},
	release.ByMenu:   {{Dim: "flow", Name: "a"}, {Dim: "node", Name: "a"}, {Dim: "choice", Name: "none"}},
	release.BySurvey: {{Dim: "survey", Name: "a"}, {Dim: "medium", Name: "a"}},
	release.ByKind:   {{Dim: "medium", Name: "call"}}, release.ByReply: {{Dim: "reply", Name: "a"}},
	release.ByTurn: {{Dim: "from", Name: "call"}, {Dim: "to", Name: "text"}}, release.ByDelay: {{Dim: "after", Name: "a"}},
}
