package server

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/insight"
	"murmur/internal/rpc"
	"murmur/internal/synth"
	"murmur/internal/workspace"
)

// TestLettersAreTrue reads the letters of synthetic shops as their readers do and holds every statement against what the
// generator lived: of which week it is, its number, what it is compared with, and the direction of a change. An exact number must
// be that of the generator. A number with noise says that the true one lies inside its range in 95 of 100, and that is what is
// held of it. MURMUR_SHOPS sets the number of shops: make eval-digest reads those of 200.
//
// Not held against it, because it lives no truth of them, are tone and who talks; such statements are counted by themselves.
func TestLettersAreTrue(t *testing.T) {
	t.Parallel()
	shops := 2
	if n, err := strconv.Atoi(os.Getenv("MURMUR_SHOPS")); err == nil {
		shops = n
	}
	var all verdicts
	for seed := range shops {
		all.add(letterOfShop(t, uint64(seed)))
	}
	t.Logf("%d shops: of %d statements %d are true (%.1f %%); of %d ranges of numbers with noise %d hold (%.1f %%); %d statements of what the generator does not know: %v",
		shops, all.yes+len(all.no), all.yes, percentOf(all.yes, all.yes+len(all.no)), all.ranges, all.held, percentOf(all.held, all.ranges), all.open, all.kinds)
	for _, n := range all.no {
		t.Error(n)
	}
	for _, m := range all.missed {
		t.Log("outside its range: " + m)
	}
	// Of n ranges that hold in 95 of 100, four standard deviations fewer are chance once in 30,000.
	n := float64(all.ranges)
	if float64(all.held) < 0.95*n-4*math.Sqrt(0.95*0.05*n) {
		t.Errorf("%d of %d ranges hold", all.held, all.ranges)
	}
	if all.yes < 10*shops || all.ranges < 10*shops || all.open > (all.yes+all.ranges)/3 {
		t.Errorf("too few statements could be held against the generator")
	}
}

func percentOf(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

type verdicts struct {
	yes, open    int
	no           []string
	ranges, held int // of numbers with noise
	missed       []string
	kinds        map[string]int // of open ones
}

func (v *verdicts) add(o verdicts) {
	v.yes, v.open, v.no = v.yes+o.yes, v.open+o.open, append(v.no, o.no...)
	v.ranges, v.held, v.missed = v.ranges+o.ranges, v.held+o.held, append(v.missed, o.missed...)
	if v.kinds == nil {
		v.kinds = map[string]int{}
	}
	for k, n := range o.kinds {
		v.kinds[k] += n
	}
}

// letterOfShop lives seven weeks of a shop, writes both letters of the last one, and of the one before, and reads them.
func letterOfShop(t *testing.T, seed uint64) (all verdicts) {
	t.Helper()
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) // the Monday of W02; W05 to W08 are a block
	end := start.AddDate(0, 0, 7*7)
	n, days := openShop(t, synth.Config{Seed: seed, Start: start, Contacts: 200 + 100*int(seed%3), Healthy: seed%2 == 1}, func() time.Time { return end.Add(8 * time.Hour) })
	defer func() { _ = n.Close() }()
	truth := lived(days)
	for _, weeks := range []int{7, 6} {
		for _, role := range []workspace.Role{workspace.Owner, workspace.Viewer} {
			text := letterText(t.Context(), t, n, start.AddDate(0, 0, 7*(weeks-1)), role)
			r := reader{life: truth, exact: role == workspace.Owner, shop: fmt.Sprintf("shop %d, %s", seed, role)}
			r.read(text, start.AddDate(0, 0, 7*(weeks-1)))
			all.add(r.verdicts)
		}
	}
	return all
}

// openShop opens a node that has seven weeks of a shop, counted.
func openShop(t testing.TB, c synth.Config, now func() time.Time) (*Node, []synth.Day) {
	t.Helper()
	business, days := synth.Days(c, 7*7)
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(context.Background())
	if _, err := n.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "transcripts", Value: "notice"}, {Key: "open-hours", Value: "mon-fri 09:00-17:00"}}, "a test", "a test"); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	for _, d := range days {
		if err := business.Native(&lines, d); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := importAs(t.Context(), n, rpc.ImportArgs{Kind: "native"}, &lines); err != nil {
		t.Fatal(err)
	}
	if err := n.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n, days
}

func letterText(ctx context.Context, t *testing.T, n *Node, monday time.Time, role workspace.Role) string {
	t.Helper()
	l, err := n.letter(ctx, workspace.Default, monday, role, "")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(l.Text, "The week of "+monday.Format("2 January")[:1]) {
		t.Errorf("a letter of another week: %.60s", l.Text)
	}
	return l.Text
}

// reader reads one letter.
type reader struct {
	*life
	verdicts
	exact bool // counts of activity are
	shop  string
}

