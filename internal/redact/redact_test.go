package redact_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"murmur/internal/redact"
	"murmur/internal/redact/act"
	"murmur/internal/redact/number"
)

func detector(t testing.TB, dial redact.Dial) *redact.Detector {
	t.Helper()
	d, err := redact.New(redact.Config{Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func redactText(t testing.TB, text string, subjects ...string) *redact.Redaction {
	t.Helper()
	r, err := detector(t, redact.Strict).Redact(redact.Doc{Turns: redact.ParsePlain(text), Subjects: subjects})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMasked shows what each rule is for: a text and what is left of it.
func TestMasked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"card in words", "Customer: my card is four one one one, double one double one, one one one one, one one one one", "Customer: my card is [CREDIT_CARD]"},
		{"pieces over turns", "Agent: card number please\nCustomer: four one one one\nAgent: uh huh\nCustomer: double one double one, one one one one, no wait, one one one two",
			"Agent: card number please\nCustomer: [CREDIT_CARD]\nAgent: uh huh\nCustomer: [CREDIT_CARD]"},
		{"date of birth asked", "Agent: and your date of birth?\nCustomer: the twelfth of may nineteen thirty eight", "Agent: and your date of birth?\nCustomer: [DATE_OF_BIRTH]"},
		{"e-mail spoken", "it's delia underscore h i l d r e t h eight two at gmail dot com", "it's [EMAIL]"},
		{"phone glued and split", "call me on 55 5 2 oh one 77 83 please", "call me on [PHONE] please"},
		{"name spelled", "Agent: could you spell the last name for me\nCaller: sure b as in boy o b b", "Agent: could you spell the last name for me\nCaller: sure [PERSON]"},
		{"address", "I live at 4697 Chestnut Blvd Apt 6", "I live at [ADDRESS]"},
		{"full-width digits", "my ssn is １２３-４５-６７８９", "my ssn is [SSN]"},
		{"zero width", "call 415\u200b-555\u200b-0132 now", "call [PHONE] now"},
		{"prices, times and counts stay", "it was $2,150.00 for 3 nights at 7:30 pm, 2 of us", "it was $2,150.00 for 3 nights at 7:30 pm, 2 of us"},
		{"a name that is a word", "can you mark it as paid, I hope it will chase up", "can you mark it as paid, I hope it will chase up"},
		{"memory", "Agent: who am I speaking with?\nCaller: Zyla Quorrin\nAgent: thanks, I have noted Quorrin as the contact", "Agent: who am I speaking with?\nCaller: [PERSON]\nAgent: thanks, I have noted [PERSON] as the contact"},
		{"password", "Your temporary password is Broadmoor430$", "Your temporary password is [PASSWORD]"},
		{"iban", "please wire it to DE89 3704 0044 0532 0130 00 today", "please wire it to [IBAN] [DATE]"},
		{"a spelled answer that a recogniser wrote as words", "Agent: and the post code there?\nCustomer: you'll be a C4 b 2 w t", "Agent: and the post code there?\nCustomer: [POSTCODE]"},
		{"an answer in one word", "Agent: your name please?\nCustomer: yes even Shepherd", "Agent: your name please?\nCustomer: yes [PERSON]"},
		{"no answer", "Agent: your name please?\nCustomer: hold on one second", "Agent: your name please?\nCustomer: hold on one second"},
		{"a new topic rests the question", "Agent: your name please?\nCustomer: Zyla Quorrin\nAgent: how can I help today?\nCustomer: pending transfer", "Agent: your name please?\nCustomer: [PERSON]\nAgent: how can I help today?\nCustomer: pending transfer"},
		{"a repeated request opens it again", "Agent: what's your date of birth?\nCustomer: mm\nAgent: sorry?\nCustomer: what\nAgent: one more time please?\nCustomer: 7th of May 2001", "Agent: what's your date of birth?\nCustomer: mm\nAgent: sorry?\nCustomer: what\nAgent: one more time please?\nCustomer: [DATE_OF_BIRTH]"},
		{"two things in one answer", "Agent: the username and the pin on file\nCaller: username is angel epperson 6102 and the pin is five o three two", "Agent: the username and the pin on file\nCaller: username is [USERNAME] and the pin is [PIN]"},
		{"a line with its extension", "office 619-648-6618x20779, fax 0319 3649187", "office [PHONE], fax [PHONE]"},
		{"digits glued to words", "my number is 415five five five0132", "my number is [PHONE]"},
		{"an IBAN spelled", "my iban is g b as in boy four eight awjv 072 217 4 1 1 0 5 6 46 thanks", "my iban is [IBAN] thanks"},
		{"a day said in numbers", "the closing is on ten twelve twenty six at noon", "the closing is on [DATE] at noon"},
		{"a time stamp", "logged 2018-02-24 12:45:18 by the system", "logged [DATE] by the system"},
		{"ages", "happy 7th bday, I'll turn 81 when he was 65.", "happy [AGE] bday, I'll turn [AGE] when he was [AGE]."},
		{"an age behind a birthday", "happy birthday gran!! 80 and no wiser, 20% off for you", "happy birthday gran!! [AGE] and no wiser, 20% off for you"},
		{"days with names, and days misspelt", "shut at christmas, back on boxing day, no boxing today, it came yestrday", "shut at [DATE], back on [DATE], no boxing [DATE], it came [DATE]"},
		{"a plate that nothing announces", "am outside. black corolla. DJZ 0177", "am outside. black corolla. [VEHICLE]"},
		{"what only looks like a plate", "the 2 day pass, wd 40, rav 4, 12 ohm and the 737 max are in", "the 2 day pass, wd 40, rav 4, 12 ohm and the 737 max are in"},
		{"go ahead asks for nothing", "Agent: card number please\nCustomer: four one one one\nAgent: go ahead\nCustomer: two two two two", "Agent: card number please\nCustomer: [CREDIT_CARD]\nAgent: go ahead\nCustomer: [CREDIT_CARD]"},
		{"spelled with a sign between the letters", "name on the cake is wrong, its F-I-O-N-N-U-A-L-A! and he is F, R, A, N, K", "name on the cake is wrong, its [PERSON]! and he is [PERSON]"},
		{"letters that are no spelling", "we have s, m, l in stock, e.g. until 5 p.m.", "we have s, m, l in stock, e.g. until 5 p.m."},
		{"whose relative it is", "it's for Wrench's mum and my boss's wife", "it's for [PERSON]'s mum and my boss's wife"},
		{"the word that says how a value is written", "it's capital x y n dash 7 1 4 7, ring plus, four four, two oh, seven nine four six, oh nine five eight", "it's [ID], ring [PHONE]"},
		{"ages told of somebody", "my mother who's 72, he'll be fifteen soon, mum would have been 54 on sunday, described as male, 31, bald", "my mother who's [AGE], he'll be [AGE] soon, mum would have been [AGE] on [DATE], described as male, [AGE], bald"},
		{"a line is no name", "please stay on the line", "please stay on the line"},
		{"a machine asks", "Bot: please say your memorable word\nCaller: ziggurat", "Bot: please say your memorable word\nCaller: [PASSWORD]"},
		{"a place, not a person", "she works in Los Gatos and lives in the Martinez area", "she works in [LOCATION] and lives in the [LOCATION] area"},
		{"businesses keep their names", "a restaurant called Patara Mayfair and the Amora Hotel", "a restaurant called Patara Mayfair and the Amora Hotel"},
		{"a web address said aloud", "see https colon slash slash w w w dot limitbuy dot nl slash thanks", "see [URL] thanks"},
		{"a routing number by its check", "it says 021000021 on it", "it says [BANK_ACCT] on it"},
		{"unlabelled run", "then it said 8273645 and hung up", "then it said [NUMBER] and hung up"},
	} {
		if got := redactText(t, c.in).Masked(); got != c.want {
			t.Errorf("%s\n  in %q\n got %q\nwant %q", c.name, c.in, got, c.want)
		}
	}
}

// TestTheOrderOfDocumentsChangesNothing: what was read before leaves nothing behind, also where a machine speaks.
func TestTheOrderOfDocumentsChangesNothing(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	docs := []redact.Doc{
		{Turns: redact.ParsePlain("Agent: and your name?")},
		{Turns: redact.ParsePlain("Bot: Thanks for calling thistle and key, this is goodluck.\nCaller: yes")},
		{Turns: redact.ParsePlain("Bot: ive got mercy and gathoni\nCaller: my name is Zyla Quorrin")},
		{Turns: redact.ParsePlain("Agent: lovely, thanks")},
	}
	first := map[int]string{}
	for _, k := range []int{0, 1, 2, 3, 1, 0, 2, 1, 3, 2, 2, 1, 1} {
		r, err := d.Redact(docs[k])
		if err != nil {
			t.Fatal(err)
		}
		if was, read := first[k]; read && was != r.Masked() {
			t.Errorf("%q, and before %q", r.Masked(), was)
		}
		first[k] = r.Masked()
	}
}

// TestAnswers shows how a question lives over the turns: what is asked in words that no rule lists, what keeps it open, what
// is masked of the answer.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"asked sideways", "Agent: and whose name would that be under, love\nCaller: oh it'll be under Quorrin", "Agent: and whose name would that be under, love\nCaller: oh it'll be under [PERSON]"},
		{"open over a misunderstanding", "Agent: what zip are you at out there\nCaller: what was that\nAgent: your zip hon\nCaller: oh seven eight seven oh four", "Agent: what zip are you at out there\nCaller: what was that\nAgent: your zip hon\nCaller: [POSTCODE]"},
		{"a wrong first try belongs to the number", "Agent: best number to reach you on\nCaller: it's four one five, five five no wait, five five six, oh one three two", "Agent: best number to reach you on\nCaller: it's [PHONE]"},
		{"read back in pieces", "Agent: what's the card number\nCaller: four one one one\nAgent: four one one one, go on\nCaller: double one double one", "Agent: what's the card number\nCaller: [CREDIT_CARD]\nAgent: [CREDIT_CARD], go on\nCaller: [CREDIT_CARD]"},
		{"a part of a number", "Agent: does your phone end in three eight oh six\nCaller: it does", "Agent: does your phone end in [PHONE]\nCaller: it does"},
		{"a secret by its name", "her wifi password is kettle biscuit, all small", "her wifi password is [PASSWORD], all small"},
		{"how a secret is, not what it is", "your password is expired and the pin is wrong", "your password is expired and the pin is wrong"},
		{"a plate by its form", "the plate on the van was C64 FSR, I saw it", "the plate on the van was [VEHICLE], I saw it"},
		{"who signs a text", "running late, traffic on the bridge - earl x", "running late, traffic on the bridge - [PERSON] x"},
		{"one of something", "Agent: one moment please while I look that up\nCaller: ok\nAgent: one moment please", "Agent: one moment please while I look that up\nCaller: ok\nAgent: one moment please"},
		{"who answers", "Agent: corner vets, Blodwen speaking", "Agent: corner vets, [PERSON] speaking"},
		{"spelled once, said elsewhere", "Agent: could you spell the surname\nCaller: q u o r r i n\nAgent: right, i've put quorrin down", "Agent: could you spell the surname\nCaller: [PERSON]\nAgent: right, i've put [PERSON] down"},
		{"an answer that is a word, and talk behind it", "Agent: And what was her name?\nCaller: Bright. She never got round to changing it.", "Agent: And what was her name?\nCaller: [PERSON]. She never got round to changing it."},
		{"where nobody writes pauses", "Agent: whats his name\nCaller: woods i think he said", "Agent: whats his name\nCaller: [PERSON] i think he said"},
		{"no answer in front of talk", "Agent: What's your name?\nCaller: No problem, give me a second.", "Agent: What's your name?\nCaller: No problem, give me a second."},
		{"a part of a name is asked for", "Agent: And the surname?\nCaller: Wrench.", "Agent: And the surname?\nCaller: [PERSON]."},
		{"asked by what was heard", "Agent: Zyla what?\nCaller: Price.", "Agent: [PERSON] what?\nCaller: [PERSON]."},
		{"a word that is spelled is a name everywhere", "Caller: the brown family.\nAgent: Could you spell that?\nCaller: B-R-O-W-N.\nAgent: There are three browns here.", "Caller: the [PERSON] family.\nAgent: Could you spell that?\nCaller: [PERSON].\nAgent: There are three [PERSON] here."},
		{"a number is nobody's name", "Agent: and your name?\nCaller: you eighteen, yeah", "Agent: and your name?\nCaller: you eighteen, yeah"},
		{"another topic is no answer", "Agent: your name please?\nCaller: Zyla Quorrin\nAgent: has it been making a noise\nCaller: it rattles a bit", "Agent: your name please?\nCaller: [PERSON]\nAgent: has it been making a noise\nCaller: it rattles a bit"},
	} {
		if got := redactText(t, c.in).Masked(); got != c.want {
			t.Errorf("%s\n  in %q\n got %q\nwant %q", c.name, c.in, got, c.want)
		}
	}
}

