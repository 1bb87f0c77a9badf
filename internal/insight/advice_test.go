package insight

import (
	"regexp"
	"strings"
	"testing"

	"murmur/internal/crowd/release"
)

func figuresOf(t *testing.T, slug string, answers ...answer) []Figure {
	t.Helper()
	in, ok := Find(slug)
	if !ok {
		t.Fatalf("no insight %s", slug)
	}
	for len(answers) < len(in.Needs) {
		answers = append(answers, answer{})
	}
	return in.figures(answers)
}

func needs(t *testing.T, slug string) []release.Query {
	t.Helper()
	in, _ := Find(slug)
	return in.Needs
}

func rate(t *testing.T, yes, no int64) []Figure {
	t.Helper()
	return figuresOf(t, "missed-call-rate", answered(needs(t, "missed-call-rate")[0], group(30, []int64{no, yes})))
}

func TestAHeadlineShowsADirectionOnlyWhenIntervalsAreApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		now, before []Figure
		change      string
		text        string
	}{
		{rate(t, 60, 40), rate(t, 20, 80), "up", "Of all calls in open hours, 60 % (50 % to 69 %) were missed, up from 20 % (13 % to 29 %) the week before."},
		{rate(t, 20, 80), rate(t, 60, 40), "down", "Of all calls in open hours, 20 % (13 % to 29 %) were missed, down from 60 % (50 % to 69 %) the week before."},
		{rate(t, 20, 80), rate(t, 25, 75), "unclear", "Of all calls in open hours, 20 % (13 % to 29 %) were missed, no clear change from 25 % (18 % to 34 %) the week before."},
		{rate(t, 20, 80), nil, "", "Of all calls in open hours, 20 % (13 % to 29 %) were missed."},
	} {
		s := Headline(c.now, c.before)
		if s.Change != c.change || s.Text != c.text {
			t.Errorf("change %q: %s", s.Change, s.Text)
		}
	}
}

func TestEveryInsightHasAHeadlineWithAnInterval(t *testing.T) {
	t.Parallel()
	interval := regexp.MustCompile(`\(.+ to .+\).*\.$`)
	for _, in := range All() {
		s := Headline(in.figures(examples(in), beforeOf[in.Slug]...), nil)
		if in.Slug == "peers" { // needs 200 businesses
			continue
		}
		if !interval.MatchString(s.Text) || len(s.Evidence) != 1 || strings.Contains(s.Text, "%!") {
			t.Errorf("%s: %s", in.Slug, s.Text)
		}
	}
}

func TestAHiddenFigureIsExplainedNotShown(t *testing.T) {
	t.Parallel()
	s := Headline(figuresOf(t, "missed-call-rate", answered(needs(t, "missed-call-rate")[0], release.Group{Hidden: release.SmallGroup})), nil)
	if s.Text != "Too few people to say anything without pointing at one of them." {
		t.Error(s.Text)
	}
}

func TestAGroupOfEverythingIsNoHeadline(t *testing.T) {
	t.Parallel()
	var all []release.Member
	for _, name := range []string{"out_of_hours", "no_member_available", "members_did_not_answer", "abandoned"} {
		all = append(all, release.Member{Dim: "reason", Name: name})
	}
	s := Headline(figuresOf(t, "missed-call-reasons", answered(needs(t, "missed-call-reasons")[0], group(6, []int64{7}, all...))), nil)
	if s.Text != "Too few people to tell one group from another." {
		t.Error(s.Text)
	}
}

// lunch is a block in which calls from 12 to 14 are missed with the given rate, others at one in ten.
func lunch(t *testing.T, missedOf10 int64) []Figure {
	t.Helper()
	var groups []release.Group
	for d := range int64(5) {
		groups = append(groups, group(9, []int64{10 - missedOf10, missedOf10}, hour(d*24+12), hour(d*24+13)))
		for h := int64(9); h < 17; h++ {
			if h != 12 && h != 13 {
				groups = append(groups, group(9, []int64{9, 1}, hour(d*24+h)))
			}
		}
	}
	return figuresOf(t, "busy-hours", answered(needs(t, "busy-hours")[0], groups...))
}

func find(suggestions []Suggestion, slug string) (Suggestion, bool) {
	for _, s := range suggestions {
		if s.Slug == slug {
			return s, true
		}
	}
	return Suggestion{}, false
}

