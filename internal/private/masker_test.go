package private

import (
	"testing"

	"murmur/internal/redact"
	"murmur/internal/redact/command"
	"murmur/internal/workspace"
)

func TestAPolicyThatCannotBeCarriedOutIsRefused(t *testing.T) {
	t.Parallel()
	d, err := command.Config{}.Detector()
	if err != nil {
		t.Fatal(err)
	}
	z := &Zone{detector: d}
	for _, c := range []struct {
		transforms, identifiers string
		ok                      bool
	}{
		{"", "", true},
		{"DATE:week,DATE_OF_BIRTH:decade,AGE:band,POSTCODE:zip3,LOCATION:state,PHONE:last4", "ORDER:ORD-####-######", true},
		{"DATE:zip3", "", false},
		{"PERSON:pseudonym", "", false},
		{"", "ORDER:###-###-####", false},
		{"", "ORDER", false},
	} {
		p := workspace.DefaultPolicy()
		p.Transforms, p.Identifiers = c.transforms, c.identifiers
		if err := z.CheckPolicy(p); (err == nil) != c.ok {
			t.Errorf("transforms %q, identifiers %q: %v", c.transforms, c.identifiers, err)
		}
	}
}

func TestAPolicysMaskerIsMadeOnce(t *testing.T) {
	t.Parallel()
	d, err := command.Config{}.Detector()
	if err != nil {
		t.Fatal(err)
	}
	z := &Zone{detector: d}
	p := workspace.DefaultPolicy()
	if got, err := z.masker(p); err != nil || got != d {
		t.Errorf("the default policy has a masker of its own: %v", err)
	}
	p.Transforms = "AGE:band"
	a, err := z.masker(p)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := z.masker(p); err != nil || a != b {
		t.Errorf("made again: %v", err)
	}
	r, err := a.Redact(redact.Doc{Turns: []redact.Turn{{Text: "she is 45 years old"}}})
	if err != nil || r.Masked() != "she is [AGE_40_49] years old" {
		t.Errorf("%v", err)
	}
}