// TestEverydayLettersAndDigitsStay: versions, plugs, sizes, paper, roads, times, rooms, models and product codes point to
// nobody.
func TestEverydayLettersAndDigitsStay(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"version v2 and ipv4 on the x1", "usb2 and usb3 cables, hdmi2 and rj45", "plug the cat5e cable into port g0", "send it as an mp3 or mp4", "a4 paper and b5 envelopes",
		"take the m25 then the a303 and the b4009", "i am free at 9am or 10ish or half 5", "room b12 and gate c4 and seat 14f", "i need a 2x4 and a 3m cable",
		"size xl2 or uk8 or eu42", "5g and 4g and wifi 6", "h264 video at 1080p or 4k", "p45 and p60 and sa100", "covid19 and b12 vitamins and omega3", "r2d2 and c3po and g20 and g7",
		"24v battery, 12v, 240v, 60w, 5a fuse, e27 bulb", "450ml, 2.5kg, 10mm, 3x, 2l, 6ft, 20mph", "it says error e14 on the boiler", "error code f28 on the display", "fault code e119",
		"promo code save20", "discount code is welcome10", "part number 33x7", "model number kdl40", "model wh1000xm4 or kx450f", "item b2304 is out of stock", "i paid with 3ds and 2fa",
		"section 21 notice and form n244", "the 4x4 and the mx5", "ps5 and xbox360 and switch2", "a screen of 160x200",
	} {
		if got := redactText(t, in).Masked(); got != in {
			t.Errorf("got %q of %q", got, in)
		}
	}
}

