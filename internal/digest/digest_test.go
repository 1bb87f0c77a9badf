package digest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"murmur/internal/insight"
)

var update = flag.Bool("update", false, "write the golden letters")

var monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

func number(v float64) *float64 { return &v }

func rate(period string, end time.Time, value float64, noise int64) insight.Figure {
	return insight.Figure{
		Workspace: "default", Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: period, Split: map[string][]string{},
		Value: number(value), Low: number(value - 0.05), High: number(value + 0.05), Unit: "ratio", Base: 200, Contacts: "100-199",
		Tier: "guarded", Noise: noise, Definition: "missed-call-rate/1", Settings: map[string]string{"timezone": "UTC"}, AsOf: end,
	}
}

// week has two finished weeks, and one that had not begun when the letter was due.
func week(noise int64) Week {
	return Week{
		Workspace: "default", Begins: monday, Pages: "https://murmur.example.com", Unsubscribe: "https://murmur.example.com/unsubscribe/x",
		Checkpoint: "murmur.example/ledger\n7\nabc=",
		Figures: []insight.Figure{
			rate("2026-W44", monday, 0.2, noise), rate("2026-W45", monday.AddDate(0, 0, 7), 0.4, noise), rate("2026-W46", monday.AddDate(0, 0, 14), 0.9, noise),
		},
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]Week{"owner": week(0), "viewer": week(2), "empty": {Workspace: "default", Begins: monday}} {
		l, err := w.Write()
		if err != nil {
			t.Fatal(err)
		}
		if l.Subject != "The week of 2 to 8 November 2026" {
			t.Errorf("subject %q", l.Subject)
		}
		for suffix, got := range map[string]string{".txt": l.Text, ".html": l.HTML} {
			file := filepath.Join("testdata", name+suffix)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%s differs (-update writes it anew): %v\n%s", file, err, got)
			}
		}
		for _, line := range strings.Split(l.Text, "\n") {
			if n := len([]rune(line)); n > 78 { // RFC 5322 2.1.1
				t.Errorf("a line of %d characters: %s", n, line)
			}
		}
	}
}

// TestALetterSpeaksOfItsWeek: figures of other weeks and of blocks that end with another week are in no letter, however late
// it is written and however little its own week says.
func TestALetterSpeaksOfItsWeek(t *testing.T) {
	t.Parallel()
	block := func(period string, value float64) insight.Figure {
		f := rate(period, monday.AddDate(0, 1, 0), value, 0)
		f.Insight, f.Measure, f.Grain, f.Definition = "after-hours-demand", "share", "block", "after-hours-demand/1"
		return f
	}
	blocks := []insight.Figure{block("2026-W37..2026-W40", 0.31), block("2026-W41..2026-W44", 0.51), block("2026-W45..2026-W48", 0.71)}
	for begins, want := range map[string][]string{
		"2026-10-26": {"20 %", "The four weeks of 5 October to 1 November 2026", "51 %", "31 %", "the four weeks before", "from the four weeks of 5 October to"},
		"2026-11-02": {"40 %", "20 %", "the week before"},
		"2026-11-09": {"90 %", "40 %"},
		"2026-11-16": {"There is nothing to report"},
		"2026-11-23": {"The four weeks of 2 to 29 November 2026", "71 %", "51 %", "Answer after hours"},
	} {
		w := week(0)
		w.Figures = append(w.Figures, blocks...)
		w.Begins, _ = time.Parse(time.DateOnly, begins)
		l, err := w.Write()
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(l.Text), " ")
		for _, part := range []string{"20 %", "40 %", "90 %", "31 %", "51 %", "71 %", "The four weeks", "four weeks of 5 October", "There is nothing", "Answer after"} {
			meant := slices.ContainsFunc(want, func(s string) bool { return strings.Contains(s, part) })
			if !meant && strings.Contains(text, part) && part != "Answer after" {
				t.Errorf("the letter of %s says %q:\n%s", begins, part, l.Text)
			}
		}
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("the letter of %s does not say %q:\n%s", begins, part, l.Text)
			}
		}
	}
}

// TestALetterIsSafe: names from a phone system are text in the letter, and it loads nothing.
func TestALetterIsSafe(t *testing.T) {
	t.Parallel()
	w := week(0)
	f := w.Figures[1]
	f.Insight, f.Measure, f.Definition = "missed-call-reasons", "share", "missed-call-reasons/1"
	f.Split = map[string][]string{"reason": {`<script src="//evil.example/x"></script><img src=x>`}}
	w.Figures = append(w.Figures, f)
	l, err := w.Write()
	if err != nil || !strings.Contains(l.Text, "evil.example") {
		t.Fatalf("the name is not in the letter: %v\n%s", err, l.Text)
	}
	root, err := html.Parse(strings.NewReader(l.HTML))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && strings.Contains(" script img link iframe style object ", " "+n.Data+" ") {
			t.Errorf("the letter has a <%s>", n.Data)
		}
	}
}

func TestTheLastWeek(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"2026-11-09T00:00:00": "2026-11-02", "2026-11-08T23:59:59": "2026-10-26", "2026-11-15T12:00:00": "2026-11-02", "2027-01-01T00:00:00": "2026-12-21",
	} {
		parsed, err := time.ParseInLocation("2006-01-02T15:04:05", at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := Last(parsed); got.Format(time.DateOnly) != want || got.Hour() != 0 || got.Location() != zone {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

func TestSpansAreSaidAsPeopleDo(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"2026-11-02": "2 to 8 November 2026", "2026-11-30": "30 November to 6 December 2026", "2026-12-28": "28 December 2026 to 3 January 2027",
	} {
		day, err := time.Parse(time.DateOnly, from)
		if err != nil {
			t.Fatal(err)
		}
		if got := span(day, 1); got != want {
			t.Errorf("%s: %s", from, got)
		}
	}
}

func ExampleWeek_Write() {
	l, _ := Week{Workspace: "default", Begins: monday}.Write()
	fmt.Println(l.Subject)
	// Output: The week of 2 to 8 November 2026
}
