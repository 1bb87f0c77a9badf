package rampart

import (
	"encoding/binary"
	"errors"
	"testing"
	"unicode/utf8"
)

// field is a length-delimited field of a Protocol Buffers message.
func field(num int, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	out := binary.AppendUvarint(nil, uint64(num)<<3|2)
	out = binary.AppendUvarint(out, uint64(len(body)))
	return append(out, body...)
}

func number(num int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(num)<<3), v)
}

func smallModel() []byte {
	return append(number(1, 8), field(7,
		field(1, field(1, []byte("x")), field(1, []byte("w")), field(3, []byte("mul"))),
		field(5, number(1, 2), number(2, kindFloat), field(8, []byte("w")), field(9, []byte{0, 0, 128, 63, 0, 0, 0, 192})),
		field(5, number(2, kindUint8), field(5, []byte{135, 1}), field(8, []byte("zero"))),
	)...)
}

func TestReadsTensorsAndInputs(t *testing.T) {
	t.Parallel()
	g, err := readONNX(smallModel())
	if err != nil {
		t.Fatal(err)
	}
	if f, err := g.floats("w", 2); err != nil || f[0] != 1 || f[1] != -2 {
		t.Errorf("floats %v, %v", f, err)
	}
	if z, err := g.bytes("zero", 1); err != nil || z[0] != 135 {
		t.Errorf("zero %v, %v", z, err)
	}
	if in := g.inputs["mul"]; len(in) != 2 || in[1] != "w" {
		t.Errorf("inputs %q", in)
	}
	for _, bad := range []func() error{
		func() error { _, err := g.floats("w", 3); return err },
		func() error { _, err := g.bytes("w", 8); return err },
		func() error { _, err := g.floats("none", 0); return err },
		func() error { _, err := readNetwork(smallModel(), 10); return err },
	} {
		if err := bad(); !errors.Is(err, errONNX) {
			t.Errorf("what is not there is read: %v", err)
		}
	}
}

// FuzzONNX: any bytes give a graph or an error, and what is kept points into the file.
func FuzzONNX(f *testing.F) {
	f.Add(smallModel())
	f.Add(smallModel()[:40])
	f.Add(field(7, field(5, []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})))
	f.Fuzz(func(t *testing.T, file []byte) {
		g, err := readONNX(file)
		if err != nil {
			return
		}
		held := 0
		for name, x := range g.tensors {
			held += len(name)
			if len(x.raw) > len(file) || len(x.dims) > len(file) {
				t.Fatal("more than the file holds")
			}
		}
		if held > len(file) {
			t.Fatal("more names than the file holds")
		}
		if _, err := readNetwork(file, 1); err == nil {
			t.Fatal("a small file is a whole network")
		}
	})
}

func smallVocabulary(tb testing.TB) *vocabulary {
	v, err := readVocabulary([]byte("[UNK]\n[CLS]\n[SEP]\nann\n##a\nan\n##na\n'\ns\n東\ne\n"))
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
	if _, err := readVocabulary([]byte("a\nb\n")); err == nil {
		t.Error("a vocabulary without [UNK] is taken")
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