func TestMissedLunchCallsAreFound(t *testing.T) {
	t.Parallel()
	s, ok := find(Suggestions(lunch(t, 7)), "cover-hours")
	if !ok || s.Title != "Cover the phone from 12:00 to 14:00" || len(s.Evidence) != 5 {
		t.Fatalf("%+v", s.Title)
	}
	if s.Effect != "If they were answered like the others, 20 to 40 more calls would get through in four weeks." {
		t.Error(s.Effect)
	}
	if _, ok := find(Suggestions(lunch(t, 1)), "cover-hours"); ok {
		t.Error("advice although every hour is alike")
	}
}

func TestSuggestionsSpeakOnlyBeyondTheirThreshold(t *testing.T) {
	t.Parallel()
	calls, back := needs(t, "missed-call-rate"), needs(t, "missed-not-returned")
	flow, closed, scores := needs(t, "menu-trouble")[0], needs(t, "after-hours-demand")[0], needs(t, "satisfaction")
	for _, c := range []struct {
		slug      string
		loud, low []Figure
	}{
		{"cover-number",
			figuresOf(t, "missed-call-rate", answered(calls[0], group(60, []int64{160, 40})), answered(calls[1], group(20, []int64{10, 30}, number(1, "PNlate")))),
			figuresOf(t, "missed-call-rate", answered(calls[0], group(60, []int64{160, 40})), answered(calls[1], group(20, []int64{30, 10}, number(1, "PNlate"))))},
		{"return-missed-calls",
			figuresOf(t, "missed-not-returned", answered(back[0], group(30, []int64{25, 15}))),
			figuresOf(t, "missed-not-returned", answered(back[0], group(30, []int64{4, 36})))},
		{"shorten-menu",
			figuresOf(t, "menu-trouble", answered(flow, group(20, []int64{30}, menu("main", "welcome", "1", 1)...), group(20, []int64{25}, menu("main", "welcome", "none", 2)...))),
			figuresOf(t, "menu-trouble", answered(flow, group(20, []int64{30}, menu("main", "welcome", "1", 1)...), group(5, []int64{6}, menu("main", "welcome", "none", 2)...)))},
		{"remove-rule",
			figuresOf(t, "dead-rules", answered(needs(t, "dead-rules")[0], group(40, []int64{0, 60, 0, 0, 0, 0}, menu("main", "holidays", "none", 1)...))),
			figuresOf(t, "dead-rules", answered(needs(t, "dead-rules")[0], group(9, []int64{0, 12, 0, 0, 0, 0}, menu("main", "holidays", "none", 1)...)))},
		{"shorten-ring",
			append(figuresOf(t, "ring-timeout", answered(needs(t, "ring-timeout")[0], group(14, histogram(Seconds(), 41, 44, 45, 45, 46, 47, 48, 50, 51)))),
				figuresOf(t, "time-to-respond", answered(needs(t, "time-to-respond")[0], group(30, histogram(Seconds(), 3, 5, 5, 6, 7, 8, 8, 9, 12, 14))))...),
			append(figuresOf(t, "ring-timeout", answered(needs(t, "ring-timeout")[0], group(14, histogram(Seconds(), 11, 14, 15, 15, 16, 17, 18, 20, 21)))),
				figuresOf(t, "time-to-respond", answered(needs(t, "time-to-respond")[0], group(30, histogram(Seconds(), 3, 5, 5, 6, 7, 8, 8, 9, 12, 14))))...)},
		{"save-reply",
			figuresOf(t, "repeated-replies", answered(needs(t, "repeated-replies")[0], group(30, []int64{0, 0, 40}, release.Member{Dim: "reply", Key: 1, Name: "We are open"}))),
			figuresOf(t, "repeated-replies", answered(needs(t, "repeated-replies")[0], group(11, []int64{0, 0, 14}, release.Member{Dim: "reply", Key: 1, Name: "We are open"})))},
		{"say-more",
			figuresOf(t, "auto-reply-effect", answered(needs(t, "auto-reply-effect")[0], group(40, []int64{30, 30}, autoReply("yes", "call_closed")...))),
			figuresOf(t, "auto-reply-effect", answered(needs(t, "auto-reply-effect")[0], group(40, []int64{50, 10}, autoReply("yes", "call_closed")...)))},
		{"hand-over",
			figuresOf(t, "ai-containment", answered(needs(t, "ai-containment")[0], group(40, []int64{40, 20}))),
			figuresOf(t, "ai-containment", answered(needs(t, "ai-containment")[0], group(40, []int64{20, 40})))},
		{"shorten-greeting",
			figuresOf(t, "missed-call-reasons", answered(needs(t, "missed-call-reasons")[0], group(20, []int64{30}, missedFor("abandoned_in_menu")), group(20, []int64{30}, missedFor("abandoned")))),
			figuresOf(t, "missed-call-reasons", answered(needs(t, "missed-call-reasons")[0], group(5, []int64{6}, missedFor("abandoned_in_menu")), group(20, []int64{30}, missedFor("abandoned"))))},
		{"answer-after-hours",
			figuresOf(t, "after-hours-demand", answered(closed, group(40, []int64{70}, hour(10)), group(20, []int64{40}, hour(20)))),
			figuresOf(t, "after-hours-demand", answered(closed, group(40, []int64{90}, hour(10)), group(9, []int64{12}, hour(20))))},
		{"ask-the-unhappy",
			figuresOf(t, "satisfaction", answered(scores[0], group(60, []int64{30, 0, 0, 0, 0, 0, 0, 10, 0, 10, 0}))),
			figuresOf(t, "satisfaction", answered(scores[0], group(60, []int64{10, 0, 0, 0, 0, 0, 0, 10, 0, 10, 0})))},
	} {
		s, ok := find(Suggestions(c.loud), c.slug)
		switch {
		case !ok:
			t.Errorf("%s: no advice where it is due", c.slug)
		case len(s.Evidence) == 0 || s.Effort == "" || !strings.Contains(s.Effect, " to ") || s.Weight <= 0:
			t.Errorf("%s lacks evidence, effort, weight or an interval: %s", c.slug, s.Effect)
		}
		if _, ok := find(Suggestions(c.low), c.slug); ok {
			t.Errorf("%s: advice where the interval does not support it", c.slug)
		}
	}
}

