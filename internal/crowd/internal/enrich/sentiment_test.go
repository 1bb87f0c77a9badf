package enrich

import (
	"testing"

	"murmur/internal/fact"
)

func TestTone(t *testing.T) {
	t.Parallel()
	good, bad, none := int64(1), int64(-1), int64(0)
	for _, c := range []struct {
		want int64
		text string
	}{
		{good, "Thank you so much, you were very helpful"},
		{good, "the crew was amazing and left everything clean"},
		{good, "not bad at all"},
		{good, "I was worried at first, but the result is fantastic"},
		{good, "we LOVE the new kitchen"},
		{good, "ok great"},
		{good, "The food was delicious."},
		{good, "couldn't be happier with how it turned out, perfect"},
		{bad, "this is unacceptable"},
		{bad, "I am not happy with the work"},
		{bad, "The place is nice but the service was terrible"},
		{bad, "worst experience ever!!!"},
		{bad, "nobody was helpful"},
		{bad, "the technician was rude and the sink is still broken"},
		{bad, "I'm really disappointed and frustrated"},
		{bad, "it never worked, what a disaster"},
		{bad, "the food wasn't good"},
		{none, "what time do you open on monday"},
		{none, "I need an appointment on [DATE] with [PERSON]"},
		{none, "two adults and a child"},
		{none, "[LOVE] [HATE]"},
		{none, ""},
	} {
		s := shared().tone.of(c.text)
		switch {
		case c.want == none && s != fact.Absent, c.want == good && s <= 0, c.want == bad && (s >= 0 || s == fact.Absent):
			t.Errorf("%d: %s", s, c.text)
		}
	}
}

func TestToneGrowsWithEmphasis(t *testing.T) {
	t.Parallel()
	rising := []string{"somewhat good", "good", "very good", "very GOOD today", "very GOOD today!!!"}
	last := int64(-100)
	for _, text := range rising {
		s := shared().tone.of(text)
		if s < last {
			t.Errorf("%q has %d, less than %d", text, s, last)
		}
		last = s
	}
	if a, b := shared().tone.of("good"), shared().tone.of("very GOOD today!!!"); a >= b {
		t.Errorf("emphasis changes nothing: %d, %d", a, b)
	}
}
