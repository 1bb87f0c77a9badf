package number_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"murmur/internal/redact/number"
)

var update = flag.Bool("update", false, "write what the reader says now into testdata")

// words cuts a text as the detector does: rows of letters and digits, and single other characters.
// Offsets are code points.
func words(text string) []number.Word {
	var w []number.Word
	rs := []rune(strings.ToLower(text))
	for i := 0; i < len(rs); {
		j := i + 1
		switch r := rs[i]; {
		case unicode.IsSpace(r):
			i++
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			for j < len(rs) && (unicode.IsLetter(rs[j]) || unicode.IsDigit(rs[j]) || rs[j] == '\'') {
				j++
			}
		}
		w = append(w, number.Word{Lower: string(rs[i:j]), Start: i, End: j})
		i = j
	}
	return w
}

// read prints the runs of a text: the symbols, then where each begins and ends.
func read(text string) string {
	var r number.Reader
	var out []string
	for _, run := range r.Read(words(text)) {
		var c, at strings.Builder
		for _, s := range run.Symbols {
			c.WriteByte(s.C)
			fmt.Fprintf(&at, " %d-%d", s.Start, s.End)
		}
		kind := ""
		if run.Cardinal {
			kind = " cardinal"
		}
		out = append(out, c.String()+kind+at.String())
	}
	if out == nil {
		return "nothing"
	}
	return strings.Join(out, " | ")
}

// TestReadings walks testdata/*.txt: a line that is said, then a line "-> symbols offsets" that is read.
func TestReadings(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no testdata")
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		said := ""
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSuffix(line, "\n")
			switch want, isWant := strings.CutPrefix(line, "-> "); {
			case isWant:
				if got := read(said); got != want && !*update {
					t.Errorf("%s: %q\n got %s\nwant %s", name, said, got, want)
				}
				fmt.Fprintf(&out, "-> %s\n", read(said))
			default:
				said = line
				out.WriteString(line + "\n")
			}
		}
		if *update {
			if err := os.WriteFile(name, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"double one oh", "no wait two", "b as in boy - 4 at x dot y", "twenty-two hundred thousand", "é 5 ' 5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w := words(s)
		var r number.Reader
		last := 0
		for _, run := range r.Read(w) {
			if run.From < last || run.To <= run.From || run.To > len(w) || len(run.Symbols) == 0 {
				t.Fatalf("run [%d,%d) after %d of %d words, %d symbols", run.From, run.To, last, len(w), len(run.Symbols))
			}
			for _, s := range run.Symbols {
				if s.Start < w[run.From].Start || s.End > w[run.To-1].End || s.Start >= s.End {
					t.Fatalf("symbol [%d,%d) outside its run", s.Start, s.End)
				}
			}
			last = run.To
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const s = "sure it is four one one one, double one double one, uh one one one one and the name is b as in boy o b thanks so much for the help with all of this"
	w := words(s)
	var r number.Reader
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		r.Read(w)
	}
}
