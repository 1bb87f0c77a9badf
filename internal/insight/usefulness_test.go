package insight

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"murmur/internal/crowd/release"
)

// The usefulness of suggestions: synthetic shops with one planted problem each, four weeks, noise of scale 2 on every count and
// the minimum groups in force. Shops are simulated as tables (what a release would give), not as rows: the engine and the
// merging along trees have tests of their own, and 7,800 shops of rows would take hours. Every contact has one row.

// shop is what a business is like; the planted problem changes one number.
type shop struct {
	rng      *rand.Rand
	contacts float64 // a month

	missed, lunch, second          float64 // missed rates: at most hours, from 12 to 14, on the second line
	notReturned, noChoice, closed  float64
	again, escaped, gaveUp         float64 // after an automatic reply; AI calls that come back; missed in the menu
	reply, dead                    float64 // repeats of one reply, passes of a dead rule: a contact
	ring                           float64 // seconds at which missed calls end
	detractors, passives, promoter float64
}

func healthy(rng *rand.Rand, contacts float64) shop {
	return shop{
		rng: rng, contacts: contacts, missed: 0.15, lunch: 0.15, second: 0.15, notReturned: 0.15, noChoice: 0.07, closed: 0.08, again: 0.06,
		escaped: 0.12, gaveUp: 0.08, ring: 16, detractors: 0.15, passives: 0.3, promoter: 0.55,
	}
}

// planted are the problems: what is wrong, the advice that is right, its measure, the rate and what acting brings it to.
var planted = []struct {
	slug, measure string
	plant         func(*shop)
	rate, target  float64
	count         func(shop) float64 // cases in four weeks
}{
	{"cover-hours", "busy-hours answer_rate", func(s *shop) { s.lunch = 0.65 }, 0.65, 0.15, func(s shop) float64 { return s.calls() * 0.92 * 2 / 8 }},
	{"cover-number", "missed-call-rate rate", func(s *shop) { s.second = 0.6 }, 0.6, 0.28, func(s shop) float64 { return s.calls() * 0.92 * 0.3 }},
	{"return-missed-calls", "missed-not-returned rate", func(s *shop) { s.notReturned = 0.75 }, 0.75, 0.25, func(s shop) float64 { return s.calls() * 0.92 * 0.15 }},
	{"shorten-menu", "menu-trouble no_choice", func(s *shop) { s.noChoice = 0.4 }, 0.4, 0.1, func(s shop) float64 { return s.calls() * 0.92 * 0.7 }},
	{"answer-after-hours", "after-hours-demand share", func(s *shop) { s.closed = 0.4 }, 0.4, 0, func(s shop) float64 { return s.calls() }},
	{"say-more", "auto-reply-effect again_with", func(s *shop) { s.again = 0.5 }, 0.5, 0.1, func(s shop) float64 { return s.contacts * 0.25 }},
	{"hand-over", "ai-containment contained", func(s *shop) { s.escaped = 0.6 }, 0.6, 0.2, func(s shop) float64 { return s.calls() * 0.3 }},
	{"save-reply", "repeated-replies replies", func(s *shop) { s.reply = 0.3 }, 0, 0, nil},
	{"remove-rule", "dead-rules applied", func(s *shop) { s.dead = 0.8 }, 0, 0, nil},
	{"shorten-ring", "ring-timeout wait_p50_s", func(s *shop) { s.ring = 45 }, 0, 0, nil},
	{"shorten-greeting", "missed-call-reasons share", func(s *shop) { s.gaveUp = 0.6 }, 0.6, 0.1, func(s shop) float64 { return s.calls() * 0.92 * 0.15 }},
	{"ask-the-unhappy", "satisfaction nps", func(s *shop) { s.detractors, s.passives, s.promoter = 0.6, 0.25, 0.15 }, 0, 0, nil},
}

func (s shop) calls() float64 { return s.contacts * 0.85 }

func (s shop) poisson(mean float64) (n int64) {
	for at := s.rng.ExpFloat64(); at < mean; at += s.rng.ExpFloat64() {
		n++
	}
	return n
}

func (s shop) of(n int64, p float64) (k int64) {
	for range n {
		if s.rng.Float64() < p {
			k++
		}
	}
	return k
}

// sums adds up the groups of weeks: those of the tables that are counted over four weeks as well.
type sums map[string][]release.Group

func (m sums) add(q release.Query, groups []release.Group) {
	for g, of := range groups {
		if len(m[q.Name]) <= g {
			m[q.Name] = append(m[q.Name], group(0, make([]int64, len(of.Bins)), of.Members...))
		}
		for bin, n := range of.Bins {
			m[q.Name][g].Bins[bin] += n
		}
	}
}

