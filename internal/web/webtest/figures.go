// Package webtest is a business that does not exist, for tests of the pages and for screenshots: figures over
// twelve weeks, sources, a policy and counters, kept in memory. It never links into the binary.
package webtest

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"murmur/internal/insight"
)

// Now is the business's present: the Wednesday of an open week.
var Now = time.Date(2026, 11, 25, 10, 20, 0, 0, time.UTC)

const weeks = 12

type maker struct {
	ws  string
	out []insight.Figure
}

func units() map[string]string {
	m := map[string]string{}
	for _, in := range insight.All() {
		for _, x := range in.Measures {
			m[in.Slug+"/"+x.Name] = x.Unit
		}
	}
	return m
}

var unitOf = units()

// add makes one figure; half is the half-width of its interval.
func (m *maker) add(slug, measure, grain, period string, split map[string][]string, value, half float64, base int64) {
	r := func(v float64) *float64 { v = math.Round(v*1e6) / 1e6; return &v }
	low, high := value-half, value+half
	switch unitOf[slug+"/"+measure] {
	case "ratio":
		low, high = max(0, low), min(1, high)
	case "points":
	default:
		low = max(0, low)
	}
	m.out = append(m.out, insight.Figure{
		Workspace: m.ws, Insight: slug, Measure: measure, Grain: grain, Period: period, Split: split,
		Value: r(value), Low: r(low), High: r(high), Unit: unitOf[slug+"/"+measure], Base: base,
		Contacts: insight.Band(max(5, base*3/4)), Tier: "guarded", Provisional: period == "2026-W48",
		Definition: slug + "/1", AsOf: Now.Add(-7 * time.Minute),
		Settings: map[string]string{"min_group": "5", "open_hours": "Mon-Fri 09:00-17:00; Sat 10:00-14:00",
			"short_abandon_seconds": "5", "timezone": "Europe/Berlin"},
	})
}

// hide takes the numbers of the last figure away.
func (m *maker) hide(why string) {
	f := &m.out[len(m.out)-1]
	f.Value, f.Low, f.High, f.Base, f.Contacts, f.Hidden = nil, nil, nil, 0, "", why
}

// rate adds a share of n with its normal interval.
func (m *maker) rate(slug, measure, period string, split map[string][]string, p float64, n int64) {
	m.add(slug, measure, "week", period, split, p, 1.96*math.Sqrt(p*(1-p)/float64(n)), n)
}

func one(dim, name string) map[string][]string { return map[string][]string{dim: {name}} }

// wave moves a value from week to week, the same way every time.
func wave(i int, phase float64) float64 { return math.Sin(float64(i)*0.9 + phase) }

// Figures are the released figures of a small workshop called ws.
func Figures(ws string) []insight.Figure {
	m := &maker{ws: ws}
	for i := range weeks {
		period := fmt.Sprintf("2026-W%02d", 37+i)
		m.calls(i, period)
		m.words(i, period)
		m.answers(i, period)
		m.again(i, period)
	}
	for _, block := range []string{"2026-W41..2026-W44", "2026-W45..2026-W48"} {
		m.hours(block)
		m.blocks(block)
	}
	return m.out
}

