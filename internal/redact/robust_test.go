package redact_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"murmur/internal/redact"
)

// heavy is how many times larger than usual the texts of this file are: MURMUR_HEAVY=10 makes lines of 10 MB and 100,000
// turns.
func heavy() int {
	if n, err := strconv.Atoi(os.Getenv("MURMUR_HEAVY")); err == nil && n > 0 {
		return n
	}
	return 1
}

// TestBadInputIsMaskedLikeAnyOther: the telephone number is found whatever stands around or inside it, and the offsets
// are right (check).
func TestBadInputIsMaskedLikeAnyOther(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for name, c := range map[string]struct{ in, want string }{
		"invalid UTF-8 around":     {"\xff\xfe call 415-555-0132 \xc3", "\xff\xfe call [PHONE] \xc3"},
		"control characters":       {"call\x00\x07 415-555-0132\x1b ok", "call\x00\x07 [PHONE]\x1b ok"},
		"zero-width inside":        {"call 415\u200b-5\u200c55-\u2060013\ufeff2 ok", "call [PHONE] ok"},
		"right-to-left marks":      {"call \u202e415-555-0132\u202c ok", "call \u202e[PHONE]\u202c ok"},
		"isolates inside":          {"call 415-\u2066555\u2069-0132 ok", "call [PHONE] ok"},
		"soft hyphens":             {"call 415\u00ad-555-0132 ok", "call [PHONE] ok"},
		"emoji digits":             {"call 4\ufe0f\u20e31\ufe0f\u20e35\ufe0f\u20e3 555 0132 ok", "call [PHONE] ok"},
		"full-width":               {"call ４１５－５５５－０１３２ ok", "call [PHONE] ok"},
		"mathematical digits":      {"call 𝟒𝟏𝟓-𝟓𝟓𝟓-𝟎𝟏𝟑𝟐 ok", "call [PHONE] ok"},
		"Arabic digits":            {"call ٤١٥-٥٥٥-٠١٣٢ ok", "call [PHONE] ok"},
		"homoglyphs in an address": {"mail аnn@exаmple.com ok", "mail [EMAIL] ok"},
		"a family of emoji":        {"👨\u200d👩\u200d👧\u200d👦 415-555-0132 👍🏽", "👨\u200d👩\u200d👧\u200d👦 [PHONE] 👍🏽"},
		"combining marks":          {"cafe\u0301 call 415-555-0132 cafe\u0301", "cafe\u0301 call [PHONE] cafe\u0301"},
		"no-break spaces":          {"call 415\u00a0555\u00a00132 ok", "call [PHONE] ok"},
	} {
		check(t, d, c.in)
		r, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Text: c.in}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Masked(); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

// TestNumbersInSpanishAndFrench: the rules know their digits, if not their sentences.
func TestNumbersInSpanishAndFrench(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"mi número es seis cero cuatro, cinco cinco uno, dos ocho nueve siete gracias", "mon numéro c'est zéro six vingt-deux, trente trois, quarante deux"} {
		masked := redactText(t, in).Masked()
		for _, w := range []string{"cinco", "ocho", "vingt", "trente", "zéro", "deux"} {
			if strings.Contains(masked, w) {
				t.Errorf("%q is left of %q", w, in)
			}
		}
	}
}

// TestNoValueIsCutInTwo: wherever a long text is cut, a value that lies across the cut is masked whole.
func TestNoValueIsCutInTwo(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	const value = "four one five five five five oh one three two"
	for shift := range 12 {
		line := strings.Repeat("so ", 21_826+shift) + "my number is " + value + strings.Repeat(" and so on", 4000)
		r, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Text: line}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(r.Masked(), "[PHONE]"); got != 1 || strings.Contains(r.Masked(), "five") {
			t.Errorf("shift %d: %d numbers are masked", shift, got)
		}
	}
}

