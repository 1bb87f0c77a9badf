package enrich

import (
	"strings"
	"sync"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
)

var shared = sync.OnceValue(New)

// fresh are texts that no training saw, from trades and in words of their own.
var fresh = []struct {
	topic fact.Topic
	text  string
}{
	{fact.TopicBooking, "Good afternoon, would it be possible to have my hair coloured on Saturday around eleven?"},
	{fact.TopicBooking, "hey can i get my dog in for a bath and trim next friday"},
	{fact.TopicBooking, "We would like to reserve a table for eight on the 12th please"},
	{fact.TopicBooking, "do you have any appointments left this afternoon my back is killing me"},
	{fact.TopicBooking, "I need somebody to come look at my water heater, when could you be here?"},
	{fact.TopicReschedule, "Something came up at work, could we do my massage Thursday instead?"},
	{fact.TopicReschedule, "sorry to do this but i have to cancel tomorrow's lesson"},
	{fact.TopicReschedule, "running about 20 min late traffic is bad"},
	{fact.TopicReschedule, "Can we move the estimate visit to the following week?"},
	{fact.TopicHours, "how late are you guys open tonight"},
	{fact.TopicHours, "Could you text me the address of the new office?"},
	{fact.TopicHours, "is there anywhere to park when we come over"},
	{fact.TopicHours, "Are you open on Presidents Day?"},
	{fact.TopicNewEnquiry, "do you guys also do gutters"},
	{fact.TopicNewEnquiry, "Hi, are you accepting new patients? I just moved here."},
	{fact.TopicNewEnquiry, "I'm looking for someone who can teach my kid the violin"},
	{fact.TopicNewEnquiry, "Do you carry tires for a trailer?"},
	{fact.TopicPrice, "what would you charge to haul away an old couch"},
	{fact.TopicPrice, "Could you give me a quote for painting two bedrooms?"},
	{fact.TopicPrice, "How much are the large arrangements?"},
	{fact.TopicPrice, "is there a senior discount for eye exams"},
	{fact.TopicOrderStatus, "any update on my bike"},
	{fact.TopicOrderStatus, "Hi, has my sofa shipped? It's been three weeks"},
	{fact.TopicOrderStatus, "Is the electrician still on his way? We've been here since noon"},
	{fact.TopicOrderStatus, "wondering if my prescription can be picked up yet"},
	{fact.TopicBilling, "I think I was billed twice for the same visit"},
	{fact.TopicBilling, "can you email me a receipt for the brake job"},
	{fact.TopicBilling, "Where do I pay my invoice online?"},
	{fact.TopicBilling, "my refund still hasn't shown up on my card"},
	{fact.TopicComplaint, "Your crew left nails all over our driveway and nobody apologised. I want to talk to the manager."},
	{fact.TopicComplaint, "this is ridiculous i have called four times and nobody helps me"},
	{fact.TopicComplaint, "I'm really disappointed, the paint job looks terrible"},
	{fact.TopicHelp, "the thermostat screen is blank and the heat won't come on"},
	{fact.TopicHelp, "I can't sign in to the patient portal"},
	{fact.TopicHelp, "water is leaking from under the sink what do i do"},
	{fact.TopicHelp, "My laptop keeps shutting down since you replaced the battery, can you help?"},
	{fact.TopicCallback, "Hi this is [PERSON], please give me a call back at [PHONE]."},
	{fact.TopicCallback, "i had a missed call from you guys"},
	{fact.TopicCallback, "could you ask the doctor to ring me this evening"},
	{fact.TopicThanks, "Thanks so much, the garden looks incredible!"},
	{fact.TopicThanks, "perfect see you then thank you"},
	{fact.TopicThanks, "you did a fantastic job on the deck we are so happy"},
	{fact.TopicSpam, "Congratulations! You were selected for a $500 gift card, click here [URL]"},
	{fact.TopicSpam, "sorry i must have the wrong number"},
	{fact.TopicSpam, "We can help your business rank higher on Google. Can we talk?"},
	{fact.TopicOther, "it's the yellow house on the corner"},
	{fact.TopicOther, "ok"},
	{fact.TopicOther, "my sister will be there too"},
	{fact.TopicOther, "yes"},
	{fact.TopicOther, ""},
}

func TestTopicsOfFreshTexts(t *testing.T) {
	t.Parallel()
	right := 0
	for _, c := range fresh {
		if got := shared().topic(contactTurns(c.text)); got == c.topic {
			right++
		} else {
			t.Logf("%s read as %s: %s", c.topic, got, c.text)
		}
	}
	accuracy := float64(right) / float64(len(fresh))
	t.Logf("%d of %d fresh texts right, accuracy %.2f", right, len(fresh), accuracy)
	if accuracy < 0.8 {
		t.Errorf("accuracy %.2f is under 0.80", accuracy)
	}
}

