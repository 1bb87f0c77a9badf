package fact

// Column is a number column of the lake. Its value is its Iceberg field id: never reuse one.
type Column int32

// Head columns 1-8 are not bound: workspace, kind, id, version, at, contact, source, anonymiser.
const (
	ColWorkspace Column = iota + 1
	ColKind
	ColID
	ColVersion
	ColAt
	ColContact
	ColSource
	ColAnonymiser
	ColDirection
	ColNumber
	ColTeam
	ColResult
	ColReason
	ColVoicemail
	ColRingS
	ColTalkS
	ColDelivered
	ColAutomatic
	ColMedia
	ColLength
	ColTopic
	ColSentiment
	ColCallHi // the call's ID as two numbers
	ColCallLo
	ColOrigin
	ColTurns
	ColMemberS
	ColFlow
	ColFlowVersion
	ColNode
	ColChoice
	ColNodeKind
	ColStepOutcome
	ColStayS
	ColInferred
	ColSurvey
	ColScale
	ColScore
	ColMedium
	ColPurpose
	ColAct
	ColVia
	ColText // table texts only
	ColMemberShare
	ColSilenceShare
	ColInterruptions
	ColReply
	ColClaimed

	ColLast = ColClaimed
)
