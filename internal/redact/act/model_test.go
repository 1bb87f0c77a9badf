package act

import (
	"bytes"
	"errors"
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

func FuzzParse(f *testing.F) {
	f.Add(embedded[:200])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse(b); err != nil && !errors.Is(err, ErrModel) {
			t.Fatal(err)
		}
	})
}
