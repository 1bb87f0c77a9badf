package reader

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// smallWords are the pieces of the small model, special ones last.
var smallWords = strings.Fields("[UNK] [CLS] [SEP] ann ##a an ##na ' s 東 e a b c d 1 2 [text] [contact] [agent] [other] [p] [l] [a] [d] [v]")

// smallFile is a whole model of one layer whose weights mean nothing.
func smallFile(tb testing.TB) []byte {
	tb.Helper()
	vocabulary := strings.Join(smallWords, "\n") + "\n"
	vocabulary += strings.Repeat("\n", (4-len(vocabulary)%4)%4)
	id := func(w string) int32 {
		for i, s := range smallWords {
			if s == w {
				return int32(i)
			}
		}
		tb.Fatal(w)
		return 0
	}
	h := Header{Version: version, Layers: 1, Inner: 64, Words: len(smallWords), Positions: 160, Window: 160, Labels: []string{"O", "PERSON", "LOCATION"},
		Marks:      map[string]int32{"text": id("[text]"), "contact": id("[contact]"), "agent": id("[agent]"), "other": id("[other]")},
		Masks:      map[string]int32{"PERSON": id("[p]"), "LOCATION": id("[l]"), "ADDRESS": id("[a]"), "DATE": id("[d]"), "OTHER": id("[v]")},
		Vocabulary: len(vocabulary)}
	file, err := json.Marshal(h)
	if err != nil {
		tb.Fatal(err)
	}
	file = append(append(file, '\n'), vocabulary...)
	r := rand.New(rand.NewPCG(1, 2))
	floats := func(n int, by float32) {
		for range n {
			file = binary.LittleEndian.AppendUint32(file, math.Float32bits(by*(r.Float32()-.5)))
		}
	}
	cells := func(n int) {
		for range n {
			file = append(file, byte(int8(r.IntN(255)-127)))
		}
	}
	linear := func(in, out int) { floats(out, .01); cells(in * out); floats(out, 1) }
	floats(h.Words, .01)
	cells(h.Words * width)
	floats(h.Positions*width+2*width, 1)
	for range 4 {
		linear(width, width)
	}
	floats(2*width, 1)
	linear(width, h.Inner)
	linear(h.Inner, width)
	floats(2*width+len(h.Labels)*width+len(h.Labels), 1)
	return file
}

func small(tb testing.TB) *Model {
	tb.Helper()
	m, err := Parse(smallFile(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestADamagedFileIsRefused(t *testing.T) {
	t.Parallel()
	good := smallFile(t)
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	line := strings.IndexByte(string(good), '\n')
	nan := append([]byte{}, good...)
	binary.LittleEndian.PutUint32(nan[len(nan)-4:], math.Float32bits(float32(math.NaN())))
	for name, bad := range map[string][]byte{
		"nothing": nil, "a line end": []byte("\n"), "no header": good[line:], "half": good[:len(good)/2], "cut by one": good[:len(good)-1], "one more": append(good[:len(good):len(good)], 0),
		"no number":    nan,
		"version":      []byte(strings.Replace(string(good), `"version":1`, `"version":2`, 1)),
		"more words":   []byte(strings.Replace(string(good), `"words":26`, `"words":27`, 1)),
		"fewer words":  []byte(strings.Replace(string(good), `"words":26`, `"words":25`, 1)),
		"no layer":     []byte(strings.Replace(string(good), `"layers":1`, `"layers":0`, 1)),
		"below zero":   []byte(strings.Replace(string(good), `"layers":1`, `"layers":-1`, 1)),
		"odd inner":    []byte(strings.Replace(string(good), `"inner":64`, `"inner":65`, 1)),
		"wide inner":   []byte(strings.Replace(string(good), `"inner":64`, `"inner":99999999999`, 1)),
		"small window": []byte(strings.Replace(string(good), `"window":160`, `"window":10`, 1)),
		"far mark":     []byte(strings.Replace(string(good), `"agent":19`, `"agent":99`, 1)),
		"no mark":      []byte(strings.Replace(string(good), `"agent":`, `"agend":`, 1)),
		"vocabulary":   []byte(strings.Replace(string(good), `"vocabulary_bytes":`, `"vocabulary_bytes":9`, 1)),
	} {
		if _, err := Parse(bad); !errors.Is(err, ErrModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParse: any bytes are a model or refused; of the small model only what changes no size is one.
func FuzzParse(f *testing.F) {
	good := smallFile(f)
	f.Add(good[:400], 0)
	f.Add([]byte("{}\n"), 0)
	f.Add([]byte(`"layers":2`), 40)
	f.Fuzz(func(t *testing.T, patch []byte, at int) {
		file := append([]byte{}, good...)
		copy(file[min(max(at, 0), len(file)):], patch)
		for _, bad := range [][]byte{patch, file} {
			m, err := Parse(bad)
			if err != nil {
				if !errors.Is(err, ErrModel) {
					t.Fatal(err)
				}
				continue
			}
			m.Read([]Turn{turnOf(Agent, "anna's a b [PERSON] 東")}, new(Scratch), func(Word) {})
		}
	})
}
