package fact

import (
	"errors"
	"fmt"
	"time"
)

// What Check refuses. The messages name the column, never a value.
var (
	ErrNoID      = errors.New("fact: no id")
	ErrNoContact = errors.New("fact: no contact")
	ErrTime      = errors.New("fact: impossible time")
	ErrRange     = errors.New("fact: value out of range")
	ErrOrder     = errors.New("fact: parts do not fit together")
)

// A fact happened between 1 January 2000 and 1 January 2100, UTC: before, no phone platform had an API;
// a later time means that the source counts in other units than murmur expects.
const (
	minAt Micros = 946_684_800_000_000
	maxAt Micros = 4_102_444_800_000_000
)

// Possible reports whether a fact can have happened then. It is the one bound on times, for every way in.
func (m Micros) Possible() bool { return m >= minAt && m < maxAt }

// Possible reports whether something can have happened at a moment.
func Possible(at time.Time) bool { return MicrosOf(at).Possible() }

// Check refuses a fact that cannot be true or cannot be counted. A consent may be about no contact (a
// policy, a call without a caller's address); every other kind belongs to one.
func Check(f Fact) error {
	h := f.Meta()
	if h.ID == (ID{}) {
		return ErrNoID
	}
	if !h.Contact.Valid() && f.Kind() != KindConsent {
		return ErrNoContact
	}
	if !h.At.Possible() {
		return ErrTime
	}
	for _, b := range f.Fields() {
		d, known := Declared(b.Column)
		if v := b.Get(); !known || v < d.Min || v > d.Max {
			if known && d.Nullable && v == Absent {
				continue
			}
			return fmt.Errorf("%w: column %d", ErrRange, b.Column)
		}
	}
	return checkParts(f)
}

func checkParts(f Fact) error {
	switch f := f.(type) {
	case *Talk:
		if f.TalkS != Absent && f.MemberS > f.TalkS {
			return fmt.Errorf("%w: members speak longer than everybody", ErrOrder)
		}
	case *Answer:
		lo, hi := f.Scale.Range()
		if f.Score != Absent && (f.Score < lo || f.Score > hi) {
			return fmt.Errorf("%w: column %d", ErrRange, ColScore)
		}
	}
	return nil
}

// Range is the lowest and highest score of a scale; an unknown scale and a comment have none (1, 0).
func (s Scale) Range() (lo, hi int64) {
	switch s {
	case NPS:
		return 0, 10
	case CSAT, Stars:
		return 1, 5
	case CES:
		return 1, 7
	case Thumb:
		return 0, 1
	}
	return 1, 0
}