func (m *maker) calls(i int, week string) {
	n := int64(180 + 24*wave(i, 0))
	base := 0.13 + 0.025*wave(i, 1) + 0.006*float64(i)
	m.rate("missed-call-rate", "rate", week, nil, base, n)
	m.rate("missed-call-rate", "rate", week, one("number", "Front desk"), base*0.55, n*6/10)
	m.rate("missed-call-rate", "rate", week, one("number", "Repairs"), base*2.1, n*3/10)
	m.rate("missed-call-rate", "rate", week, map[string][]string{"number": {"Late line", "Parts"}}, base*0.9, n/10)
	for j, r := range []string{"members_did_not_answer", "out_of_hours", "abandoned_in_menu", "no_member_available", "short_abandoned"} {
		m.rate("missed-call-reasons", "share", week, one("reason", r), []float64{0.38, 0.27, 0.17, 0.11, 0.07}[j]+0.01*wave(i, float64(j)), 46)
	}
	m.rate("missed-not-returned", "rate", week, nil, 0.36+0.05*wave(i, 2), 46)
	m.rate("missed-not-returned", "rate", week, one("number", "Repairs"), 0.44+0.05*wave(i, 3), 30)
	m.rate("missed-not-returned", "rate", week, one("number", "Front desk"), 0.2, 12)
	if i%2 == 1 {
		m.hide("small-group")
	}
	m.add("time-to-respond", "answer_p50_s", "week", week, nil, 11+2*wave(i, 0), 2, n-20)
	m.add("time-to-respond", "answer_p90_s", "week", week, nil, 27+5*wave(i, 1), 5, n-20)
	m.add("time-to-respond", "reply_p50_s", "week", week, nil, 1500+420*wave(i, 2), 340, 88)
	m.add("time-to-respond", "reply_p90_s", "week", week, nil, 9200+2100*wave(i, 1), 2300, 88)
	for j, node := range []struct{ node, choice string }{{"Welcome", "1 Repairs"}, {"Welcome", "2 Appointments"}, {"Welcome", "none"}, {"Repairs", "1 New"}, {"Repairs", "2 Status"}, {"Repairs", "none"}} {
		v := []float64{82, 46, 39, 31, 34, 17}[j] + math.Round(5*wave(i, float64(j)))
		m.add("menu-funnel", "calls", "week", week, map[string][]string{"flow": {"Main"}, "node": {node.node}, "choice": {node.choice}}, v, 1.96*math.Sqrt(v), int64(v))
	}
	m.add("recording-consent", "noticed", "week", week, nil, 128+math.Round(9*wave(i, 0)), 22, 128)
	m.add("recording-consent", "opted_out", "week", week, nil, 9+math.Round(2*wave(i, 1)), 6, 9)
	m.add("recording-consent", "violations", "week", week, nil, 0, 0, 137)
	*m.out[len(m.out)-1].High = 3.7
}

func (m *maker) words(i int, week string) {
	for j, r := range []string{"booking", "order-status", "price", "reschedule", "billing", "complaint", "other"} {
		share := []float64{0.29, 0.2, 0.14, 0.11, 0.08, 0.06, 0.12}[j] + 0.012*wave(i, float64(j))
		m.rate("contact-reasons", "share", week, one("reason", r), share, 210)
		tone := []float64{22, -14, 3, 8, -21, -47, 5}[j] + 4*wave(i, float64(j))
		m.add("sentiment", "mean", "week", week, one("reason", r), tone, 9+2*float64(j), int64(share*210))
	}
	for k := range m.out[len(m.out)-14:] {
		m.out[len(m.out)-14+k].Settings["min_group"] = "10"
	}
}

func (m *maker) answers(i int, week string) {
	m.add("satisfaction", "nps", "week", week, nil, 31+9*wave(i, 1), 17, 64)
	m.add("satisfaction", "csat", "week", week, nil, 4.2+0.15*wave(i, 2), 0.25, 58)
	m.rate("satisfaction", "csat_satisfied", week, nil, 0.81+0.04*wave(i, 2), 58)
	for j, s := range []string{"After a visit", "After a call"} {
		m.add("satisfaction", "nps", "week", week, map[string][]string{"survey": {s}, "medium": {"text"}}, 38-22*float64(j)+6*wave(i, 0), 21, 32)
	}
}

// hours lays calls over the open week; nights are merged.
func (m *maker) hours(block string) {
	for day := range 7 {
		for hour := 8; hour < 19; hour++ {
			if day == 6 || day == 5 && (hour < 9 || hour > 14) {
				continue
			}
			calls := math.Round(6 + 16*math.Exp(-math.Pow(float64(hour)-10.5, 2)/5) + 9*math.Exp(-math.Pow(float64(hour)-15.5, 2)/3) + 4*wave(day, 0))
			split := one("hour_of_week", strconv.Itoa(day*24+hour))
			m.add("busy-hours", "calls", "hour_of_week", block, split, calls, 1.96*math.Sqrt(calls), int64(calls))
			answered := 0.95
			if hour == 12 || hour == 13 {
				answered = 0.62
			}
			m.add("busy-hours", "answer_rate", "hour_of_week", block, split, answered, 0.09, int64(calls))
		}
		night := map[string][]string{"hour_of_week": nil}
		for hour := range 24 {
			if hour < 8 || hour > 18 || day == 6 || day == 5 && (hour < 9 || hour > 14) {
				night["hour_of_week"] = append(night["hour_of_week"], strconv.Itoa(day*24+hour))
			}
		}
		m.add("busy-hours", "calls", "hour_of_week", block, night, 9, 5.9, 9)
		m.add("busy-hours", "answer_rate", "hour_of_week", block, night, 0.3, 0.25, 9)
		if day == 6 {
			m.hide("small-group")
		}
	}
	m.add("after-hours-demand", "share", "block", block, nil, 0.19, 0.03, 740)
}

