package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"strings"

	"github.com/zaf/g711"
	"golang.org/x/sync/errgroup"

	"murmur/internal/synth"
)

// callers is how many people ring the recorder, each once, all at the same time; every tenth presses 9.
const callers = 40

// speechFor is how long each of them speaks at most, in bytes of G.711.
const speechFor = 4 * 8000

// ringAll has callers of the last days ring the recorder, with what they said then.
func (s *sender) ringAll(ctx context.Context, days []synth.Day) error {
	if s.Recorder == "" {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	seen := map[*synth.Person]bool{}
	for i := len(days) - 1; i >= 0 && len(seen) < callers; i-- {
		for _, call := range days[i].Calls {
			words := asked(call)
			if words == "" || seen[call.Person] || len(seen) == callers {
				continue
			}
			seen[call.Person] = true
			key := byte(0)
			if len(seen)%10 == 0 {
				key = '9'
			}
			number, id := call.Person.Phone, fmt.Sprintf("demo-%d-%d", s.Seed, len(seen))
			g.Go(func() error { return ring(ctx, s.Recorder, "default", number, id, s.speech(ctx, words), key) })
		}
	}
	return g.Wait()
}

// asked is what a caller said first.
func asked(c synth.Call) string {
	for _, t := range c.Turns {
		if !t.Member && !c.Out {
			return t.Words
		}
	}
	return ""
}

// speech is a sentence as G.711: said by espeak-ng, or, where there is none, tones in the rhythm of its words.
func (s *sender) speech(ctx context.Context, words string) []byte {
	s.voices <- struct{}{} // few at once, so that the rest of the demo has the processor
	defer func() { <-s.voices }()
	cmd := exec.CommandContext(ctx, "espeak-ng", "--stdout", "-s", "190", "-v", "en-us", "--stdin")
	cmd.Stdin = strings.NewReader(words)
	file, err := cmd.Output()
	const head = 44 // espeak-ng's WAV: 16 bits, one leg
	if err != nil || len(file) < head || string(file[:4]) != "RIFF" {
		return tones(words)
	}
	rate := float64(binary.LittleEndian.Uint32(file[24:]))
	pcm := file[head:]
	at := func(i int) float64 {
		i = min(2*i, len(pcm)-2)
		return float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
	}
	var out bytes.Buffer
	for i := 0; out.Len() < speechFor; i++ {
		t := float64(i) * rate / 8000
		n := int(t)
		if 2*n+2 >= len(pcm) {
			break
		}
		out.WriteByte(g711.EncodeUlawFrame(int16(at(n) + (t-float64(n))*(at(n+1)-at(n)))))
	}
	return out.Bytes()
}

// tones stand for speech: one a word, as long as the word.
func tones(words string) []byte {
	var out bytes.Buffer
	for i, w := range strings.Fields(words) {
		low := 180 + 20*float64(i%5)
		for k := range 500 * (len(w) + 1) {
			x := 0.0
			if k < 500*len(w) {
				t := float64(k) / 8000
				x = 5000*math.Sin(2*math.Pi*low*t) + 2000*math.Sin(2*math.Pi*3*low*t)
			}
			out.WriteByte(g711.EncodeUlawFrame(int16(x)))
		}
	}
	return out.Bytes()[:min(out.Len(), speechFor)]
}
