package workspace

import (
	"errors"
	"testing"
)

func TestNameIsASlug(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"default": true, "w-1": true, "": false, "A": false, "a/b": false, "..": false, "a_b": false, "0123456789012345678901234567890123": false} {
		id, err := Parse(name)
		if (err == nil) != ok {
			t.Errorf("Parse(%q): %v", name, err)
		}
		if ok && id.String() != name {
			t.Errorf("%q came back as %q", name, id.String())
		}
	}
}

func TestPolicyDefaultsDeny(t *testing.T) {
	t.Parallel()
	p := DefaultPolicy()
	for _, k := range []string{"recordings", "transcripts"} {
		if v, _ := p.Get(k); v != "deny" {
			t.Errorf("%s defaults to %q", k, v)
		}
	}
}

func TestPolicyRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	bad := [][2]string{
		{"recordings", "yes"}, {"transcripts", ""}, {"raw-hours", "25"}, {"raw-hours", "0"}, {"link-days", "61"},
		{"timezone", "Mars/Base"}, {"timezone", ""}, {"timezone", "EST"}, {"open-hours", "monday 9-5"}, {"open-hours", "mon 09:30-17:00"},
		{"short-abandon-seconds", "-1"}, {"opt-out-choice", "99"}, {"min-group", "4"}, {"min-group-content", "9"}, {"colour", "red"},
	}
	for _, kv := range bad {
		p := DefaultPolicy()
		if err := p.Set(kv[0], kv[1]); !errors.Is(err, ErrPolicy) {
			t.Errorf("%s=%s: %v", kv[0], kv[1], err)
		}
		if p != DefaultPolicy() {
			t.Errorf("%s=%s changed the policy", kv[0], kv[1])
		}
	}
}

func TestPolicyRoundTrip(t *testing.T) {
	t.Parallel()
	p := DefaultPolicy()
	for _, kv := range [][2]string{{"recordings", "notice"}, {"transcripts", "opt-in"}, {"timezone", "Europe/Berlin"}, {"open-hours", "mon-fri 09:00-17:00"}, {"min-group", "7"}} {
		if err := p.Set(kv[0], kv[1]); err != nil {
			t.Fatal(err)
		}
		if v, ok := p.Get(kv[0]); !ok || v != kv[1] {
			t.Errorf("%s: %q", kv[0], v)
		}
	}
}

// TestCountriesOnlyRaise: a list of countries makes the policy stricter for their people and for whoever may be one.
func TestCountriesOnlyRaise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, country string
		was, want     Basis
	}{
		{"", "DE", Notice, Notice}, {"DE", "DE", Notice, OptIn}, {"DE", "US", Notice, Notice}, {"DE", "", Notice, OptIn}, {"DE", "DE", OneParty, OptIn},
		{"eu, gb", "FR", Notice, OptIn}, {"EU,GB", "GB", Notice, OptIn}, {"EU,GB", "CH", Notice, Notice}, {"EU", "DE", Deny, Deny},
	} {
		p := DefaultPolicy()
		if err := p.Set("opt-in-countries", c.list); err != nil {
			t.Fatal(err)
		}
		p.Recordings = c.was
		if got := p.In(c.country).Recordings; got != c.want {
			t.Errorf("%q, %q: %s becomes %s, want %s", c.list, c.country, c.was, got, c.want)
		}
	}
	p := DefaultPolicy()
	for _, bad := range []string{"Germany", "DE,", "D", "DE;FR", "+49"} {
		if err := p.Set("opt-in-countries", bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if p.Set("transcripts", "one-party") == nil || p.Set("recordings", "one-party") != nil {
		t.Error("one party's consent is for recordings alone")
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	h, err := ParseHours("mon-fri 09:00-17:00; sat 10-14; sun 22:00-02:00")
	if err != nil {
		t.Fatal(err)
	}
	has := func(day, hour int) bool { b := day*24 + hour; return h[b/64]&(1<<(b%64)) != 0 }
	for _, c := range []struct {
		day, hour int
		open      bool
	}{{0, 9, true}, {0, 16, true}, {0, 17, false}, {4, 8, false}, {5, 13, true}, {5, 14, false}, {6, 23, true}, {0, 1, true}, {0, 2, false}} {
		if has(c.day, c.hour) != c.open {
			t.Errorf("day %d hour %d: open is %v", c.day, c.hour, !c.open)
		}
	}
	if h, err := ParseHours("fri-mon 00:00-24:00"); err != nil || h == (Hours{}) {
		t.Error("a range over the week's end:", err)
	}
}

func FuzzParseHours(f *testing.F) {
	f.Add("mon-fri 09:00-17:00; sat 10:00-14:00")
	f.Fuzz(func(t *testing.T, s string) { _, _ = ParseHours(s) })
}
