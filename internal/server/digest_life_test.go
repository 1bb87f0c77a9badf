package server

import (
	"math"
	"slices"
	"sort"
	"time"

	"murmur/internal/synth"
)

// life is what really happened in a synthetic business, counted by the definitions of docs/insights.md from what the generator
// lived, with no code of the program.
type life struct {
	calls   []*synth.Call
	texts   []*synth.Text
	steps   []synth.Step
	answers []synth.Answer
	touches map[string][]touch // by contact, in the order of time: inbound calls and incoming texts
}

type touch struct {
	at     time.Time
	medium string
}

type within struct{ from, to time.Time }

func (w within) has(t time.Time) bool { return !t.Before(w.from) && t.Before(w.to) }

func lived(days []synth.Day) *life {
	l := &life{touches: map[string][]touch{}}
	for i := range days {
		d := &days[i]
		for j := range d.Calls {
			l.calls = append(l.calls, &d.Calls[j])
		}
		for j := range d.Texts {
			l.texts = append(l.texts, &d.Texts[j])
		}
		l.steps, l.answers = append(l.steps, d.Steps...), append(l.answers, d.Answers...)
	}
	for _, c := range l.calls {
		if !c.Out {
			l.touches[c.Person.Phone] = append(l.touches[c.Person.Phone], touch{c.At, "call"})
		}
	}
	for _, x := range l.texts {
		if !x.Out && !x.Automatic {
			l.touches[x.Person.Phone] = append(l.touches[x.Person.Phone], touch{x.At, "text"})
		}
	}
	for _, ts := range l.touches {
		slices.SortStableFunc(ts, func(a, b touch) int { return a.at.Compare(b.at) })
	}
	return l
}

func openAt(t time.Time) bool {
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && t.Hour() >= 9 && t.Hour() < 17
}

func reached(c *synth.Call) bool {
	return c.Outcome == "answered" || c.Outcome == "ai_handled" || c.Outcome == "forwarded"
}

// inbound lists the calls of a span that came in.
func (l *life) inbound(w within) (cs []*synth.Call) {
	for _, c := range l.calls {
		if !c.Out && w.has(c.At) {
			cs = append(cs, c)
		}
	}
	return cs
}

// part is the share of those that yes holds for among those that of does.
func part[T any](all []T, of, yes func(T) bool) (float64, bool) {
	n, k := 0, 0
	for _, x := range all {
		if of(x) {
			n++
			if yes(x) {
				k++
			}
		}
	}
	return float64(k) / float64(max(n, 1)), n > 0
}

func always[T any](T) bool { return true }

func missed(c *synth.Call) bool { return !reached(c) }

func (l *life) missedRate(w within, number string) (float64, bool) {
	return part(l.inbound(w), func(c *synth.Call) bool { return openAt(c.At) && (number == "" || c.Number.ID == number) }, missed)
}

func missReason(c *synth.Call) string {
	if !openAt(c.At) {
		return "out_of_hours"
	}
	return c.Outcome
}

func (l *life) missReasons(w within) map[string]float64 {
	n, by := 0.0, map[string]float64{}
	for _, c := range l.inbound(w) {
		if missed(c) {
			by[missReason(c)]++
			n++
		}
	}
	return shareOf(by, n)
}

func shareOf(by map[string]float64, n float64) map[string]float64 {
	for k := range by {
		by[k] /= max(n, 1)
	}
	return by
}

func (l *life) notReturned(w within) (float64, bool) {
	return part(l.inbound(w), missed, func(m *synth.Call) bool {
		soon := func(at time.Time) bool { return at.After(m.At) && !at.After(m.At.Add(24*time.Hour)) }
		return !slices.ContainsFunc(l.calls, func(c *synth.Call) bool {
			return c.Person.Phone == m.Person.Phone && soon(c.At) && (c.Out || reached(c))
		}) && !slices.ContainsFunc(l.texts, func(x *synth.Text) bool {
			return x.Person.Phone == m.Person.Phone && soon(x.At) && x.Out && !x.Automatic
		})
	})
}

func (l *life) leftMessage(w within) (float64, bool) {
	return part(l.inbound(w), missed, func(c *synth.Call) bool { return c.Voicemail != "" })
}

// quantileOf lies between the two values around its rank, as far from either as the rank.
func quantileOf(values []float64, p float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sort.Float64s(values)
	rank := p * float64(len(values)-1)
	below, above := values[int(rank)], values[int(math.Ceil(rank))]
	return below + (rank-math.Floor(rank))*(above-below), true
}

func (l *life) missedRing(w within) (float64, bool) {
	var s []float64
	for _, c := range l.inbound(w) {
		if missed(c) {
			s = append(s, c.Ended.Sub(c.At).Seconds())
		}
	}
	return quantileOf(s, 0.9)
}