func TestATranscriptIsAboutWhatTheContactSaysFirstAndMost(t *testing.T) {
	t.Parallel()
	const call = `Agent: Thank you for calling, how can I help you today?
Customer: Hi, my name is [PERSON].
Customer: I need to reschedule my appointment on [DATE], I can't make it.
Agent: Sure, how much time do you need? What about booking you in for Monday?
Customer: Monday is good.
Agent: You are all set, is there anything else, any question about your bill?
Customer: No, thank you so much, have a great day.`
	if got := shared().topic(contactTurns(call)); got != fact.TopicReschedule {
		t.Errorf("read as %s", got)
	}
}

func TestNonsenseIsOther(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " ", "\n\n", "xqz vbnm wrtp", "0000 000", "[PERSON]", "\xff\xfe", "日本語のテキスト"} {
		if got := shared().topic(contactTurns(text)); got != fact.TopicOther {
			t.Errorf("%q read as %s", text, got)
		}
	}
}

func TestWhatContactsWriteIsReadAndWhatMembersWriteIsNot(t *testing.T) {
	t.Parallel()
	words := facttest.New(t).Text("I want to speak to the manager, [PERSON] was rude and the sink is still broken")
	in := &fact.Message{Direction: fact.In, Body: words}
	out := &fact.Message{Direction: fact.Out, Body: words}
	talk, answer := &fact.Talk{Body: words}, &fact.Answer{Comment: words}
	for _, f := range []fact.Fact{in, out, talk, answer} {
		shared().Enrich(f)
	}
	for i, got := range []fact.Topic{in.Topic, talk.Topic, answer.Topic} {
		if s := []int64{in.Sentiment, talk.Sentiment, answer.Sentiment}[i]; got != fact.TopicComplaint || s >= 0 || s == fact.Absent {
			t.Errorf("fact %d: topic %s, sentiment %d", i, got, s)
		}
	}
	if out.Topic != 0 || out.Sentiment != fact.Absent {
		t.Errorf("an outgoing text got topic %s, sentiment %d", out.Topic, out.Sentiment)
	}
}

func TestAFactWithoutWordsStaysUnread(t *testing.T) {
	t.Parallel()
	message, talk, answer := &fact.Message{Direction: fact.In, Topic: fact.TopicSpam, Sentiment: 5}, &fact.Talk{Topic: fact.TopicSpam}, &fact.Answer{}
	for _, f := range []fact.Fact{message, talk, answer, &fact.Call{}} {
		shared().Enrich(f)
	}
	for i, topic := range []fact.Topic{message.Topic, talk.Topic, answer.Topic} {
		if s := []int64{message.Sentiment, talk.Sentiment, answer.Sentiment}[i]; topic != 0 || s != fact.Absent {
			t.Errorf("fact %d: topic %s, sentiment %d", i, topic, s)
		}
	}
}

func TestEnrichingIsSafeFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	e := shared()
	want := make([]fact.Topic, len(fresh))
	for i, c := range fresh {
		want[i] = e.topic(contactTurns(c.text))
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i, c := range fresh {
				if e.topic(contactTurns(c.text)) != want[i] {
					t.Errorf("text %d is read otherwise in parallel", i)
				}
			}
		})
	}
	wait.Wait()
}

func TestTheModelFitsItsBound(t *testing.T) {
	t.Parallel()
	if len(topicModel) > 1_500_000 {
		t.Errorf("the embedded model has %d bytes", len(topicModel))
	}
	if n := len(shared().topics); n != len(fact.Topics()) {
		t.Errorf("the model knows %d topics, the taxonomy %d", n, len(fact.Topics()))
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range fresh {
		f.Add(c.text)
	}
	f.Add("Agent: hi\nCustomer: NOT good!!! but [PHONE")
	f.Fuzz(func(t *testing.T, text string) {
		turns := contactTurns(text)
		if topic := shared().topic(turns); topic.String() == "unknown" {
			t.Errorf("topic %d is outside the taxonomy", topic)
		}
		if s := shared().tone.of(text); s != fact.Absent && (s < -100 || s > 100 || s%fact.SentimentStep != 0) {
			t.Errorf("sentiment %d", s)
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	e := shared()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			turns := contactTurns(fresh[i%len(fresh)].text)
			e.topic(turns)
			e.tone.of(strings.Join(turns, "\n"))
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
