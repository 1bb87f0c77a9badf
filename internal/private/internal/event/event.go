// Package event holds what a source said, decoded, before consent and masking.
//
// Zone: RED. An event never leaves the private zone: it becomes a fact, is held, refused or quarantined.
package event

import (
	"math"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/personal"
)

// Event is one thing a source said, decoded and still personal. Exactly one of the kind pointers is
// set. Decoding is pure: the same bytes give the same events.
type Event struct {
	// ID is the source's own id of the call, message, step, answer or consent event (AC.., a form
	// token). Facts are keyed by it: two deliveries about one call carry one ID.
	ID string
	// At is when it happened (a call: when it was created). UpdatedAt orders versions; zero means At.
	At, UpdatedAt time.Time
	// Rank breaks ties between versions of the same UpdatedAt: the richer delivery is higher (0-7).
	Rank uint8
	// Says orders versions before their times do: of two reports about one object the one with more information counts,
	// whenever it came (0-9).
	Says int
	// Party is the contact: the person outside the business.
	Party Party
	// Others are further people outside the business who take part: consent is asked of each.
	Others []Party
	// Member is the employee, as far as the source names one; a known subject for the redactor.
	Member Party

	Call    *Call
	Message *Message
	Talk    *Talk
	Step    *Step
	Answer  *Answer
	Consent *Consent

	// Recorded is no fact: a platform says that it has a recording of a call.
	Recorded *Recorded
}

// Recorded is a call of which a platform has a recording, by the call's own id.
type Recorded struct{ Call string }

// Kind is the kind of fact the event becomes.
func (e *Event) Kind() fact.Kind {
	switch {
	case e.Call != nil:
		return fact.KindCall
	case e.Message != nil:
		return fact.KindMessage
	case e.Talk != nil:
		return fact.KindTalk
	case e.Step != nil:
		return fact.KindStep
	case e.Answer != nil:
		return fact.KindAnswer
	case e.Consent != nil:
		return fact.KindConsent
	}
	return fact.KindUnknown
}

// Party is one person as a source names them. All fields are optional. Address is a phone number in
// any notation, an e-mail address, or what the source says instead ("anonymous", a short code).
type Party struct {
	// Known is the pseudonym of a person whose address is no longer known, with Country, ISO 3166. Only murmur's
	// own reports about a call (a transcribed recording) have it; sources give addresses.
	Known   [16]byte
	Country string
	Address personal.Value
	Own     personal.Value // what the platform itself calls the person, where there is no address
	Name    personal.Value
	// Also holds further addresses of the same person, known subjects for the redactor.
	Also []personal.Value
}

// Call is a finished or missed call.
type Call struct {
	Direction fact.Direction
	Number    string // the business number's own id or name, never the contact's
	Team      string
	Result    fact.Result
	Reason    fact.Reason
	Voicemail bool
	// Answered and Completed are zero when it never happened.
	Answered, Completed time.Time
	// Ring overrides the ring time where the source states it; negative: compute from the times.
	Ring time.Duration
}

// RingUnknown is the Ring of a call whose times do not tell either.
const RingUnknown = time.Duration(math.MinInt64)

// Message is a text message.
type Message struct {
	Direction fact.Direction
	Number    string
	Status    fact.Delivered
	ErrorCode int64
	Media     int
	Body      personal.Value
	// Automatic is true when the source says that a rule sent it.
	Automatic bool
}

// Talk is the content of a recording: turns of a transcript, a summary, a voicemail's words.
type Talk struct {
	Call    string // the call's own id
	Number  string
	Origin  fact.Origin
	Turns   []Turn
	Seconds float64
	Heard   *Heard // of a recording that murmur heard itself; nil: none
}

// Heard is a recording that murmur transcribed. Its turns are masked already, and masked again like all
// others.
type Heard struct {
	Call          fact.ID // keyed: the call's own id is no longer known
	Talk, Member  int64   // seconds that people speak, and that members do; fact.Absent: not known
	Silence       int64   // percent; fact.Absent: not known
	Interruptions int64   // in ten minutes; fact.Absent: not known
}

// Turn is one utterance. Start and End are seconds from the start of the recording; both zero: unknown.
type Turn struct {
	Side       fact.Side
	Start, End float64
	Words      personal.Value
}

// Step is one pass of a call or message through a node of a workflow.
type Step struct {
	Run         string // the call's or message's own id
	Number      string
	Flow        string
	FlowVersion string
	Node        string
	NodeLabel   string // what people call the node; empty: its name
	NodeKind    fact.NodeKind
	Choice      string // the key pressed ("1"), "none" for a time-out or hang-up
	Label       string // what the key is called ("Sales")
	Outcome     fact.StepOutcome
	In, Out     time.Time
	Inferred    bool
}

// Answer is one scored answer of a survey; a comment may come with it or alone.
type Answer struct {
	Survey  string
	Scale   fact.Scale
	Score   float64
	Min     float64 // of the scale; csat 1..5, nps 0..10
	Max     float64
	Scored  bool
	Medium  fact.Medium
	Comment personal.Value
	Asked   time.Time
	Link    string // the call's or message's own id, where the source knows it
}

// Consent is something a person or a business said about recording, transcribing, analysing or sharing.
type Consent struct {
	Call    string  // the call's own id; empty: about the party everywhere
	Ref     fact.ID // keyed, where the call's own id is no longer known
	Purpose fact.Purpose
	Act     fact.Act
	Via     fact.Via
}