// read goes through the sections of a letter.
func (r *reader) read(text string, monday time.Time) {
	week := within{monday, monday.AddDate(0, 0, 7)}
	block := within{monday.AddDate(0, 0, -21), week.to}
	now, before := week, within{monday.AddDate(0, 0, -7), monday}
	for _, section := range strings.Split(text, "\n\n  - ") {
		for _, bullet := range strings.Split(section, "\n  - ") {
			r.sentence(strings.Join(strings.Fields(strings.SplitN(bullet, "\n\n", 2)[0]), " "), now, before)
		}
		switch last := section[strings.LastIndex(section, "\n")+1:]; {
		case strings.HasPrefix(last, "The four weeks of "):
			now, before = block, within{block.from.AddDate(0, 0, -28), block.from}
			r.judge("title", strings.HasPrefix(last, "The four weeks of "+now.from.Format("2 January")), last)
		case strings.HasPrefix(last, "What you could do"):
			now, before = block, within{}
		}
	}
}

func (r *reader) judge(kind string, ok bool, said string) {
	if ok {
		r.yes++
		return
	}
	r.no = append(r.no, r.shop+": "+kind+": "+said)
}

const (
	amount = `-?\d+(?:\.\d+)?(?: %| seconds?| minutes?| hours?| days?)?`
	ranged = `(?P<value>` + amount + `) \((?P<low>` + amount + `) to (?P<high>` + amount + `)\)`
)

// number is a printed value with its range.
type number struct{ value, low, high string }

func parts(pattern *regexp.Regexp, m []string) (n number, group string) {
	named := map[string]string{}
	for i, name := range pattern.SubexpNames() {
		named[name] = m[i]
	}
	return number{named["value"], named["low"], named["high"]}, named["group"]
}

// claim is a kind of statement: how it reads, and what is true of it. The truth may depend on the group that is named.
type claim struct {
	pattern *regexp.Regexp
	least   bool // it says "at least"
	words   bool // derived from words or surveys: the owner's number has noise too
	truth   func(r *reader, w within, group string) (value float64, known bool)
}

var claims = map[string]claim{
	"missed-call-rate":    stated(`Of all calls in open hours, X were missed`, func(r *reader, w within) (float64, bool) { return r.missedRate(w, "") }),
	"missed-not-returned": stated(`Of all missed calls, X were not returned within a day`, func(r *reader, w within) (float64, bool) { return r.notReturned(w) }),
	"voicemail-outcome":   stated(`Of all missed callers, X left a message`, func(r *reader, w within) (float64, bool) { return r.leftMessage(w) }),
	"ring-timeout":        stated(`Nine in ten missed calls end within X`, func(r *reader, w within) (float64, bool) { return r.missedRing(w) }),
	"time-to-respond":     stated(`Half of the texts that we answer wait less than X`, func(r *reader, w within) (float64, bool) { return r.replyTime(w) }),
	"repeat-contact": stated(`Of all times that people got in touch, X were within a week of the time before`,
		func(r *reader, w within) (float64, bool) { return r.again(w, 7*24*time.Hour) }),
	"after-hours-demand": stated(`Of all calls, at least X come while we are closed`, func(r *reader, w within) (float64, bool) { return r.whileClosed(w) }),
	"ai-containment": stated(`After X of the calls that the AI agent took, the caller did not come back within a day`,
		func(r *reader, w within) (float64, bool) { return r.contained(w) }),
	"menu-trouble": stated(`Of the callers in the menu .+?, X make no choice`,
		func(r *reader, w within) (float64, bool) { v, _, ok := r.noChoice(w); return v, ok }),
	"menu-funnel": stated(`In .+, callers gave up X times without a choice`,
		func(r *reader, w within) (float64, bool) { _, v, ok := r.noChoice(w); return v, ok }),
	"missed-call-reasons": grouped(`Of all missed calls, X were missed for the reason “(?P<group>[^”]+)”`, false, func(r *reader, w within) map[string]float64 { return r.missReasons(w) }),
	"medium-switch":       grouped(`Of all times that people came back within a day, X were (?P<group>.+?)(?:[.]$|, up from|, down from|, no clear)`, false, func(r *reader, w within) map[string]float64 { return r.ways(w) }),
	"contact-reasons":     grouped(`Of all texts and calls that were read, X were about “(?P<group>[^”]+)”`, true, func(r *reader, w within) map[string]float64 { return r.topics(w) }),
	"callback-speed": {pattern: says(`Of those whom we called back within (?P<group>an hour|a day|\d+ (?:minutes|hours)), we reached X`), truth: func(r *reader, w within, group string) (float64, bool) {
		within := map[string]time.Duration{"5 minutes": 5 * time.Minute, "15 minutes": 15 * time.Minute, "an hour": time.Hour, "4 hours": 4 * time.Hour, "a day": 24 * time.Hour}
		return r.calledBack(w, within[group])
	}},
	"busy-hours": {pattern: says(`One of the busiest times is (?P<group>.+?), with X calls in four weeks`), truth: func(r *reader, w within, group string) (float64, bool) {
		n, _ := r.inHours(w, hoursSaid(group))
		return n, true
	}},
	"dead-rules": {pattern: says(`The step (?P<group>.+?) applied to X of its calls`), truth: func(r *reader, w within, group string) (float64, bool) {
		flow, node, _ := strings.Cut(strings.Trim(group, "“”"), " › ")
		return r.applied(w, flow, node)
	}},
	"satisfaction":      worded(`The net promoter score is X`, func(r *reader, w within) (float64, bool) { return r.nps(w) }),
	"recording-consent": worded(`Content processed against a refusal: X, and it must stay at 0`, func(*reader, within) (float64, bool) { return 0, true }),
	"rising-topics": {pattern: says(`People ask about (?P<group>[^:]+) more often than in the four weeks before: X points more`), words: true, truth: func(r *reader, w within, group string) (float64, bool) {
		was := within{w.from.AddDate(0, 0, -28), w.from}
		now, before := 0.0, 0.0
		for _, k := range topicsSaid(group) {
			now, before = now+r.topics(w)[k], before+r.topics(was)[k]
		}
		return 100 * (now - before), len(topicsSaid(group)) > 0
	}},
	"advice: return": stated(`Of missed calls X were not returned within 24 hours`, func(r *reader, w within) (float64, bool) { return r.notReturned(w) }),
	"advice: menu":   stated(`Of its callers X make no choice`, func(r *reader, w within) (float64, bool) { v, _, ok := r.noChoice(w); return v, ok }),
	"advice: closed": stated(`Of all calls at least X come while you are closed`, func(r *reader, w within) (float64, bool) { return r.whileClosed(w) }),
	"advice: number": {pattern: says(`Of the calls to “(?P<group>\w+)” X were missed`), truth: func(r *reader, w within, group string) (float64, bool) { return r.missedRate(w, group) }},
	"advice: hours": {pattern: says(`Between (?P<group>\d\d:00 and \d\d:00), X of calls are missed`), truth: func(r *reader, w within, group string) (float64, bool) {
		var from, to int
		_, _ = fmt.Sscanf(group, "%d:00 and %d:00", &from, &to)
		n, k := r.inHours(w, func(at time.Time) bool { return openAt(at) && at.Hour() >= from && at.Hour() < to })
		return k / max(n, 1), n > 0
	}},
}

