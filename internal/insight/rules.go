package insight

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

// rules read advice out of a month. Each has a threshold, beyond which it speaks, and a target, which a business that acts can
// reach: what it would be worth is counted up to there.
var rules = []func(month) []Suggestion{
	missedBand, missedNumber, notReturned, menuGivesUp, closedDemand, unhappySurvey,
	deadRule, ringsTooLong, replyAgain, silentReply, agentGivesUp, longGreeting,
}

// share is a rule about one share: too high where its interval is above most, worth acting on down to target.
func share(p pooled, unit string, target float64) Expected {
	return p.expect(unit, func(f Figure) float64 { return float64(f.Base) * max(0, *f.Value-target) })
}

// cell is one group of hours of the week: which hours of the day, its calls and its missed calls.
type cell struct {
	figure        Figure
	first, last   int // hours of the day, inclusive
	calls, missed float64
	noise         float64 // variance on each count
}

// share estimates the share of missed calls.
func (c cell) share() estimate {
	e := wilson(int64(c.missed), int64(c.calls))
	p := e.value
	return e.widened(math.Sqrt(c.noise*(1+p*p))/max(c.calls, 1), 0, 1)
}

// missedBand finds the hours of the day, up to four in a row, that stand out most among the open ones. 96 bands
// are tried; at 3.5 standard errors (one-sided 2.3e-4) a false alarm comes in about one block of fifty.
func missedBand(m month) []Suggestion {
	cells := openCells(m["busy-hours answer_rate"])
	var found []Suggestion
	clearest := 3.5
	for width := 1; width <= 4; width++ {
		for first := 0; first+width <= 24; first++ {
			in, out, evidence := parted(cells, first, first+width)
			if in.calls == 0 || out.calls == 0 {
				continue
			}
			excess := in.missed - in.calls*out.missed/out.calls
			pooled := min(1, (in.missed+out.missed)/(in.calls+out.calls)) // noise may say more
			deviation := in.calls * math.Sqrt(pooled*(1-pooled)*(1/in.calls+1/out.calls)+in.noise/(in.calls*in.calls))
			if excess < 5 || excess < clearest*deviation {
				continue
			}
			clearest = excess / deviation
			found = []Suggestion{coverHours(first, first+width, in, out, evidence, excess)}
		}
	}
	return found
}

// parted sums the cells inside a band of hours and those outside.
func parted(cells []cell, first, end int) (in, out cell, evidence []Figure) {
	for _, c := range cells {
		side := &out
		if c.first >= first && c.last < end {
			side = &in
			evidence = append(evidence, c.figure)
		}
		side.calls += c.calls
		side.missed += c.missed
		side.noise += c.noise
	}
	return in, out, evidence
}

func coverHours(first, end int, in, out cell, evidence []Figure, excess float64) Suggestion {
	here, rest := in.share(), out.share()
	// The error of this block's excess and of the next one's, and of how many call.
	sd := math.Sqrt(2*in.calls*in.calls*(sampled(here)+sampled(rest)) + excess)
	e := Expected{excess, max(0, excess-z80*sd), excess + z80*sd, "calls", poolWeeks}
	return Suggestion{
		Slug:  "cover-hours",
		Title: fmt.Sprintf("Cover the phone from %02d:00 to %02d:00", first, end),
		Because: fmt.Sprintf("Between %02d:00 and %02d:00, %s of calls are missed; in the rest of the open hours, %s.",
			first, end, ratioText(here), ratioText(rest)),
		Effect: fmt.Sprintf("If they were answered like the others, %s more calls would get through in four weeks.", between(e.Low, e.High)),
		Effort: "hours", Evidence: evidence, Expect: e, Weight: excess,
	}
}

// sampled is the variance that an interval says.
func sampled(e estimate) float64 { return math.Pow((e.high-e.low)/2/z, 2) }

// openCells lays out answer rates by hour of the day; cells with closed hours are another rule's matter.
func openCells(figures []pooled) (cells []cell) {
	for _, f := range figures {
		open, _ := workspace.ParseHours(strings.TrimPrefix(f.Settings["open_hours"], "always"))
		c := cell{figure: f.latest(), first: 24, last: -1, calls: float64(f.Base), noise: 2 * float64(f.Noise*f.Noise)} // about that of package release
		c.missed = math.Round(c.calls * (1 - *f.Value))
		usable := true
		for _, name := range f.Split["hour_of_week"] {
			h, err := strconv.Atoi(name)
			usable = usable && err == nil && release.Hours(open).Has(h)
			c.first, c.last = min(c.first, h%24), max(c.last, h%24)
		}
		if usable && c.last >= 0 {
			cells = append(cells, c)
		}
	}
	return cells
}