// TestMuchOfOneKind: time and memory stay bounded, and nothing of it is left.
func TestMuchOfOneKind(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for name, line := range map[string]string{
		"digits":              strings.Repeat("4", 64<<10),
		"digits apart":        strings.Repeat("4 1 ", 16<<10),
		"digits in words":     strings.Repeat("four ", 13<<10),
		"letters spelled":     strings.Repeat("b ", 32<<10),
		"brackets":            strings.Repeat("[", 64<<10),
		"masks":               strings.Repeat("[PHONE]", 9<<10),
		"names":               strings.Repeat("Anna ", 13<<10),
		"emoji names":         strings.Repeat("🌹Rosie🌹 ", 4<<10),
		"marks and isolates":  strings.Repeat("4\u202e1\u2066", 8<<10),
		"zero-width in words": strings.Repeat("fo\u200bur ", 8<<10),
	} {
		r, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Side: redact.Member, Text: "your number?"}, {Side: redact.Contact, Text: line}}})
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "digits") && strings.ContainsAny(r.Masked(), "14") {
			t.Errorf("%s: some are left", name)
		}
	}
}

// TestSpeakersOfADiariserAreLabels: SPEAKER_00 says who speaks and is no user name.
func TestSpeakersOfADiariserAreLabels(t *testing.T) {
	t.Parallel()
	in := "SPEAKER_00: your name please?\nSPEAKER_01: Zyla Quorrin\nSpeaker A: ok"
	if n := len(redact.ParsePlain(in)); n != 3 {
		t.Errorf("%d turns", n)
	}
	if got, want := redactText(t, in).Masked(), "SPEAKER_00: your name please?\nSPEAKER_01: [PERSON]\nSpeaker A: ok"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNamesInOtherScriptsAreNoTrouble(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for _, s := range []string{"Меня зовут Иван Петров", "我叫王小明", "اسمي محمد علي", "שמי דוד כהן", "मेरा नाम राहुल है", "제 이름은 김철수입니다", "Με λένε Γιώργος", "ฉันชื่อสมชาย"} {
		check(t, d, s)
		check(t, d, "Agent: your name?\nCustomer: "+s)
	}
}

func TestMuchTextTakesBoundedTime(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	n := heavy()
	line := strings.Repeat("call me on 415-555-0132 or write to ann@example.com about order 4471 ", n*1_000_000/70)
	r, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Text: line}}})
	if err != nil || strings.Contains(r.Masked(), "0132") {
		t.Errorf("one line of %d bytes: %v", len(line), err)
	}
	turns := make([]redact.Turn, n*10_000)
	for i := range turns {
		turns[i] = redact.Turn{Side: redact.Side(1 + i%2), Text: "what is your number? it is four one five five five five oh one three two"}
	}
	r, err = d.Redact(redact.Doc{Turns: turns})
	if err != nil || len(r.Spans()) < len(turns) {
		t.Errorf("%d turns: %v", len(turns), err)
	}
	blob := strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", n*1000)
	if _, err = d.Redact(redact.Doc{Turns: []redact.Turn{{Text: blob}}}); err != nil {
		t.Errorf("base64 of %d bytes: %v", len(blob), err)
	}
}

// TestALongTurnIsReadInParts: it is masked at its end and at its cuts, and the spans point into the whole of it.
func TestALongTurnIsReadInParts(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	const sentence = "é please call me back on 415-555-0132, it is about the boiler. "
	const n = 3000
	turns := []redact.Turn{{Side: redact.Member, Text: "your number?"}, {Side: redact.Contact, Text: strings.Repeat(sentence, n)}, {Text: "write to ann@example.com"}}
	r, err := d.Redact(redact.Doc{Turns: turns})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"your number?", strings.Repeat(strings.Replace(sentence, "415-555-0132", "[PHONE]", 1), n), "write to [EMAIL]"}
	for i, got := range r.MaskedTurns() {
		if got != want[i] {
			t.Errorf("turn %d is not masked as its sentences are", i)
		}
	}
	spans := r.Spans()
	if len(spans) != n+1 {
		t.Fatalf("%d spans", len(spans))
	}
	long := []rune(turns[1].Text)
	end := 0
	for _, sp := range spans[:n] {
		if sp.Start < end {
			t.Fatalf("a span at %d follows one that ends at %d", sp.Start, end)
		}
		end = sp.End
		if sp.Turn != 1 || string(long[sp.Start:sp.End]) != "415-555-0132" {
			t.Fatalf("span %d-%d of turn %d", sp.Start, sp.End, sp.Turn)
		}
	}
}