// says compiles a statement; X stands for a number with its range.
func says(s string) *regexp.Regexp { return regexp.MustCompile(strings.Replace(s, "X", ranged, 1)) }

func stated(s string, truth func(*reader, within) (float64, bool)) claim {
	return claim{pattern: says(s), least: strings.Contains(s, "at least"), truth: func(r *reader, w within, _ string) (float64, bool) { return truth(r, w) }}
}

func worded(s string, truth func(*reader, within) (float64, bool)) claim {
	c := stated(s, truth)
	c.words = true
	return c
}

// grouped is a statement about the share of one group.
func grouped(s string, words bool, shares func(*reader, within) map[string]float64) claim {
	return claim{pattern: says(s), words: words, truth: func(r *reader, w within, group string) (sum float64, known bool) {
		for _, k := range membersSaid(group) {
			v, ok := shares(r, w)[k]
			sum, known = sum+v, known || ok
		}
		return sum, known
	}}
}

var unknowable = regexp.MustCompile(`people sound|speaks less than|A reply that we type|Save |automatic reply|give a lower score|Half of the calls that we answer|mean satisfaction|Let it ring|hand over sooner|Let more people answer .* or other lines`)

// sentence judges one statement.
func (r *reader) sentence(s string, now, before within) {
	if !strings.Contains(s, " to ") || !strings.Contains(s, "(") || strings.HasPrefix(s, "The week of") && !strings.Contains(s, "%") {
		return
	}
	for name, c := range claims {
		m := c.pattern.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		n, group := parts(c.pattern, m)
		in, _ := insight.Find(name)
		longer := len(in.Blocks) > 0 && now.to.Sub(now.from) > 8*24*time.Hour // what weeks count is shown over four with noise alone
		exact := r.exact && !c.words && !longer && !strings.HasPrefix(name, "advice")
		truth, known := c.truth(r, now, group)
		if !known {
			r.open++
			r.verdicts.add(verdicts{kinds: map[string]int{name + " (" + group + ")": 1}})
			return
		}
		r.number(name, n, truth, exact, c.least, fmt.Sprintf("%s (truly %.3f)", s, truth))
		r.comparison(name, c, s, group, exact, truth, before)
		return
	}
	if unknowable.MatchString(s) {
		r.open++
		r.verdicts.add(verdicts{kinds: map[string]int{unknowable.FindString(s): 1}})
		return
	}
	r.no = append(r.no, r.shop+": nobody checks: "+s)
}

