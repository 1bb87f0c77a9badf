package identity

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"murmur/internal/private/internal/personal"
)

type spelling struct{ region, text, want string }

// spellings reads the table that a person can read.
func spellings(t testing.TB) (all []spelling) {
	t.Helper()
	b, err := os.ReadFile("testdata/spellings.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		text, err := strconv.Unquote(f[1])
		if err != nil || len(f) != 3 {
			t.Fatal(line)
		}
		all = append(all, spelling{f[0], text, f[2]})
	}
	return all
}

var nobody = map[string]Kind{"withheld": Withheld, "unreadable": Unreadable, "absent": Absent}

// TestEverySpellingMeetsItsPerson holds the golden table: one spelling a person, whatever people and platforms write.
func TestEverySpellingMeetsItsPerson(t *testing.T) {
	t.Parallel()
	all := spellings(t)
	for _, s := range all {
		a := Parse(personal.New(s.text), s.region)
		if kind, ok := nobody[s.want]; ok && a.Kind() != kind || !ok && a.Value().Reveal() != s.want || ok == a.Person() {
			t.Errorf("%s %+q: kind %d %+q, want %s", s.region, s.text, a.Kind(), a.Value().Reveal(), s.want)
		}
	}
	if len(all) < 250 {
		t.Errorf("only %d spellings were read", len(all))
	}
}

func TestParseIsAProjection(t *testing.T) {
	t.Parallel()
	for _, s := range spellings(t) {
		for _, region := range []string{"US", "GB", "DE", "IT", "BR"} {
			project(t, s.text, region)
		}
	}
}

func project(t *testing.T, text, region string) {
	t.Helper()
	for _, read := range []func(personal.Value, string) Address{Parse, OwnID} {
		a := read(personal.New(text), region)
		again := Parse(a.Value(), region)
		if a.Person() && (again.Kind() != a.Kind() || again.Value().Reveal() != a.Value().Reveal()) {
			t.Errorf("in %s %+q is kind %d %+q, and that is kind %d %+q", region, text, a.Kind(), a.Value().Reveal(), again.Kind(), again.Value().Reveal())
		}
		if a.Person() == a.Value().Empty() {
			t.Errorf("in %s %+q is of kind %d", region, text, a.Kind())
		}
	}
}

func TestAPlatformsIDIsItsOwnWord(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"CUST-9": "id:CUST-9", "1234567": "id:1234567", "Rosa Delgado": "id:Rosa Delgado", "72345": "short:72345",
		"+44 (0)20 7946 0958": "+442079460958", "Rosa@Example.com": "rosa@example.com", "anonymous": "", "short:x": "", "": "",
	} {
		if got := OwnID(personal.New(in), "US").Value().Reveal(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCountry(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+1 (212) 555-0123": "US", "+14165550123": "CA", "+44 20 7946 0018": "GB", "+4930901820": "DE", "2125550123": "US",
		"+80012345678": "", "anonymous": "", "ann@example.com": "", "72345": "", "": "", "sip:+4930901820@tk.example": "DE",
	} {
		if got := Parse(personal.New(in), "US").Country(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range spellings(f) {
		f.Add(s.text, s.region)
	}
	f.Fuzz(func(t *testing.T, text, region string) { project(t, text, region) })
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"nanp": "+12125550123", "e164": "+442079460958", "national": "(212) 555-0123", "mail": "Rosa@Example.com"} {
		b.Run(name, func(b *testing.B) {
			v := personal.New(text)
			b.ReportAllocs()
			for b.Loop() {
				Parse(v, "US")
			}
		})
	}
}
