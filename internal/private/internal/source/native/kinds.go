package native

import (
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source/strictjson"
)

// The words of the format, one table an enum. "unknown" is a value everywhere.
var (
	directions = map[string]fact.Direction{"unknown": 0, "in": fact.In, "out": fact.Out}

	results = map[string]fact.Result{
		"unknown": 0, "answered": fact.Answered, "ai_handled": fact.AIHandled, "forwarded": fact.Forwarded,
		"missed": fact.Missed, "voicemail": fact.Missed, "failed": fact.Failed,
		"short_abandoned": fact.Missed, "out_of_hours": fact.Missed, "no_member_available": fact.Missed,
		"members_did_not_answer": fact.Missed, "abandoned_in_menu": fact.Missed, "abandoned": fact.Missed,
	}
	reasons = map[string]fact.Reason{
		"short_abandoned": fact.ShortAbandoned, "out_of_hours": fact.OutOfHours,
		"no_member_available": fact.NoMemberAvailable, "members_did_not_answer": fact.MembersDidNotAnswer,
		"abandoned_in_menu": fact.AbandonedInMenu, "abandoned": fact.Abandoned,
	}
	statuses = map[string]fact.Delivered{
		"unknown": 0, "received": fact.Received, "sent": fact.Sent, "delivered": fact.Arrived,
		"undelivered": fact.Undelivered,
	}
	origins = map[string]fact.Origin{
		"unknown": 0, "own": fact.OwnTranscript, "vendor": fact.VendorTranscript,
		"vendor_summary": fact.VendorSummary, "voicemail": fact.VoicemailTranscript,
	}
	sides = map[string]fact.Side{
		"unknown": 0, "contact": fact.SideContact, "member": fact.SideMember, "machine": fact.SideMachine,
	}
	nodeKinds = map[string]fact.NodeKind{
		"unknown": 0, "hours": fact.NodeHours, "greeting": fact.NodeGreeting, "notice": fact.NodeNotice,
		"menu": fact.NodeMenu, "ring_group": fact.NodeRingGroup, "queue": fact.NodeQueue,
		"voicemail": fact.NodeVoicemail, "forward": fact.NodeForward, "auto_reply": fact.NodeAutoReply,
		"ai_agent": fact.NodeAIAgent,
	}
	stepOutcomes = map[string]fact.StepOutcome{
		"unknown": 0, "matched": fact.StepMatched, "not_matched": fact.StepNotMatched,
		"timeout": fact.StepTimeout, "hangup": fact.StepHangup, "opt_out": fact.StepOptOut,
		"answered": fact.StepAnswered,
	}
	scales = map[string]fact.Scale{
		"nps": fact.NPS, "csat": fact.CSAT, "ces": fact.CES, "stars": fact.Stars, "thumb": fact.Thumb,
		"text": fact.Comment,
	}
	ranges = map[fact.Scale][2]float64{
		fact.NPS: {0, 10}, fact.CSAT: {1, 5}, fact.CES: {1, 7}, fact.Stars: {1, 5}, fact.Thumb: {0, 1},
	}
	media = map[string]fact.Medium{
		"unknown": 0, "call": fact.MediumCall, "text": fact.MediumText, "email": fact.MediumEmail,
		"web": fact.MediumWeb,
	}
	purposes = map[string]fact.Purpose{
		"record": fact.Record, "transcribe": fact.Transcribe, "analyse": fact.Analyse, "share": fact.Share,
	}
	acts = map[string]fact.Act{
		"noticed": fact.Noticed, "opted_in": fact.OptedIn, "opted_out": fact.OptedOut, "withdrawn": fact.Withdrawn,
	}
	vias = map[string]fact.Via{
		"unknown": 0, "dtmf": fact.ViaDTMF, "speech": fact.ViaSpeech, "menu": fact.ViaMenu,
		"agent": fact.ViaAgent, "sms": fact.ViaSMS, "web": fact.ViaWeb, "import": fact.ViaImport,
		"recordpref": fact.ViaRecordPref, "api": fact.ViaAPI, "policy": fact.ViaPolicy,
	}
)

