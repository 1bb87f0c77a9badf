package listen

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/audio"
)

func TestReadWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]Word{
		`[]`: nil,
		`[{"w":"b","start":2,"end":2.5,"leg":1,"conf":0.25},{"w":" a ","start":1,"end":1.5}]`: {
			{Text: "a", Start: time.Second, End: 1500 * time.Millisecond, Conf: 1},
			{Text: "b", Leg: 1, Start: 2 * time.Second, End: 2500 * time.Millisecond, Conf: 0.25},
		},
		`[{"w":"one two","start":0,"end":1}]`: {
			{Text: "one", End: 500 * time.Millisecond, Conf: 1}, {Text: "two", Start: 500 * time.Millisecond, End: time.Second, Conf: 1},
		},
		`[{"w":"","start":0,"end":1}]`: nil,
	} {
		h, timed, err := ReadWords(strings.NewReader(in))
		if err != nil || !timed || !slices.Equal(h.Words, want) {
			t.Errorf("%s: %v, %v, %v", in, h.Words, timed, err)
		}
	}
	if h, timed, err := ReadWords(strings.NewReader(`[{"w":"a"},{"w":"b","start":1,"end":2}]`)); err != nil || timed || len(h.Words) != 2 {
		t.Errorf("a word without a time: %v, %v", timed, err)
	}
}

func TestBadWordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		``, `{}`, `[`, `[1]`, `[{"w":1,"start":0,"end":1}]`, `[{"start":0,"end":1}]`, `[{"w":"Berg","start":2,"end":1}]`,
		`[{"w":"Berg","start":-5,"end":1}]`, `[{"w":"Berg","start":0,"end":1e300}]`, `[{"w":"Berg","start":0,"end":1,"leg":2}]`,
		`[{"w":"Berg","start":0,"end":1,"leg":-1}]`, `[{"w":"` + strings.Repeat("Berg", 100) + `","start":0,"end":1}]`,
		`[` + strings.Repeat(`{"w":"a","start":0,"end":1},`, maxWords+1) + `{"w":"a","start":0,"end":1}]`,
	} {
		_, _, err := ReadWords(strings.NewReader(in))
		if !errors.Is(err, ErrWords) || strings.Contains(err.Error(), "Berg") {
			t.Errorf("%.60s: %v", in, err)
		}
	}
}

func TestWordsOutsideOfSpeechAreMadeUp(t *testing.T) {
	t.Parallel()
	words, speech, err := readLines(strings.NewReader(`{"speech":[1,2]}
{"w":"yes","start":1.2,"end":1.6,"conf":0.9}

{"w":"thanks","start":5,"end":6,"conf":0.9}
{"w":"six","start":1.9,"end":2.1,"second":true}
`), 1)
	if err != nil || len(words) != 2 || words[0].Text != "yes" || words[1].Text != "six" || !words[1].Second || words[0].Leg != 1 {
		t.Errorf("%v, %v", words, err)
	}
	if !slices.Equal(speech, []audio.Interval{{Start: time.Second, End: 2 * time.Second}}) {
		t.Errorf("speech: %v", speech)
	}
	for _, in := range []string{"Berg", `{"w":"Berg"}`, `{"speech":[1]}`, `{"speech":[2,1]}`, `{"w":"Berg","start":0,"end":1,"speech":[0,1]}`, `{}`, strings.Repeat("x", 1<<17)} {
		if _, _, err := readLines(strings.NewReader(in), 0); err == nil || strings.Contains(err.Error(), "Berg") {
			t.Errorf("%.40s: %v", in, err)
		}
	}
}