// TestCodesBehindTheirFrameAreMasked: however short or everyday they look.
func TestCodesBehindTheirFrameAreMasked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"the code is 7x2k", "the code is [PIN]"},
		{"your PIN is 4471", "your PIN is [PIN]"},
		{"the gate code is 4b", "the gate code is [PIN]"},
		{"the door code's 55c", "the door code's [PIN]"},
		{"one time code ab12", "one time code [PIN]"},
		{"your verification code is 993", "your verification code is [PIN]"},
		{"alarm code is z9y8", "alarm code is [PIN]"},
		{"use 7x2k to get in", "use [ID] to get in"},
		{"reference is ab12", "reference is [ID]"},
		{"the postcode is sw1", "the postcode is [POSTCODE]"},
		{"Agent: and the gate code?\nCustomer: v2", "Agent: and the gate code?\nCustomer: [PIN]"},
		{"Agent: what's the booking reference\nCustomer: b12 4x4", "Agent: what's the booking reference\nCustomer: [ID]"},
		{"see you at a67 2lb", "see you at [POSTCODE]"},
	} {
		if got := redactText(t, c.in).Masked(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestNoDigitWordOfACardSurvives(t *testing.T) {
	t.Parallel()
	masked := redactText(t, "Customer: my card is four one one one, double one double one, one one one one, one one one one\n").Masked()
	for _, w := range strings.FieldsFunc(masked, func(r rune) bool { return r < 'a' || r > 'z' }) {
		if _, ok := number.Spoken(w); ok || w == "double" {
			t.Errorf("a digit word is left in a text of %d characters", len(masked))
		}
	}
}

func TestKnownSubjectsAreFoundBySlipAndSound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ subject, in, want string }{
		{"Katherine Voss", "i told katharine about it", "i told [PERSON] about it"},
		{"Sean Toomey", "ok tomey called", "ok [PERSON] called"},
		{"Will Archer", "Will said he will pay", "[PERSON] said he will pay"},
		{"+14155550132", "his number ends in 0132 ok", "his number ends in [PHONE] ok"},
		{"+14155550132", "it ends in oh one three two", "it ends in [PHONE]"},
		{"+14155550132", "the code is 9921 and there were 132 people", "the code is [PIN] and there were 132 people"},
		{"Siobhan Kearney", "and so did carney", "and so did [PERSON]"},
		{"Wyatt Ockerman", "wyat and okerman and watch", "[PERSON] and [PERSON] and watch"},
		{"Hope Grant", "i hope you grant it", "i hope you grant it"},
		{"Hope Grant", "this was hope grant again", "this was [PERSON] again"},
		{"Ann Lee", "an example for the lees", "an example for the lees"},
		{"ann@example.org", "mail ANN@example.org", "mail [EMAIL]"},
	} {
		if got := redactText(t, c.in, c.subject).Masked(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestSpansAreCodePointsOfTheText(t *testing.T) {
	t.Parallel()
	text := "Agent: a naïve café?\nCustomer: 😀 ok, 415-555-0132 ok\nAgent: ok"
	r := redactText(t, text)
	flat := r.Flat()
	if len(flat) != 1 {
		t.Fatalf("%d spans", len(flat))
	}
	if got := string([]rune(text)[flat[0].Start:flat[0].End]); got != "415-555-0132" {
		t.Errorf("the flat span covers %q", got)
	}
	sp := r.Spans()[0]
	if sp.Turn != 1 || sp.Start != 6 || sp.End != 18 || sp.Type != redact.Phone {
		t.Errorf("span %+v", sp)
	}
}

func TestParsePlainLosesNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "no label", "Agent: a\nb\n\nCustomer: c\n", "Speaker 12: x\nNotALabel: y", "Agent:\nRep: z"} {
		var back []string
		for _, turn := range redact.ParsePlain(text) {
			back = append(back, turn.Label+turn.Text)
		}
		if got := strings.Join(back, "\n"); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	}
}

var samples = []string{
	"Agent: card number please\nCustomer: four one one one\nAgent: uh huh\nCustomer: double one double one, one one one one, no wait, one one one two",
	"hey its Willard new number 3747291557 save it", "Gate code is 8281, address 2343 West Washington Dr, Dayton IN 32727. Call Dwight when u get there +12097100343",
	"Agent: What's your postcode, please?\nCustomer: november 5 delta 2 bravo bravo\nAgent: One more time please?\nCustomer: n 5 d 2 b b",
	"login mspurlock92 / pleasant531", "she is 45 years old, born on 2/8/1935 in São Paulo", "user\u200b@exa\u00admple.com \xff\xfe 4111-1111-1111-1111",
	"[PHONE] and [PERSON] Smith at 12 [ADDRESS] Street", "Rep: and your email\nSpeaker 2: m i c k e n s dot j at proton dot m e",
	"१२३४५६७८९० ➀➁➂➃➄➅➆ 𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖", "ﬁnd Ｍａｒｙ Ｓｍｉｔｈ", "İstanbul'da Ömer Ünal 0532 123 45 67",
}

// check holds a text to the promises of the package.
func check(t *testing.T, d *redact.Detector, text string) {
	t.Helper()
	r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(text)})
	if err != nil {
		t.Fatal(err)
	}
	masked := r.Masked()
	if utf8.ValidString(text) && !utf8.ValidString(masked) {
		t.Fatal("a valid text became invalid")
	}
	runes := []rune(text)
	last := 0
	var want strings.Builder
	for _, s := range r.Flat() {
		if s.Start < last || s.End <= s.Start || s.End > len(runes) {
			t.Fatalf("span [%d,%d) behind %d of %d", s.Start, s.End, last, len(runes))
		}
		want.WriteString(string(runes[last:s.Start]) + "[" + s.Type.String() + "]")
		last = s.End
	}
	want.WriteString(string(runes[last:]))
	for _, s := range r.Flat() {
		if value := string(runes[s.Start:s.End]); survives(s.Type, value, masked) {
			t.Fatalf("a %s of %d characters is masked once and left once", s.Type, len(value))
		}
	}
	if utf8.ValidString(text) && want.String() != masked {
		t.Fatal("the spans do not tell what was masked")
	}
	if !r.Verified() {
		return
	}
	again, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(masked)})
	if err != nil {
		t.Fatal(err)
	}
	if again.Masked() != masked {
		t.Fatalf("masking again changed a masked text:\n%q\n%q", masked, again.Masked())
	}
}