var compared = regexp.MustCompile(`, (?P<group>up|down|no clear change) from ` + ranged + ` the (?:week|four weeks) before`)

func (r *reader) comparison(name string, c claim, s, group string, exact bool, truth float64, before within) {
	m := compared.FindStringSubmatch(s)
	if m == nil {
		return
	}
	was, known := c.truth(r, before, group)
	if !known {
		r.judge(name+", before", false, s+" (there was nothing)")
		return
	}
	n, direction := parts(compared, m)
	r.number(name+", before", n, was, exact, c.least, fmt.Sprintf("%s (before truly %.3f)", s, was))
	if direction != "no clear change" {
		r.judge(name+", direction", (direction == "up") == (truth > was), fmt.Sprintf("%s (truly %.3f after %.3f)", s, truth, was))
	}
}

// number judges an exact number as a statement, and one with noise as a range.
func (r *reader) number(name string, n number, truth float64, exact, least bool, said string) {
	switch held := n.holds(truth, exact, least); {
	case exact:
		r.judge(name, held, said)
	case held:
		r.ranges, r.held = r.ranges+1, r.held+1
	default:
		r.ranges++
		r.missed = append(r.missed, r.shop+": "+name+": "+said)
	}
}

// holds reports whether a number with its range, as it was printed, is true. Times come from a histogram whose edges are 10 %
// apart. What is said to be at least something may be more.
func (n number) holds(truth float64, exact, least bool) bool {
	value, unit := printedNumber(n.value)
	low, lowUnit := printedNumber(n.low)
	high, highUnit := printedNumber(n.high)
	inside := low-0.501*lowUnit <= truth && truth <= high+0.501*highUnit
	switch slack := 0.501 * unit; {
	case !exact:
		return inside
	case least:
		return value-slack <= truth && inside
	case strings.ContainsAny(n.value, "smhd"):
		return math.Abs(value-truth) <= slack+0.11*truth
	default:
		return math.Abs(value-truth) <= slack
	}
}

// printedNumber reads "26 %" as 0.26, with the unit of its last digit.
func printedNumber(s string) (value, unit float64) {
	number, word, _ := strings.Cut(s, " ")
	value, _ = strconv.ParseFloat(number, 64)
	unit = 1
	if _, decimals, ok := strings.Cut(number, "."); ok {
		unit = math.Pow(10, -float64(len(decimals)))
	}
	for prefix, scale := range map[string]float64{"%": 0.01, "second": 1, "minute": 60, "hour": 3600, "day": 86400} {
		if word != "" && strings.HasPrefix(word, prefix) {
			return value * scale, unit * scale
		}
	}
	return value, unit
}

// saidAs are the members of groups as letters name them.
var saidAs = map[string]string{
	"outside open hours": "out_of_hours", "nobody picked up": "members_did_not_answer", "gave up in the menu": "abandoned_in_menu",
	"gave up waiting": "abandoned", "nobody was free": "no_member_available",
	"bookings": "booking", "changes and cancellations": "reschedule", "opening hours and the way": "hours", "new enquiries": "enquiry", "prices": "price",
	"where an order is": "status", "bills and payments": "billing", "complaints": "complaint", "something does not work": "help",
	"asking for a call back": "callback", "thanks": "thanks", "spam and wrong numbers": "spam",
}

func membersSaid(group string) (keys []string) {
	if strings.HasPrefix(group, "from ") {
		return []string{group}
	}
	for _, w := range strings.Split(group, " or ") {
		if k := saidAs[w]; k != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

func topicsSaid(group string) []string { return membersSaid(group) }

var hourSpan = regexp.MustCompile(`^(\w{3})(?:-(\w{3}))? (\d\d):00-(\d\d):00$`)

// hoursSaid reads "Mon 12:00-13:00" and lists of such.
func hoursSaid(s string) func(time.Time) bool {
	index := func(day string) int { return strings.Index("MonTueWedThuFriSatSun", day) / 3 }
	return func(at time.Time) bool {
		day := (int(at.Weekday()) + 6) % 7
		for _, part := range strings.Split(s, "; ") {
			m := hourSpan.FindStringSubmatch(part)
			if m == nil {
				continue
			}
			last := m[2]
			if last == "" {
				last = m[1]
			}
			from, _ := strconv.Atoi(m[3])
			to, _ := strconv.Atoi(m[4])
			if day >= index(m[1]) && day <= index(last) && at.Hour() >= from && at.Hour() < to {
				return true
			}
		}
		return false
	}
}
