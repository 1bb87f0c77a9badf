package identity

import (
	"testing"

	"murmur/internal/private/internal/personal"
)

func TestOnePersonHasOneSpelling(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+1 (212) 555-0123":     "+12125550123",
		"(212) 555-0123":        "+12125550123",
		"2125550123":            "+12125550123",
		"1-212-555-0123":        "+12125550123",
		"tel:+12125550123":      "+12125550123",
		"whatsapp:+12125550123": "+12125550123",
		"+44 20 7946 0018":      "+442079460018",
		" Ann@Example.COM ":     "ann@example.com",
		"72345":                 "short:72345",
		"anonymous":             "",
		"Restricted":            "",
		"+266696687":            "",
		"":                      "",
		"CUST-9":                "id:CUST-9",
	} {
		if got := Canonical(personal.New(in), "US").Reveal(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCountry(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+1 (212) 555-0123": "US", "+14165550123": "CA", "+44 20 7946 0018": "GB", "+4930901820": "DE", "2125550123": "US",
		"+80012345678": "", "anonymous": "", "ann@example.com": "", "72345": "", "": "",
	} {
		if got := Country(personal.New(in), "US"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("+1 (212) 555-0123")
	f.Add("a@b")
	f.Fuzz(func(t *testing.T, s string) {
		c := Canonical(personal.New(s), "US")
		if again := Canonical(c, "US"); !c.Empty() && c.Reveal()[0] == '+' && again.Reveal() != c.Reveal() {
			t.Errorf("a canonical number changed when read again")
		}
	})
}
