package tag

import (
	"slices"
	"strings"
	"testing"
)

// turn makes a turn of words.
func turn(text string) *Turn {
	t := &Turn{Lower: text}
	at := 0
	for w := range strings.SplitSeq(text, " ") {
		t.Tokens = append(t.Tokens, Token{Start: int32(at), End: int32(at + len(w)), Kind: 2})
		at += len(w) + 1
	}
	return t
}

// lessons are words of which the one behind "named" is a name, and "maybe" may be anything.
var lessons = []struct {
	text string
	want []Label
}{
	{"i am named lomax today", []Label{0, 0, 0, Begin(Person), 0}},
	{"he is named ann marie now", []Label{0, 0, 0, Begin(Person), Inside(Person), 0}},
	{"the shop is open today", []Label{0, 0, 0, 0, 0}},
	{"we live in oslo now", []Label{0, 0, 0, Begin(Place), 0}},
	{"named maybe in turin", []Label{0, Free, 0, Begin(Place)}},
}

func taught() *Learner {
	l := NewLearner(Margins{Missed: 20, False: 20, Mixed: 20})
	for n := range 20 {
		for _, s := range lessons {
			l.Learn(turn(s.text), s.want, func(i int) Drop { return Drop((i + n) % 2) })
		}
	}
	return l
}

func TestItLearnsAndCarriesOver(t *testing.T) {
	t.Parallel()
	m := Assemble(Header{}, taught().Weights(6))
	var s Scratch
	for _, c := range append(lessons[:4:4], lessons[0]) {
		x := turn(c.text)
		m.Read(x, &s)
		if got := m.Label(&Bias{}, &s); !slices.Equal(got, c.want) {
			t.Errorf("%q: labels %v, want %v", c.text, got, c.want)
		}
	}
	x := turn("she is named ziggurat today")
	m.Read(x, &s)
	if got := m.Label(&Bias{}, &s); got[3] != Begin(Person) {
		t.Errorf("an unknown name has labels %v", got)
	}
}

func TestTheSameLessonsGiveTheSameWeights(t *testing.T) {
	t.Parallel()
	a, b := taught().Weights(6), taught().Weights(6)
	if a.Moves != b.Moves || !slices.Equal(a.Rows, b.Rows) {
		t.Error("two runs differ")
	}
}

// The packed lanes must add up to what the weights add up to.
func TestLanesNeitherBorrowNorCarry(t *testing.T) {
	t.Parallel()
	w := &Weights{Rows: make([][lanes]int8, Rows)}
	for r := range w.Rows {
		for l := range labels {
			w.Rows[r][l] = []int8{-127, 127, 0, 5}[(r+int(l))%4]
			if l == 3 {
				w.Rows[r][l] = -127
			}
			if l == 4 {
				w.Rows[r][l] = 127
			}
		}
	}
	m := Assemble(Header{}, w)
	x := turn("one two three")
	var s Scratch
	m.Read(x, &s)
	var rows [templates]uint32
	for i := range x.Tokens {
		s.rows(i, &rows)
		for l := range labels {
			sum := int32(0)
			for _, r := range rows {
				sum += int32(w.Rows[r][l])
			}
			if s.read[i][l] != sum {
				t.Errorf("token %d, label %d: %d, want %d", i, l, s.read[i][l], sum)
			}
		}
	}
}

func TestLabelsStandInOrderAndMoreBiasFindsMore(t *testing.T) {
	t.Parallel()
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	x := turn(strings.Repeat("send it to marten vosloo in the old mill on garner lane tomorrow thanks ", 400))
	var s Scratch
	m.Read(x, &s)
	last := -1
	for _, bias := range []int32{-400, 0, 100, 300, 500, 2000} {
		var b Bias
		for c := Person; c < Classes; c++ {
			b[c] = bias
		}
		found := 0
		labels := m.Label(&b, &s)
		for i, l := range labels {
			if l.Class() != Plain {
				found++
			}
			if l.inside() && (i == 0 || labels[i-1] != l && labels[i-1] != l-1) {
				t.Fatalf("token %d goes on with what did not begin", i)
			}
		}
		if found < last {
			t.Errorf("bias %d finds %d words, a smaller one %d", bias, found, last)
		}
		last = found
	}
}

func BenchmarkTag(b *testing.B) {
	m, err := Embedded()
	if err != nil {
		b.Fatal(err)
	}
	x := turn("yeah hi this is teresa walsh i was hoping to move my cleaning to some other time because the kids have school")
	var s Scratch
	b.SetBytes(int64(len(x.Lower)))
	b.ReportAllocs()
	for b.Loop() {
		m.Read(x, &s)
		m.Label(&m.Header.Dials[1], &s)
	}
}
