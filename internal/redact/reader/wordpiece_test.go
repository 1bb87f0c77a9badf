package reader

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"unicode/utf8"
)

func smallVocabulary(tb testing.TB) *vocabulary {
	tb.Helper()
	v, err := readVocabulary([]byte("[UNK]\n[CLS]\n[SEP]\nann\n##a\nan\n##na\n'\ns\n東\ne"))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestLongestPieceFirst(t *testing.T) {
	t.Parallel()
	v := smallVocabulary(t)
	for _, c := range []struct {
		text string
		want []piece
	}{
		{"Anna's", []piece{{3, 0, 3, 0}, {4, 3, 4, 0}, {7, 4, 5, 1}, {8, 5, 6, 2}}},
		{" anx é", []piece{{0, 1, 4, 0}, {10, 5, 7, 1}}},
		{"東a", []piece{{9, 0, 3, 0}, {0, 3, 4, 1}}},
		{"[SEP]", []piece{{0, 0, 1, 0}, {0, 1, 4, 1}, {0, 4, 5, 2}}},
		{"", nil},
	} {
		got := v.pieces(new(cutter), c.text)
		if len(got) != len(c.want) {
			t.Errorf("%q gives %v, want %v", c.text, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q gives %v, want %v", c.text, got, c.want)
				break
			}
		}
	}
	if _, err := readVocabulary([]byte("a\nb\n")); !errors.Is(err, errVocabulary) {
		t.Errorf("a vocabulary without [UNK]: %v", err)
	}
}

// The vectors were made with the tokenizer that the model's authors used (Python package tokenizers 0.22).
func TestPiecesAreThoseOfTheOriginalTokenizer(t *testing.T) {
	t.Parallel()
	m := model(t)
	file, err := os.ReadFile("testdata/pieces.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		var want struct {
			Text    string
			IDs     []int32
			Offsets [][2]int // code points
		}
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		got := m.words.pieces(new(cutter), want.Text)
		if len(got) != len(want.IDs) {
			t.Errorf("%q: %d pieces, want %d", want.Text, len(got), len(want.IDs))
			continue
		}
		for i, p := range got {
			at := [2]int{len([]rune(want.Text[:p.start])), len([]rune(want.Text[:p.end]))}
			if p.id != want.IDs[i] || at != want.Offsets[i] {
				t.Errorf("%q: piece %d is %d at %v, want %d at %v", want.Text, i, p.id, at, want.IDs[i], want.Offsets[i])
			}
		}
	}
}

// FuzzPieces: every piece lies in the text, in order, on the edges of characters.
func FuzzPieces(f *testing.F) {
	v := smallVocabulary(f)
	for _, s := range []string{"Anna's", "é東\x00", "\xff\xfea", "a\u0301\u200b", "ﬁ İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, p := range v.pieces(new(cutter), text) {
			if p.start < 0 || p.end <= p.start || p.end > len(text) || p.start < at {
				t.Fatalf("%v in %d bytes behind %d", p, len(text), at)
			}
			if !utf8.RuneStart(text[p.start]) || p.end < len(text) && utf8.ValidString(text) && !utf8.RuneStart(text[p.end]) {
				t.Fatalf("%v cuts a character", p)
			}
			at = p.start
		}
	})
}
