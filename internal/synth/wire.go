package synth

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// Delivery is one webhook as a vendor sends it: when, under which id, and the body. Whoever sends it signs it.
type Delivery struct {
	ID   string
	At   time.Time
	Body []byte
}

const stamp = "2006-01-02T15:04:05.000Z"

func utc(t time.Time) string { return t.UTC().Format(stamp) }

// orNull is a time that may not have come.
func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return utc(t)
}

type object = map[string]any

// mustJSON encodes what the generator itself made of strings, numbers and maps: it cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("synth: " + err.Error())
	}
	return b
}

// Quo gives a day as webhooks of Quo's dated API (2026-03-30), in the order in which the vendor sends them. Survey
// answers and the workflow's steps but the menu's are not Quo's.
func (b *Business) Quo(d Day) []Delivery {
	var out []Delivery
	for _, c := range d.Calls {
		out = append(out, b.quoCall(c)...)
	}
	for _, s := range d.Steps {
		if s.Kind == "menu" {
			out = append(out, b.quoMenu(s))
		}
	}
	for _, t := range d.Texts {
		out = append(out, b.quoText(t))
	}
	slices.SortStableFunc(out, func(a, b Delivery) int { return a.At.Compare(b.At) })
	return out
}

func quoEvent(kind, id string, at time.Time, resource, context object) Delivery {
	id = "EV" + id + "-" + kind
	return Delivery{ID: id, At: at, Body: mustJSON(object{
		"id": id, "apiVersion": "2026-03-30", "createdAt": utc(at), "type": kind,
		"data": object{"resource": resource, "context": context, "links": object{"quo": "https://my.quo.com/inbox/" + id}},
	})}
}

func (b *Business) callContext(n Number, m Member, p *Person) object {
	return object{
		"orgId": "OR" + b.Members[0].ID[2:], "phoneNumberId": n.ID, "conversationId": "CN" + p.Phone[2:], "phoneNumberType": "shared",
		"userId": m.ID, "contacts": object{"ids": []string{}, "lookupStatus": "none"},
		"participants": object{"workspace": []string{n.Phone}, "external": []string{p.Phone}, "resolution": "available"},
	}
}

// quoStatus is Quo's word for an outcome.
var quoStatus = map[string]string{
	"answered": "answered", "ai_handled": "ai-handled", "forwarded": "forwarded", "failed": "failed", "abandoned": "abandoned",
	"abandoned_in_menu": "abandoned",
}

func (b *Business) quoCall(c Call) []Delivery {
	context := b.callContext(c.Number, c.Member, c.Person)
	direction := "incoming"
	if c.Out {
		direction = "outgoing"
	}
	status := quoStatus[c.Outcome]
	if status == "" {
		status = "unanswered"
	}
	out := []Delivery{quoEvent("call.ringing", c.ID, c.At, object{
		"id": c.ID, "direction": direction, "createdAt": utc(c.At), "updatedAt": utc(c.At),
	}, context)}
	if !c.Answered.IsZero() {
		out = append(out, quoEvent("call.answered", c.ID, c.Answered, object{
			"id": c.ID, "direction": direction, "createdAt": utc(c.At), "answeredAt": utc(c.Answered), "answeredByUserId": c.Member.ID,
			"updatedAt": utc(c.Answered),
		}, context))
	}
	var seconds float64
	if !c.Answered.IsZero() {
		seconds = c.Ended.Sub(c.Answered).Seconds()
	}
	out = append(out, quoEvent("call.completed", c.ID, c.Ended, object{
		"id": c.ID, "direction": direction, "status": status, "createdAt": utc(c.At), "answeredAt": orNull(c.Answered),
		"completedAt": utc(c.Ended), "updatedAt": utc(c.Ended), "duration": int(seconds), "hasVoicemail": c.Voicemail != "",
	}, context))
	if status == "unanswered" || status == "abandoned" {
		out = append(out, quoEvent("call.missed", c.ID, c.Ended, object{
			"id": c.ID, "createdAt": utc(c.At), "updatedAt": utc(c.Ended),
		}, context))
	}
	return append(out, quoContent(c, direction, seconds, context)...)
}

