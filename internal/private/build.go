package private

import (
	"cmp"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/redact"
)

// build makes the fact of an allowed event.
func (b *builder) build(e *event.Event, call fact.ID, who anon.Contact) {
	h := b.head(e, b.id(e.Kind(), e.ID), who)
	b.version = h.Version
	switch {
	case e.Call != nil:
		b.facts = append(b.facts, b.call(h, e))
	case e.Message != nil:
		b.message(h, e)
	case e.Talk != nil:
		b.talk(h, e, call)
	case e.Step != nil:
		b.facts = append(b.facts, b.step(h, e.Step, call))
	case e.Answer != nil:
		b.answer(h, e)
	case e.Consent != nil:
		c := e.Consent
		b.facts = append(b.facts, &fact.Consent{Head: h, Call: call, Purpose: c.Purpose, Act: c.Act, Via: c.Via})
	}
}

// maxAhead is how far a version may lie after the receipt of its delivery. No clock is wrong by more; and a version far
// in the future would make all later corrections of its fact lose.
const maxAhead = 24 * time.Hour

func (b *builder) head(e *event.Event, id fact.ID, who anon.Contact) fact.Head {
	updated := e.UpdatedAt
	if updated.IsZero() {
		updated = e.At
	}
	if latest := b.receivedAt.Add(maxAhead); updated.After(latest) {
		updated = latest
	}
	updated = updated.AddDate(100*e.Says, 0, 0)
	return fact.Head{
		ID: id, Version: updated.UnixMicro()&^7 | int64(e.Rank&7), At: fact.MicrosOf(e.At), Source: b.source, Contact: who,
		Claimed: flag(!b.vouched(e)), Anonymiser: redact.Version,
	}
}

// vouched reports whether the telephone network confirms the person of an event: the operator of the network signs its calls
// and texts, about a number or a withheld caller. A file that the business imports counts as confirmed by the business. Nobody
// confirms the person of a survey answer or of a call to the recorder: both name themselves.
func (b *builder) vouched(e *event.Event) bool {
	switch {
	case b.name == ImportSource:
		return true
	case b.name == RecorderSource || e.Answer != nil || !slices.Contains(connect.Vouching(), b.kind):
		return false
	}
	switch identity.Parse(e.Party.Address, b.policy.Region).Kind() {
	case identity.Phone, identity.Short, identity.Withheld:
		return true
	case identity.Absent:
		return e.Party.Own.Empty()
	}
	return false
}

func (b *builder) call(h fact.Head, e *event.Event) *fact.Call {
	c := e.Call
	f := &fact.Call{
		Head: h, Direction: c.Direction, Number: b.label(fact.DimNumber, 0, c.Number), Team: b.label(fact.DimTeam, 0, c.Team),
		Result: c.Result, Reason: c.Reason, Voicemail: flag(c.Voicemail), RingS: fact.Absent, TalkS: seconds(c.Answered, c.Completed),
	}
	switch {
	case c.Ring >= 0:
		f.RingS = int64(c.Ring / time.Second)
	case c.Ring == event.RingUnknown:
	case !c.Answered.IsZero():
		f.RingS = seconds(e.At, c.Answered)
	case c.Result == fact.Missed || c.Result == fact.Failed:
		f.RingS = seconds(e.At, c.Completed)
	}
	return f
}

func (b *builder) message(h fact.Head, e *event.Event) {
	m := e.Message
	f := &fact.Message{
		Head: h, Direction: m.Direction, Number: b.label(fact.DimNumber, 0, m.Number), Delivered: m.Status,
		Automatic: flag(m.Automatic), Media: int64(m.Media), Sentiment: fact.Absent,
	}
	if !m.Body.Empty() {
		if f.Body = b.mask(e, []redact.Turn{{Text: m.Body.Reveal()}}); !f.Body.Valid() {
			return
		}
		f.Length = int64(utf8.RuneCountInString(f.Body.String()))
	}
	b.facts = append(b.facts, f)
}

func (b *builder) talk(h fact.Head, e *event.Event, call fact.ID) {
	t := e.Talk
	f := &fact.Talk{
		Head: h, Call: call, Number: b.label(fact.DimNumber, 0, t.Number), Origin: t.Origin, Turns: int64(len(t.Turns)),
		TalkS: fact.Absent, MemberS: fact.Absent, Sentiment: fact.Absent,
		MemberShare: fact.Absent, SilenceShare: fact.Absent, Interruptions: fact.Absent,
	}
	var all, member float64
	turns := make([]redact.Turn, len(t.Turns))
	for i, turn := range t.Turns {
		turns[i] = redact.Turn{Side: redact.Side(turn.Side), Label: speaker(turn.Side), Text: turn.Words.Reveal()}
		if d := turn.End - turn.Start; d > 0 {
			all += d
			if turn.Side == fact.SideMember {
				member += d
			}
		}
	}
	if all > 0 {
		f.TalkS, f.MemberS = int64(all+0.5), int64(member+0.5)
	}
	if s := t.Heard; s != nil {
		f.TalkS, f.MemberS, f.SilenceShare, f.Interruptions = s.Talk, s.Member, s.Silence, s.Interruptions
	}
	if f.TalkS > 0 && f.MemberS != fact.Absent {
		f.MemberShare = (100*f.MemberS + f.TalkS/2) / f.TalkS
	}
	if f.Body = b.mask(e, turns); !f.Body.Valid() {
		return
	}
	b.facts = append(b.facts, f)
	if b.policy.Transcripts == "notice" && t.Call != "" {
		id := identity.Ref(b.key, fact.KindConsent, noticeID(t.Call)) // one, whoever speaks of it
		n := b.head(e, id, h.Contact)
		b.facts = append(b.facts, &fact.Consent{Head: n, Call: call, Purpose: fact.Transcribe, Act: fact.Noticed, Via: fact.ViaPolicy})
	}
}