func (l *life) replyTime(w within) (float64, bool) {
	by := map[string][]*synth.Text{}
	for _, x := range l.texts {
		if !x.Automatic {
			by[x.Person.Phone] = append(by[x.Person.Phone], x)
		}
	}
	var s []float64
	for _, xs := range by {
		slices.SortStableFunc(xs, func(a, b *synth.Text) int { return a.At.Compare(b.At) })
		for i, x := range xs {
			if x.Out || !w.has(x.At) || i > 0 && !xs[i-1].Out {
				continue
			}
			if j := slices.IndexFunc(xs[i:], func(y *synth.Text) bool { return y.Out }); j > 0 {
				s = append(s, xs[i+j].At.Sub(x.At).Seconds())
			}
		}
	}
	return quantileOf(s, 0.5)
}

// cameBack walks over the times that people got in touch in a span: the time before, and this one.
func (l *life) cameBack(w within, f func(before *touch, now touch)) {
	for _, ts := range l.touches {
		for i, now := range ts {
			var before *touch
			if i > 0 {
				before = &ts[i-1]
			}
			if w.has(now.at) && (before == nil || now.at.Sub(before.at) > 30*time.Minute) {
				f(before, now)
			}
		}
	}
}

func (l *life) again(w within, soon time.Duration) (float64, bool) {
	n, k := 0, 0
	l.cameBack(w, func(before *touch, now touch) {
		n++
		if before != nil && now.at.Sub(before.at) <= soon {
			k++
		}
	})
	return float64(k) / float64(max(n, 1)), n > 0
}

func (l *life) ways(w within) map[string]float64 {
	n, by := 0.0, map[string]float64{}
	l.cameBack(w, func(before *touch, now touch) {
		if before != nil && now.at.Sub(before.at) <= 24*time.Hour {
			by["from a "+before.medium+", to a "+now.medium]++
			n++
		}
	})
	return shareOf(by, n)
}

func (l *life) noChoice(w within) (rate float64, times float64, ok bool) {
	menu := func(s synth.Step) bool { return s.Kind == "menu" && w.has(s.In) }
	none := func(s synth.Step) bool { return s.Key == "none" }
	rate, ok = part(l.steps, menu, none)
	for _, s := range l.steps {
		if menu(s) && none(s) {
			times++
		}
	}
	return rate, times, ok
}

func (l *life) applied(w within, number, node string) (float64, bool) {
	return part(l.steps, func(s synth.Step) bool { return s.Node == node && s.Number.ID == number && w.has(s.In) },
		func(s synth.Step) bool {
			return s.Outcome == "matched" || s.Outcome == "opt_out" || s.Outcome == "answered"
		})
}

func (l *life) nps(w within) (float64, bool) {
	n, sum := 0.0, 0.0
	for _, a := range l.answers {
		if a.Survey.Scale == "nps" && w.has(a.At) {
			n++
			switch {
			case a.Score >= 9:
				sum += 100
			case a.Score <= 6:
				sum -= 100
			}
		}
	}
	return sum / max(n, 1), n > 0
}

// topics are the shares of the reasons that people had, among the texts and voices that can be read.
func (l *life) topics(w within) map[string]float64 {
	n, by := 0.0, map[string]float64{}
	for _, x := range l.texts {
		if !x.Out && w.has(x.At) {
			by[x.Reason]++
			n++
		}
	}
	for _, c := range l.calls {
		if w.has(c.At) && (c.Recorded || c.Voicemail != "") {
			by[c.Reason]++
			n++
		}
	}
	return shareOf(by, n)
}

func (l *life) whileClosed(w within) (float64, bool) {
	return part(l.inbound(w), always[*synth.Call], func(c *synth.Call) bool { return !openAt(c.At) })
}

// inHours counts the calls of some hours of the day, on some days of the week; missed ones too.
func (l *life) inHours(w within, has func(time.Time) bool) (n, missedOnes float64) {
	for _, c := range l.inbound(w) {
		if has(c.At) {
			n++
			if missed(c) {
				missedOnes++
			}
		}
	}
	return n, missedOnes
}

// calledBack is how many of the missed callers whom the business called within most, and later than least, were reached.
func (l *life) calledBack(w within, most time.Duration) (float64, bool) {
	var first []*synth.Call
	for _, m := range l.inbound(w) {
		if !missed(m) {
			continue
		}
		var back *synth.Call
		for _, c := range l.calls {
			if c.Out && c.Person.Phone == m.Person.Phone && c.At.After(m.At) && (back == nil || c.At.Before(back.At)) {
				back = c
			}
		}
		if back != nil && back.At.Sub(m.At) <= most {
			first = append(first, back)
		}
	}
	return part(first, always[*synth.Call], reached)
}

func (l *life) contained(w within) (float64, bool) {
	return part(l.inbound(w), func(c *synth.Call) bool { return c.Outcome == "ai_handled" }, func(c *synth.Call) bool {
		return !slices.ContainsFunc(l.touches[c.Person.Phone], func(t touch) bool { return t.at.After(c.At) && !t.at.After(c.At.Add(24*time.Hour)) })
	})
}
