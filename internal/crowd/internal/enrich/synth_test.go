package enrich

import (
	"strings"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/synth"
)

// reasons are the generator's words for the topics; it was written apart from the training texts.
var reasons = map[string]fact.Topic{
	"booking": fact.TopicBooking, "reschedule": fact.TopicReschedule, "hours": fact.TopicHours, "enquiry": fact.TopicNewEnquiry,
	"price": fact.TopicPrice, "status": fact.TopicOrderStatus, "billing": fact.TopicBilling, "complaint": fact.TopicComplaint,
	"help": fact.TopicHelp, "callback": fact.TopicCallback, "thanks": fact.TopicThanks, "spam": fact.TopicSpam, "smalltalk": fact.TopicOther,
}

// TestTopicsOfSyntheticBusinesses reads texts and transcripts of every trade. The texts are cleaner than real ones.
func TestTopicsOfSyntheticBusinesses(t *testing.T) {
	t.Parallel()
	texts, textsRight, calls, callsRight := 0, 0, 0, 0
	wrong := map[string]int{}
	for i, trade := range synth.Trades() {
		_, days := synth.Days(synth.Config{Seed: uint64(i), Trade: trade, Contacts: 400}, 28)
		for _, d := range days {
			for _, x := range d.Texts {
				if x.Out {
					continue
				}
				texts++
				if got := shared().topic(contactTurns(x.Body)); got == reasons[x.Reason] {
					textsRight++
				} else {
					wrong[x.Reason+" read as "+got.String()]++
				}
			}
			for _, c := range d.Calls {
				words := c.Voicemail
				if c.Recorded {
					words = transcript(c)
				}
				if words == "" {
					continue
				}
				calls++
				if got := shared().topic(contactTurns(words)); got == reasons[c.Reason] {
					callsRight++
				} else {
					wrong["call: "+c.Reason+" read as "+got.String()]++
				}
			}
		}
	}
	inTexts, inCalls := float64(textsRight)/float64(texts), float64(callsRight)/float64(calls)
	t.Logf("texts: %d of %d right (%.2f); transcripts and voicemails: %d of %d right (%.2f)", textsRight, texts, inTexts, callsRight, calls, inCalls)
	if inTexts < 0.88 || inCalls < 0.85 {
		t.Errorf("accuracy %.2f of texts, %.2f of transcripts; most frequent errors: %v", inTexts, inCalls, wrong)
	}
}

func transcript(c synth.Call) string {
	var lines []string
	for _, turn := range c.Turns {
		label := "Customer: "
		if turn.Member {
			label = "Agent: "
		}
		lines = append(lines, label+turn.Words)
	}
	return strings.Join(lines, "\n")
}
