package private

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/workspace"
)

// kindOwn marks murmur's own reports about a call: that a recording was transcribed, or that a platform played a
// notice. They go the way of every delivery, so that consent and erasure are checked again. No source can send them.
const kindOwn = "own"

// ownLine is the body of such a delivery. It has only the pseudonym of the person.
type ownLine struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`                // when the call began
	Contact string    `json:"contact,omitempty"` // hexadecimal; empty: withheld
	Country string    `json:"country,omitempty"`

	Notice  string    `json:"notice,omitempty"`  // a notice was played on the platform's call of this id
	Refused string    `json:"refused,omitempty"` // somebody who took part in this call, keyed, hexadecimal, refused
	Via     fact.Via  `json:"via,omitempty"`
	Heard   *ownHeard `json:"heard,omitempty"`

	Followed bool     `json:"followed,omitempty"` // Contact refused by another address
	Failed   fact.Why `json:"failed,omitempty"`   // the recording could not be heard, or its words not be verified clean
}

// ownHeard is a recording that was heard. The words are masked.
type ownHeard struct {
	Call          string    `json:"call"` // keyed, hexadecimal
	Turns         []ownTurn `json:"turns"`
	Talk          int64     `json:"talk"`
	Member        int64     `json:"member"`
	Silence       int64     `json:"silence"`
	Interruptions int64     `json:"interruptions"`
}

type ownTurn struct {
	Side  fact.Side `json:"side"`
	Words string    `json:"words"`
}

// about names the person of an own line.
func (l *ownLine) about(c anon.Contact, country string) {
	if c.Valid() {
		b := c.Bytes()
		l.Contact, l.Country = hex.EncodeToString(b[:]), country
	}
}

// own journals one, once for an id.
func (z *Zone) own(ctx context.Context, ws workspace.ID, name string, l ownLine) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = z.append(ctx, ws, origin{name: name, kind: kindOwn}, []source.Delivery{{ID: l.ID, Body: body}})
	return err
}

var errOwn = errors.New("an own delivery cannot be read")

// ownEvents reads one back.
func ownEvents(d source.Delivery) ([]event.Event, error) {
	var l ownLine
	if json.Unmarshal(d.Body, &l) != nil {
		return nil, errOwn
	}
	if l.Failed != fact.WhyNone {
		return nil, source.Quarantine(l.Failed, "recording")
	}
	e := event.Event{ID: l.ID, At: l.At, Party: event.Party{Country: l.Country}}
	if l.Contact != "" && !unhex(e.Party.Known[:], l.Contact) {
		return nil, errOwn
	}
	switch {
	case l.Notice != "":
		e.ID = noticeID(l.Notice)
		e.Consent = &event.Consent{Call: l.Notice, Purpose: fact.Record, Act: fact.Noticed, Via: fact.ViaPolicy}
	case l.Refused != "":
		e.Consent = &event.Consent{Purpose: fact.Record, Act: fact.OptedOut, Via: l.Via}
		if !unhex(e.Consent.Ref[:], l.Refused) {
			return nil, errOwn
		}
	case l.Followed:
		e.Consent = &event.Consent{Purpose: fact.Record, Act: fact.Followed, Via: fact.ViaPolicy}
	case l.Heard != nil:
		h := l.Heard
		t := &event.Talk{Origin: fact.OwnTranscript, Heard: &event.Heard{
			Talk: h.Talk, Member: h.Member, Silence: h.Silence, Interruptions: h.Interruptions,
		}}
		if !unhex(t.Heard.Call[:], h.Call) {
			return nil, errOwn
		}
		for _, turn := range h.Turns {
			t.Turns = append(t.Turns, event.Turn{Side: turn.Side, Words: personal.New(turn.Words)})
		}
		e.Talk = t
	default:
		return nil, errOwn
	}
	return []event.Event{e}, nil
}

// noticeID is the id under which the notice of a call is one fact, whoever reports it.
func noticeID(call string) string { return "notice\x00" + call }

func unhex(into []byte, s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && copy(into, b) == len(into) && len(b) == len(into)
}
