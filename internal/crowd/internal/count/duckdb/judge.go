package duckdb

import (
	"slices"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// signature is shared by all rows that are equal in every column and value that a condition reads. There are few
// signatures, so a row is judged by finding its signature, however many questions there are.
type signature struct {
	missed, reason int64 // as release.Missed and release.MissReason; absent: the row has none
	meets          bool  // a missed call is met by it: a call or text to the contact, a call of the contact that was not missed
	text, out      bool  // a text that asks or answers; to the contact
	ties           ties
	in             []bool // by population
	follows        []int  // populations that it is in when what follows from other rows lets it
}

const absent = -1

// judge finds the signatures of rows.
type judge struct {
	*plan
	words   *words
	zone    []offset
	numbers map[[2]int64]int32 // of what was read before a word, and the word: the number of both together
	all     []*signature       // by number; nil where there is more to read
	known   []int64            // what is known of the row at hand beside its columns: a bit each, 62 a word
}

// What is known of a row beside its columns: these, then each limit of the plan.
const (
	hasContact = iota
	isOpen
	isShort
	isLong // an answered call of which was a long wait
	firstLimit
)

func newJudge(p *plan, w *words) *judge {
	return &judge{
		plan: p, words: w, zone: offsets(p.settings.Zone, p.span()), numbers: map[[2]int64]int32{}, all: []*signature{nil},
		known: make([]int64, (firstLimit+len(p.limits)+wordBits-1)/wordBits),
	}
}

// of gives the number of a row's signature.
func (j *judge) of(contact bool, t int64, words []int64) int32 {
	n := int32(0)
	for i, mask := range j.words.masks {
		n = j.next(n, words[i]&mask)
	}
	j.look(contact, t, words)
	for _, word := range j.known {
		n = j.next(n, word)
	}
	if j.all[n] == nil {
		j.all[n] = j.judge(words)
	}
	return n
}

func (j *judge) next(before int32, word int64) int32 {
	key := [2]int64{int64(before), word}
	n, ok := j.numbers[key]
	if !ok {
		n = int32(len(j.all))
		j.numbers[key], j.all = n, append(j.all, nil)
	}
	return n
}

func (j *judge) look(contact bool, t int64, words []int64) {
	clear(j.known)
	j.note(hasContact, contact)
	j.note(isOpen, j.settings.OpenHours.Has(j.hour(t)))
	for i, l := range j.limits {
		j.note(firstLimit+i, j.words.values[l.value].get(words) >= l.least)
	}
	ring := j.words.values[ringS].get(words)
	j.note(isShort, ring >= 0 && ring < j.settings.ShortAbandonS)
	j.note(isLong, ring >= int64(release.LongWait.Seconds()))
}

func (j *judge) note(bit int, yes bool) {
	if yes {
		j.known[bit/wordBits] |= 1 << (bit % wordBits)
	}
}

func (j *judge) knows(bit int) bool { return j.known[bit/wordBits]&(1<<(bit%wordBits)) != 0 }

// judge looks at the row at hand.
func (j *judge) judge(words []int64) *signature {
	get := func(c fact.Column) int64 { return j.words.read[c].get(words) }
	kind, result := fact.Kind(get(fact.ColKind)), fact.Result(get(fact.ColResult))
	s := &signature{missed: absent, reason: absent, out: get(fact.ColDirection) == int64(fact.Out), in: make([]bool, len(j.populations))}
	in := get(fact.ColDirection) == int64(fact.In)
	s.text = kind == fact.KindMessage && get(fact.ColAutomatic) == 0 && (in || s.out)
	reached := result == fact.Answered || result == fact.AIHandled || result == fact.Forwarded
	s.meets = kind == fact.KindCall && (s.out || in && reached) || s.text && s.out
	if kind == fact.KindCall && in {
		j.missed(s, result, reached, get(fact.ColReason))
	}
	s.ties = ties{
		touch: in && (kind == fact.KindCall || s.text), call: kind == fact.KindCall, text: kind == fact.KindMessage, out: s.out, reached: reached,
		auto:   kind == fact.KindMessage && s.out && get(fact.ColAutomatic) == 1,
		waited: kind == fact.KindCall && in && result == fact.Answered && j.knows(isLong),
		agent:  kind == fact.KindCall && in && result == fact.AIHandled, open: j.knows(isOpen),
	}
	if f, ok := j.words.read[fact.ColScale]; ok && kind == fact.KindAnswer {
		s.ties.scale = fact.Scale(f.get(words))
	}
	for i, n := range j.populations {
		if !slices.Contains(n.query.Kinds, kind) || n.query.Open && !j.knows(isOpen) ||
			slices.ContainsFunc(n.query.Where, func(f release.Filter) bool { return !slices.Contains(f.In, get(f.Column)) }) {
			continue
		}
		switch n.query.Value.Derived {
		case release.Nothing:
			s.in[i] = true
		case release.FromColumn:
			s.in[i] = j.knows(firstLimit + n.limit)
		case release.AnswerSeconds:
			s.in[i] = kind == fact.KindCall && in && result == fact.Answered && j.knows(firstLimit+n.limit)
		case release.Missed:
			s.in[i] = s.missed != absent && s.missed >= n.least()
		case release.MissReason:
			s.in[i] = s.reason != absent && s.reason >= n.least()
		case release.ReturnedIn24h:
			if s.missed == 1 && j.knows(hasContact) {
				s.follows = append(s.follows, i)
			}
		case release.ReplySeconds:
			if s.text && in && j.knows(hasContact) {
				s.follows = append(s.follows, i)
			}
		default:
			if s.tied(n.query.Value.Derived) && j.knows(hasContact) {
				s.follows = append(s.follows, i)
			}
		}
	}
	return s
}

// missed says of an inbound call whether it was missed, and why.
func (j *judge) missed(s *signature, result fact.Result, reached bool, reason int64) {
	switch {
	case reached:
		s.missed = 0
	case result != fact.Missed && result != fact.Failed:
	case j.knows(isShort):
		s.reason = int64(fact.ShortAbandoned)
	default:
		s.missed = 1
		s.reason = reason
		if !j.knows(isOpen) {
			s.reason = int64(fact.OutOfHours)
		}
	}
}

// with is the signature of rows that are in some of the populations that follow from other rows: a bit for each of follows.
func (j *judge) with(n int32, follows int64) int32 {
	if len(j.all[n].follows) == 0 {
		return n
	}
	of := j.next(n, follows)
	if j.all[of] == nil {
		s := *j.all[n]
		s.in = slices.Clone(s.in)
		for i, population := range s.follows {
			s.in[population] = follows&(1<<i) != 0
		}
		j.all[of] = &s
	}
	return of
}
