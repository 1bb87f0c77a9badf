package insight

import (
	"slices"
	"sync"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// All is the catalogue: every insight, in the order of the pages. It drives what is counted, the API, the
// pages and docs/insights.md. A definition never changes under its number: a new meaning is "slug/2".
func All() []Insight { return slices.Clone(catalogue()) }

var catalogue = sync.OnceValue(func() []Insight {
	return []Insight{
		missedCallRate(), missedCallReasons(), missedNotReturned(), busyHours(), timeToRespond(), afterHours(),
		callbackSpeed(), repeatContact(), mediumSwitch(), repeatedReplies(), autoReplyEffect(), voicemailOutcome(), ringTimeout(), aiContainment(),
		talkBalance(), contactReasons(), risingTopics(), sentiment(), menuFunnel(), menuTrouble(), deadRules(),
		recordingConsent(), satisfaction(), scoreDrivers(), peers(),
	}
})

// Find gives the insight of a slug.
func Find(slug string) (Insight, bool) {
	for _, in := range append(catalogue(), contacts()) {
		if in.Slug == slug {
			return in, true
		}
	}
	return Insight{}, false
}

var (
	inbound = release.Filter{Column: fact.ColDirection, In: []int64{int64(fact.In)}}
	yesNo   = []int64{0, 1}
	scored  = func(scales ...fact.Scale) release.Filter {
		f := release.Filter{Column: fact.ColScale}
		for _, s := range scales {
			f.In = append(f.In, int64(s))
		}
		return f
	}
)

// classified matches every topic of the taxonomy: outgoing texts carry none and fall out.
func classified() release.Filter {
	f := release.Filter{Column: fact.ColTopic}
	for _, t := range fact.Topics() {
		f.In = append(f.In, int64(t))
	}
	return f
}

func missedCallRate() Insight {
	q := release.Query{
		Name: "missed-call-rate/1", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{inbound}, Open: true,
		Grain: release.Week, Value: release.Value{Derived: release.Missed, Bins: yesNo},
	}
	return Insight{
		Slug: "missed-call-rate", Title: "Missed calls", Section: "calls",
		Question: "How many of the people who call us do not get through?",
		Formula: "missed / inbound calls in open hours. Missed: answered by neither a member nor an AI agent and not " +
			"forwarded; a call that left a voicemail is missed. Calls given up in less than short_abandon_seconds are left out.",
		Measures: []Measure{{"rate", "Calls missed in open hours", "ratio", "Wilson"}},
		Caveat:   "One person who calls five times and is missed five times counts five times.",
		Needs:    []release.Query{q, by(q, release.ByNumber, "number")},
		Blocks:   blocks(by(q, release.ByNumber, "number")),
		finish:   rates("rate", 1),
		story:    story{whole, []line{{"rate", "Of all calls in open hours, %[2]s were missed"}}},
	}
}

func missedCallReasons() Insight {
	q := release.Query{
		Name: "missed-call-reasons/1", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{inbound},
		Grain: release.Week, Split: release.ByReason, Value: release.Value{Derived: release.MissReason, Bins: missedOnly()},
	}
	return Insight{
		Slug: "missed-call-reasons", Title: "Why calls are missed", Section: "calls",
		Question: "Why do calls go unanswered?",
		Formula: "share of missed calls by the first reason that applies, in this order: short abandoned, out of hours, no " +
			"member available, members did not answer, abandoned in the menu, abandoned.",
		Measures: []Measure{{"share", "Share of missed calls", "ratio", "Wilson"}},
		Caveat:   "A phone system says only what it knows; where it says nothing the reason follows from times and open hours.",
		Needs:    []release.Query{q},
		Blocks:   blocks(q),
		finish:   shares(""),
		story:    story{highestKnown, []line{{"share", "Of all missed calls, %[2]s were missed for the reason “%[1]s”"}}},
	}
}

func missedNotReturned() Insight {
	q := release.Query{
		Name: "missed-not-returned/1", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{inbound},
		Grain: release.Week, Value: release.Value{Derived: release.ReturnedIn24h, Bins: yesNo},
	}
	return Insight{
		Slug: "missed-not-returned", Title: "Missed and never called back", Section: "calls",
		Question: "How many missed callers never hear from us?",
		Formula:  "missed calls with neither an outgoing call or text to that contact nor an answered call from it within 24 hours / missed calls.",
		Measures: []Measure{{"rate", "Missed and not called back within 24 h", "ratio", "Wilson"}},
		Caveat:   "An answer by e-mail, by a private phone or in person is not seen. Withheld callers cannot be called back and are left out.",
		Needs:    []release.Query{q, by(q, release.ByNumber, "number")},
		Blocks:   blocks(q),
		finish:   rates("rate", 0),
		story:    story{whole, []line{{"rate", "Of all missed calls, %[2]s were not returned within a day"}}},
	}
}

func busyHours() Insight {
	q := release.Query{
		Name: "busy-hours/1", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{inbound},
		Grain: release.Block, Split: release.ByHourOfWeek, Value: release.Value{Derived: release.Missed, Bins: yesNo},
	}
	return Insight{
		Slug: "busy-hours", Title: "Busy hours", Section: "calls",
		Question: "When do people call, and are we there?",
		Formula:  "inbound calls by hour of the week over four weeks, and the share of them that was not missed.",
		Measures: []Measure{{"calls", "Calls by hour of the week, over four weeks", "calls", "Garwood (exact Poisson)"}, {"answer_rate", "Calls answered, by hour of the week", "ratio", "Wilson"}},
		Caveat:   "Quiet hours are merged with their neighbours until five people stand behind each figure.",
		Needs:    []release.Query{q},
		finish:   finishBusyHours,
		story:    story{busiest, []line{{"calls", "One of the busiest times is %[1]s, with %[2]s calls in four weeks"}}},
	}
}

func timeToRespond() Insight {
	answer := release.Query{
		Name: "time-to-respond/1/answer", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{inbound},
		Grain: release.Week, Value: release.Value{Derived: release.AnswerSeconds, Bins: Seconds()},
	}
	reply := release.Query{
		Name: "time-to-respond/1/reply", Kinds: []fact.Kind{fact.KindMessage},
		Grain: release.Week, Value: release.Value{Derived: release.ReplySeconds, Bins: Seconds()},
	}
	return Insight{
		Slug: "time-to-respond", Title: "Waiting for us", Section: "messages",
		Question: "How long do people wait for us?",
		Formula: "answer: seconds of ringing of answered inbound calls. reply: seconds from a contact's first unanswered text to " +
			"the next outgoing text to that contact, in the period of the first. Half wait less than the first figure says, nine in ten " +
			"less than the second. Quantiles are read from a histogram with public edges and interpolated inside a bin.",
		Measures: []Measure{
			{"answer_p50_s", "Half are answered within", "s", orderStatistics}, {"answer_p90_s", "Nine in ten are answered within", "s", orderStatistics},
			{"reply_p50_s", "Half get a reply within", "s", orderStatistics}, {"reply_p90_s", "Nine in ten get a reply within", "s", orderStatistics},
		},
		Caveat: "Calls and texts that were never answered have no waiting time: read it beside the missed-call rate.",
		Needs:  []release.Query{answer, reply},
		finish: finishTimeToRespond,
		story: story{whole, []line{
			{"reply_p50_s", "Half of the texts that we answer wait less than %[2]s"},
			{"answer_p50_s", "Half of the calls that we answer ring less than %[2]s"},
		}},
	}
}

func afterHours() Insight {
	q := busyHours().Needs[0] // the very same rows, so that the two cannot be subtracted
	q.Name = "after-hours-demand/1"
	return Insight{
		Slug: "after-hours-demand", Title: "After hours", Section: "calls",
		Question: "How many calls come while we are closed?",
		Formula: "inbound calls outside open_hours / all, over four weeks. Hours merged across closing time count as open, so the " +
			"share is at least this.",
		Measures: []Measure{{"share", "Calls while closed", "ratio", "Wilson"}},
		Caveat:   "Texts are not counted: they are written at any hour and wait. Without open hours in the settings there is no figure.",
		Needs:    []release.Query{q},
		finish:   finishAfterHours,
		story:    story{whole, []line{{"share", "Of all calls, at least %[2]s come while we are closed"}}},
	}
}

// missedCalls matches inbound calls that were missed, short abandons included.
var missedCalls = []release.Filter{inbound, {Column: fact.ColResult, In: []int64{int64(fact.Missed)}}}

func voicemailOutcome() Insight {
	q := release.Query{
		Name: "voicemail-outcome/1", Kinds: []fact.Kind{fact.KindCall}, Where: missedCalls,
		Grain: release.Week, Value: release.Value{Derived: release.FromColumn, Column: fact.ColVoicemail, Bins: yesNo},
	}
	return Insight{
		Slug: "voicemail-outcome", Title: "Voicemail", Section: "calls",
		Question: "How many missed callers leave a message?",
		Formula:  "left: missed calls with a voicemail / missed calls, short abandons included.",
		Measures: []Measure{{"left", "Missed callers who leave a message", "ratio", "Wilson"}},
		Caveat:   "Where no voicemail is offered nobody can leave one, and a file of calls may not say that one was left.",
		Needs:    []release.Query{q},
		finish:   rates("left", 1),
		story:    story{someWhole, []line{{"left", "Of all missed callers, %[2]s left a message"}}},
	}
}

func ringTimeout() Insight {
	q := release.Query{
		Name: "ring-timeout/1", Kinds: []fact.Kind{fact.KindCall}, Where: missedCalls,
		Grain: release.Week, Value: release.Value{Derived: release.FromColumn, Column: fact.ColRingS, Bins: Seconds()},
	}
	return Insight{
		Slug: "ring-timeout", Title: "How long missed calls ring", Section: "calls",
		Question: "How long do missed calls ring before they end?",
		Formula: "seconds from the call to its end, of missed calls: half end within the first figure, nine in ten within the second. A second " +
			"figure close to the ring time-out says that callers wait to the end of it.",
		Measures: []Measure{{"wait_p50_s", "Half of missed calls end within", "s", orderStatistics}, {"wait_p90_s", "Nine in ten missed calls end within", "s", orderStatistics}},
		Caveat:   "Some phone systems count the menu and the greeting as ringing.",
		Needs:    []release.Query{q},
		finish:   func(answers []answer) []Figure { return waits(answers[0], "wait") },
		story:    story{whole, []line{{"wait_p90_s", "Nine in ten missed calls end within %[2]s"}}},
	}
}

func talkBalance() Insight {
	of := func(name string, c fact.Column, bins []int64) release.Query {
		return release.Query{
			Name: "talk-balance/1/" + name, Kinds: []fact.Kind{fact.KindTalk},
			Grain: release.Week, Value: release.Value{Derived: release.FromColumn, Column: c, Bins: bins}, Content: true,
		}
	}
	return Insight{
		Slug: "talk-balance", Title: "Who talks", Section: "calls",
		Question: "Who talks in our calls, and do we let people finish?",
		Formula: "of each call: our share, what members speak / what anybody speaks; silence, the time in which nobody " +
			"speaks / the call; interruptions, how often one side begins while the other is well on its way and cuts it short, in ten " +
			"minutes. Half of the calls have less than the median. Shares are counted in steps of 5 %.",
		Measures: []Measure{
			{"member_share_p50", "Our share of the talk, in the middle call", "ratio", orderStatistics}, {"silence_share_p50", "Share of silence, in the middle call", "ratio", orderStatistics},
			{"interruptions_p50", "Interruptions, in the middle call", "in 10 min", orderStatistics},
		},
		Caveat: "Silence and interruptions need both sides on tracks of their own, and a recording that murmur heard itself; the share " +
			"of members also comes from a vendor's transcript with times.",
		Needs: []release.Query{
			of("member", fact.ColMemberShare, percents()), of("silence", fact.ColSilenceShare, percents()),
			of("interruptions", fact.ColInterruptions, []int64{0, 1, 2, 3, 5, 8, 13, 21, 34, 55}),
		},
		finish: finishTalkBalance,
		story:  story{whole, []line{{"member_share_p50", "In half of the calls our side speaks less than %[2]s of the talk"}}},
	}
}

func contactReasons() Insight {
	q := release.Query{
		Name: "contact-reasons/1", Kinds: []fact.Kind{fact.KindMessage, fact.KindTalk}, Where: []release.Filter{classified()},
		Grain: release.Week, Split: release.ByTopic, Value: release.Value{Derived: release.Nothing}, Content: true,
	}
	return Insight{
		Slug: "contact-reasons", Title: "Why people get in touch", Section: "topics",
		Question: "What do people want from us?",
		Formula:  "share of incoming texts and transcripts by the reason that a local classifier reads in the anonymised words.",
		Measures: []Measure{{"share", "Share of contacts", "ratio", "Wilson"}},
		Caveat:   "The classifier errs, and what it is not sure of is \"other\": trust the order more than the decimals.",
		Needs:    []release.Query{q},
		finish:   shares("reason"),
		story:    story{highestNamed, []line{{"share", "Of all texts and calls that were read, %[2]s were about “%[1]s”"}}},
	}
}

func sentiment() Insight {
	q := release.Query{
		Name: "sentiment/1", Kinds: []fact.Kind{fact.KindMessage, fact.KindTalk}, Where: []release.Filter{classified()},
		Grain: release.Week, Split: release.ByTopic, Content: true,
		Value: release.Value{Derived: release.FromColumn, Column: fact.ColSentiment, Bins: sentimentBins()},
	}
	return Insight{
		Slug: "sentiment", Title: "How people sound", Section: "topics",
		Question: "How do people sound, reason by reason?",
		Formula:  "mean of the sentiment of anonymised words, -100 to 100, over incoming texts and transcripts that carry any.",
		Measures: []Measure{{"mean", "Tone, -100 to 100", "points", meanInterval}},
		Caveat:   "A word list reads tone, not irony. Compare reasons and weeks; do not read a single number.",
		Needs:    []release.Query{q},
		finish:   finishSentiment,
		story:    story{lowest, []line{{"mean", "When it is about “%[1]s”, people sound %[2]s on a scale from -100 to 100"}}},
	}
}

func menuFunnel() Insight {
	q := release.Query{
		Name: "menu-funnel/1", Kinds: []fact.Kind{fact.KindStep},
		Where: []release.Filter{{Column: fact.ColNodeKind, In: []int64{int64(fact.NodeMenu)}}},
		Grain: release.Week, Split: release.ByMenu, Value: release.Value{Derived: release.Nothing},
	}
	return Insight{
		Slug: "menu-funnel", Title: "Ways through the menu", Section: "flows",
		Question: "Where do callers go in the phone menu, and where do they give up?",
		Formula:  "passes through a menu by flow, node and choice; the choice `none` is a time-out or hang-up.",
		Measures: []Measure{{"calls", "Callers who took this way", "calls", "Garwood (exact Poisson)"}},
		Caveat:   "A caller who hears the menu twice passes twice.",
		Needs:    []release.Query{q},
		finish:   counts("calls"),
		story:    story{highestNone, []line{{"calls", "In %[1]s, callers gave up %[2]s times without a choice"}}},
	}
}

func menuTrouble() Insight {
	q := menuFunnel().Needs[0]
	q.Name = "menu-trouble/1"
	return Insight{
		Slug: "menu-trouble", Title: "Menus that lose callers", Section: "flows",
		Question: "Which menus lose callers?",
		Formula:  "no_choice: passes through a menu that end without a choice (time-out or hang-up) / all passes, by flow and node.",
		Measures: []Measure{{"no_choice", "Callers who made no choice", "ratio", "Wilson"}},
		Caveat:   "Where `none` had to be merged with a choice, or menus with each other, there is no figure.",
		Needs:    []release.Query{q},
		finish:   finishMenuTrouble,
		story:    story{highest, []line{{"no_choice", "Of the callers in the menu %[1]s, %[2]s make no choice"}}},
	}
}

func recordingConsent() Insight {
	said := func(name string, acts ...fact.Act) release.Query {
		f := release.Filter{Column: fact.ColAct}
		for _, a := range acts {
			f.In = append(f.In, int64(a))
		}
		return release.Query{
			Name: "recording-consent/1/" + name, Kinds: []fact.Kind{fact.KindConsent}, Where: []release.Filter{f},
			Grain: release.Week, Value: release.Value{Derived: release.Nothing},
		}
	}
	return Insight{
		Slug: "recording-consent", Title: "Recording and consent", Section: "privacy",
		Question: "Are callers told about recording, and is a no respected?",
		Formula: "noticed: recording notices played to their end. opted_out: refusals. violations: content that was processed " +
			"against a refusal; it must be 0.",
		Measures: []Measure{
			{"noticed", "Notices played to the end", "calls", "Garwood (exact Poisson)"}, {"opted_out", "Refusals", "calls", "Garwood (exact Poisson)"},
			{"violations", "Content used against a refusal", "calls", "Garwood (exact Poisson)"},
		},
		Caveat: "Fewer than five people who refuse are not shown by themselves. The evidence of one call is its receipt, not this figure.",
		Needs:  []release.Query{said("noticed", fact.Noticed), said("opted_out", fact.OptedOut, fact.Withdrawn), said("violations", fact.Violation)},
		finish: finishConsent,
		story:  story{whole, []line{{"violations", "Content processed against a refusal: %[2]s, and it must stay at 0"}}},
	}
}

func satisfaction() Insight {
	nps := release.Query{
		Name: "satisfaction/1/nps", Kinds: []fact.Kind{fact.KindAnswer}, Where: []release.Filter{scored(fact.NPS)},
		Grain: release.Week, Value: release.Value{Derived: release.FromColumn, Column: fact.ColScore, Bins: upTo(0, 10)},
	}
	csat := release.Query{
		Name: "satisfaction/1/csat", Kinds: []fact.Kind{fact.KindAnswer}, Where: []release.Filter{scored(fact.CSAT, fact.Stars)},
		Grain: release.Week, Value: release.Value{Derived: release.FromColumn, Column: fact.ColScore, Bins: upTo(1, 5)},
	}
	return Insight{
		Slug: "satisfaction", Title: "Satisfaction", Section: "satisfaction",
		Question: "Are people satisfied?",
		Formula: "nps: percentage of scores 9-10 minus percentage of scores 0-6. csat: mean score from 1 to 5; csat_satisfied: " +
			"share of 4 and 5. responses: answers with a score, by scale.",
		Measures: []Measure{
			{"nps", "Net promoter score", "points", "adjusted Wald with 3 pseudo-answers (Rocks 2016)"}, {"csat", "Mean score, 1 to 5", "points", meanInterval},
			{"csat_satisfied", "Satisfied (4 or 5)", "ratio", "Wilson"}, {"responses", "Answers with a score", "answers", "Garwood (exact Poisson)"},
		},
		Caveat: "Who answers a survey is not a random sample of who called.",
		Needs:  []release.Query{nps, by(nps, release.BySurvey, "survey"), csat, by(csat, release.BySurvey, "survey")},
		finish: finishSatisfaction,
		story: story{whole, []line{
			{"nps", "The net promoter score is %[2]s"},
			{"csat", "The mean satisfaction is %[2]s of 5"},
		}},
	}
}

// by is q broken down by one dimension.
func by(q release.Query, s release.Split, name string) release.Query {
	q.Split = s
	q.Name += "/" + name
	return q
}

// blocks are weekly queries over four weeks.
func blocks(weekly ...release.Query) (over []release.Query) {
	for _, q := range weekly {
		q.Name, q.Grain, q.Repeats = q.Name+"/block", release.Block, true
		over = append(over, q)
	}
	return over
}

// missedOnly is one bin for every reason, the unknown one too: the split carries the reason, and calls that were not
// missed have none.
func missedOnly() []int64 { return []int64{0} }

// sentimentBins are the levels that enrichment uses, so that a bin's lower edge is its rows' value.
func sentimentBins() (b []int64) {
	for v := int64(-100); v <= 100; v += fact.SentimentStep {
		b = append(b, v)
	}
	return b
}

// percents are steps of 5 %, and 100 alone.
func percents() (b []int64) {
	for v := int64(0); v <= 100; v += 5 {
		b = append(b, v)
	}
	return b
}

func upTo(first, last int64) (b []int64) {
	for v := first; v <= last; v++ {
		b = append(b, v)
	}
	return b
}

// Seconds are the public edges of every waiting time: each second to half a minute, then 24 steps a decade
// (10 % wide) to seven days.
func Seconds() []int64 {
	b := upTo(0, 30)
	for _, decade := range []int64{1, 10, 100, 1000, 10000} {
		for _, e := range e24 {
			if v := e * decade; v > 30 && v <= 7*86400 {
				b = append(b, v)
			}
		}
	}
	return append(b, 7*86400)
}

// e24 is the series of preferred numbers of IEC 60063, times 10.
var e24 = []int64{
	10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91,
}