func missedNumber(m month) (out []Suggestion) {
	all, ok := m.whole("missed-call-rate rate")
	if !ok {
		return nil
	}
	for _, f := range m["missed-call-rate rate"] {
		apart := math.Hypot(*f.Value-*f.Low, *all.High-*all.Value) // Newcombe's interval of the difference
		if len(f.Split) == 0 || *f.Value-*all.Value <= apart {
			continue
		}
		e := share(f, "calls", *all.Value)
		out = append(out, Suggestion{
			Slug:    "cover-number",
			Title:   "Let more people answer " + where(f.Figure),
			Because: fmt.Sprintf("Of the calls to %s %s were missed; of all calls %s.", where(f.Figure), withInterval(f.Figure), withInterval(all.Figure)),
			Effect:  fmt.Sprintf("If it were answered like the others, %s more calls would get through in four weeks.", between(e.Low, e.High)),
			Effort:  "minutes", Evidence: []Figure{f.latest(), all.latest()}, Expect: e, Weight: e.Value,
		})
	}
	return out
}

// notReturned speaks when surely more than a quarter of missed callers hear nothing.
func notReturned(m month) []Suggestion {
	const most = 0.25
	f, ok := m.whole("missed-not-returned rate")
	if !ok || *f.Low < most {
		return nil
	}
	e := share(f, "callers", most)
	return []Suggestion{{
		Slug:    "return-missed-calls",
		Title:   "Call back missed callers within a day",
		Because: fmt.Sprintf("Of missed calls %s were not returned within 24 hours.", withInterval(f.Figure)),
		Effect:  fmt.Sprintf("With three in four returned, by an automatic text or a daily list, %s more callers would hear from you in four weeks.", between(e.Low, e.High)),
		Effort:  "minutes", Evidence: []Figure{f.latest()}, Expect: e, Weight: e.Value,
	}}
}

// menuGivesUp speaks where surely more than a fifth of passes through a menu end without a choice.
func menuGivesUp(m month) (out []Suggestion) {
	const most, target = 0.2, 0.1
	for _, f := range m["menu-trouble no_choice"] {
		if len(f.Split) == 0 || *f.Low < most {
			continue
		}
		e := share(f, "callers", target)
		out = append(out, Suggestion{
			Slug:    "shorten-menu",
			Title:   "Shorten the menu " + where(f.Figure),
			Because: fmt.Sprintf("Of its callers %s make no choice.", withInterval(f.Figure)),
			Effect:  fmt.Sprintf("With one in ten giving up, %s more callers would go on in four weeks.", between(e.Low, e.High)),
			Effort:  "minutes", Evidence: []Figure{f.latest()}, Expect: e, Weight: e.Value,
		})
	}
	return out
}

// closedDemand speaks when surely more than 15 % of calls come outside open hours.
func closedDemand(m month) []Suggestion {
	const most = 0.15
	f, ok := m.whole("after-hours-demand share")
	if !ok || *f.Low < most {
		return nil
	}
	e := share(f, "calls", 0)
	return []Suggestion{{
		Slug:    "answer-after-hours",
		Title:   "Answer after hours, by text or an AI agent",
		Because: fmt.Sprintf("Of all calls at least %s come while you are closed.", withInterval(f.Figure)),
		Effect:  fmt.Sprintf("It would serve %s calls in four weeks at once.", between(e.Low, e.High)),
		Effort:  "hours", Evidence: []Figure{f.latest()}, Expect: e, Weight: e.Value / 2, // they can wait till morning
	}}
}

// unhappySurvey speaks of surveys whose score surely lies below that of all, or below zero.
func unhappySurvey(m month) (out []Suggestion) {
	all, has := m.whole("satisfaction nps")
	for _, f := range m["satisfaction nps"] {
		below := 0.0
		evidence := []Figure{f.latest()}
		if has && len(f.Split) > 0 {
			below = max(0, *all.Low)
			evidence = append(evidence, all.latest())
		}
		if *f.High >= below {
			continue
		}
		name := "all surveys"
		if len(f.Split) > 0 {
			name = where(f.Figure)
		}
		e := f.expect("people", func(g Figure) float64 { return float64(g.Base) * max(0, below-*g.Value) / 200 })
		out = append(out, Suggestion{
			Slug:    "ask-the-unhappy",
			Title:   "Find out what goes wrong: " + name,
			Because: fmt.Sprintf("The net promoter score of %s is %s.", name, withInterval(f.Figure)),
			Effect:  fmt.Sprintf("Reaching %.0f would take %s people from unhappy to happy in four weeks.", below, between(e.Low, e.High)),
			Effort:  "days", Evidence: evidence, Expect: e, Weight: e.Value,
		})
	}
	return out
}

// deadRule speaks of steps that many calls pass and that surely apply to less than one in ten, and to none that was seen.
func deadRule(m month) (out []Suggestion) {
	for _, f := range m["dead-rules applied"] {
		if len(f.Split) == 0 || *f.Value > 0.02 || *f.High > 0.1 {
			continue
		}
		e := f.expect("calls", func(g Figure) float64 { return float64(g.Base) })
		out = append(out, Suggestion{
			Slug:    "remove-rule",
			Title:   "Remove the step " + where(f.Figure) + ", or move it up",
			Because: fmt.Sprintf("It applied to %s of the calls that passed it: it is dead, or a wider rule stands before it.", withInterval(f.Figure)),
			Effect:  fmt.Sprintf("%s calls in four weeks pass it for nothing.", between(e.Low, e.High)),
			Effort:  "minutes", Evidence: []Figure{f.latest()}, Expect: e, Weight: e.Value / 4,
		})
	}
	return out
}

