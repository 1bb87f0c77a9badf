package reader

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var maskForm = regexp.MustCompile(`\[[A-Z_]+\]`)

var kindOf = map[string]Kind{"PERSON": Person, "LOCATION": Location, "ADDRESS": Address, "POSTCODE": Address, "DATE": Date, "DATE_OF_BIRTH": Date, "AGE": Date}

func turnOf(side Side, text string) Turn {
	t := Turn{Side: side, Text: text, Read: true}
	for _, at := range maskForm.FindAllStringIndex(text, -1) {
		kind, ok := kindOf[text[at[0]+1:at[1]-1]]
		if !ok {
			kind = Value
		}
		t.Masks = append(t.Masks, Mask{at[0], at[1], kind})
	}
	return t
}

func sideOf(n int) Side {
	switch n {
	case 0:
		return Text
	case 1:
		return Contact
	case 2:
		return Agent
	}
	return Other
}

func model(tb testing.TB) *Model {
	tb.Helper()
	m, err := Embedded()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestItComputesWhatItWasTaught: testdata/examples.json was made in Python, by what trained it.
func TestItComputesWhatItWasTaught(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Turns []struct {
			Side int
			Text string
		}
		IDs    []int32
		Logits [][]float32
	}
	if err := json.Unmarshal(b, &examples); err != nil {
		t.Fatal(err)
	}
	m := model(t)
	for n, e := range examples {
		var turns []Turn
		for _, u := range e.Turns {
			turns = append(turns, turnOf(sideOf(u.Side), u.Text))
		}
		var s Scratch
		m.Read(turns, &s, func(Word) {})
		if !slices.Equal(s.ids, e.IDs) {
			t.Errorf("%d: pieces %v, want %v", n, s.ids, e.IDs)
			continue
		}
		got := m.net.run(e.IDs, &s.buffers)
		for i, want := range e.Logits {
			for l := range want {
				if d := abs(got[i*len(want)+l] - want[l]); d > .25 {
					t.Errorf("%d: piece %d, label %d: %g, want %g", n, i, l, got[i*len(want)+l], want[l])
				}
			}
		}
	}
}

// FuzzRead: of every turn to be read each word is told once, in order, at its place; of the others nothing.
func FuzzRead(f *testing.F) {
	m := small(f)
	f.Add("anna's a b\n[PERSON] 東\nc\n"+strings.Repeat("ann ", 400)+"\nd", uint64(5))
	f.Add(strings.Repeat("a b c\n", 60), uint64(0xfff0ff))
	f.Add("\xff\n\n[AGE_40_49", uint64(3))
	f.Fuzz(func(t *testing.T, text string, read uint64) {
		if len(text) > 1<<13 {
			return
		}
		var turns []Turn
		want := 0
		var c cutter
		for i, line := range strings.Split(text, "\n") {
			u := turnOf(Side(i%int(sides)), line)
			u.Read = read>>(i%64)&1 == 1
			turns = append(turns, u)
			for at, k := 0, 0; u.Read && k <= len(u.Masks); k++ {
				end, next := len(line), len(line)
				if k < len(u.Masks) {
					end, next = u.Masks[k].Start, u.Masks[k].End
				}
				m.words.pieces(&c, line[at:end])
				want, at = want+c.words, next
			}
		}
		got, last := 0, Word{}
		m.Read(turns, new(Scratch), func(w Word) {
			if w.Turn < last.Turn || w.Turn == last.Turn && w.Start < last.End || w.Start >= w.End || w.End > len(turns[w.Turn].Text) || !turns[w.Turn].Read {
				t.Fatalf("%v behind %v", w, last)
			}
			if !(w.Personal >= 0 && w.Personal <= 1) || w.Personal > 0 && !slices.Contains(m.Header.Labels[1:], w.Type) {
				t.Fatalf("%v is no guess", w)
			}
			got, last = got+1, w
		})
		if got != want {
			t.Fatalf("%d words are told of, want %d", got, want)
		}
	})
}

// TestWhatWasReadIsNotReadAgain: the second reading of the same turns computes nothing and tells the same.
func TestWhatWasReadIsNotReadAgain(t *testing.T) {
	t.Parallel()
	m := small(t)
	turns := []Turn{turnOf(Agent, "ann"), turnOf(Contact, "a b c")}
	var s Scratch
	var first, second []Word
	m.Read(turns, &s, func(w Word) { first = append(first, w) })
	s.buffers = buffers{}
	m.Read(turns, &s, func(w Word) { second = append(second, w) })
	if !slices.Equal(first, second) || len(first) != 4 || s.buffers.x != nil {
		t.Errorf("%v, then %v (computed again: %v)", first, second, s.buffers.x != nil)
	}
	s.Forget()
	m.Read(turns, &s, func(Word) {})
	if s.buffers.x == nil {
		t.Error("what was forgotten is still known")
	}
}

// TestTooMuchIsNotJudged: what comes behind Most pieces is told as plain.
func TestTooMuchIsNotJudged(t *testing.T) {
	t.Parallel()
	m := small(t)
	var turns []Turn
	for range Most / 50 {
		turns = append(turns, turnOf(Agent, strings.Repeat("a ", 100))) // of which every second one is context
	}
	pieces, plain := 0, 0
	m.Read(turns, new(Scratch), func(w Word) {
		pieces++
		if w.Personal == 0 {
			plain++
		}
	})
	if plain == 0 || pieces-plain > Most {
		t.Errorf("%d words are told of, %d of them not judged", pieces, plain)
	}
}

func BenchmarkRead(b *testing.B) {
	m := model(b)
	text := strings.Repeat("we spoke to oluwaseun adeyinka about the leaking boiler at 47 Hollow Lane and the van is late again. ", 1)
	var turns []Turn
	for i := range 100 { // no two windows are equal
		turns = append(turns, turnOf(Side(1+i%2), text+strings.Repeat("so ", i%7)))
	}
	start := processor()
	for b.Loop() {
		var s Scratch
		m.Read(turns, &s, func(Word) {})
	}
	b.ReportMetric(float64(b.N*100*len(text))/1000/(processor()-start).Seconds(), "kB/cpu-s")
}

func BenchmarkRun(b *testing.B) {
	m := model(b)
	ids := make([]int32, 160)
	for i := range ids {
		ids[i] = int32(100 + i*97)
	}
	var s buffers
	start := processor()
	for b.Loop() {
		m.net.run(ids, &s)
	}
	b.ReportMetric(float64(b.N*len(ids))/(processor()-start).Seconds(), "pieces/cpu-s")
}

// processor is the time this process has had on processors.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
