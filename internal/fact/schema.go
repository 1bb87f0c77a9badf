package fact

import "math"

// Type is how a column is stored.
type Type int64

const (
	Long  Type = iota + 1 // a 64-bit number
	Time                  // microseconds since 1970 UTC
	Key                   // 16 bytes
	Name                  // a workspace's name
	Words                 // masked text
)

// Table is a table of the lake, or a set of them.
type Table int64

const (
	Facts Table = 1 << iota // every fact, no text
	Texts                   // the masked text of the facts that have words; kept for a shorter time
	Both  = Facts | Texts
)

// Declaration declares a column once, for every format that stores it.
type Declaration struct {
	Column   Column
	Name     string
	Type     Type
	Nullable bool
	In       Table
	Min, Max int64 // allowed values of a Long; Absent is allowed besides where Nullable
	Doc      string
}

const (
	anyMin = math.MinInt64
	anyMax = math.MaxInt64
	// year bounds a duration in seconds; count bounds a length or a number of things.
	year  = 366 * 86400
	count = 1 << 40
)

var declarations = []Declaration{
	{ColWorkspace, "workspace", Name, false, Both, 0, 0, "name of the workspace"},
	{ColKind, "kind", Long, false, Both, 1, int64(KindConsent), "kind of fact: 1 call, 2 message, 3 talk, 4 step, 5 answer, 6 consent"},
	{ColID, "id", Key, false, Both, 0, 0, "keyed id of the call, message, ..; the highest version of an id is the fact"},
	{ColVersion, "version", Long, false, Both, anyMin, anyMax, "orders the versions of one id"},
	{ColAt, "at", Time, false, Both, 0, 0, "when it happened"},
	{ColContact, "contact", Key, true, Both, 0, 0, "pseudonym of the contact; null once de-linked"},
	{ColSource, "source", Long, true, Facts, anyMin, anyMax, "label of the source"},
	{ColAnonymiser, "anonymiser", Long, true, Facts, anyMin, anyMax, "version of the redactor"},
	{ColDirection, "direction", Long, true, Facts, 0, int64(Out), "1 in, 2 out"},
	{ColNumber, "number", Long, true, Facts, anyMin, anyMax, "label of the business number"},
	{ColTeam, "team", Long, true, Facts, anyMin, anyMax, "label of the team"},
	{ColResult, "result", Long, true, Facts, 0, int64(Failed), "1 answered, 2 by an AI agent, 3 forwarded, 4 missed, 5 failed"},
	{ColReason, "reason", Long, true, Facts, 0, int64(Abandoned), "why a call was missed, as the source says"},
	{ColVoicemail, "voicemail", Long, true, Facts, 0, 1, "1: left a voicemail"},
	{ColRingS, "ring_s", Long, true, Facts, 0, year, "seconds until answered or given up"},
	{ColTalkS, "talk_s", Long, true, Facts, 0, year, "seconds of talk"},
	{ColDelivered, "delivered", Long, true, Facts, 0, int64(Undelivered), "1 received, 2 sent, 3 arrived, 4 undelivered"},
	{ColAutomatic, "automatic", Long, true, Facts, 0, 1, "1: sent by a rule"},
	{ColMedia, "media", Long, true, Facts, 0, count, "number of attachments"},
	{ColLength, "length", Long, true, Facts, 0, count, "code points of the masked text"},
	{ColTopic, "topic", Long, true, Both, 0, count, "topic of the public taxonomy"},
	{ColSentiment, "sentiment", Long, true, Facts, -100, 100, "-100 .. 100; null: the text says nothing"},
	{ColCallHi, "call_hi", Long, true, Facts, anyMin, anyMax, "id of the call or message it belongs to, first 8 bytes, big endian"},
	{ColCallLo, "call_lo", Long, true, Facts, anyMin, anyMax, "and the last 8"},
	{ColOrigin, "origin", Long, true, Facts, 0, int64(VoicemailTranscript), "1 own transcript, 2 the vendor's, 3 the vendor's summary, 4 voicemail"},
	{ColTurns, "turns", Long, true, Facts, 0, count, "number of turns"},
	{ColMemberS, "member_s", Long, true, Facts, 0, year, "seconds spoken by members"},
	{ColFlow, "flow", Long, true, Facts, anyMin, anyMax, "label of the workflow"},
	{ColFlowVersion, "flow_version", Long, true, Facts, anyMin, anyMax, "label of its version"},
	{ColNode, "node", Long, true, Facts, anyMin, anyMax, "label of the node"},
	{ColChoice, "choice", Long, true, Facts, anyMin, anyMax, "label of (flow, node, choice)"},
	{ColNodeKind, "node_kind", Long, true, Facts, 0, int64(NodeAIAgent), "kind of node"},
	{ColStepOutcome, "step_outcome", Long, true, Facts, 0, int64(StepAnswered), "how the node was left"},
	{ColStayS, "stay_s", Long, true, Facts, 0, year, "seconds in the node"},
	{ColInferred, "inferred", Long, true, Facts, 0, 1, "1: worked out, not said by the source"},
	{ColSurvey, "survey", Long, true, Facts, anyMin, anyMax, "label of the survey"},
	{ColScale, "scale", Long, true, Facts, 0, int64(Comment), "1 NPS, 2 CSAT, 3 CES, 4 stars, 5 thumb, 6 comment"},
	{ColScore, "score", Long, true, Facts, 0, 10, "in the scale's own unit"},
	{ColMedium, "medium", Long, true, Facts, 0, int64(MediumWeb), "1 call, 2 text, 3 e-mail, 4 web"},
	{ColPurpose, "purpose", Long, true, Facts, 0, int64(Share), "1 record, 2 transcribe, 3 analyse, 4 share"},
	{ColAct, "act", Long, true, Facts, 0, int64(Followed), "1 noticed, 2 opted in, 3 opted out, 4 withdrawn, 5 violation, 6 followed another address"},
	{ColVia, "via", Long, true, Facts, 0, int64(ViaPolicy), "what a consent was given through"},
	{ColText, "text", Words, true, Texts, 0, 0, "masked words; null: the fact has none"},
	{ColMemberShare, "member_share", Long, true, Facts, 0, 100, "percent of the talk that members speak"},
	{ColSilenceShare, "silence_share", Long, true, Facts, 0, 100, "percent of the recording in which nobody speaks"},
	{ColInterruptions, "interruptions", Long, true, Facts, 0, count, "how often one side cuts the other short, in ten minutes"},
	{ColReply, "reply", Long, true, Facts, anyMin, anyMax, "label of a reply: outgoing texts of nearly the same words have the same"},
	{ColClaimed, "claimed", Long, true, Facts, 0, 1, "1: who the contact is was claimed, and no telephone network vouches for it"},
}

// Schema gives the columns of a table, in the order of their numbers.
func Schema(t Table) []Declaration {
	var s []Declaration
	for _, d := range declarations {
		if d.In&t != 0 {
			s = append(s, d)
		}
	}
	return s
}

// Declared gives a column's declaration; false for a column that this version does not know.
func Declared(c Column) (Declaration, bool) {
	if c < 1 || int(c) > len(declarations) {
		return Declaration{}, false
	}
	return declarations[c-1], true
}
