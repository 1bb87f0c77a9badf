package counttest

import (
	"bytes"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// ties is what else the contact of a row did, in microseconds; 0: nothing.
type ties struct {
	before, next, back, auto int64
	beforeText, reached      bool
	last                     map[release.Split]int64 // the newest, up to the row
	any                      int64
}

const hour, day = int64(3600e6), int64(24 * 3600e6)

// touch reports whether somebody got in touch.
func (r Row) touch() bool {
	return r.inbound() || r.human() && r.get(fact.ColDirection) == int64(fact.In)
}

// findTies walks the other rows of the contact.
func (p Placed) findTies(all []Row) ties {
	t := ties{last: map[release.Split]int64{}}
	if p.Row.Contact == nil {
		return t
	}
	for _, o := range all {
		if o.Contact == nil || !bytes.Equal(o.Contact, p.Row.Contact) {
			continue
		}
		text := o.Kind == fact.KindMessage
		if o.touch() && o.At < p.Row.At && (o.At > t.before || o.At == t.before && text) {
			t.before, t.beforeText = o.At, text
		}
		sooner := func(than int64) bool { return than == 0 || o.At < than }
		if o.touch() && o.At > p.Row.At && sooner(t.next) {
			t.next = o.At
		}
		out := o.get(fact.ColDirection) == int64(fact.Out)
		if o.Kind == fact.KindCall && out && o.At > p.Row.At && (sooner(t.back) || o.At == t.back && o.reached()) {
			t.back, t.reached = o.At, o.reached()
		}
		if text && out && o.get(fact.ColAutomatic) == 1 && o.At >= p.Row.At && sooner(t.auto) {
			t.auto = o.At
		}
		if o.At <= p.Row.At {
			t.note(o, p.settings, all)
		}
	}
	return t
}

// note keeps what a row up to the answer says about its contact.
func (t *ties) note(o Row, s release.Settings, all []Row) {
	if o.Kind == fact.KindCall || o.Kind == fact.KindMessage {
		t.any = max(t.any, o.At)
	}
	had := func(by release.Split, yes bool) {
		if yes {
			t.last[by] = max(t.last[by], o.At)
		}
	}
	missed, ok := Placed{Row: o, settings: s}.missed()
	had(release.ByMissed, ok && missed == 1)
	had(release.ByLongWait, o.inbound() && o.get(fact.ColResult) == int64(fact.Answered) && o.get(fact.ColRingS) >= int64(release.LongWait.Seconds()))
	had(release.ByAgent, o.inbound() && o.get(fact.ColResult) == int64(fact.AIHandled))
	if o.touch() {
		before := int64(0)
		for _, e := range all {
			if e.touch() && e.At < o.At && bytes.Equal(e.Contact, o.Contact) {
				before = max(before, e.At)
			}
		}
		gap := o.At - before
		had(release.ByReturn, before > 0 && gap > release.SameTalk.Microseconds() && gap <= day)
	}
}

// first reports whether a row belongs to no talk before it.
func (p Placed) first() bool {
	return p.Row.Contact != nil && p.Row.touch() && (p.ties.before == 0 || p.Row.At-p.ties.before > release.SameTalk.Microseconds())
}

func (p Placed) tiedValue(d release.Derived) (int64, bool) {
	r, t := p.Row, p.ties
	missed, ok := p.missed()
	miss := ok && missed == 1 && r.Contact != nil
	switch d {
	case release.Again:
		switch gap := r.At - t.before; {
		case t.before == 0 || gap > 7*day:
			return 0, p.first()
		case gap > day:
			return 1, p.first()
		}
		return 2, p.first()
	case release.CalledBack:
		return truth(t.reached), miss && t.back > 0 && t.back <= r.At+day
	case release.Contained:
		return truth(t.next == 0 || t.next > r.At+day), r.Contact != nil && r.inbound() && r.get(fact.ColResult) == int64(fact.AIHandled)
	case release.SoonAgain:
		return truth(t.next > 0 && t.next <= r.At+release.SameTalk.Microseconds()), miss || r.Kind == fact.KindMessage && p.first()
	case release.ScoreAfterContact:
		low, high := fact.Scale(r.get(fact.ColScale)).Range()
		score, has := r.Values[fact.ColScore]
		if r.Kind != fact.KindAnswer || !has || score < low || score > high || t.any == 0 || t.any < r.At-7*day {
			return 0, false
		}
		return (score - low) * 100 / (high - low), true
	}
	return 0, false
}

func (p Placed) tiedKey(by release.Split) (k release.Key) {
	t := p.ties
	yes := func(b bool) int64 { return 2 - truth(b) }
	switch by {
	case release.ByTurn:
		if t.before > 0 {
			k[0] = 1 + truth(t.beforeText)
		}
		k[1] = int64(p.Row.Kind)
	case release.ByDelay:
		for i, d := range release.Delays {
			if t.back > 0 && time.Duration(t.back-p.Row.At)*time.Microsecond <= d {
				return release.Key{int64(i + 1)}
			}
		}
	case release.ByAutoReply:
		k[0] = yes(t.auto > 0 && t.auto <= p.Row.At+hour/30)
		k[1] = 2*int64(p.Row.Kind) - truth(p.settings.OpenHours.Has(p.hour()))
	case release.ByMissed, release.ByLongWait, release.ByReturn, release.ByAgent:
		k[0] = yes(t.last[by] > 0 && t.last[by] >= p.Row.At-7*day)
	}
	return k
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
