package private

import (
	"strings"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/redact"
	"murmur/internal/redact/command"
	"murmur/internal/workspace"
)

// TestWhatCannotBeVouchedForIsQuarantined: nothing of it crosses, and the reason says why.
func TestWhatCannotBeVouchedForIsQuarantined(t *testing.T) {
	t.Parallel()
	d, err := command.Config{}.Detector()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]fact.Why{
		"Hola, buenas tardes, quería saber si tienen una cita disponible para mañana por la tarde porque tengo un dolor de muelas muy fuerte y no puedo esperar": fact.WhyLanguage,
		strings.Repeat("\x01\x02", 60):                   fact.WhyEncoding,
		"the heater is cold again, call me 212 555 0123": fact.WhyNone,
	} {
		b := builder{detector: d}
		masked := b.mask(&event.Event{}, []redact.Turn{{Text: text}})
		if masked.Valid() != (want == fact.WhyNone) || b.why != want || want != fact.WhyNone && b.worst != fact.Quarantined {
			t.Errorf("a text of %d bytes: valid %t, %s %s; want %s", len(text), masked.Valid(), b.worst, b.why, want)
		}
		if strings.Contains(masked.String(), "0123") || !masked.Valid() && masked.String() != "" {
			t.Errorf("a text of %d bytes crosses", len(text))
		}
	}
}

// TestThePolicysTransformsAreVerifiedToo: a text with something coarser than its values crosses like any other.
func TestThePolicysTransformsAreVerifiedToo(t *testing.T) {
	t.Parallel()
	d, err := command.Config{}.Detector()
	if err != nil {
		t.Fatal(err)
	}
	p := workspace.DefaultPolicy()
	p.Transforms, p.Identifiers = "AGE:band,POSTCODE:zip3", "ORDER:ORD-####-######"
	z := &Zone{detector: d}
	if d, err = z.masker(p); err != nil {
		t.Fatal(err)
	}
	b := builder{detector: d}
	masked := b.mask(&event.Event{}, []redact.Turn{{Text: "she is 45 years old, zip code 78701, order ORD-2026-000017"}})
	if want := "she is [AGE_40_49] years old, zip code [POSTCODE_787XX], order [ID_ORDER]"; !masked.Valid() || masked.String() != want {
		t.Errorf("valid %t, got %q", masked.Valid(), masked.String())
	}
}