// call reads a finished or missed call. An outcome that is unknown counts as answered when there is a
// time of answer. talk_s without times places the talk behind the ring; where nothing says how long it rang, that stays unknown.
func call(e *event.Event, doc strictjson.Value) {
	c := &event.Call{
		Direction: strictjson.Word(doc, "direction", directions),
		Number:    doc.Text("number"),
		Team:      doc.Text("team"),
		Result:    strictjson.Word(doc, "outcome", results),
		Reason:    reasons[doc.Text("outcome")],
		Voicemail: doc.Bool("voicemail") || doc.Text("outcome") == "voicemail",
		Answered:  doc.Time("answered_at"),
		Completed: doc.Time("ended_at"),
		Ring:      -time.Second,
	}
	e.Call = c
	ring, rang := doc.Seconds("ring_s")
	if rang {
		c.Ring = seconds(ring)
	}
	talk, talked := doc.Seconds("talk_s")
	talked = talked && talk > 0
	if c.Result == 0 && (!c.Answered.IsZero() || talked) {
		c.Result = fact.Answered
	}
	if c.Result == fact.Missed || c.Result == fact.Failed {
		c.Answered = time.Time{}
		return
	}
	if talked && c.Answered.IsZero() {
		c.Answered = e.At.Add(seconds(ring))
		if !rang {
			c.Ring = event.RingUnknown
		}
	}
	if talked && c.Completed.IsZero() {
		c.Completed = c.Answered.Add(seconds(talk))
	}
}

func message(e *event.Event, doc strictjson.Value) {
	e.Message = &event.Message{
		Direction: strictjson.Word(doc, "direction", directions),
		Number:    doc.Text("number"),
		Status:    strictjson.Word(doc, "status", statuses),
		ErrorCode: int64(doc.Count("error_code")),
		Media:     doc.Count("media"),
		Body:      personal.New(doc.Text("body")),
		Automatic: doc.Bool("automatic"),
	}
}

func transcript(e *event.Event, doc strictjson.Value) {
	t := &event.Talk{
		Call:   doc.Text("call"),
		Number: doc.Text("number"),
		Origin: strictjson.Word(doc, "origin", origins),
	}
	t.Seconds, _ = doc.Seconds("duration_s")
	for _, v := range doc.List("turns") {
		turn := event.Turn{Side: strictjson.Word(v, "side", sides), Words: personal.New(v.Text("text"))}
		turn.Start, _ = v.Seconds("start")
		turn.End, _ = v.Seconds("end")
		t.Turns = append(t.Turns, turn)
	}
	if len(t.Turns) == 0 {
		doc.Reject("turns")
	}
	e.Talk = t
}

func step(e *event.Event, doc strictjson.Value) {
	e.Step = &event.Step{
		Run:         doc.Text("run"),
		Number:      doc.Text("number"),
		Flow:        must(doc, "flow"),
		FlowVersion: doc.Text("flow_version"),
		Node:        must(doc, "node"),
		NodeKind:    strictjson.Word(doc, "node_kind", nodeKinds),
		Choice:      doc.Text("key"),
		Label:       doc.Text("label"),
		Outcome:     strictjson.Word(doc, "outcome", stepOutcomes),
		In:          doc.Time("in_at"),
		Out:         doc.Time("out_at"),
		Inferred:    doc.Bool("inferred"),
	}
}

// answer reads one answer of a survey. A score needs a scale and must lie on it; a comment needs none.
func answer(e *event.Event, doc strictjson.Value) {
	a := &event.Answer{
		Survey:  must(doc, "survey"),
		Scale:   strictjson.Word(doc, "scale", scales),
		Medium:  strictjson.Word(doc, "medium", media),
		Comment: personal.New(doc.Text("comment")),
		Asked:   doc.Time("asked_at"),
		Link:    doc.Text("link"),
	}
	e.Answer = a
	a.Score, a.Scored = doc.Number("score")
	if !a.Scored {
		a.Scale = fact.Comment
		if a.Comment.Empty() {
			doc.Reject("score")
		}
		return
	}
	usual, ok := ranges[a.Scale]
	if !ok {
		doc.Reject("scale")
	}
	a.Min, a.Max = usual[0], usual[1]
	if low, ok := doc.Number("min"); ok {
		a.Min = low
	}
	if high, ok := doc.Number("max"); ok {
		a.Max = high
	}
	if a.Max <= a.Min || a.Score < a.Min || a.Score > a.Max {
		doc.Reject("score")
	}
}

func consent(e *event.Event, doc strictjson.Value) {
	must(doc, "purpose")
	must(doc, "act")
	e.Consent = &event.Consent{
		Call:    doc.Text("call"),
		Purpose: strictjson.Word(doc, "purpose", purposes),
		Act:     strictjson.Word(doc, "act", acts),
		Via:     strictjson.Word(doc, "via", vias),
	}
	if e.Consent.Call == "" && e.Party.Address.Empty() && e.Party.Own.Empty() {
		doc.Reject("party")
	}
}

// must is a text that has to be there.
func must(doc strictjson.Value, name string) string {
	s := doc.Text(name)
	if s == "" {
		doc.Reject(name)
	}
	return s
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