// FuzzStream cuts a text into pieces at two places: the pieces give what the whole gives.
func FuzzStream(f *testing.F) {
	for _, s := range conversations {
		f.Add(s, 3, 40)
	}
	d := detector(f, redact.Strict)
	f.Fuzz(func(t *testing.T, s string, a, b int) {
		if len(s) == 0 || len(s) > 4096 {
			return
		}
		a, b = abs(a)%len(s), abs(b)%len(s)
		a, b = min(a, b), max(a, b)
		if streamed(t, d, s) != streamed(t, d, s[:a], s[a:b], s[b:]) {
			t.Fatalf("cut at %d and %d differs", a, b)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

// FuzzTransforms holds every transform to the promises of the package: what stands for a value is not found again.
func FuzzTransforms(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	d := with(f, "DATE:week,DATE_OF_BIRTH:decade,AGE:band,POSTCODE:zip3,LOCATION:state,PHONE:last4,CREDIT_CARD:last4,PERSON:pseudonym", "ORDER:ORD-####-######")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(s)})
		if err != nil {
			t.Fatal(err)
		}
		out := r.Masked()
		if utf8.ValidString(s) && !utf8.ValidString(out) {
			t.Fatal("a valid text became invalid")
		}
		if r.Verdict() == redact.Unsettled {
			return
		}
		again, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(out)})
		if err != nil || again.Masked() != out {
			t.Fatalf("masking again: %v\n%q\n%q", err, out, again.Masked())
		}
	})
}

// TestWhatIsNotSeenBetweenDigits: characters that no font shows, marks on digits, and what parts lines between them hide no number.
func TestWhatIsNotSeenBetweenDigits(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	masked := func(in string) string {
		t.Helper()
		check(t, d, in)
		r, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Text: in}}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Masked()
	}
	for _, between := range []string{"\u034f", "\u115f", "\u1160", "\u17b4", "\u3164", "\uffa0", "\u180e", "\u180f", "\u2065", "\U0001d173", "\U000e0001", "\U000e0101",
		"\u0301", "\u0302\u0303", "\u20dd", "\u2800", "\u0085", "\u2028", "\u2029"} {
		for value, want := range map[string]string{"+16285557112": "[PHONE]", "4111111111111111": "[CREDIT_CARD]", "078-05-1120": "["} {
			in := "call me at " + strings.Join(strings.Split(value, ""), between) + " ok"
			if got := masked(in); !strings.HasPrefix(got, "call me at "+want) || !strings.HasSuffix(got, "] ok") {
				t.Errorf("%+q: %+q", between, got)
			}
		}
	}
	for in, want := range map[string]string{
		"call ⁺¹⁶²⁸⁵⁵⁵⁷¹¹² ok": "call [PHONE] ok", "call +¹⁶²⁸⁵⁵⁵⁷¹¹² ok": "call [PHONE] ok", "我的电话是一三八零零一三八零零零": "我的电话是[PHONE]",
		"我的电话是13800138000": "我的电话是[PHONE]", "call 4\u0301155550132\u0301 ok": "call [PHONE] ok",
		"10² of 5 m², a word¹² and x³": "10² of 5 m², a word¹² and x³", "cafe\u0301 for 2": "cafe\u0301 for 2",
	} {
		if got := masked(in); got != want {
			t.Errorf("%+q: %q, want %q", in, got, want)
		}
	}
}
