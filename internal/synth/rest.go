package synth

import "time"

// Listed is what Quo's dated API (2026-03-30) lists of some days: the same calls and texts as the webhooks of Quo, as
// objects. Choices in a phone menu are not among them.
type Listed struct {
	Calls, Texts []Delivery        // of which ID is the object's own and At its creation
	Transcripts  map[string][]byte // of a call: the list of its segments
}

// QuoListed gives days as Quo's API lists them.
func (b *Business) QuoListed(days []Day) Listed {
	out := Listed{Transcripts: map[string][]byte{}}
	for _, d := range days {
		for _, c := range d.Calls {
			out.Calls = append(out.Calls, Delivery{c.ID, c.At, mustJSON(b.listedCall(c))})
			if c.Recorded {
				out.Transcripts[c.ID] = mustJSON(listedTranscript(c))
			}
		}
		for _, t := range d.Texts {
			out.Texts = append(out.Texts, Delivery{t.ID, t.At, mustJSON(b.listedText(t))})
		}
	}
	return out
}

// listedStatus is the API's word for an outcome: other words than a webhook's.
var listedStatus = map[string]string{
	"answered": "completed", "ai_handled": "completed", "forwarded": "forwarded", "failed": "failed", "abandoned": "abandoned",
	"abandoned_in_menu": "abandoned",
}

func (b *Business) listedCall(c Call) object {
	status, direction := listedStatus[c.Outcome], "incoming"
	if c.Out {
		direction = "outgoing"
	}
	if status == "" {
		status = "no-answer"
	}
	seconds := 0
	if !c.Answered.IsZero() {
		seconds = int(c.Ended.Sub(c.Answered).Seconds())
	}
	o := object{
		"id": c.ID, "phoneNumberId": c.Number.ID, "actorId": c.Member.ID, "direction": direction, "status": status,
		"participants": []object{
			{"phoneNumber": c.Number.Phone, "actorId": b.Members[0].ID},
			{"phoneNumber": c.Person.Phone, "actorId": nil},
		},
		"answeredAt": orNull(c.Answered), "answeredBy": nil, "initiatedBy": nil, "completedAt": utc(c.Ended), "createdAt": utc(c.At),
		"updatedAt": utc(c.Ended), "callRoute": "phone-number", "duration": seconds, "forwardedFrom": nil, "forwardedTo": nil, "aiHandled": nil,
		"summary": object{"status": "absent", "type": nil, "summary": nil, "nextSteps": nil, "jobs": nil, "title": nil},
	}
	if c.Outcome == "ai_handled" {
		o["aiHandled"] = "ai-agent"
	}
	if c.Outcome == "forwarded" {
		o["forwardedTo"] = b.Members[0].ID
	}
	if c.Recorded {
		o["summary"] = object{
			"status": "completed", "type": "human", "summary": []string{c.Summary}, "nextSteps": []string{"Call " + c.Person.Name + " back if needed."},
			"jobs": nil, "title": nil,
		}
	}
	if c.Voicemail != "" {
		o["voicemail"] = object{
			"id": "VM" + c.ID[2:], "status": "completed", "duration": int(spoken(c.Voicemail).Seconds()), "transcript": c.Voicemail,
			"recordingUrl": "https://media.example.com/" + c.ID + ".mp3",
		}
	}
	return o
}

func listedTranscript(c Call) []object {
	dialogue := make([]object, len(c.Turns))
	for i, t := range c.Turns {
		dialogue[i] = object{"content": t.Words, "start": t.Start, "end": t.End, "identifier": c.Person.Phone, "actorId": nil}
		if t.Member {
			dialogue[i]["identifier"], dialogue[i]["actorId"] = c.Number.Phone, c.Member.ID
		}
	}
	return []object{{
		"recordingId": "CR" + c.ID[2:], "status": "completed", "startTime": utc(c.Answered), "createdAt": utc(c.Ended.Add(150 * time.Second)),
		"duration": c.Ended.Sub(c.Answered).Seconds(), "dialogue": dialogue,
	}}
}

func (b *Business) listedText(t Text) object {
	direction, status, from, to := "incoming", "received", t.Person.Phone, t.Number.Phone
	if t.Out {
		direction, status, from, to = "outgoing", "delivered", to, from
		if t.Failed {
			status = "undelivered"
		}
	}
	o := object{
		"id": t.ID, "to": []string{to}, "from": from, "text": t.Body, "conversationId": "CN" + t.Person.Phone[2:], "direction": direction,
		"status": status, "createdAt": utc(t.At), "updatedAt": utc(t.At), "media": []object{}, "phoneNumberId": t.Number.ID, "userId": t.Member.ID,
	}
	if t.Failed {
		o["errorCode"] = 30003
	}
	return o
}
