package fact

import "murmur/internal/private/anon"

// State is what became of one delivery; each delivery has exactly one. Names are those of `murmur status`.
type State int64

const (
	Pending     State = iota // accepted, not yet processed
	Held                     // waits for consent
	Published                // produced facts
	Duplicate                // its delivery id was accepted before
	Ignored                  // a known kind with nothing to say
	Refused                  // consent
	Quarantined              // could not be read or verified clean; kept sealed
	Erased
)

// Why explains a state in a closed set: metric labels, status and doctor print it, and no content.
type Why int64

const (
	WhyNone Why = iota
	WhyNotJSON
	WhyTooDeep
	WhyDuplicateKey
	WhyUnknownType
	WhyBadField // a field has the wrong type or an impossible value
	WhyBadTime
	WhyNoScore
	WhySilentType // ignored: nothing to say
	WhyVendorTest
	WhyPolicyDenies
	WhyOptedOut
	WhyNoConsentYet
	WhyNotVerified // the masked text did not pass the second scan
	WhyUnsealed    // the seal did not open
	WhyErasure
	WhyTooLarge
	WhyEncoding
	WhyLanguage   // the text is in a language the redactor does not know
	WhySignature  // a signature or hash inside the delivery does not match
	WhyEncrypted  // no key was given that opens it
	WhyUnheard    // the recording cannot be read, or the transcriber failed on it several times
	WhyUnconfined // this system cannot confine a transcriber or a decoder: the recording was not opened
	WhyFailed     // processing of this delivery failed, and others were processed
	WhyKeys       // the workspace's keys are missing or damaged
	WhyContact    // held: the address cannot be read; it may belong to somebody who refused
	WhyNoCall     // held: the call of these words is not known; somebody may have refused it
	WhySuspended  // held: the workspace is suspended
)

// Outcome is what became of one delivery. An error is an outcome too, so that every delivery gets
// one.
type Outcome struct {
	State  State
	Why    Why
	Facts  []Fact
	Labels []Named
	// Contact owns the delivery, for erasure; invalid when it has none.
	Contact anon.Contact
	// Waits is the call and the contact whose agreement a held delivery waits for.
	Waits Waiting
	// Unread: it names a contact whose address cannot be read, so that it is nobody's.
	Unread bool
}

// Waiting is the call and the contact whose agreement a delivery waits for; a zero field stands for
// any.
type Waiting struct {
	Call    ID
	Contact anon.Contact
}

// Dim says what a label names.
type Dim int64

const (
	DimSource Dim = iota + 1
	DimNumber
	DimTeam
	DimFlow
	DimFlowVersion
	DimNode
	DimChoice
	DimSurvey
	DimReply // what members type again and again; its name is the masked text
)

// Named is a dictionary entry: a label, what it names, its masked name and its parent (a choice's node, a
// node's flow; 0: none).
type Named struct {
	Label   Label
	Dim     Dim
	Parent  Label
	Name    anon.Text
	Version int64 // of the event that used the name; the name of the highest is today's
}
