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

	"murmur/internal/synth"
	"murmur/internal/workspace"
)

// TestLettersAreTrue reads the letters of synthetic shops as their readers do and holds every statement against what the
// generator lived: of which week it is, its number, what it is compared with, the direction of a change, and that what is
// called the most frequent is. An exact number must be that of the generator; the true one must lie inside the range of a
// number with noise. MURMUR_SHOPS sets the number of shops: make eval-digest reads those of 200.
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
	t.Logf("%d shops: %d statements, %d true (%.1f %%), %d false; %d of what the generator does not know: %v",
		shops, all.yes+len(all.no), all.yes, 100*float64(all.yes)/float64(max(1, all.yes+len(all.no))), len(all.no), all.open, all.kinds)
	for _, n := range all.no {
		t.Error(n)
	}
	if all.yes < 20*shops || all.open > all.yes/5 {
		t.Errorf("too few statements could be held against the generator")
	}
}

type verdicts struct {
	yes, open int
	no        []string
	kinds     map[string]int // of open ones
}

func (v *verdicts) add(o verdicts) {
	v.yes, v.open, v.no = v.yes+o.yes, v.open+o.open, append(v.no, o.no...)
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
	business, days := synth.Days(synth.Config{Seed: seed, Start: start, Contacts: 200 + 100*int(seed%3), Healthy: seed%2 == 1}, 7*7)
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return end.Add(8 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(context.Background())
	defer func() { _ = n.Close() }()
	if _, err := n.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "transcripts", Value: "notice"}, {Key: "open-hours", Value: "mon-fri 09:00-17:00"}}, "a test", "a test"); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	for _, d := range days {
		if err := business.Native(&lines, d); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := importAs(t.Context(), n, ImportArgs{Kind: "native"}, &lines); err != nil {
		t.Fatal(err)
	}
	if err := n.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
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
	ranged = `(` + amount + `) \((` + amount + `) to (` + amount + `)\)`
)

// claim is a kind of statement: how it reads, and what is true of it. The truth may depend on the group that is named.
type claim struct {
	pattern *regexp.Regexp
	words   bool // derived from words or surveys: the owner's number has noise too
	truth   func(r *reader, w within, group string) (value float64, known bool)
	top     func(r *reader, w within) map[string]float64 // of which the group is said to have most
}

