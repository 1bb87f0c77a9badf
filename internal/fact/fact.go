// Package fact declares what may cross from the private zone to the crowd: rows without a person.
//
// A fact is a plain struct of numbers, times, enums and the two leaf types of package anon. There is no
// string anywhere in it (a test walks the types). Facts are narrow and immutable per kind, keyed by the
// call's or message's own id under the workspace's key; the highest Version of an ID wins in the lake.
//
// Columns are declared once, here: each kind binds its fields to columns, and the journal's encoding,
// the Arrow schema, the Iceberg table and the documentation are made from those bindings.
package fact

import (
	"time"

	"murmur/internal/private/anon"
)

// ID is the first 16 bytes of HMAC-SHA256(workspace key, kind, source, the source's own id).
type ID [16]byte

// Label stands for a name of the business's own making (a number, a flow, a survey): the first 8 bytes of
// a keyed hash of it. The masked name is in the workspace's dictionary. 0 is no label.
type Label int64

// Micros is a time in microseconds since 1970 UTC, or a duration in microseconds.
type Micros int64

// MicrosOf converts t; the zero time gives 0.
func MicrosOf(t time.Time) Micros {
	if t.IsZero() {
		return 0
	}
	return Micros(t.UnixMicro())
}

// Absent marks a number that is not known. It is stored as null.
const Absent = -1 << 62

// Head is what every fact carries.
type Head struct {
	ID ID
	// Version orders the versions of one ID: source_updated_at in microseconds, the low three bits
	// replaced by the delivery's rank. The highest wins.
	Version int64
	At      Micros // when it happened; decides day, week and partition
	Source  Label
	Contact anon.Contact // never invalid: a withheld caller has the workspace's one shared pseudonym
	// Claimed: only the sender says who the contact is (a survey's hidden field, a SIP From). Such a contact
	// counts towards a minimum group only when seen elsewhere.
	Claimed Bool
	// Anonymiser is the version of the redactor that made the fact's texts.
	Anonymiser int64
}

// Fact is one row. The implementations are the kinds of this package.
type Fact interface {
	Kind() Kind
	Meta() *Head
	// Fields binds the kind's numbers to their columns; writing through a binding sets the field.
	Fields() []Binding
	// Words is the kind's masked text; nil when the kind has none.
	Words() *anon.Text
}

// Binding is one field of a fact and the column it is stored in. Exactly one of Value and Half is set:
// an ID takes two columns, and Half is eight of its bytes.
type Binding struct {
	Column Column
	Value  *int64
	Half   *[8]byte
}

// Nobody is the contact in rows whose person is not known: callers who withhold their number, unreadable addresses. It links
// no two rows, and all such rows of a workspace count as one unit.
var Nobody = anon.Nobody().Bytes()

// Call is a finished or missed call.
type Call struct {
	Head
	Direction Direction
	Number    Label
	Team      Label
	Result    Result
	Reason    Reason // why it was missed, as far as the source says
	Voicemail Bool
	RingS     int64 // seconds until answered or given up; Absent when unknown
	TalkS     int64 // seconds of talk; Absent when unknown
}

// Message is a text message.
type Message struct {
	Head
	Direction Direction
	Number    Label
	Delivered Delivered
	Automatic Bool
	Media     int64
	Length    int64     // code points of the masked body
	Topic     Topic     // by enrichment
	Sentiment int64     // by enrichment: -100 .. 100, Absent when the text says nothing
	Reply     Label     // by enrichment: which reply this is, of those that members type; 0: none, or too short
	Body      anon.Text // masked; invalid when there was no text
}

// Talk is the anonymised content of a recording or transcript.
type Talk struct {
	Head
	Call      ID
	Number    Label
	Origin    Origin
	Turns     int64
	TalkS     int64 // seconds covered by turns; Absent without times
	MemberS   int64 // of them spoken by members
	Topic     Topic
	Sentiment int64
	// What the sound of the two sides tells; Absent where the recording does not separate them.
	MemberShare   int64 // percent of TalkS
	SilenceShare  int64 // percent of the recording in which nobody speaks
	Interruptions int64 // one side cuts the other short, in ten minutes
	Body          anon.Text
}

// Step is one pass through a node of a workflow.
type Step struct {
	Head
	Run      ID
	Number   Label
	Flow     Label
	Version  Label
	Node     Label
	Choice   Label // of (flow, node, choice): unique for the path
	NodeKind NodeKind
	Outcome  StepOutcome
	StayS    int64 // seconds in the node; Absent when unknown
	Inferred Bool
}

// Answer is one scored answer of a survey.
type Answer struct {
	Head
	Survey    Label
	Scale     Scale
	Score     int64 // in the scale's own unit (nps 0-10, csat 1-5); Absent for a comment alone
	Medium    Medium
	Topic     Topic
	Sentiment int64
	Comment   anon.Text
}

// Consent is what was said about recording, transcribing, analysing or sharing.
type Consent struct {
	Head
	Call    ID // zero: about the contact everywhere
	Purpose Purpose
	Act     Act
	Via     Via
}
