package duckdb

import (
	"slices"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// tie is what else the contact of a row did. Times are microseconds; 0 before and never after where there is nothing. before
// and back are a time and a bit, 2 t + bit, so that the latest of both is a maximum.
type tie struct {
	before                            int64 // when it was in touch the last time before; the bit: by text
	next                              int64 // when it was in touch the first time after
	back                              int64 // when a call went to it after; the bit: it was not reached
	auto                              int64 // when a rule texted it, from then on
	any, missed, waited, again, agent int64 // the last time up to then, of a call or text and of each driver
}

// ties is what a row says to those of others.
type ties struct {
	touch      bool // the contact got in touch
	out        bool // to the contact
	call, text bool
	reached    bool // a call: somebody
	auto       bool // a rule texted the contact
	waited     bool // an answered call that rang for long
	agent      bool // a call that an AI agent handled
	open       bool // in open hours
	scale      fact.Scale
}

const (
	dayMicros  = int64(24 * time.Hour / time.Microsecond)
	talkMicros = int64(release.SameTalk / time.Microsecond)
	autoMicros = int64(2 * time.Minute / time.Microsecond)
)

// tied reports whether a value is one that ties tell.
func tied(d release.Derived) bool {
	switch d {
	case release.Again, release.CalledBack, release.Contained, release.SoonAgain, release.ScoreAfterContact:
		return true
	}
	return false
}

// tied reports whether a row can have a value that ties tell.
func (s *signature) tied(d release.Derived) bool {
	switch d {
	case release.Again:
		return s.ties.touch
	case release.CalledBack:
		return s.missed == 1
	case release.Contained:
		return s.ties.agent
	case release.SoonAgain:
		return s.missed == 1 || s.text && !s.out
	}
	return s.ties.scale != 0 // ScoreAfterContact
}

// tiedSplits are the splits whose leaf ties tell.
var tiedSplits = []release.Split{
	release.ByTurn, release.ByDelay, release.ByAutoReply, release.ByMissed, release.ByLongWait, release.ByReturn, release.ByAgent,
}

// ties reports whether any question looks at ties.
func (p *plan) ties() bool {
	return slices.ContainsFunc(p.populations, func(n population) bool { return tied(n.query.Value.Derived) })
}

// percent is a score in percent of its scale.
func (s *slice) percent(scale fact.Scale, row []int64) (int64, bool) {
	low, high := scale.Range()
	given := s.words.values[score].get(row[atWords:])
	if given < max(low, 0) || given > high || high == low {
		return 0, false
	}
	return (given - low) * 100 / (high - low), true
}

// tie finds the ties of the rows of a contact, which are in order of time. Rows of one instant come neither before nor
// after one another, so that nothing depends on an order that nobody knows.
func (s *slice) tie(rows []uint32) {
	s.tied = slices.Grow(s.tied[:0], len(rows))[:len(rows)]
	says := func(n int) ties { return s.signatureOf(s.row(rows[n])).ties }
	instants(rows, s, func(from, to int, now *tie) { // forward: what came before
		t, before := s.row(rows[from])[atTime], now.before
		for n := from; n < to; n++ {
			s.tied[n].before = before
			now.note(s.signatureOf(s.row(rows[n])), t, before)
		}
		for n := from; n < to; n++ {
			b := &s.tied[n]
			b.any, b.missed, b.waited, b.again, b.agent = now.any, now.missed, now.waited, now.again, now.agent
		}
	})
	next, back, auto := int64(never), int64(never), int64(never)
	for to := len(rows); to > 0; {
		from := to - 1
		t := s.row(rows[from])[atTime]
		for from > 0 && s.row(rows[from-1])[atTime] == t {
			from--
		}
		sooner, call := next, back
		for n := from; n < to; n++ {
			if says(n).auto {
				auto = t
			}
			if says(n).touch {
				sooner = t
			}
			if is := says(n); is.call && is.out {
				call = min(call, 2*t+bit(!is.reached))
			}
		}
		for n := from; n < to; n++ {
			s.tied[n].next, s.tied[n].back, s.tied[n].auto = next, back, auto
		}
		next, back, to = sooner, call, from
	}
}

// instants calls f with the rows of each instant, in order.
func instants(rows []uint32, s *slice, f func(from, to int, now *tie)) {
	now := tie{}
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && s.row(rows[to])[atTime] == s.row(rows[from])[atTime] {
			to++
		}
		f(from, to, &now)
		from = to
	}
}

// note adds a row at time t to what came up to now.
func (now *tie) note(is *signature, t, before int64) {
	if is.ties.call || is.ties.text {
		now.any = t
	}
	if is.missed == 1 {
		now.missed = t
	}
	if is.ties.waited {
		now.waited = t
	}
	if is.ties.agent {
		now.agent = t
	}
	if is.ties.touch {
		if gap := t - before/2; gap > talkMicros && gap <= dayMicros {
			now.again = t
		}
		now.before = max(now.before, 2*t+bit(is.ties.text))
	}
}

// tiedValue is a value that ties tell of the row n of its contact; false when it has none.
func (s *slice) tiedValue(d release.Derived, row []int64, n int) (int64, bool) {
	b, t, is := &s.tied[n], row[atTime], s.signatureOf(row)
	gap := t - b.before/2
	switch d {
	case release.Again:
		switch {
		case gap <= dayMicros:
			return 2, gap > talkMicros
		case gap <= 7*dayMicros:
			return 1, true
		}
		return 0, true
	case release.CalledBack:
		return 1 - b.back&1, b.back/2 <= t+dayMicros
	case release.Contained:
		return bit(b.next > t+dayMicros), true
	case release.SoonAgain:
		return bit(b.next <= t+talkMicros), is.missed == 1 || gap > talkMicros
	}
	percent, ok := s.percent(is.ties.scale, row) // ScoreAfterContact
	return percent, ok && b.any >= t-7*dayMicros
}

// tiedLeaf is the leaf of a split that ties tell.
func (s *slice) tiedLeaf(by split, is *signature, row []int64, n int) int {
	t := row[atTime]
	b := &tie{next: never, back: never, auto: never} // of nobody
	if contactOf(row) != 0 {
		b = &s.tied[n]
	}
	within := func(last int64) release.Key { return release.Key{2 - bit(last >= t-7*dayMicros)} }
	text := bit(is.ties.text)
	var k release.Key
	switch by.by {
	case release.ByTurn:
		k = release.Key{min(b.before, 1+b.before&1), 1 + text} // 0: the contact was not in touch before
	case release.ByDelay:
		k[0] = 1 + int64(slices.IndexFunc(release.Delays, func(d time.Duration) bool { return b.back/2-t <= d.Microseconds() }))
	case release.ByAutoReply:
		k = release.Key{2 - bit(b.auto <= t+autoMicros), 2 + 2*text - bit(is.ties.open)}
	case release.ByMissed:
		k = within(b.missed)
	case release.ByLongWait:
		k = within(b.waited)
	case release.ByReturn:
		k = within(b.again)
	case release.ByAgent:
		k = within(b.agent)
	}
	if i := slices.Index(by.leaves, k); i >= 0 {
		return i
	}
	return len(by.leaves)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
