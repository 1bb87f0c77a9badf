package redact_test

import (
	"errors"
	"strings"
	"testing"

	"murmur/internal/redact"
)

// with makes a detector of the dial strict with transforms and identifiers.
func with(t testing.TB, transforms, identifiers string) *redact.Detector {
	t.Helper()
	x, err := redact.ParseTransforms(transforms)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := redact.ParseIdentifiers(identifiers)
	if err != nil {
		t.Fatal(err)
	}
	d, err := redact.New(redact.Config{Dial: redact.Strict, Transforms: x, Identifiers: ids, Key: []byte("a key of a test only")})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func masked(t testing.TB, d *redact.Detector, text string) string {
	t.Helper()
	r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(text)})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Verified() {
		t.Errorf("a text of %d bytes is not verified", len(text))
	}
	return r.Masked()
}

// TestTransforms shows what stands for a value, and that reading it again finds nothing.
func TestTransforms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ transforms, in, want string }{
		{"DATE:week", "see you on March 14th, 2026", "see you on [DATE_2026_W11]"},
		{"DATE:week", "it came on 2026-11-13", "it came on [DATE_2026_W46]"},
		{"DATE:week", "it is due on 12/31/2025", "it is due on [DATE_2026_W01]"},
		{"DATE:week", "on the fourteenth of march twenty twenty six", "on [DATE_2026_W11]"},
		{"DATE:week", "see you on March 14th, or tomorrow", "see you on [DATE], or [DATE]"},
		{"DATE:week", "it came on 02/31/2025", "it came on [DATE]"},
		{"DATE_OF_BIRTH:decade", "my date of birth is 5/27/1972", "my date of birth is [DATE_OF_BIRTH_1970S]"},
		{"DATE_OF_BIRTH:decade", "I was born on the third of june nineteen eighty eight", "I was born on [DATE_OF_BIRTH_1980S]"},
		{"DATE_OF_BIRTH:decade", "my date of birth is 5/27/1938", "my date of birth is [DATE_OF_BIRTH_BEFORE_1940]"},
		{"AGE:band", "she is 45 years old and he is 93 years old", "she is [AGE_40_49] years old and he is [AGE_90_UP] years old"},
		{"AGE:band", "she is forty five years old", "she is [AGE_40_49] years old"},
		{"POSTCODE:zip3", "my zip code is 78701", "my zip code is [POSTCODE_787XX]"},
		{"POSTCODE:zip3", "my zip code is 03601 or 89301-1234", "my zip code is [POSTCODE_000XX] or [POSTCODE_000XX]"},
		{"POSTCODE:zip3", "my postcode is sw1a 1aa", "my postcode is [POSTCODE]"},
		{"LOCATION:state", "we moved to Austin, then moved to Paris", "we moved to [LOCATION_TX], then moved to [LOCATION]"},
		{"PHONE:last4", "call (415) 555-0132", "call [PHONE_0132]"},
		{"CREDIT_CARD:last4", "my card is four one one one, one one one one, one one one one, one two three four", "my card is [CREDIT_CARD_1234]"},
		{"CREDIT_CARD:last4", "Agent: card number please\nCustomer: 4111 1111\nAgent: uh huh\nCustomer: 1111 1111",
			"Agent: card number please\nCustomer: [CREDIT_CARD]\nAgent: uh huh\nCustomer: [CREDIT_CARD]"},
	} {
		d := with(t, c.transforms, "")
		got := masked(t, d, c.in)
		if got != c.want {
			t.Errorf("%s\n  in %q\n got %q\nwant %q", c.transforms, c.in, got, c.want)
		}
		if again := masked(t, d, got); again != got {
			t.Errorf("%s: masking again gives %q", c.transforms, again)
		}
		if again := masked(t, detector(t, redact.Paranoid), got); again != got {
			t.Errorf("%s: what stands for a value is taken for one: %q", c.transforms, again)
		}
	}
}

func TestAPseudonymIsTheSameForTheSameValueOnly(t *testing.T) {
	t.Parallel()
	d := with(t, "PHONE:pseudonym,PERSON:pseudonym", "")
	name := func(text string) string {
		out := masked(t, d, text)
		at := strings.Index(out, "[PHONE_P")
		if at < 0 {
			t.Fatalf("no pseudonym in a text of %d bytes", len(out))
		}
		return out[at : at+len("[PHONE_P0123456789]")]
	}
	written, spoken, other := name("call 415-555-0132"), name("call four one five, five five five, oh one three two"), name("call 415-555-0133")
	if written != spoken || written == other {
		t.Errorf("%s written, %s spoken, %s another", written, spoken, other)
	}
	x, _ := redact.ParseTransforms("PHONE:pseudonym")
	if _, err := redact.New(redact.Config{Transforms: x}); !errors.Is(err, redact.ErrKey) {
		t.Errorf("without a key: %v", err)
	}
}

