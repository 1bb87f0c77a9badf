package act

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestADamagedModelIsRefused(t *testing.T) {
	t.Parallel()
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), embedded) {
		t.Error("what is written is not what was read")
	}
	for _, at := range []int{0, len(magic), len(magic) + 10, b.Len() / 2, b.Len() - 1} {
		bad := bytes.Clone(b.Bytes())
		bad[at] ^= 4
		if _, err := Parse(bad); !errors.Is(err, ErrModel) {
			t.Errorf("byte %d altered: %v", at, err)
		}
		if _, err := Parse(b.Bytes()[:at]); !errors.Is(err, ErrModel) {
			t.Errorf("cut at %d: %v", at, err)
		}
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"and", "what", "is", "your", "post", "code", "please", "?"}
	var s Scratch
	var got Scores
	if n := testing.AllocsPerRun(100, func() { got = m.Read(words, &s) }); n > 0 || got.Best() != AskPostcode {
		t.Errorf("%v allocations, act %s", n, got.Best())
	}
}

// TestLanesNeitherBorrowNorCarry: packed weights add up to what the weights add up to, in a turn of more rows than a lane holds.
func TestLanesNeitherBorrowNorCarry(t *testing.T) {
	t.Parallel()
	rows := make([][Acts]int8, Rows)
	for r := range rows {
		for a := range rows[r] {
			rows[r][a] = []int8{-127, 127, 0, 5, -128}[(r*a)%5]
		}
	}
	words := make([]string, readWords)
	for i := range words {
		words[i] = strings.Repeat(string(rune('a'+i%26)), 5+i)
	}
	var s Scratch
	got := Assemble(Header{}, rows).Read(words, &s)
	var want Scores
	for _, r := range s.rows {
		for a := range want {
			want[a] += int32(rows[r][a])
		}
	}
	if got != want || len(s.rows) <= lanes {
		t.Errorf("%d rows: %v, want %v", len(s.rows), got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(embedded[:200])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse(b); err != nil && !errors.Is(err, ErrModel) {
			t.Fatal(err)
		}
	})
}
