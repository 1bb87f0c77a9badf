package duckdb

import (
	"fmt"
	"slices"
	"strings"
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

// tied are the conditions on a row that ties are made of, in the order of words.ties.
var tied = []string{
	atTouch: "coalesce(kind = 1 AND direction = 1 OR " + human + " AND direction = 1, false)",
	atCall:  "kind = 1", atReached: reached, atOut: "coalesce(direction = 2, false)",
	atAuto:   "coalesce(kind = 2 AND direction = 2 AND automatic = 1, false)",
	atMissed: "coalesce(missed = 1, false)",
	atWaited: fmt.Sprintf("coalesce(%s AND result = %d AND ring_s >= %d, false)", inboundCall, fact.Answered, int64(release.LongWait/time.Second)),
	atAgent:  fmt.Sprintf("coalesce(%s AND result = %d, false)", inboundCall, fact.AIHandled),
	atText:   "kind = 2",
}

const (
	atTouch = iota
	atCall
	atReached
	atOut
	atAuto
	atMissed
	atWaited
	atAgent
	atText
)

const (
	dayMicros  = int64(24 * time.Hour / time.Microsecond)
	talkMicros = int64(release.SameTalk / time.Microsecond)
	autoMicros = int64(2 * time.Minute / time.Microsecond)
)

// tiedValues are the derived values that ties tell, and the rows that can have them.
var tiedValues = map[release.Derived]string{
	release.Again: tied[atTouch], release.CalledBack: "missed = 1", release.Contained: tied[atAgent],
	release.SoonAgain:         "(missed = 1 OR " + human + " AND direction = 1)",
	release.ScoreAfterContact: "kind = 5 AND " + percentSQL() + " BETWEEN 0 AND 100",
}

// tiedSplits are the splits whose leaf ties tell.
var tiedSplits = []release.Split{
	release.ByTurn, release.ByDelay, release.ByAutoReply, release.ByMissed, release.ByLongWait, release.ByReturn, release.ByAgent,
}

// ties reports whether any question looks at ties.
func (p *plan) ties() bool {
	return slices.ContainsFunc(p.populations, func(n population) bool { return tiedValues[n.follows] != "" })
}

// percentSQL is a score in percent of its scale.
func percentSQL() string {
	var s strings.Builder
	s.WriteString("CASE")
	for scale := fact.NPS; scale < fact.Comment; scale++ {
		low, high := scale.Range()
		fmt.Fprintf(&s, " WHEN scale = %d THEN (CAST(score AS BIGINT) - %d) * 100 // %d", scale, low, high-low)
	}
	return s.String() + " END"
}

func (s *slice) says(n uint32, condition int) bool {
	return s.words.ties[condition].get(s.row(n)[atWords:]) == 1
}

// tie finds the ties of the rows of a contact, which are in order of time. Rows of one instant come neither before nor
// after one another, so that nothing depends on an order that nobody knows.
func (s *slice) tie(rows []uint32) {
	s.tied = slices.Grow(s.tied[:0], len(rows))[:len(rows)]
	instants(rows, s, func(from, to int, now *tie) { // forward: what came before
		t, before := s.row(rows[from])[atTime], now.before
		for n := from; n < to; n++ {
			s.tied[n].before = before
			s.note(now, rows[n], t, before)
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
			if s.says(rows[n], atAuto) {
				auto = t
			}
			if s.says(rows[n], atTouch) {
				sooner = t
			}
			if s.says(rows[n], atCall) && s.says(rows[n], atOut) {
				call = min(call, 2*t+bit(!s.says(rows[n], atReached)))
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
func (s *slice) note(now *tie, row uint32, t, before int64) {
	if s.says(row, atCall) || s.says(row, atText) {
		now.any = t
	}
	if s.says(row, atMissed) {
		now.missed = t
	}
	if s.says(row, atWaited) {
		now.waited = t
	}
	if s.says(row, atAgent) {
		now.agent = t
	}
	if s.says(row, atTouch) {
		if gap := t - before/2; gap > talkMicros && gap <= dayMicros {
			now.again = t
		}
		now.before = max(now.before, 2*t+bit(s.says(row, atText)))
	}
}

// tiedValue is a value that ties tell of the row n of its contact; false when it has none.
func (s *slice) tiedValue(d release.Derived, words []int64, t int64, n int) (int64, bool) {
	b := &s.tied[n]
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
		return bit(b.next <= t+talkMicros), s.words.ties[atMissed].get(words) == 1 || gap > talkMicros
	}
	return s.words.percent.get(words), b.any >= t-7*dayMicros // ScoreAfterContact
}

// tiedLeaf is the leaf of a split that ties tell.
func (s *slice) tiedLeaf(by split, row []int64, n int) int {
	t, words := row[atTime], row[atWords:]
	b := &tie{next: never, back: never, auto: never} // of nobody
	if row[atContact] != 0 {
		b = &s.tied[n]
	}
	within := func(last int64) release.Key { return release.Key{2 - bit(last >= t-7*dayMicros)} }
	text := s.words.ties[atText].get(words)
	var k release.Key
	switch by.by {
	case release.ByTurn:
		k = release.Key{min(b.before, 1+b.before&1), 1 + text} // 0: the contact was not in touch before
	case release.ByDelay:
		k[0] = 1 + int64(slices.IndexFunc(release.Delays, func(d time.Duration) bool { return b.back/2-t <= d.Microseconds() }))
	case release.ByAutoReply:
		k = release.Key{2 - bit(b.auto <= t+autoMicros), 2 + 2*text - s.words.open.get(words)}
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
