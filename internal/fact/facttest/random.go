package facttest

import (
	"math/rand/v2"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
)

// Kinds are all kinds of facts.
var Kinds = []fact.Kind{fact.KindCall, fact.KindMessage, fact.KindTalk, fact.KindStep, fact.KindAnswer, fact.KindConsent}

// Random fills a fact of a kind: every column gets a value that fact.Check allows, sometimes Absent.
func Random(r *rand.Rand, k fact.Kind, h fact.Head, text anon.Text) fact.Fact {
	f := fact.New(k)
	*f.Meta() = h
	for _, b := range f.Fields() {
		d, _ := fact.Declared(b.Column)
		if b.Column == fact.ColAct {
			d.Max = int64(fact.Violation) // the golden batch is older than what comes after
		}
		span := uint64(d.Max) - uint64(d.Min)
		if span++; span == 0 {
			b.Set(r.Int64() - r.Int64())
		} else {
			b.Set(d.Min + int64(r.Uint64N(span)))
		}
		if r.IntN(5) == 0 {
			b.Set(fact.Absent)
		}
	}
	switch f := f.(type) {
	case *fact.Talk:
		f.MemberS = min(f.MemberS, f.TalkS)
	case *fact.Answer:
		if lo, hi := f.Scale.Range(); f.Score != fact.Absent && (f.Score < lo || f.Score > hi) {
			f.Score = fact.Absent
		}
	}
	if w := f.Words(); w != nil {
		*w = text
	}
	return f
}