// ringsTooLong speaks when missed callers surely ring half as long again as nine in ten answered calls take.
func ringsTooLong(m month) []Suggestion {
	waits, ok := m.whole("ring-timeout wait_p50_s")
	answers, also := m.whole("time-to-respond answer_p90_s")
	if !ok || !also || *waits.Low < 1.5**answers.High || *waits.Low-*answers.High < 10 {
		return nil
	}
	e := waits.expect("minutes", func(g Figure) float64 { return float64(g.Base) * max(0, *g.Value-*answers.Value) / 60 })
	return []Suggestion{{
		Slug:  "shorten-ring",
		Title: fmt.Sprintf("Let it ring %s, then go on", seconds(math.Ceil(*answers.High/5)*5)),
		Because: fmt.Sprintf("Nine in ten answered calls are answered within %s; half of the missed ones ring longer than %s.",
			withInterval(answers.Figure), withInterval(waits.Figure)),
		Effect: fmt.Sprintf("Missed callers would be spared %s minutes of ringing in four weeks, and go on to someone else or to voicemail.", between(e.Low, e.High)),
		Effort: "minutes", Evidence: []Figure{waits.latest(), answers.latest()}, Expect: e, Weight: float64(waits.Base) * waits.perBlock() / 4,
	}}
}

// replyAgain speaks of replies that were surely sent by hand more than three times a week.
func replyAgain(m month) (out []Suggestion) {
	const least = 12 // in four weeks
	for i, f := range m["repeated-replies replies"] {
		r := f.Split["reply"]
		if len(r) != 1 || r[0] == "other" || *f.Low < least {
			continue
		}
		e := m["repeated-replies minutes"][i].expect("minutes", func(g Figure) float64 { return *g.Value })
		out = append(out, Suggestion{
			Slug:    "save-reply",
			Title:   "Save " + Quoted("reply", r) + " as a template, or let a rule send it",
			Because: fmt.Sprintf("It was typed %s times in four weeks.", withInterval(f.Figure)),
			Effect:  fmt.Sprintf("It would save %s minutes of typing in four weeks, and answer at once.", between(e.Low, e.High)),
			Effort:  "minutes", Evidence: []Figure{f.latest()}, Expect: e, Weight: *f.Value / 2,
		})
	}
	return out
}

// silentReply speaks when, after an automatic reply, surely more than a fifth of people try again within half an hour.
func silentReply(m month) []Suggestion {
	const most, target = 0.2, 0.1
	f, ok := m.whole("auto-reply-effect again_with")
	if !ok || *f.Low < most {
		return nil
	}
	e := share(f, "contacts", target)
	return []Suggestion{{
		Slug:    "say-more",
		Title:   "Let the automatic reply say when you answer, and how to book",
		Because: fmt.Sprintf("After it %s of people try again within half an hour.", withInterval(f.Figure)),
		Effect:  fmt.Sprintf("With one in ten, %s contacts in four weeks would be spared a second try.", between(e.Low, e.High)),
		Effort:  "minutes", Evidence: []Figure{f.latest()}, Expect: e, Weight: e.Value,
	}}
}

// agentGivesUp speaks when surely less than two in three of the AI agent's callers are served.
func agentGivesUp(m month) []Suggestion {
	const least, target = 0.67, 0.8
	f, ok := m.whole("ai-containment contained")
	if !ok || *f.High > least {
		return nil
	}
	e := f.expect("callers", func(g Figure) float64 { return float64(g.Base) * max(0, target-*g.Value) })
	return []Suggestion{{
		Slug:    "hand-over",
		Title:   "Let the AI agent hand over sooner",
		Because: fmt.Sprintf("Only after %s of its calls the caller did not come back within a day.", withInterval(f.Figure)),
		Effect:  fmt.Sprintf("With four in five, %s callers in four weeks would not have to call again.", between(e.Low, e.High)),
		Effort:  "hours", Evidence: []Figure{f.latest()}, Expect: e, Weight: e.Value,
	}}
}

// longGreeting speaks when surely more than a quarter of missed calls are given up in the greeting or the menu.
func longGreeting(m month) (out []Suggestion) {
	const most, target = 0.25, 0.1
	for _, f := range m["missed-call-reasons share"] {
		if !slices.Equal(f.Split["reason"], []string{"abandoned_in_menu"}) || *f.Low < most {
			continue
		}
		e := share(f, "callers", target)
		out = append(out, Suggestion{
			Slug:    "shorten-greeting",
			Title:   "Shorten the greeting",
			Because: fmt.Sprintf("Of missed calls %s are given up in the greeting or the menu.", withInterval(f.Figure)),
			Effect:  fmt.Sprintf("With one in ten, %s more callers would stay on the line in four weeks.", between(e.Low, e.High)),
			Effort:  "minutes", Evidence: []Figure{f.latest()}, Expect: e, Weight: e.Value,
		})
	}
	return out
}