// table lays counts out as a release with noise does: one that too few contacts are behind is hidden.
func (s shop) table(q release.Query, week int, groups ...release.Group) answer {
	a := answered(q)
	a.settings.Noise = 2
	a.variance = func(release.Group) float64 { return laplace }
	if q.Grain == release.Week {
		a.period.Start = a.period.Start.AddDate(0, 0, 7*week)
		a.period.End, a.period.Name = a.period.Start.AddDate(0, 0, 7), fmt.Sprintf("2026-W%02d", 45+week)
		a.asOf = a.period.End.Add(48 * time.Hour)
	} else {
		a.asOf = a.period.End.Add(48 * time.Hour)
	}
	k := a.settings.MinGroup
	if q.Content {
		k = a.settings.MinContent
	}
	for _, g := range groups {
		n := noised(s.rng, g.Bins)
		n.Members, n.Contacts = g.Members, max(0, sum(g.Bins)+drawn(s.rng))
		if n.Contacts < k {
			n = release.Group{Members: g.Members, Hidden: release.SmallGroup}
		}
		a.groups = append(a.groups, n)
	}
	return a
}

// figures are those of four weeks and their block, as others see them.
func (s shop) figures() (fs []Figure) {
	add := func(slug string, answers ...answer) {
		in, _ := Find(slug)
		for len(answers) < len(in.Needs) {
			answers = append(answers, answer{})
		}
		fs = append(fs, in.figures(answers)...)
	}
	q := func(slug string) []release.Query { in, _ := Find(slug); return in.Needs }
	month := sums{}
	week := func(slug string, w int, tables ...[]release.Group) {
		var answers []answer
		for i, groups := range tables {
			month.add(blocks(q(slug)[i])[0], groups)
			answers = append(answers, s.table(q(slug)[i], w, groups...))
		}
		add(slug, answers...)
	}
	yes := func(n int64, p float64) []int64 { k := s.of(n, p); return []int64{n - k, k} }
	for w := range 4 {
		calls := s.poisson(s.calls() * 0.92 / 4)
		second := s.of(calls, 0.3)
		first := yes(calls-second, (s.missed*6+s.lunch*2)/8)
		other := yes(second, max(s.second, s.lunch*2/8+s.missed*6/8))
		missed := first[1] + other[1]
		week("missed-call-rate", w, []release.Group{{Bins: []int64{first[0] + other[0], missed}}},
			[]release.Group{group(0, first, number(1, "Front desk")), group(0, other, number(2, "Service"))})
		gone := s.of(missed, s.gaveUp)
		week("missed-call-reasons", w, []release.Group{group(0, []int64{gone}, missedFor("abandoned_in_menu")), group(0, []int64{missed - gone}, missedFor("members_did_not_answer"))})
		week("missed-not-returned", w, []release.Group{{Bins: reversed(yes(missed, s.notReturned))}})
		passes := s.of(calls, 0.7)
		none := s.of(passes, s.noChoice)
		add("menu-trouble", s.table(q("menu-trouble")[0], w, group(0, []int64{none}, menu("Main", "Welcome", "none", 2)...), group(0, []int64{passes - none}, menu("Main", "Welcome", "1", 1)...)))
		rule := []int64{s.of(passes, 0.8), 0, 0, 0, 0, 0}
		rule[1] = passes - rule[0]
		dead := []int64{0, s.poisson(s.dead * s.contacts / 4), 0, 0, 0, 0}
		add("dead-rules", s.table(q("dead-rules")[0], w, group(0, rule, menu("Main", "Hours", "none", 3)...), group(0, dead, menu("Main", "Holidays", "none", 4)...)))
		waits, answers := make([]int64, len(Seconds())), make([]int64, len(Seconds()))
		for range missed {
			waits[secondsBin(s.ring*(0.8+0.4*s.rng.Float64()))]++
		}
		for range calls - missed {
			answers[secondsBin(3+s.rng.ExpFloat64()*4)]++
		}
		add("ring-timeout", s.table(q("ring-timeout")[0], w, release.Group{Bins: waits}))
		add("time-to-respond", s.table(q("time-to-respond")[0], w, release.Group{Bins: answers}))
		scores := make([]int64, 11)
		for range s.poisson(s.contacts * 0.3 / 4) {
			switch u := s.rng.Float64(); {
			case u < s.detractors:
				scores[s.rng.IntN(7)]++
			case u < s.detractors+s.passives:
				scores[7+s.rng.IntN(2)]++
			default:
				scores[9+s.rng.IntN(2)]++
			}
		}
		add("satisfaction", s.table(q("satisfaction")[0], w, release.Group{Bins: scores}))
	}
	for _, in := range All() {
		var answers []answer
		for _, query := range in.Blocks {
			answers = append(answers, s.table(query, 0, month[query.Name]...))
		}
		if answers != nil {
			fs = append(fs, in.figures(answers)...)
		}
	}
	add("busy-hours", s.table(q("busy-hours")[0], 0, s.hours()...))
	calls := s.poisson(s.calls())
	out := s.of(calls, s.closed)
	add("after-hours-demand", s.table(q("after-hours-demand")[0], 0, group(0, []int64{calls - out}, hour(10)), group(0, []int64{out}, hour(20))))
	auto := s.poisson(s.contacts * 0.25)
	add("auto-reply-effect", s.table(q("auto-reply-effect")[0], 0, group(0, yes(auto, s.again), autoReply("yes", "text_closed")...), group(0, yes(auto, 0.15), autoReply("no", "text_open")...)))
	add("ai-containment", s.table(q("ai-containment")[0], 0, release.Group{Bins: reversed(yes(s.poisson(s.calls()*0.3), s.escaped))}))
	add("repeated-replies", s.table(q("repeated-replies")[0], 0,
		group(0, []int64{0, 0, s.poisson(s.contacts * s.reply)}, release.Member{Dim: "reply", Key: 1, Name: "We are open from 9 to 5"}),
		group(0, []int64{s.poisson(s.contacts * 0.3)}, release.Member{Dim: "reply", Name: "other"})))
	return fs
}