func missedFor(reason string) release.Member { return release.Member{Dim: "reason", Name: reason} }

// Four weeks that are alike are read together; those before a clear change are not.
func TestWeeksBeforeAClearChangeGiveNoAdvice(t *testing.T) {
	t.Parallel()
	old := figuresOf(t, "missed-not-returned", answered(needs(t, "missed-not-returned")[0], group(30, []int64{35, 5})))
	now := figuresOf(t, "missed-not-returned", answered(needs(t, "missed-not-returned")[0], group(30, []int64{2, 38})))
	for i := range now {
		now[i].Period, now[i].AsOf = "2026-W46", now[i].AsOf.AddDate(0, 0, 7)
	}
	if s := Suggestions(append(old, now...)); len(s) != 0 {
		t.Errorf("advice from a past period: %s", s[0].Title)
	}
}

func TestOpenHoursReadAsThePolicyWritesThem(t *testing.T) {
	t.Parallel()
	hours := office()
	for _, h := range []int{5*24 + 10, 5*24 + 11} {
		hours[h/64] |= 1 << (h % 64)
	}
	for want, has := range map[string]func(int) bool{
		"Mon-Fri 09:00-17:00; Sat 10:00-12:00": hours.Has,
		"always":                               release.Hours{}.Has,
	} {
		if got := hoursText(has); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestNamesInSentencesAreQuoted: what a phone system or a survey tool calls things cannot pass for our words, not even with
// quotation marks, line ends or marks of direction of its own.
func TestNamesInSentencesAreQuoted(t *testing.T) {
	t.Parallel()
	const name, want = "A”. Then\nmail \u202eall “figures", "“A'. Then mail all 'figures”"
	for _, dim := range []string{"number", "flow", "node", "choice", "survey", "team", "reply"} {
		if got := Quoted(dim, []string{name}); got != want {
			t.Errorf("%s: %s", dim, got)
		}
		if got := Quoted(dim, []string{name, "B", "other"}); !strings.Contains(got, want) {
			t.Errorf("%s: %s", dim, got)
		}
	}
	if got := Quoted("reason", []string{"out_of_hours"}); got != "outside open hours" {
		t.Errorf("a word of our own: %s", got)
	}
	scores, low := needs(t, "satisfaction"), []int64{30, 0, 0, 0, 0, 0, 0, 10, 0, 10, 0}
	survey := answered(scores[1], group(60, low, release.Member{Dim: "survey", Key: 1, Name: name}))
	in, _ := Find("satisfaction")
	s, ok := find(Suggestions(in.figures([]answer{{}, survey, {}, {}})), "ask-the-unhappy")
	if !ok || !strings.Contains(s.Title, want) || !strings.Contains(s.Because, want) {
		t.Errorf("%s %s", s.Title, s.Because)
	}
}
