package score_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/private/internal/detect"
	"murmur/internal/private/internal/detect/score"
)

// shared finds ../shared/data/pii beside the repository root.
func shared(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			dir = filepath.Join(filepath.Dir(dir), "shared", "data", "pii")
			if _, err := os.Stat(dir); err == nil {
				return dir
			}
			break
		}
	}
	t.Skip("SKIPPED LOUDLY: ../shared/data/pii is absent, the leak rate of the redactor is NOT TESTED")
	return ""
}

func board(t *testing.T, dial detect.Dial, pattern string) *score.Board {
	dir := shared(t)
	d, err := detect.New(detect.Config{Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, pattern))
	b := new(score.Board)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		err = b.Read(f, d)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// floors hold the dial strict a little below what was measured (docs/models/text.md): recall and precision
// of characters at least, share of documents with a leak and false spans at most.
var floors = map[string]struct {
	recall, precision, leak float64
	falseSpans              int
}{
	"gen_calls_spoken":      {.995, .97, .025, 130},
	"gen_calls_written":     {.997, .95, .01, 130},
	"gen_sms_written":       {.995, .98, .01, 10},
	"evi_asr":               {.97, .97, .24, 180},
	"sgd":                   {.915, .92, .32, 430},
	"presidio_v2":           {.92, .91, .18, 90},
	"presidio_v2_spoken":    {.87, .95, .38, 75},
	"presidio_large":        {.90, .93, .215, 140},
	"presidio_large_spoken": {.89, .965, .38, 80},
	"restaurant8k":          {.96, .79, .02, 950},
	"banking77_neg":         {1, 0, 0, 75},
}

func TestLeakRateStaysBelowItsFloors(t *testing.T) {
	t.Parallel()
	b := board(t, detect.Strict, "*.jsonl")
	t.Log("dial strict\n" + b.Table())
	for name, f := range floors {
		c := b.Sources[name]
		if c == nil {
			t.Errorf("%s: no records", name)
			continue
		}
		if c.Recall() < f.recall || c.Precision() < f.precision || c.Leak() > f.leak || c.FalseSpans > f.falseSpans {
			t.Errorf("%s: recall %.3f, precision %.3f, leak %.3f, %d false spans; want %.3f, %.3f, %.3f, %d",
				name, c.Recall(), c.Precision(), c.Leak(), c.FalseSpans, f.recall, f.precision, f.leak, f.falseSpans)
		}
	}
}

func TestDialsAreOrdered(t *testing.T) {
	t.Parallel()
	const generated = "gen_*.jsonl"
	balanced, strict, paranoid := board(t, detect.Balanced, generated), board(t, detect.Strict, generated), board(t, detect.Paranoid, generated)
	for name := range strict.Sources {
		b, s, p := balanced.Sources[name], strict.Sources[name], paranoid.Sources[name]
		// A hundredth of slack: more names found in a turn can turn a doubtful answer into a sentence.
		if b.Recall() > s.Recall()+.01 || s.Recall() > p.Recall()+.01 {
			t.Errorf("%s: recall %.3f, %.3f, %.3f from balanced to paranoid", name, b.Recall(), s.Recall(), p.Recall())
		}
	}
}

// TestDialTable prints the table of docs/models/text.md for every dial; MURMUR_TABLES=1 asks for it.
func TestDialTable(t *testing.T) {
	t.Parallel()
	if os.Getenv("MURMUR_TABLES") == "" {
		t.Skip("set MURMUR_TABLES=1 to print the tables")
	}
	for _, dial := range []detect.Dial{detect.Balanced, detect.Strict, detect.Paranoid} {
		t.Logf("dial %s\n%s", dial, board(t, dial, "*.jsonl").Table())
	}
}

func TestCountsOfOneRecord(t *testing.T) {
	t.Parallel()
	g := score.Record{Source: "x", Text: "ab é1 cd", Spans: []score.Gold{{Start: 3, End: 5, Type: "PIN"}, {Start: 6, End: 8, Type: "ORG", Opt: true}}}
	b := new(score.Board)
	b.Add(g, []detect.Span{{Start: 4, End: 5, Type: detect.PIN}, {Start: 0, End: 2, Type: detect.Person}, {Start: 6, End: 8, Type: detect.Person}})
	want := score.Counts{Documents: 1, Leaking: 1, Personal: 2, Masked: 1, Plain: 4, False: 2, FalseSpans: 1, Spans: 1, Found: 2}
	if got := *b.Sources["x"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestALineThatIsNoRecordIsNamedByItsNumber(t *testing.T) {
	t.Parallel()
	d, err := detect.New(detect.Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = new(score.Board).Read(strings.NewReader("{\"text\":\"a\"}\nsecret 4111\n"), d)
	if !errors.Is(err, score.ErrGold) || strings.Contains(err.Error(), "4111") || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v", err)
	}
}
