package redact_test

import (
	"strings"
	"sync"
	"testing"

	"murmur/internal/redact"
)

// finder is a second reader that knows some words by heart, and takes every mask it meets for a person.
type finder struct {
	words []string
	mu    sync.Mutex
	read  []string
}

func (f *finder) Find(text string) (found []redact.Found) {
	f.mu.Lock()
	f.read = append(f.read, text)
	f.mu.Unlock()
	for _, w := range append([]string{"[PERSON]", "[LOCATION]"}, f.words...) {
		for at := 0; ; {
			i := strings.Index(text[at:], w)
			if i < 0 {
				break
			}
			found = append(found, redact.Found{Start: at + i, End: at + i + len(w), Type: redact.Person, Score: .9})
			at += i + len(w)
		}
	}
	return found
}

func reader(t *testing.T, words ...string) (*redact.Detector, *finder) {
	t.Helper()
	f := &finder{words: words}
	d, err := redact.New(redact.Config{Dial: redact.Strict, Recognizer: f, RulesOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return d, f
}

func readBy(t *testing.T, d *redact.Detector, text string) *redact.Redaction {
	t.Helper()
	r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(text)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASecondReaderAddsToTheRules(t *testing.T) {
	t.Parallel()
	d, _ := reader(t, "qworble", "zé grund")
	r := readBy(t, d, "Agent: is the qworble ready\nCustomer: yes, call 212 555 0123, zé grund said so; the qworble too")
	if got, want := r.Masked(), "Agent: is the [PERSON] ready\nCustomer: yes, call [PHONE], [PERSON] said so; the [PERSON] too"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	why := map[redact.Why]int{}
	for _, s := range r.Spans() {
		why[s.Why]++
	}
	if why[redact.ByRecognizer] == 0 || !r.Verified() {
		t.Errorf("reasons %v, verified %v", why, r.Verified())
	}
}

// A reader whose word appears only behind a mask must have read the masked text too.
func TestWhatASecondReaderLeftStays(t *testing.T) {
	t.Parallel()
	d, _ := reader(t, "qworble", "the [PERSON] vrenk", "vrenk [PERSON]")
	for _, text := range []string{"the qworble vrenk grund", "vrenk qworble and qworble", "qworble\nthe qworble vrenk", "[PERSON] qworble [PERSON]"} {
		once := readBy(t, d, text)
		twice := readBy(t, d, once.Masked())
		if once.Masked() != twice.Masked() || !once.Verified() || strings.Contains(once.Masked(), "qworble") {
			t.Errorf("%q gives %q, then %q (verified: %v)", text, once.Masked(), twice.Masked(), once.Verified())
		}
	}
}

func TestASecondReaderIsSparedPlainText(t *testing.T) {
	t.Parallel()
	d, f := reader(t)
	readBy(t, d, "Agent: thanks for waiting\nCustomer: the parcel is broken again, please call 212 555 0123")
	if len(f.read) != 0 {
		t.Errorf("it read %d texts without a doubtful word", len(f.read))
	}
	readBy(t, d, "ask qworble about it")
	if len(f.read) != 1 {
		t.Errorf("it read %d texts for one that it had nothing to say about, want 1", len(f.read))
	}
}