// quoContent is what comes minutes later: recording, transcript, summary, voicemail.
func quoContent(c Call, direction string, seconds float64, context object) (out []Delivery) {
	later := c.Ended.Add(90 * time.Second)
	if c.Voicemail != "" {
		out = append(out, quoEvent("call.voicemail.completed", c.ID, later, object{
			"id": "VM" + c.ID[2:], "voicemailId": "VM" + c.ID[2:], "callId": c.ID, "direction": direction, "duration": int(spoken(c.Voicemail).Seconds()),
			"from": c.Person.Phone, "to": c.Number.Phone, "transcript": c.Voicemail, "recordingUrl": "https://media.example.com/" + c.ID + ".mp3",
			"createdAt": utc(c.Ended), "updatedAt": utc(later),
		}, context))
	}
	if !c.Recorded {
		return out
	}
	dialogue := make([]object, len(c.Turns))
	for i, t := range c.Turns {
		dialogue[i] = object{"content": t.Words, "start": t.Start, "end": t.End, "identifier": c.Person.Phone, "userId": nil}
		if t.Member {
			dialogue[i]["identifier"], dialogue[i]["userId"] = c.Number.Phone, c.Member.ID
		}
	}
	return append(out,
		quoEvent("call.recording.completed", c.ID, later, object{
			"id": c.ID, "direction": direction, "createdAt": utc(c.At), "answeredAt": utc(c.Answered), "completedAt": utc(c.Ended), "updatedAt": utc(later),
			"duration": int(seconds), "recordings": []object{{
				"id": "CR" + c.ID[2:], "duration": int(seconds), "startTime": utc(c.Answered), "type": "audio/mpeg", "url": "https://media.example.com/" + c.ID + ".mp3",
			}},
		}, context),
		quoEvent("call.transcript.completed", c.ID, later.Add(time.Minute), object{
			"callId": c.ID, "createdAt": utc(c.Answered), "duration": seconds, "processingStatus": "completed", "dialogue": dialogue,
		}, context),
		quoEvent("call.summary.completed", c.ID, later.Add(2*time.Minute), object{
			"callId": c.ID, "processingStatus": "completed", "summary": []string{c.Summary}, "nextSteps": []string{"Call " + c.Person.Name + " back if needed."},
			"fromPhoneNumber": c.Person.Phone, "handledByAiAgent": c.Outcome == "ai_handled", "answeredByUserId": c.Member.ID, "jobs": []object{},
		}, context))
}

func (b *Business) quoMenu(s Step) Delivery {
	resource := object{
		"id": s.Call, "createdAt": utc(s.In), "updatedAt": utc(s.Out), "phoneMenuSelection": s.Key, "phoneMenuSelectionName": s.Label,
		"statusReason": "phone-menu-dial",
	}
	if s.Key == "none" {
		resource["phoneMenuSelection"], resource["phoneMenuSelectionName"], resource["statusReason"] = nil, nil, "phone-menu"
		if s.Outcome == "hangup" {
			resource["statusReason"] = "phone-menu-abandoned"
		}
	}
	return quoEvent("call.menu.selected", s.ID, s.Out, resource, b.callContext(s.Number, Member{}, s.Person))
}

func (b *Business) quoText(t Text) Delivery {
	kind, direction, status := "message.received", "incoming", "received"
	from, to := t.Person.Phone, t.Number.Phone
	if t.Out {
		kind, direction, status = "message.delivered", "outgoing", "delivered"
		from, to = to, from
		if t.Failed {
			kind, status = "message.undelivered", "undelivered"
		}
	}
	resource := object{"id": t.ID, "direction": direction, "text": t.Body, "media": []object{}, "status": status, "createdAt": utc(t.At)}
	if t.Failed {
		resource["errorCode"] = 30003
	}
	return quoEvent(kind, t.ID, t.At, resource, object{
		"orgId": "OR" + b.Members[0].ID[2:], "phoneNumberId": t.Number.ID, "conversationId": "CN" + t.Person.Phone[2:], "userId": t.Member.ID,
		"contacts": object{"ids": []string{}, "lookupStatus": "none"}, "senderIdentifier": from, "recipientIdentifiers": []string{to},
	})
}