// hours are the calls of the open hours, weekdays together, merged to two and four hours where they are too few.
func (s shop) hours() (groups []release.Group) {
	for from := 8; from < 17; {
		width := 1
		for _, w := range []int{4, 2} {
			if s.calls()*0.92/8*float64(w) < 8*float64(w)/2 && from%w == 0 {
				width = max(width, w)
			}
		}
		var members []release.Member
		bins := []int64{0, 0}
		for h := from; h < from+width; h++ {
			if h < 9 || h >= 17 {
				continue
			}
			p := s.missed
			if h == 12 || h == 13 {
				p = s.lunch
			}
			n := s.poisson(s.calls() * 0.92 / 8)
			k := s.of(n, p)
			bins[0], bins[1] = bins[0]+n-k, bins[1]+k
			for day := range int64(5) {
				members = append(members, hour(day*24+int64(h)))
			}
		}
		if len(members) > 0 {
			groups = append(groups, group(0, bins, members...))
		}
		from += width
	}
	return groups
}

func reversed(b []int64) []int64 { return []int64{b[1], b[0]} }

func secondsBin(v float64) int {
	i, found := slices.BinarySearch(Seconds(), int64(v))
	if !found {
		i--
	}
	return max(i, 0)
}

// TestUsefulness prints how often the right suggestion is on top, how often the 80 % intervals hold, and for how many of the
// insights the interval is narrower than the problem. MURMUR_SHOPS sets the number of shops of each kind: make eval-usefulness
// runs 200. Seeds 1000 and up were never looked at while rules and this model were made; the goals are held to these.
func TestUsefulness(t *testing.T) {
	shops, tuning := 12, 1000
	if os.Getenv("MURMUR_TUNING") != "" {
		tuning = 1
	}
	if n, err := strconv.Atoi(os.Getenv("MURMUR_SHOPS")); err == nil {
		shops = n
	}
	for _, contacts := range []float64{60, 200, 1000} {
		var right, all, held, foretold, narrow int
		t.Logf("%.0f contacts a month, %d shops a problem, noise 2", contacts, shops)
		for _, p := range planted {
			var top, any, inside, said, sharp int
			for i := range shops {
				s := healthy(rand.New(rand.NewPCG(uint64(tuning+i), uint64(contacts))), contacts)
				p.plant(&s)
				fs := s.figures()
				advice := Suggestions(fs)
				at := slices.IndexFunc(advice, func(x Suggestion) bool { return x.Slug == p.slug })
				if at == 0 {
					top++
				}
				if at >= 0 {
					any++
				}
				if at >= 0 && p.count != nil { // what the next four weeks bring
					said++
					n := s.poisson(p.count(s))
					worth := float64(s.of(n, p.rate)) - float64(n)*p.target
					if e := advice[at].Expect; e.Low <= worth && worth <= e.High {
						inside++
					}
				}
				if at >= 0 && !slices.ContainsFunc(advice[at].Evidence, func(f Figure) bool { return f.Value == nil }) {
					sharp++
				}
			}
			right, all, held, foretold = right+top, all+shops, held+inside, foretold+said
			if 2*sharp > shops {
				narrow++
			}
			t.Logf("  %-20s on top %3.0f %%, given %3.0f %%, 80 %% interval holds %s", p.slug, percent(top, shops), percent(any, shops),
				map[bool]string{true: fmt.Sprintf("%3.0f %%", percent(inside, said)), false: "-"}[said > 0])
		}
		t.Logf("  right suggestion on top: %.0f %% (goal at 200: 80 %%); 80 %% intervals hold: %.0f %% of %d (goal 80 %%); problems that most shops are told of: %d of %d (goal at 200: 8)",
			percent(right, all), percent(held, foretold), foretold, narrow, len(planted))
		falseAlarms := 0
		for i := range shops {
			if len(Suggestions(healthy(rand.New(rand.NewPCG(uint64(5*tuning+i), uint64(contacts))), contacts).figures())) > 0 {
				falseAlarms++
			}
		}
		t.Logf("  healthy shops with any suggestion: %.0f %%", percent(falseAlarms, shops))
		least := map[float64]float64{60: 10, 200: 60, 1000: 95}[contacts] // of right suggestions: under what was measured, over chance
		if percent(right, all) < least || percent(held, foretold) < 75 || percent(falseAlarms, shops) > 30 {
			t.Errorf("at %.0f contacts suggestions are worse than they were", contacts)
		}
	}
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }
