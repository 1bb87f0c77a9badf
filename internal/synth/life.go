package synth

import (
	"cmp"
	"slices"
	"time"
)

// openFrom and openTo are the opening hours, Monday to Friday.
const openFrom, openTo = 9, 17

// arrivals is how often people get in touch by hour of the day, in parts of about a thousand.
var arrivals = [24]int{2, 1, 1, 1, 1, 2, 6, 15, 45, 95, 100, 85, 165, 155, 75, 65, 60, 42, 28, 22, 16, 10, 5, 3}

// pending is something that happens later than what caused it.
type pending struct {
	at time.Time
	do func(d *Day, at time.Time)
}

// Next gives the events of the next day.
func (b *Business) Next() Day {
	date := b.cfg.Start.In(b.Zone)
	date = time.Date(date.Year(), date.Month(), date.Day()+b.day, 0, 0, 0, 0, b.Zone)
	b.day++
	d := Day{Date: date}
	mean := float64(b.cfg.Contacts) * 1.3 * 12 / 365
	if isWeekend(date) {
		mean *= 0.35
	} else {
		mean *= 1.26
	}
	for range poisson(b.random, mean) {
		b.visit(&d, b.meet(), b.moment(date))
	}
	b.catchUp(&d, date.AddDate(0, 0, 1))
	d.sort()
	return d
}

// catchUp does what became due before end; doing it may make more due.
func (b *Business) catchUp(d *Day, end time.Time) {
	for {
		i := slices.IndexFunc(b.pending, func(p pending) bool { return p.at.Before(end) })
		if i < 0 {
			return
		}
		p := b.pending[i]
		b.pending = slices.Delete(b.pending, i, i+1)
		p.do(d, p.at)
	}
}

func (b *Business) later(at time.Time, do func(*Day, time.Time)) {
	b.pending = append(b.pending, pending{at, do})
}

func (d *Day) sort() {
	slices.SortStableFunc(d.Calls, func(a, b Call) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(d.Texts, func(a, b Text) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(d.Steps, func(a, b Step) int { return cmp.Or(a.In.Compare(b.In), cmp.Compare(a.ID, b.ID)) })
	slices.SortStableFunc(d.Answers, func(a, b Answer) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(d.Consents, func(a, b Consent) int { return a.At.Compare(b.At) })
}

// moment is a time of the day as people choose it.
func (b *Business) moment(date time.Time) time.Time {
	total := 0
	for _, a := range arrivals {
		total += a
	}
	n, hour := b.random.IntN(total), 0
	for ; n >= arrivals[hour]; hour++ {
		n -= arrivals[hour]
	}
	return time.Date(date.Year(), date.Month(), date.Day(), hour, b.random.IntN(60), b.random.IntN(60), 0, b.Zone)
}

func isWeekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

func isOpen(t time.Time) bool { return !isWeekend(t) && t.Hour() >= openFrom && t.Hour() < openTo }

// nextOpen is t, or the next opening when t is closed.
func nextOpen(t time.Time) time.Time {
	for !isOpen(t) {
		past := time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
		t = t.Add(time.Hour - past) // by the hand, not by the calendar: the hour that a change of clocks skips has no date
	}
	return t
}

// atLunch reports whether the planted problem rules a call.
func (b *Business) atLunch(n Number, t time.Time) bool {
	return !b.cfg.Healthy && n == b.Numbers[0] && isOpen(t) && (t.Hour() == 12 || t.Hour() == 13)
}

// visit is one contact of a person: a call or a text.
func (b *Business) visit(d *Day, p *Person, at time.Time) {
	number := b.Numbers[0]
	if x := b.random.Float64(); x > 0.9 {
		number = b.Numbers[2]
	} else if x > 0.7 {
		number = b.Numbers[1]
	}
	topic := b.trade.topic(b.random)
	if b.random.Float64() < 0.65 {
		b.callIn(d, p, number, at, topic, 0)
	} else {
		b.textIn(d, p, number, at, topic)
	}
}

// callIn is an inbound call: the menu, the ringing, the talk, and what follows.
func (b *Business) callIn(d *Day, p *Person, n Number, at time.Time, topic string, try int) {
	c := Call{ID: b.id("AC"), Person: p, Number: n, At: at, Reason: topic}
	lunch := b.atLunch(n, at)
	optedOut, gaveUp, rings := b.walk(d, &c, lunch)
	member := pick(b.random, b.Members)
	x := b.random.Float64()
	switch {
	case gaveUp:
		c.Outcome, c.Ended = "abandoned_in_menu", rings
	case !isOpen(at):
		b.miss(&c, "out_of_hours", rings, topic, 0.5)
	case lunch && x < 0.78:
		c.Outcome, c.Ended = "members_did_not_answer", rings.Add(around(b.random, 24, 0.2))
		b.hangUp(d, &c)
		p.let = true
	case x < 0.05:
		b.miss(&c, "members_did_not_answer", rings, topic, 0.6)
	case x < 0.08:
		c.Outcome, c.Ended = "abandoned", rings.Add(around(b.random, 9, 0.4))
	case x < 0.11:
		c.Outcome = "ai_handled"
		b.talk(d, &c, Member{}, rings, topic, optedOut)
	case x < 0.13:
		c.Outcome, c.Ended = "forwarded", rings.Add(around(b.random, 60, 0.5))
	default:
		c.Outcome = "answered"
		b.talk(d, &c, member, rings.Add(around(b.random, 8, 0.45)), topic, optedOut)
	}
	d.Calls = append(d.Calls, c)
	if c.Answered.IsZero() && c.Outcome != "forwarded" {
		b.afterMiss(&c, topic, lunch, try)
	}
	b.ask(p, c.ID, c.Ended, 0.35)
}

// walk leads a call through hours and menu; it gives the time at which phones begin to ring.
func (b *Business) walk(d *Day, c *Call, lunch bool) (optedOut, gaveUp bool, rings time.Time) {
	t := c.At
	open := "matched"
	if !isOpen(c.At) {
		open = "not_matched"
	}
	d.Steps = append(d.Steps, b.step(c, "opening hours", "hours", "", "", open, t, t))
	if c.Number != b.Numbers[0] || !isOpen(c.At) {
		return false, false, t
	}
	out := t.Add(around(b.random, 9, 0.3))
	x := b.random.Float64()
	key, label, outcome := "1", "Appointments", "matched"
	switch {
	case lunch:
		key, label = "3", "Speak to someone"
	case x < 0.05:
		key, label, outcome, gaveUp = "none", "", "timeout", true
	case x < 0.10:
		key, label, outcome, optedOut = "9", "Do not record", "opt_out", true
	case x < 0.25:
		key, label = "2", "Billing"
	case x < 0.45:
		key, label = "3", "Speak to someone"
	}
	d.Steps = append(d.Steps, b.step(c, "menu", "menu", key, label, outcome, t, out))
	if optedOut {
		d.Consents = append(d.Consents, Consent{b.id("CO"), c.ID, c.Person, "opted_out", "menu", out})
	}
	return optedOut, gaveUp, out
}

// hangUp plays the menu once more after the phones rang out: most callers make no choice.
func (b *Business) hangUp(d *Day, c *Call) {
	in := c.Ended
	c.Ended = in.Add(around(b.random, 12, 0.3))
	d.Steps = append(d.Steps, b.step(c, "menu", "menu", "none", "", "hangup", in, c.Ended))
}

func (b *Business) step(c *Call, node, kind, key, label, outcome string, in, out time.Time) Step {
	return Step{b.id("ST"), c.ID, c.Person, c.Number, node, kind, key, label, outcome, in, out}
}

// miss rings out; some leave a voicemail.
func (b *Business) miss(c *Call, why string, rings time.Time, topic string, leaves float64) {
	c.Outcome, c.Ended = why, rings.Add(around(b.random, 25, 0.2))
	if b.random.Float64() < leaves {
		c.Voicemail = b.trade.voicemail(b.random, c.Person, topic)
		c.Ended = c.Ended.Add(spoken(c.Voicemail))
	}
}

// talk is the conversation; it is recorded unless the caller refused.
func (b *Business) talk(d *Day, c *Call, m Member, answered time.Time, topic string, optedOut bool) {
	c.Member, c.Answered = m, answered
	turns := b.trade.conversation(b.random, c.Person, m, b.Name, topic)
	if n := len(turns); n > 0 {
		c.Ended = answered.Add(time.Duration(turns[n-1].End*float64(time.Second)) + 2*time.Second).Truncate(time.Second)
	}
	ringGroup := b.step(c, "team", "ring_group", "", "", "answered", c.At, answered)
	d.Steps = append(d.Steps, ringGroup)
	if optedOut || b.random.Float64() > 0.8 {
		return
	}
	c.Recorded, c.Turns = true, turns
	c.Summary = "Caller " + c.Person.Name + " called about " + topicWords[topic] + "."
	d.Consents = append(d.Consents, Consent{b.id("CO"), c.ID, c.Person, "noticed", "policy", answered})
}

// afterMiss is what both sides do about a missed call: call back, try again, or nothing.
func (b *Business) afterMiss(c *Call, topic string, lunch bool, try int) {
	p, n := c.Person, c.Number
	returns := 0.65
	if lunch {
		returns = 0.2
	}
	x := b.random.Float64()
	switch {
	case x < returns:
		at := nextOpen(c.Ended.Add(around(b.random, 5400, 0.8)))
		b.later(at, func(d *Day, at time.Time) { b.callOut(d, p, n, at, topic) })
	case x < returns+0.15 && try < 2:
		at := c.Ended.Add(around(b.random, 1800, 0.8))
		b.later(at, func(d *Day, at time.Time) { b.callIn(d, p, n, at, topic, try+1) })
	}
}

// callOut is an outbound call.
func (b *Business) callOut(d *Day, p *Person, n Number, at time.Time, topic string) {
	c := Call{ID: b.id("AC"), Person: p, Number: n, Out: true, At: at, Member: pick(b.random, b.Members), Reason: topic}
	ring := at.Add(around(b.random, 12, 0.4))
	if b.random.Float64() < 0.3 {
		c.Outcome, c.Ended = "failed", ring
	} else {
		c.Outcome = "answered"
		b.talk(d, &c, c.Member, ring, topic, false)
	}
	d.Calls = append(d.Calls, c)
}

// textIn is a text and the thread that follows.
func (b *Business) textIn(d *Day, p *Person, n Number, at time.Time, topic string) {
	d.Texts = append(d.Texts, Text{ID: b.id("AC"), Person: p, Number: n, At: at, Body: b.trade.message(b.random, p, topic), Reason: topic})
	if !isOpen(at) {
		auto := Text{ID: b.id("AC"), Person: p, Number: n, Out: true, At: at.Add(2 * time.Second), Body: autoReply(b.Name), Automatic: true}
		d.Texts = append(d.Texts, auto)
	}
	if b.random.Float64() < 0.06 {
		return
	}
	b.later(nextOpen(at.Add(around(b.random, 540, 1))), func(d *Day, at time.Time) {
		m := pick(b.random, b.Members)
		d.Texts = append(d.Texts, Text{
			ID: b.id("AC"), Person: p, Number: n, Member: m, Out: true, At: at, Body: b.trade.reply(b.random, p, topic), Failed: b.random.Float64() < 0.01,
		})
		if b.random.Float64() < 0.5 {
			b.later(at.Add(around(b.random, 300, 1)), func(d *Day, at time.Time) {
				d.Texts = append(d.Texts, Text{ID: b.id("AC"), Person: p, Number: n, At: at, Body: closing(b.random, p), Reason: "thanks"})
			})
		}
		b.ask(p, "", at, 0.3)
	})
}

// ask sends a survey that a part of the people answers the next morning.
func (b *Business) ask(p *Person, call string, after time.Time, answers float64) {
	if b.random.Float64() > answers {
		return
	}
	s := b.Surveys[0]
	if call != "" && b.random.Float64() < 0.5 {
		s = b.Surveys[1]
	}
	at := after.Add(around(b.random, 50000, 0.5))
	b.later(at, func(d *Day, at time.Time) {
		score := b.score(s, p.let)
		d.Answers = append(d.Answers, Answer{b.id("an"), p, s, score, remark(b.random, p, p.let), at, call})
	})
}

// score is low for people whom the planted problem let down.
func (b *Business) score(s Survey, let bool) int {
	x := b.random.IntN(10)
	switch {
	case s.Scale == "nps" && let:
		return []int{0, 1, 2, 2, 3, 4, 5, 5, 6, 7}[x]
	case s.Scale == "nps":
		return []int{5, 7, 8, 8, 9, 9, 9, 10, 10, 10}[x]
	case let:
		return []int{1, 1, 1, 1, 2, 2, 2, 2, 3, 3}[x]
	}
	return []int{3, 4, 4, 4, 4, 5, 5, 5, 5, 5}[x]
}

// spoken is how long words take: about 150 a minute.
func spoken(words string) time.Duration {
	return time.Duration(len(words)/6+2) * 400 * time.Millisecond
}
