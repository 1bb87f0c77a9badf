package tag

import (
	"bytes"
	"errors"
	"testing"
)

func TestTheModelThatShipsSaysWhatItWasBuiltFrom(t *testing.T) {
	t.Parallel()
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Header.Inputs) == 0 || m.Header.Tokens == 0 || m.Header.Epochs == 0 {
		t.Fatalf("header %+v", m.Header)
	}
	for _, in := range m.Header.Inputs {
		if in.Name == "" || len(in.SHA256) != 64 || in.Licence == "" || in.Documents == 0 {
			t.Errorf("input %+v", in)
		}
	}
	if _, err := Read(bytes.NewReader(embedded)); err != nil {
		t.Errorf("its checksum: %v", err)
	}
	if len(embedded) > 14<<20 {
		t.Errorf("the model has %d bytes", len(embedded))
	}
}

func TestDialsRise(t *testing.T) {
	t.Parallel()
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	d := m.Header.Dials
	for c := range Classes {
		if d[0][c] > d[1][c] || d[1][c] > d[2][c] {
			t.Errorf("class %d: %d, %d, %d from balanced to paranoid", c, d[0][c], d[1][c], d[2][c])
		}
	}
	if d[0][Plain] != 0 || d[2][Plain] != 0 {
		t.Error("a dial favours plain words")
	}
}

// small is a file of a model with few rows that say anything.
func small(t testing.TB) []byte {
	w := &Weights{Rows: make([][lanes]int8, Rows)}
	w.Rows[3][1], w.Rows[Rows-1][12], w.Moves[2][1] = -127, 127, -9
	var b bytes.Buffer
	if err := Assemble(Header{Seed: 7, Inputs: []Input{{Name: "x"}}}, w).Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAModelIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	file := small(t)
	m, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Seed != 7 || m.rows[3].weight(1) != -127 || m.rows[Rows-1].weight(12) != 127 || m.rows[0].weight(4) != 0 || m.moves[2][1] != -9 {
		t.Error("it came back altered")
	}
	var again bytes.Buffer
	if err := m.Write(&again); err != nil || !bytes.Equal(again.Bytes(), file) {
		t.Error("written again it is another file")
	}
}

func TestACutOrAlteredModelIsRefused(t *testing.T) {
	t.Parallel()
	file := small(t)
	for i, bad := range [][]byte{nil, file[:10], file[:len(file)/2], file[:len(file)-1], append([]byte("x"), file...), flip(file, 40), flip(file, len(file)-12), flip(file, len(file)/2)} {
		if _, err := Read(bytes.NewReader(bad)); !errors.Is(err, ErrModel) {
			t.Errorf("case %d: error %v", i, err)
		}
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x10
	return b
}

func FuzzRead(f *testing.F) {
	f.Add(small(f))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Read(bytes.NewReader(file))
		if err == nil && len(m.rows) != Rows || err != nil && !errors.Is(err, ErrModel) {
			t.Fatalf("error %v", err)
		}
	})
}
