package redact_test

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"murmur/internal/redact"
	"murmur/internal/redact/reader"
)

// finder is a reader that knows some stretches by heart: a word of one is personal, or of what stands behind a bar in it.
type finder struct {
	known []string
	mu    sync.Mutex
	read  []string // turns that it was asked about
}

func (f *finder) Read(turns []reader.Turn, _ *reader.Scratch, tell func(reader.Word)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, t := range turns {
		if !t.Read {
			continue
		}
		f.read = append(f.read, t.Text)
		for _, w := range said.FindAllStringIndex(t.Text, -1) {
			for _, k := range f.known {
				before, value, some := strings.Cut(k, "|")
				if !some {
					before, value = "", k
				}
				from := strings.Index(t.Text, before+value)
				if from += len(before); from >= len(before) && from <= w[0] && w[1] <= from+len(value) && t.Text[w[0]] != '[' {
					tell(reader.Word{Turn: i, Start: w[0], End: w[1], Personal: 1, Type: "PERSON"})
				}
			}
		}
	}
}

var said = regexp.MustCompile(`[^\s,;?]+`)

func readBy(t *testing.T, known ...string) (func(text string) *redact.Redaction, *finder) {
	t.Helper()
	f := &finder{known: known}
	d, err := redact.New(redact.Config{Dial: redact.Strict, Reader: f, RulesOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) *redact.Redaction {
		r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(text)})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}, f
}

// What the reader finds in one turn is masked in every turn, and explained.
func TestTheReaderAddsToTheRules(t *testing.T) {
	t.Parallel()
	read, _ := readBy(t, "is the |qworble", "zé vrenk")
	r := read("Agent: is the qworble ready\nCustomer: yes, call 212 555 0123, zé vrenk said so; the qworble too")
	if got, want := r.Masked(), "Agent: is the [PERSON] ready\nCustomer: yes, call [PHONE], [PERSON] said so; the [PERSON] too"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	why := map[redact.Why]int{}
	for _, s := range r.Spans() {
		why[s.Why]++
	}
	if why[redact.ByReader] != 2 || why[redact.ByMemory] != 1 || !r.Verified() {
		t.Errorf("reasons %v, verified %v", why, r.Verified())
	}
}

// A reader whose word appears only behind a mask must have read the masked text too.
func TestWhatTheReaderLeftStays(t *testing.T) {
	t.Parallel()
	read, _ := readBy(t, "qworble", "the [PERSON] vrenk", "vrenk [PERSON]")
	for _, text := range []string{"the qworble vrenk grund", "vrenk qworble and qworble", "qworble\nthe qworble vrenk", "[PERSON] qworble [PERSON]"} {
		once := read(text)
		twice := read(once.Masked())
		if once.Masked() != twice.Masked() || !once.Verified() || strings.Contains(once.Masked(), "qworble") || strings.Contains(once.Masked(), "vrenk [") {
			t.Errorf("%q gives %q, then %q (verified: %v)", text, once.Masked(), twice.Masked(), once.Verified())
		}
	}
}

func TestTheReaderIsSparedWhatIsPlain(t *testing.T) {
	t.Parallel()
	read, f := readBy(t)
	read("Agent: thanks for waiting\nCustomer: yes please, call 212 555 0123")
	if len(f.read) != 0 {
		t.Errorf("it read %q, where no word is in doubt", f.read)
	}
	read("ask qworble about it")
	if !slices.Equal(f.read, []string{"ask qworble about it"}) {
		t.Errorf("it read %q", f.read)
	}
}

func TestWithoutTheReaderItIsNotAsked(t *testing.T) {
	t.Parallel()
	f := &finder{known: []string{"qworble"}}
	for _, c := range []redact.Config{{Reader: f, WithoutReader: true}, {Reader: f, RulesOnly: true, WithoutReader: true}} {
		d, err := redact.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Redact(redact.Doc{Turns: redact.ParsePlain("ask qworble about it")}); err != nil {
			t.Fatal(err)
		}
	}
	d, err := redact.New(redact.Config{Reader: f})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.WithoutReader().Redact(redact.Doc{Turns: redact.ParsePlain("ask qworble about it")}); err != nil {
		t.Fatal(err)
	}
	if len(f.read) != 0 {
		t.Errorf("it read %q", f.read)
	}
}

// An endless line costs the reader no more than its first part: the rest is read by the rules and the tagger.
func TestTheReaderReadsTheBeginningOfAnEndlessLine(t *testing.T) {
	t.Parallel()
	f := &finder{}
	d, err := redact.New(redact.Config{Reader: f, RulesOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	s := d.Stream(io.Discard)
	for range 2 {
		if _, err := io.WriteString(s, strings.Repeat("ask qworble about it ", 1<<15)+"\n\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, text := range f.read {
		size += len(text)
	}
	if size < 400<<10 || size > 600<<10 {
		t.Errorf("of two lines of 672 kB it read %d bytes, want the first 256 kB of each", size)
	}
}
