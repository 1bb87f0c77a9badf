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
	WhyUnheard    // the recording is none that can be read, or the transcriber failed on it again and again
	WhyUnconfined // this system cannot confine a transcriber or a decoder: the recording was not opened
	WhyFailed     // processing it failed, and nothing else did
	WhyKeys       // the workspace's keys are missing or damaged
	WhyContact    // held: nobody can say whose address it is; it may be that of somebody who refused
	WhyNoCall     // held: nobody can say which call the words are of; it may be one that somebody refused
)

// Outcome is what became of one delivery. An error is an outcome: nothing can be forgotten.
type Outcome struct {
	State  State
	Why    Why
	Facts  []Fact
	Labels []Named
	// Contact owns the delivery, for erasure; invalid when it has none.
	Contact anon.Contact
	// Waits is whose yes a held one waits for.
	Waits Waiting
}

// Waiting is the call and the contact whose yes is waited for; a zero field stands for any.
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