// again is what weeks say about people who come back, and about rules.
func (m *maker) again(i int, week string) {
	for j, medium := range []string{"", "call", "text"} {
		split := map[string][]string(nil)
		if medium != "" {
			split = one("medium", medium)
		}
		m.rate("repeat-contact", "within_24h", week, split, 0.14+0.02*wave(i, float64(j)), 210)
		m.rate("repeat-contact", "within_7d", week, split, 0.27+0.02*wave(i, float64(j)), 210)
	}
	m.rate("voicemail-outcome", "left", week, nil, 0.41+0.04*wave(i, 1), 46)
	m.add("ring-timeout", "wait_p50_s", "week", week, nil, 21+2*wave(i, 1), 3, 46)
	m.add("ring-timeout", "wait_p90_s", "week", week, nil, 34+2*wave(i, 2), 4, 46)
	for j, node := range []string{"Opening hours", "Holidays", "Team"} {
		m.rate("dead-rules", "applied", week, map[string][]string{"flow": {"Main"}, "node": {node}}, []float64{0.92, 0, 0.8}[j], 88)
	}
	m.rate("menu-trouble", "no_choice", week, map[string][]string{"flow": {"Main"}, "node": {"Welcome"}}, 0.23+0.02*wave(i, 0), 167)
	for j, r := range []string{"price", "complaint"} {
		m.add("rising-topics", "change", "week", week, one("reason", r), 6*wave(i, float64(j)), 5, 210)
	}
	for _, q := range []string{"missed_p25", "missed_p50", "missed_p75"} {
		m.add("peers", q, "week", week, nil, 0, 0, 0)
		m.hide("no-data")
		m.out[len(m.out)-1].Reason = insight.FewWorkspaces
	}
}

// blocks is what four weeks say.
func (m *maker) blocks(block string) {
	share := func(slug, measure string, split map[string][]string, p float64, n int64) {
		m.add(slug, measure, "block", block, split, p, 1.96*math.Sqrt(p*(1-p)/float64(n)), n)
	}
	for i, delay := range [][]string{{"5_minutes"}, {"15_minutes", "1_hour"}, {"4_hours", "24_hours"}} {
		share("callback-speed", "reached", map[string][]string{"delay": delay}, []float64{0.83, 0.66, 0.41}[i], 40)
	}
	for i, turn := range [][2]string{{"call", "call"}, {"call", "text"}, {"text", "call"}, {"text", "text"}} {
		share("medium-switch", "share", map[string][]string{"from": {turn[0]}, "to": {turn[1]}}, []float64{0.44, 0.21, 0.2, 0.15}[i], 88)
	}
	share("missed-call-rate", "rate", one("number", "Front desk"), 0.09, 430)
	share("missed-call-rate", "rate", one("number", "Repairs"), 0.35, 210)
	for i, reason := range []string{"members_did_not_answer", "out_of_hours", "abandoned_in_menu"} {
		share("missed-call-reasons", "share", one("reason", reason), []float64{0.5, 0.3, 0.2}[i], 180)
	}
	share("missed-not-returned", "rate", nil, 0.36, 180)
	share("ai-containment", "contained", nil, 0.71, 60)
	share("auto-reply-effect", "again_with", nil, 0.12, 80)
	share("auto-reply-effect", "again_without", nil, 0.29, 120)
	m.add("auto-reply-effect", "effect", "block", block, nil, -14, 9, 80)
	for i, reply := range []string{"Hi [NAME], we are open Monday to Friday from 9 to 5. You can book any time on our website, or answer here and we find a time.", "other"} {
		n := float64(44 + 90*i)
		m.add("repeated-replies", "replies", "block", block, one("reply", reply), n, 13, int64(n))
		m.add("repeated-replies", "minutes", "block", block, one("reply", reply), n/2, 6, int64(n))
	}
	for i, driver := range []string{"missed_call", "long_wait", "repeat_contact", "ai_agent"} {
		m.add("score-drivers", "difference", "block", block, one("driver", driver), []float64{-31, -6, -12, 2}[i], 9, 140)
	}
	m.add("talk-balance", "member_share_p50", "week", "2026-W47", nil, 0.52, 0.05, 90)
}