// TestOnlyOurMasksAreMasks: brackets around a value do not hide it.
func TestOnlyOurMasksAreMasks(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for _, text := range []string{"[PHONE_4155550132]", "[DATE_OF_BIRTH_5/27/1972]", "[CREDIT_CARD_4111111111111111]", "[AGE_40_57]"} {
		if got := masked(t, d, "it is "+text+" ok"); strings.Contains(got, text) && text != "[AGE_40_57]" {
			t.Errorf("%s is left as it is", text[:6])
		}
	}
}

func TestTransformsAreRefusedWhereTheyDoNotFit(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"DATE", "DATE:zip3", "PIN:last4", "CVV:pseudonym", "date:week", "PASSWORD:last4", "NONE:tag"} {
		if _, err := redact.ParseTransforms(s); !errors.Is(err, redact.ErrTransform) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestIdentifiersAreLearnedFromExamples(t *testing.T) {
	t.Parallel()
	d := with(t, "", "ORDER:ORD-2024-118822, JOB:J/####")
	for in, want := range map[string]string{
		"where is ORD-2026-000017?":                                            "where is [ID_ORDER]?",
		"where is ord-2026-000017 now":                                         "where is [ID_ORDER] now",
		"the job is J/9920, I think":                                           "the job is [ID_JOB], I think",
		"it is o r d dash two zero two six dash zero zero zero zero one seven": "it is [ID_ORDER]",
		"XORD-2026-000017":                                                     "[ID]",
	} {
		got := masked(t, d, in)
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if again := masked(t, d, got); again != got {
			t.Errorf("masking again gives %q", again)
		}
	}
	if got := masked(t, d, "the job is J/992, I think"); strings.Contains(got, "JOB") {
		t.Errorf("a shorter number is taken for an identifier: %q", got)
	}
}

func TestIdentifiersThatLookLikeSomethingElseAreRefused(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]error{
		"ORDER:4155550132": redact.ErrIdentifier, "ORDER:": redact.ErrIdentifier, "A B:X-123": redact.ErrIdentifier, "ORDER:ab": redact.ErrIdentifier,
		"ORDER:415-555-0132": redact.ErrOverlap, "ORDER:123-45-6789": redact.ErrOverlap, "ORDER:2026-01-31": redact.ErrOverlap,
		"ORDER:X-1234,JOB:X-9876": redact.ErrOverlap,
	} {
		ids, err := redact.ParseIdentifiers(s)
		if err == nil {
			_, err = redact.New(redact.Config{Identifiers: ids})
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", s, err, want)
		}
	}
}

func TestALanguageTheRulesDoNotKnowIsNotVerified(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for text, want := range map[string]redact.Verdict{
		"hola, me llamo Lucía": redact.Clean, // too short to judge
		"Hola, buenas tardes, quería saber si tienen una cita disponible para mañana por la tarde porque tengo un dolor de muelas muy fuerte y no puedo esperar": redact.Foreign,
		"Guten Tag, ich wollte fragen ob Sie morgen noch einen Termin frei haben, weil ich starke Zahnschmerzen habe und nicht länger warten kann":               redact.Foreign,
		"Добрый день, хотел узнать, есть ли у вас свободное время на завтра, потому что у меня очень болит зуб":                                                  redact.Foreign,
		strings.Repeat("\x00\x01\xff", 40): redact.Unreadable,
		"Quigley, Zyla\nOstrander, Bram\nPickering, Wren\nFitzwilliam, Tavish\nLangstrom, Odell\n555 Marlow Street, Dayton\n12 Acorn Lane, Tulsa\n9 Elm Court, Boise": redact.Clean,
	} {
		r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(text)})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict() != want {
			t.Errorf("a text of %d bytes: verdict %d, want %d", len(text), r.Verdict(), want)
		}
		if r.Verified() != (want == redact.Clean) {
			t.Error("verified and verdict disagree")
		}
	}
}

// FuzzParse: what the parsers accept, a detector can be made of or refuses with its reason.
func FuzzParse(f *testing.F) {
	f.Add("DATE:week,PHONE:last4", "ORDER:ORD-2024-118822")
	f.Add("", "A:###-B,B:X/1234")
	f.Add(",,AGE:band:", "ORDER:415-555-0132")
	f.Fuzz(func(t *testing.T, transforms, identifiers string) {
		x, err := redact.ParseTransforms(transforms)
		if err != nil && !errors.Is(err, redact.ErrTransform) {
			t.Fatal(err)
		}
		ids, err := redact.ParseIdentifiers(identifiers)
		if err != nil && !errors.Is(err, redact.ErrIdentifier) {
			t.Fatal(err)
		}
		if len(ids) > 8 {
			return
		}
		d, err := redact.New(redact.Config{Transforms: x, Identifiers: ids, Key: []byte("a key of a test only")})
		if err != nil {
			if !errors.Is(err, redact.ErrOverlap) && !errors.Is(err, redact.ErrIdentifier) {
				t.Fatal(err)
			}
			return
		}
		for _, id := range ids {
			example := strings.ReplaceAll(id.Example, "#", "7")
			if got := masked(t, d, "it is "+example); got != "it is [ID_"+id.Name+"]" {
				t.Fatalf("an example gives %q", got)
			}
		}
	})
}
