package dtmf_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/dtmf"
)

const symbols = "123A456B789C*0#D"

// dial is the sound of keys of 120 ms at a random loudness, 100 ms apart, with noise snr decibels below them.
func dial(r *rand.Rand, rate int, keys string, snr float64) []int16 {
	pcm := make([]int16, rate/10)
	for i := range len(keys) {
		amplitude := 800 + 10000*r.Float64()
		part := append(audiotest.Press(rate, keys[i], rate*12/100, amplitude), make([]int16, rate/10)...)
		audiotest.Noise(r, part, amplitude*math.Pow(10, -snr/20))
		pcm = append(pcm, part...)
	}
	return pcm
}

func heard(keys []dtmf.Key) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteByte(k.Symbol)
	}
	return b.String()
}

func TestEveryKeyIsHeard(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{8000, 11025, 16000, 44100, 48000} {
		for _, snr := range []float64{100, 20, 15} {
			keys := strings.Repeat(symbols, 1+64000/rate)
			d := dtmf.New(rate)
			got := heard(dtmf.Ended(append(d.Write(dial(rand.New(rand.NewPCG(1, uint64(rate))), rate, keys, snr)), d.Close()...)))
			if got != keys {
				t.Errorf("at %d Hz and %v dB of noise: %d keys of %d", rate, snr, len(got), len(keys))
			}
		}
	}
}

// TestKeysInMuchNoiseAreMasked holds what masking asks for: 99 % at 10 dB, 90 % at 6 dB.
func TestKeysInMuchNoiseAreMasked(t *testing.T) {
	t.Parallel()
	for snr, want := range map[float64]float64{10: 0.99, 6: 0.9} {
		keys := strings.Repeat(symbols, 50)
		if got := len(masked(dial(rand.New(rand.NewPCG(2, 2)), 8000, keys, snr), 8000)); float64(got) < want*float64(len(keys)) {
			t.Errorf("at %v dB: %d keys of %d", snr, got, len(keys))
		}
	}
}

func TestAKeyIsToldWithin60ms(t *testing.T) {
	t.Parallel()
	const rate, tick = 8000, 8 // one millisecond
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 500 {
		symbol := symbols[i%16]
		begins := rate/10 + r.IntN(rate/40)
		pcm := append(make([]int16, begins), audiotest.Press(rate, symbol, rate/5, 5000)...)
		audiotest.Noise(r, pcm, 500)
		d := dtmf.New(rate)
		told := 0
		for at := 0; at < len(pcm) && told == 0; at += tick {
			for _, k := range d.Write(pcm[at:min(at+tick, len(pcm))]) {
				if k.Down && k.Symbol == symbol {
					told = at + tick - begins
				}
			}
		}
		if told == 0 || told > rate*60/1000 {
			t.Fatalf("key %c after silence of %d samples: told after %d samples", symbol, begins, told)
		}
	}
}

// TestSpeechHasNoKeys hears 20 minutes of speech: six minutes of five speakers at four speeds, so at four pitches.
func TestSpeechHasNoKeys(t *testing.T) {
	t.Parallel()
	seconds := 0
	for _, speed := range []float64{1, 0.89, 0.94, 1.06} {
		pcm := audiotest.Speech(t, speed)
		seconds += len(pcm) / 8000
		for _, k := range dtmf.New(8000).Write(pcm) {
			t.Errorf("at speed %v, second %d: key %c", speed, k.Start/8000, k.Symbol)
		}
	}
	t.Logf("%d s of speech", seconds)
	if seconds < 20*60 {
		t.Errorf("only %d s of speech", seconds)
	}
}

func TestPiecesHearWhatTheWholeHears(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	pcm := dial(r, 8000, "12345#", 15)
	whole := dtmf.New(8000)
	want := append(whole.Write(pcm), whole.Close()...)
	for range 20 {
		var got []dtmf.Key
		for rest := pcm; len(rest) > 0; {
			n := min(1+r.IntN(700), len(rest))
			got = append(got, whole.Write(rest[:n])...) // also: a closed detector is as a new one
			rest = rest[n:]
		}
		if got = append(got, whole.Close()...); !slices.Equal(got, want) {
			t.Fatalf("in pieces: %v, whole: %v", got, want)
		}
	}
}

func TestAKeyLiesWhereItSounds(t *testing.T) {
	t.Parallel()
	pcm := append(make([]int16, 8000), audiotest.Press(8000, '7', 2000, 3000)...)
	for _, after := range []int{0, 8000} {
		keys := masked(append(pcm, make([]int16, after)...), 8000)
		if len(keys) != 1 || abs(keys[0].Start-8000) > 204 || abs(keys[0].End-10000) > 204 {
			t.Errorf("%d samples after it: %v", after, keys)
		}
	}
}

func TestOneToneIsNoKey(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{440, 697, 941, 1000, 1209, 1633} {
		if keys := masked(audiotest.Tones(8000, 8000, 8000, f), 8000); len(keys) > 0 {
			t.Errorf("%v Hz: %v", f, keys)
		}
	}
	if keys := masked(audiotest.Tones(8000, 8000, 6000, 350, 440), 8000); len(keys) > 0 {
		t.Errorf("dial tone: %v", keys)
	}
}

// masked are the keys that masking hears in a whole sound.
func masked(pcm []int16, rate int) []dtmf.Key {
	d := dtmf.Sensitive(rate)
	return dtmf.Ended(append(d.Write(pcm), d.Close()...))
}

func abs(x int) int { return max(x, -x) }

func BenchmarkWrite(b *testing.B) {
	pcm := dial(rand.New(rand.NewPCG(5, 5)), 8000, strings.Repeat(symbols, 5), 20)
	d := dtmf.New(8000)
	b.ReportAllocs()
	for b.Loop() {
		d.Write(pcm)
	}
	b.ReportMetric(float64(len(pcm))/8000*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