// survives reports whether a number that was masked still stands in the masked text as a word of its own.
func survives(t redact.Type, value, masked string) bool {
	if len(value) < 5 || strings.Trim(value, "0123456789") != "" || t == redact.Date || t == redact.Age {
		return false
	}
	for w := range strings.FieldsSeq(masked) {
		if strings.Trim(w, ".,;:?!") == value {
			return true
		}
	}
	return false
}

func TestMaskingIsIdempotent(t *testing.T) {
	t.Parallel()
	for _, dial := range []redact.Dial{redact.Balanced, redact.Strict, redact.Paranoid} {
		d := detector(t, dial)
		for _, s := range samples {
			check(t, d, s)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	d := detector(f, redact.Strict)
	f.Fuzz(func(t *testing.T, s string) { check(t, d, s) })
}

// conversations hold what a cut may break: questions that stay open over turns and over lines, labels, masks, characters
// of several bytes and bytes that are no character.
var conversations = []string{
	strings.Join(samples[:6], "\n\n") + "\nAgent: your pin?\n\n4921\n",
	"Agent: card number please\nCustomer: four one one one\nAgent: uh huh\nCustomer: double one double one\nAgent: go on\nCustomer: one one one one, one one one two\n\nthanks\n",
	"Agent: your name?\nCaller: Zyla Quorrin\nAgent: thanks Quorrin\nno label, Quorrin again\nAgent: and the date of birth?\nCaller: 5/27/1972",
	"Speaker 1: señor, su número?\nSpeaker 2: １２３-４５-６７８９ \u200d ok\xff\xfe\r\n[PHONE] [AGE_40_49]\n\n\nend",
}

// streamed writes parts to a stream one after another.
func streamed(t testing.TB, d *redact.Detector, parts ...string) string {
	t.Helper()
	var out bytes.Buffer
	s := d.Stream(&out)
	for _, p := range parts {
		if _, err := s.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestStreamedEqualsWhole(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for _, text := range conversations {
		whole := streamed(t, d, text)
		for _, left := range []string{"4921", "Quorrin", "1972", "６７８９", "double one"} {
			if strings.Contains(whole, left) {
				t.Errorf("%q is left: a question did not stay open, or a value was forgotten", left)
			}
		}
		for i := range len(text) + 1 {
			if got := streamed(t, d, text[:i], text[i:]); got != whole {
				t.Fatalf("cut at byte %d differs", i)
			}
		}
		bytewise := make([]string, len(text))
		for i := range len(text) {
			bytewise[i] = text[i : i+1]
		}
		if got := streamed(t, d, bytewise...); got != whole {
			t.Error("byte by byte differs")
		}
	}
}

// TestATextIsStreamedAsOneDocument: a value may go on in the next line.
func TestATextIsStreamedAsOneDocument(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for _, text := range []string{"my card is 4111\n1111\n1111\n1111\n", "my card is 4111\r\n1111\r\n1111\r\n1111\r\n", "my ssn is 078\n05\n1120", "I am\nZyla Quorrin\n\nfrom\n12 Canal Street\n"} {
		if got, want := streamed(t, d, text), masked(t, d, text); got != want {
			t.Errorf("%q is streamed %q, whole %q", text, got, want)
		}
	}
}

// TestAConversationIsStreamedAsOneDocument: held until it ends, it is masked as Redact masks it.
func TestAConversationIsStreamedAsOneDocument(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	text := "Agent: who am I speaking with?\nCaller: Zyla Quorrin\nAgent: card number please\nCaller: four one one one\nAgent: uh huh\nCaller: one one one one"
	if got, want := streamed(t, d, text), masked(t, d, text); got != want {
		t.Errorf("streamed %q, whole %q", got, want)
	}
}

func TestLongLinesStayLinear(t *testing.T) {
	t.Parallel()
	d := detector(t, redact.Strict)
	for _, unit := range []string{"call 415-555-0132 or ann@example.org on may 5 at 12 oak street ", "one ", "5", ". ", "a b c ", "at ", "double ", "[PHONE] "} {
		if _, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Text: strings.Repeat(unit, 200_000/len(unit))}}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Redact(redact.Doc{Turns: make([]redact.Turn, redact.MaxTurns+1)}); !errors.Is(err, redact.ErrTooLarge) {
		t.Error("a document beyond the limit is accepted")
	}
}

func TestNoReasonPrintsAValue(t *testing.T) {
	t.Parallel()
	for _, s := range redactText(t, strings.Join(samples, "\n")).Spans() {
		if s.Why.String() == redact.Unexplained.String() || len(s.Why.String()) > 12 {
			t.Errorf("a %s is masked for %q", s.Type, s.Why)
		}
	}
}

// TestTheTurnBeforeIsTold: the tagger hears what a question before the turn begins and ends with, and nothing of a value before it.
func TestTheTurnBeforeIsTold(t *testing.T) {
	t.Parallel()
	acts, err := act.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	last := func(text string) redact.Observed {
		o := redact.Observe(redact.ParsePlain(text), acts)
		return o[len(o)-1]
	}
	a, b := last("Agent: your full name?\nCaller: hm"), last("Agent: your full address?\nCaller: hm")
	if a.Begun == 0 || a.Begun != b.Begun || a.Ended == 0 || a.Ended == b.Ended || a.Before != uint8(act.AskName) {
		t.Errorf("behind a question: %+v, %+v", a.Turn, b.Turn)
	}
	if c := last("Agent: your full name?\nCaller: it's Zyla Quorrin\nAgent: hm"); c.Begun != 0 || c.Ended != 0 || c.Before != uint8(act.Answer) {
		t.Errorf("behind an answer: %+v", c.Turn)
	}
}