var claims = map[string]claim{
	"missed-call-rate":    stated(`Of all calls, X were missed`, func(r *reader, w within) (float64, bool) { return r.missedRate(w, "") }),
	"missed-not-returned": stated(`Of all missed calls, X were not returned within a day`, func(r *reader, w within) (float64, bool) { return r.notReturned(w) }),
	"voicemail-outcome":   stated(`Of all missed callers, X leave a message`, func(r *reader, w within) (float64, bool) { return r.leftMessage(w) }),
	"ring-timeout":        stated(`Nine in ten missed calls end within X`, func(r *reader, w within) (float64, bool) { return r.missedRing(w) }),
	"time-to-respond":     stated(`Half of the texts that we answer wait less than X`, func(r *reader, w within) (float64, bool) { return r.replyTime(w) }),
	"repeat-contact": stated(`Of all times that people got in touch, X were within a week of the time before`,
		func(r *reader, w within) (float64, bool) { return r.again(w, 7*24*time.Hour) }),
	"after-hours-demand": stated(`Of all calls, at least X come while we are closed`, func(r *reader, w within) (float64, bool) { return r.whileClosed(w) }),
	"ai-containment": stated(`After X of the calls that the AI agent took, the caller did not come back within a day`,
		func(r *reader, w within) (float64, bool) { return r.contained(w) }),
	"menu-trouble": stated(`The menu that loses most callers is [^:]+: X make no choice`,
		func(r *reader, w within) (float64, bool) { v, _, ok := r.noChoice(w); return v, ok }),
	"menu-funnel": stated(`Callers give up most often in .+, without a choice: X times`,
		func(r *reader, w within) (float64, bool) { _, v, ok := r.noChoice(w); return v, ok }),
	"missed-call-reasons": grouped(`The most frequent reason for a missed call is “([^”]+)”: X`, false, func(r *reader, w within) map[string]float64 { return r.missReasons(w) }),
	"medium-switch":       grouped(`The most frequent way to come back within a day is ([^:]+): X`, false, func(r *reader, w within) map[string]float64 { return r.ways(w) }),
	"contact-reasons":     grouped(`The most frequent reason for contact is “([^”]+)”: X`, true, func(r *reader, w within) map[string]float64 { return r.topics(w) }),
	"callback-speed": {pattern: says(`Of those whom we called back within (an hour|a day|\d+ (?:minutes|hours)), we reached X`), truth: func(r *reader, w within, group string) (float64, bool) {
		within := map[string]time.Duration{"5 minutes": 5 * time.Minute, "15 minutes": 15 * time.Minute, "an hour": time.Hour, "4 hours": 4 * time.Hour, "a day": 24 * time.Hour}
		return r.calledBack(w, within[group])
	}},
	"busy-hours": {pattern: says(`The busiest time is ([^,]+), with X calls in four weeks`), truth: func(r *reader, w within, group string) (float64, bool) {
		n, _ := r.inHours(w, hoursSaid(group))
		return n, true
	}},
	"dead-rules": {pattern: says(`The step that applies least often is ([^:]+): in X of its calls`), truth: func(r *reader, w within, group string) (float64, bool) {
		flow, node, _ := strings.Cut(group, ", ")
		return r.applied(w, flow, node)
	}},
	"satisfaction":      worded(`The net promoter score is X`, func(r *reader, w within) (float64, bool) { return r.nps(w) }),
	"recording-consent": worded(`Content processed against a refusal: X, and it must stay at 0`, func(*reader, within) (float64, bool) { return 0, true }),
	"rising-topics": {pattern: says(`People ask about ([^:]+) more often than in the four weeks before: X points more`), words: true, truth: func(r *reader, w within, group string) (float64, bool) {
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
	"advice: number": {pattern: says(`Of the calls to (\w+) X were missed`), truth: func(r *reader, w within, group string) (float64, bool) { return r.missedRate(w, group) }},
	"advice: hours": {pattern: says(`Between (\d\d:00 and \d\d:00) X of calls are missed`), truth: func(r *reader, w within, group string) (float64, bool) {
		var from, to int
		_, _ = fmt.Sscanf(group, "%d:00 and %d:00", &from, &to)
		n, k := r.inHours(w, func(at time.Time) bool { return openAt(at) && at.Hour() >= from && at.Hour() < to })
		return k / max(n, 1), n > 0
	}},
}

// says compiles a statement; X stands for a number with its range.
func says(s string) *regexp.Regexp { return regexp.MustCompile(strings.Replace(s, "X", ranged, 1)) }

func stated(s string, truth func(*reader, within) (float64, bool)) claim {
	return claim{pattern: says(s), truth: func(r *reader, w within, _ string) (float64, bool) { return truth(r, w) }}
}

func worded(s string, truth func(*reader, within) (float64, bool)) claim {
	c := stated(s, truth)
	c.words = true
	return c
}

// grouped is a statement about the group that has most of something.
func grouped(s string, words bool, shares func(*reader, within) map[string]float64) claim {
	return claim{pattern: says(s), words: words, top: shares, truth: func(r *reader, w within, group string) (sum float64, known bool) {
		for _, k := range membersSaid(group) {
			v, ok := shares(r, w)[k]
			sum, known = sum+v, known || ok
		}
		return sum, known
	}}
}

var unknowable = regexp.MustCompile(`People sound least happy|speaks less than|The reply that we type|Save “|automatic reply|give a lower score|Half of the calls that we answer|mean satisfaction`)

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
		group, m := m[1], m[1:]
		if c.pattern.NumSubexp() == 4 {
			m = m[1:]
		} else {
			group = ""
		}
		exact := r.exact && !c.words
		truth, known := c.truth(r, now, group)
		if !known {
			r.open++
			r.verdicts.add(verdicts{kinds: map[string]int{name + " (" + group + ")": 1}})
			return
		}
		r.judge(name, holds(m, truth, exact && !strings.HasPrefix(name, "advice")), fmt.Sprintf("%s (truly %.3f)", s, truth))
		if c.top != nil {
			r.most(name, s, group, truth, c.top(r, now))
		}
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

// most holds "the most frequent" against the members of other groups.
func (r *reader) most(name, s, group string, share float64, shares map[string]float64) {
	in := map[string]bool{}
	for _, k := range membersSaid(group) {
		in[k] = true
	}
	for k, v := range shares {
		if !in[k] && v > share {
			r.judge(name+", most", false, fmt.Sprintf("%s (%s has %.3f, it %.3f)", s, k, v, share))
			return
		}
	}
	r.judge(name+", most", true, s)
}

var compared = regexp.MustCompile(`, (up|down|no clear change) from ` + ranged + ` the (?:week|four weeks) before`)

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
	r.judge(name+", before", holds(m[2:], was, exact), fmt.Sprintf("%s (before truly %.3f)", s, was))
	if m[1] != "no clear change" {
		r.judge(name+", direction", (m[1] == "up") == (truth > was), fmt.Sprintf("%s (truly %.3f after %.3f)", s, truth, was))
	}
}

// holds reports whether a number with its range, as it was printed, is true. Times come from a histogram whose edges are 10 %
// apart.
func holds(printed []string, truth float64, exact bool) bool {
	value, unit := printedNumber(printed[0])
	low, lowUnit := printedNumber(printed[1])
	high, highUnit := printedNumber(printed[2])
	if exact {
		slack := 0.501 * unit
		if strings.ContainsAny(printed[0], "smhd") {
			slack += 0.11 * truth
		}
		return math.Abs(value-truth) <= slack
	}
	return low-0.501*lowUnit <= truth && truth <= high+0.501*highUnit
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
