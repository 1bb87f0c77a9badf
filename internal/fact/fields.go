package fact

import (
	"encoding/binary"

	"murmur/internal/private/anon"
)

// New gives an empty fact of a kind, nil for an unknown one.
func New(k Kind) Fact {
	switch k {
	case KindCall:
		return new(Call)
	case KindMessage:
		return new(Message)
	case KindTalk:
		return new(Talk)
	case KindStep:
		return new(Step)
	case KindAnswer:
		return new(Answer)
	case KindConsent:
		return new(Consent)
	}
	return nil
}

// Get reads the bound field.
func (b Binding) Get() int64 {
	if b.Half != nil {
		return int64(binary.BigEndian.Uint64(b.Half[:]))
	}
	return *b.Value
}

// Set writes the bound field.
func (b Binding) Set(v int64) {
	if b.Half != nil {
		binary.BigEndian.PutUint64(b.Half[:], uint64(v))
		return
	}
	*b.Value = v
}

func bind(c Column, v *int64) Binding { return Binding{Column: c, Value: v} }

// reference binds the id of the call or message that a fact belongs to.
func reference(id *ID) (hi, lo Binding) {
	return Binding{Column: ColCallHi, Half: (*[8]byte)(id[:8])},
		Binding{Column: ColCallLo, Half: (*[8]byte)(id[8:])}
}

func (h *Head) Meta() *Head { return h }

func (h *Head) claimed() Binding { return bind(ColClaimed, (*int64)(&h.Claimed)) }

func (*Call) Kind() Kind    { return KindCall }
func (*Message) Kind() Kind { return KindMessage }
func (*Talk) Kind() Kind    { return KindTalk }
func (*Step) Kind() Kind    { return KindStep }
func (*Answer) Kind() Kind  { return KindAnswer }
func (*Consent) Kind() Kind { return KindConsent }

func (*Call) Words() *anon.Text      { return nil }
func (m *Message) Words() *anon.Text { return &m.Body }
func (t *Talk) Words() *anon.Text    { return &t.Body }
func (*Step) Words() *anon.Text      { return nil }
func (a *Answer) Words() *anon.Text  { return &a.Comment }
func (*Consent) Words() *anon.Text   { return nil }

func (c *Call) Fields() []Binding {
	return []Binding{
		bind(ColDirection, (*int64)(&c.Direction)), bind(ColNumber, (*int64)(&c.Number)), bind(ColTeam, (*int64)(&c.Team)),
		bind(ColResult, (*int64)(&c.Result)), bind(ColReason, (*int64)(&c.Reason)), bind(ColVoicemail, (*int64)(&c.Voicemail)),
		bind(ColRingS, &c.RingS), bind(ColTalkS, &c.TalkS), c.claimed(),
	}
}

func (m *Message) Fields() []Binding {
	return []Binding{
		bind(ColDirection, (*int64)(&m.Direction)), bind(ColNumber, (*int64)(&m.Number)), bind(ColDelivered, (*int64)(&m.Delivered)),
		bind(ColAutomatic, (*int64)(&m.Automatic)), bind(ColMedia, &m.Media), bind(ColLength, &m.Length),
		bind(ColTopic, (*int64)(&m.Topic)), bind(ColSentiment, &m.Sentiment), bind(ColReply, (*int64)(&m.Reply)), m.claimed(),
	}
}

func (t *Talk) Fields() []Binding {
	hi, lo := reference(&t.Call)
	return []Binding{
		hi, lo, bind(ColNumber, (*int64)(&t.Number)), bind(ColOrigin, (*int64)(&t.Origin)), bind(ColTurns, &t.Turns),
		bind(ColTalkS, &t.TalkS), bind(ColMemberS, &t.MemberS),
		bind(ColTopic, (*int64)(&t.Topic)), bind(ColSentiment, &t.Sentiment),
		bind(ColMemberShare, &t.MemberShare), bind(ColSilenceShare, &t.SilenceShare), bind(ColInterruptions, &t.Interruptions),
		t.claimed(),
	}
}

func (s *Step) Fields() []Binding {
	hi, lo := reference(&s.Run)
	return []Binding{
		hi, lo, bind(ColNumber, (*int64)(&s.Number)), bind(ColFlow, (*int64)(&s.Flow)), bind(ColFlowVersion, (*int64)(&s.Version)),
		bind(ColNode, (*int64)(&s.Node)), bind(ColChoice, (*int64)(&s.Choice)), bind(ColNodeKind, (*int64)(&s.NodeKind)),
		bind(ColStepOutcome, (*int64)(&s.Outcome)), bind(ColStayS, &s.StayS), bind(ColInferred, (*int64)(&s.Inferred)),
		s.claimed(),
	}
}

func (a *Answer) Fields() []Binding {
	return []Binding{
		bind(ColSurvey, (*int64)(&a.Survey)), bind(ColScale, (*int64)(&a.Scale)), bind(ColScore, &a.Score),
		bind(ColMedium, (*int64)(&a.Medium)), bind(ColTopic, (*int64)(&a.Topic)), bind(ColSentiment, &a.Sentiment),
		a.claimed(),
	}
}

func (c *Consent) Fields() []Binding {
	hi, lo := reference(&c.Call)
	return []Binding{hi, lo, bind(ColPurpose, (*int64)(&c.Purpose)), bind(ColAct, (*int64)(&c.Act)), bind(ColVia, (*int64)(&c.Via)), c.claimed()}
}

// Reference is the id that two columns of a row hold.
func Reference(hi, lo int64) (id ID) {
	binary.BigEndian.PutUint64(id[:8], uint64(hi))
	binary.BigEndian.PutUint64(id[8:], uint64(lo))
	return id
}