func (b *builder) step(h fact.Head, s *event.Step, run fact.ID) *fact.Step {
	flow := b.label(fact.DimFlow, 0, s.Flow)
	node := b.labelAs(fact.DimNode, flow, s.Node, cmp.Or(s.NodeLabel, s.Node))
	return &fact.Step{
		Head: h, Run: run, Number: b.label(fact.DimNumber, 0, s.Number), Flow: flow, Version: b.label(fact.DimFlowVersion, flow, s.FlowVersion),
		Node: node, Choice: b.choice(node, s.Choice), NodeKind: s.NodeKind, Outcome: s.Outcome,
		StayS: seconds(s.In, s.Out), Inferred: flag(s.Inferred),
	}
}

// choice is the label of a pressed key; none is no label, which every menu has.
func (b *builder) choice(node fact.Label, key string) fact.Label {
	if key == "none" {
		return 0
	}
	return b.label(fact.DimChoice, node, key)
}

func (b *builder) answer(h fact.Head, e *event.Event) {
	a := e.Answer
	f := &fact.Answer{
		Head: h, Survey: b.label(fact.DimSurvey, 0, a.Survey), Scale: a.Scale, Score: fact.Absent, Medium: a.Medium, Sentiment: fact.Absent,
	}
	if a.Scored {
		f.Score = scaled(a)
	}
	if !a.Comment.Empty() {
		if f.Comment = b.mask(e, []redact.Turn{{Text: a.Comment.Reveal()}}); !f.Comment.Valid() {
			return
		}
	}
	b.facts = append(b.facts, f)
}

// scaled maps a score of another range onto the scale's own.
func scaled(a *event.Answer) int64 {
	lo, hi := scaleRange(a.Scale)
	if a.Max <= a.Min || a.Min == lo && a.Max == hi {
		return int64(a.Score + 0.5)
	}
	return int64(lo + (a.Score-a.Min)/(a.Max-a.Min)*(hi-lo) + 0.5)
}

func scaleRange(s fact.Scale) (lo, hi float64) {
	switch s {
	case fact.NPS:
		return 0, 10
	case fact.CES:
		return 1, 7
	case fact.Thumb:
		return 0, 1
	}
	return 1, 5
}

// mask redacts the words of an event; an invalid text means that the delivery went to quarantine.
func (b *builder) mask(e *event.Event, turns []redact.Turn) anon.Text {
	r, err := b.detector.Redact(redact.Doc{Turns: turns, Subjects: subjects(e)})
	switch {
	case errors.Is(err, redact.ErrTooLarge):
		b.stop(fact.Quarantined, fact.WhyTooLarge)
		return anon.Text{}
	case err != nil:
		b.stop(fact.Quarantined, fact.WhyNotVerified)
		return anon.Text{}
	}
	t := anon.Of(r)
	switch {
	case t.Valid():
	case r.Verdict() == redact.Foreign:
		b.stop(fact.Quarantined, fact.WhyLanguage)
	case r.Verdict() == redact.Unreadable:
		b.stop(fact.Quarantined, fact.WhyEncoding)
	default:
		b.stop(fact.Quarantined, fact.WhyNotVerified)
	}
	return t
}

// label refers to a name of the business and puts its masked form into the dictionary.
func (b *builder) label(dim fact.Dim, parent fact.Label, name string) fact.Label {
	return b.labelAs(dim, parent, name, name)
}

// labelAs is label for a name that people call something else.
func (b *builder) labelAs(dim fact.Dim, parent fact.Label, name, called string) fact.Label {
	l := identity.Label(b.key, dim, parent, name)
	if l == 0 {
		return 0
	}
	for _, n := range b.labels {
		if n.Label == l {
			return l
		}
	}
	t := b.zone.names.of(l, called, func() anon.Text { return anon.Of(b.zone.detector.Label(called)) })
	b.labels = append(b.labels, fact.Named{Label: l, Dim: dim, Parent: parent, Name: t, Version: b.version})
	return l
}

func seconds(from, to time.Time) int64 {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return fact.Absent
	}
	return int64(to.Sub(from) / time.Second)
}

func flag(b bool) fact.Bool {
	if b {
		return 1
	}
	return 0
}

// speaker is the label that keeps the sides of a masked transcript apart.
func speaker(s fact.Side) string {
	switch s {
	case fact.SideContact:
		return "Customer: "
	case fact.SideMember:
		return "Agent: "
	case fact.SideMachine:
		return "System: "
	}
	return ""
}