// TestDigitsInARow holds the rule that masks digits whatever the text says.
func TestDigitsInARow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"four one two eight":                        true,
		"four uh one then two er eight":             true,
		"4128":                                      true,
		"582-0630":                                  true,
		"double oh seven five nine":                 true,
		"two one one":                               true, // one by one
		"four to one two eight":                     true, // one homophone
		"for to for to for to":                      false,
		"one thing to do for you":                   false,
		"for one hundred twenty dollars":            false,
		"twenty two people at seven":                false,
		"two or three":                              false,
		"we said one and then two and it was at 30": true, // 1 2 3 0 may be digits
	} {
		s := new(script).say(0, text)
		if got := len(digitRuns(s.Words)) > 0; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	slow := new(script).say(0, "four")
	for _, w := range []string{"one", "two", "eight"} {
		slow.length += runGap
		slow.say(0, w)
	}
	if len(digitRuns(slow.Words)) > 0 {
		t.Error("digits too far apart are a run")
	}
}

// TestTheWholeOfATurnIsInItsText holds the way from code points of a text back to words.
func TestTheWholeOfATurnIsInItsText(t *testing.T) {
	t.Parallel()
	s := new(script).say(0, "zoë says Å is 4012 ok")
	all := turns(sentences(s.Words))
	if len(all) != 1 {
		t.Fatalf("%d turns", len(all))
	}
	runes := []rune(all[0].text)
	for start := range runes {
		for end := start + 1; end <= len(runes); end++ {
			first, last := all[0].within(start, end)
			var want []string
			for i, w := range all[0].words {
				from := all[0].from[i]
				if from < end && from+len([]rune(w.Text)) > start {
					want = append(want, w.Text)
				}
			}
			if got := last - first; got != len(want) && !(got < 0 && len(want) == 0) {
				t.Fatalf("[%d, %d): words %d to %d, want %v", start, end, first, last, want)
			}
		}
	}
}

func TestTurnsFollowTheClock(t *testing.T) {
	t.Parallel()
	words := []Word{ // leg 1 says "uh huh" while leg 0 goes on
		{Text: "four", Start: 0, End: 1e9}, {Text: "one", Start: 1e9, End: 2e9},
		{Text: "mhm", Leg: 1, Start: 1.5e9, End: 1.7e9}, {Text: "two", Start: 2e9, End: 3e9},
		{Text: "thanks", Leg: 1, Start: 4e9, End: 5e9}, {Text: "bye", Start: 9e9, End: 10e9},
	}
	var got []string
	for _, t := range turns(sentences(words)) {
		got = append(got, t.text)
	}
	if want := []string{"four one two", "mhm thanks", "bye"}; !slices.Equal(got, want) && !slices.Equal(got, []string{"four one two", "mhm", "thanks", "bye"}) {
		t.Errorf("turns: %q, want %q", got, want)
	}
}

func FuzzWords(f *testing.F) {
	f.Add(`[{"w":"a","start":0,"end":1,"leg":1,"conf":0.5}]`, uint64(3))
	f.Add(`[{"w":"four one two eight","start":0.5,"end":1},{"w":"b"}]`, uint64(1))
	f.Add(`{"speech":[0,1]}`+"\n"+`{"w":"six","start":0,"end":1,"second":true}`, uint64(9))
	d := redactor(f, nil)
	f.Fuzz(func(t *testing.T, in string, seed uint64) {
		_, _, _ = readLines(strings.NewReader(in), 0)
		h, timed, err := ReadWords(strings.NewReader(in))
		if err != nil || !timed {
			return
		}
		voice, r := audio.Levels{}, rand.New(rand.NewPCG(seed, seed))
		for range 300 {
			voice = append(voice, uint8(r.IntN(60)))
		}
		s := &Sound{Rate: rate, Frames: 3 * rate, Levels: []audio.Levels{voice, voice}, Voice: [][]audio.Interval{voice.Regions(), voice.Regions()}}
		if h.fit(s.Duration(), 2) != nil {
			return
		}
		h.Words = stretch(h.Words, s.Voice)
		found, _, err := d.find(s, h)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range masks(found, s) {
			if m.Start < 0 || m.End > s.Duration() || m.End <= m.Start {
				t.Fatalf("a mask outside of the recording: %v", m.Interval)
			}
		}
		hide(h.Words, found)
	})
}
