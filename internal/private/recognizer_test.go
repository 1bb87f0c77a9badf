package private

import (
	"errors"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/redact"
	"murmur/internal/redact/command"
	"murmur/internal/workspace"
)

func TestWithoutItsWeightsARecognizerIsRefusedAndTextsWait(t *testing.T) {
	t.Parallel()
	d, err := command.Config{}.Detector()
	if err != nil {
		t.Fatal(err)
	}
	z := &Zone{detector: d, dial: "strict", models: t.TempDir()}
	p := workspace.DefaultPolicy()
	p.Recognizer = "rampart"
	if err := z.CheckPolicy(p); !errors.Is(err, command.ErrNoModel) {
		t.Errorf("the policy: %v", err)
	}
	got, err := z.masker(p)
	if !errors.Is(err, command.ErrNoModel) || got != nil {
		t.Fatalf("a masker that does less than the policy wants: %v, %v", got != nil, err)
	}
	b := builder{zone: z, policy: p, detector: got}
	if text := b.mask(&event.Event{}, []redact.Turn{{Text: "hello"}}); text.Valid() || b.worst != fact.Quarantined || b.why != fact.WhyNotVerified {
		t.Errorf("words passed: valid %v, state %v, why %v", text.Valid(), b.worst, b.why)
	}
	if _, err := command.New(command.Config{Recognizer: "other"}); !errors.Is(err, command.ErrRecognizer) {
		t.Errorf("another recognizer: %v", err)
	}
}
