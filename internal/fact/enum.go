package fact

// The enums of the canonical model (murmur.v1). 0 is unknown everywhere; numbers are stored in files and
// must never be reused.
type (
	Kind        int64 // of fact
	Bool        int64 // 0 no or unknown, 1 yes
	Direction   int64
	Result      int64 // of a call
	Reason      int64 // a call was missed for
	Delivered   int64 // state of a message
	Origin      int64 // of words
	Side        int64 // of a turn
	NodeKind    int64
	StepOutcome int64
	Scale       int64
	Medium      int64
	Purpose     int64
	Act         int64 // of consent
	Via         int64 // a consent was given through
	Topic       int64 // of the public taxonomy, see package insight
)

const (
	KindUnknown Kind = iota
	KindCall
	KindMessage
	KindTalk
	KindStep
	KindAnswer
	KindConsent
)

const (
	In Direction = iota + 1
	Out
)

const (
	Answered Result = iota + 1 // by a member
	AIHandled
	Forwarded
	Missed // inbound: neither of the above, voicemail or not
	Failed // outbound: not reached
)

// In order of precedence: the first that applies is the reason.
const (
	ShortAbandoned Reason = iota + 1
	OutOfHours
	NoMemberAvailable
	MembersDidNotAnswer
	AbandonedInMenu
	Abandoned
)

const (
	Received Delivered = iota + 1
	Sent
	Arrived
	Undelivered
)

const (
	OwnTranscript Origin = iota + 1
	VendorTranscript
	VendorSummary
	VoicemailTranscript
)

const (
	SideContact Side = iota + 1
	SideMember
	SideMachine
)

const (
	NodeHours NodeKind = iota + 1
	NodeGreeting
	NodeNotice
	NodeMenu
	NodeRingGroup
	NodeQueue
	NodeVoicemail
	NodeForward
	NodeAutoReply
	NodeAIAgent
)

const (
	StepMatched StepOutcome = iota + 1
	StepNotMatched
	StepTimeout
	StepHangup
	StepOptOut
	StepAnswered
)

const (
	NPS     Scale = iota + 1 // 0 .. 10
	CSAT                     // 1 .. 5; other ranges are mapped linearly
	CES                      // 1 .. 7
	Stars                    // 1 .. 5
	Thumb                    // 0, 1
	Comment                  // words alone
)

const (
	MediumCall Medium = iota + 1
	MediumText
	MediumEmail
	MediumWeb
)

const (
	Record Purpose = iota + 1
	Transcribe
	Analyse
	Share
)

const (
	Noticed Act = iota + 1 // a recording notice was played to its end
	OptedIn
	OptedOut
	Withdrawn
	Violation // content was processed against a refusal; must never occur
	Followed  // a refusal by another address of the same person reached this one; counted nowhere
)

const (
	ViaDTMF Via = iota + 1
	ViaSpeech
	ViaMenu
	ViaAgent
	ViaSMS
	ViaWeb
	ViaImport
	ViaRecordPref
	ViaAPI
	ViaPolicy
)