// Typeform gives a day's survey answers as Typeform webhooks. The respondent is told by hidden fields.
func (b *Business) Typeform(d Day) (out []Delivery) {
	for _, a := range d.Answers {
		question := object{"id": a.Survey.ID + "q1", "ref": "score", "type": "nps", "title": a.Survey.Title, "properties": object{}}
		if a.Survey.Scale == "csat" {
			question["type"], question["properties"] = "rating", object{"shape": "heart", "steps": 5}
		}
		why := object{"id": a.Survey.ID + "q2", "ref": "why", "type": "long_text", "title": "What is the reason for your score?", "properties": object{}}
		answers := []object{{"type": "number", "number": a.Score, "field": object{"id": question["id"], "type": question["type"], "ref": "score"}}}
		if a.Comment != "" {
			answers = append(answers, object{"type": "text", "text": a.Comment, "field": object{"id": why["id"], "type": "long_text", "ref": "why"}})
		}
		out = append(out, Delivery{ID: "TF" + a.ID, At: a.At, Body: mustJSON(object{
			"event_id": "TF" + a.ID, "event_type": "form_response", "form_response": object{
				"form_id": a.Survey.ID, "token": a.ID, "landed_at": utc(a.At.Add(-time.Minute)), "submitted_at": utc(a.At),
				"hidden":     object{"phone": a.Person.Phone, "email": a.Person.Email, "name": a.Person.Name},
				"definition": object{"id": a.Survey.ID, "title": a.Survey.Title, "fields": []object{question, why}},
				"answers":    answers,
			},
		})})
	}
	return out
}

// CSVCalls writes calls as a phone system exports its history, header first. Local times in the business's zone.
func (b *Business) CSVCalls(w io.Writer, days []Day) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"Call ID", "Date", "Direction", "Phone number", "Contact", "Contact name", "Status", "Ring (s)", "Duration (s)"}}
	for _, d := range days {
		for _, c := range d.Calls {
			ring, talk, direction := c.Ended.Sub(c.At), time.Duration(0), "inbound"
			if !c.Answered.IsZero() {
				ring, talk = c.Answered.Sub(c.At), c.Ended.Sub(c.Answered)
			}
			if c.Out {
				direction = "outbound"
			}
			status := "missed"
			switch c.Outcome {
			case "answered", "forwarded", "failed":
				status = c.Outcome
			case "ai_handled":
				status = "answered"
			}
			if c.Voicemail != "" {
				status = "voicemail"
			}
			rows = append(rows, []string{
				c.ID, c.At.In(b.Zone).Format("2006-01-02 15:04:05"), direction, c.Number.ID, c.Person.Phone, c.Person.Name, status,
				seconds(ring), seconds(talk),
			})
		}
	}
	return writeAll(out, rows)
}

// CSVTexts writes text messages as an export, header first.
func (b *Business) CSVTexts(w io.Writer, days []Day) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"Message ID", "Date", "Direction", "Phone number", "Contact", "Status", "Body"}}
	for _, d := range days {
		for _, t := range d.Texts {
			direction, status := "inbound", "received"
			if t.Out {
				direction, status = "outbound", "delivered"
			}
			if t.Failed {
				status = "undelivered"
			}
			rows = append(rows, []string{t.ID, t.At.In(b.Zone).Format("2006-01-02 15:04:05"), direction, t.Number.ID, t.Person.Phone, status, t.Body})
		}
	}
	return writeAll(out, rows)
}

// CSVSurveys writes survey answers as an export, header first.
func (b *Business) CSVSurveys(w io.Writer, days []Day) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"Response ID", "Date", "Survey", "Scale", "Score", "Comment", "Email", "Name"}}
	for _, d := range days {
		for _, a := range d.Answers {
			rows = append(rows, []string{
				a.ID, a.At.In(b.Zone).Format("2006-01-02 15:04:05"), a.Survey.ID, a.Survey.Scale, strconv.Itoa(a.Score), a.Comment, a.Person.Email, a.Person.Name,
			})
		}
	}
	return writeAll(out, rows)
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }

func writeAll(out *csv.Writer, rows [][]string) error {
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}
