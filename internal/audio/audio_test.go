package audio_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/wav"
)

const rate = 8000

func span(start, end float64) audio.Interval {
	return audio.Interval{Start: time.Duration(start * 1e9), End: time.Duration(end * 1e9)}
}

func TestIntervals(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	random := func() (out []audio.Interval) {
		for range r.IntN(12) {
			start := r.IntN(100)
			out = append(out, audio.Interval{Start: time.Duration(start), End: time.Duration(start + r.IntN(20))})
		}
		return out
	}
	has := func(in []audio.Interval, t time.Duration) bool {
		return slices.ContainsFunc(in, func(i audio.Interval) bool { return i.Start <= t && t < i.End })
	}
	for range 2000 {
		a, b := random(), random()
		ua, ub := audio.Union(a, 0), audio.Union(b, 0)
		without, common := audio.Without(ua, ub), audio.Common(ua, ub)
		n := 0
		for i := range time.Duration(130) {
			if has(ua, i) != has(a, i) || has(without, i) != (has(a, i) && !has(b, i)) || has(common, i) != (has(a, i) && has(b, i)) {
				t.Fatalf("at %d: a %v, b %v: %v, %v, %v", i, a, b, ua, without, common)
			}
			if has(a, i) {
				n++
			}
		}
		if audio.Total(ua) != time.Duration(n) {
			t.Fatalf("total of %v is %d", ua, audio.Total(ua))
		}
	}
	if got := audio.Union([]audio.Interval{span(1, 2), span(2.3, 3), span(4, 5)}, 400*time.Millisecond); !slices.Equal(got, []audio.Interval{span(1, 3), span(4, 5)}) {
		t.Errorf("joined: %v", got)
	}
}

// levels are those of sound with voice in the intervals.
func levels(length time.Duration, voice ...audio.Interval) (audio.Levels, []int16) {
	pcm := make([]int16, int(length.Seconds()*rate))
	audiotest.Noise(rand.New(rand.NewPCG(2, 2)), pcm, 8)
	for _, v := range voice {
		for i := int(v.Start.Seconds() * rate); i < int(v.End.Seconds()*rate); i++ {
			pcm[i] += int16((i * 2654435761 % 8191) - 4095)
		}
	}
	m := audio.NewMeter(rate)
	for part := range slices.Chunk(pcm, 777) {
		m.Write(part)
	}
	m.Close()
	return m.Levels, pcm
}

func TestVoiceIsFound(t *testing.T) {
	t.Parallel()
	want := []audio.Interval{span(1, 2), span(3.5, 3.7), span(5, 9)}
	l, pcm := levels(10*time.Second, want...)
	if len(l) != len(pcm)/(rate/100) {
		t.Errorf("%d levels of %d samples", len(l), len(pcm))
	}
	got := l.Regions()
	if len(got) != len(want) {
		t.Fatalf("regions: %v", got)
	}
	for i := range want {
		if (got[i].Start-want[i].Start).Abs() > 60*time.Millisecond || (got[i].End-want[i].End).Abs() > 60*time.Millisecond {
			t.Errorf("region %v, want %v", got[i], want[i])
		}
	}
	silent, _ := levels(5 * time.Second)
	if r := silent.Regions(); len(r) > 0 {
		t.Errorf("voice in silence: %v", r)
	}
	if r := (audio.Levels{}).Regions(); r != nil {
		t.Errorf("voice in nothing: %v", r)
	}
}

func TestPadding(t *testing.T) {
	t.Parallel()
	l, _ := levels(20*time.Second, span(2, 4), span(10, 11))
	for name, test := range map[string]struct{ in, want []audio.Interval }{
		"to the silence behind a word":  {[]audio.Interval{span(3, 3.6)}, []audio.Interval{span(2.8, 4.05)}},
		"a whole region":                {[]audio.Interval{span(10, 11)}, []audio.Interval{span(9.8, 11.3)}},
		"close ones are one":            {[]audio.Interval{span(10, 10.3), span(11, 11.2)}, []audio.Interval{span(9.8, 11.55)}},
		"cut off at the beginning":      {[]audio.Interval{span(0, 0.1)}, []audio.Interval{span(0, 0.5)}},
		"at the end: longer before it":  {[]audio.Interval{span(19.6, 20)}, []audio.Interval{span(19.25, 20)}},
		"nothing":                       {nil, nil},
		"the whole, and more than that": {[]audio.Interval{span(0, 25)}, []audio.Interval{span(0, 20)}},
	} {
		got := audio.Pad(test.in, []audio.Levels{l}, 20*time.Second)
		ok := len(got) == len(test.want)
		for i := range got {
			ok = ok && (got[i].Start-test.want[i].Start).Abs() <= 20*time.Millisecond && (got[i].End-test.want[i].End).Abs() <= 270*time.Millisecond
			if got[i].Start > 0 || got[i].End < 20*time.Second {
				ok = ok && got[i].Length()%(250*time.Millisecond) == 0
			}
		}
		if !ok || len(audio.Without(audio.Common(audio.Union(test.in, 0), []audio.Interval{span(0, 20)}), got)) > 0 {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestMasking(t *testing.T) {
	t.Parallel()
	_, pcm := levels(6*time.Second, span(0, 6))
	stereo := make([]int16, 0, 2*len(pcm))
	for _, s := range pcm {
		stereo = append(stereo, s, -s)
	}
	var in bytes.Buffer
	w, err := wav.NewWriter(&in, rate, 2, len(pcm))
	if err == nil {
		err = w.Write(stereo)
	}
	if err != nil {
		t.Fatal(err)
	}
	masks := []audio.Interval{span(0, 0.5), span(1.2345, 2.5), span(5.5, 6)}
	for _, fill := range []audio.Fill{audio.Silence, audio.Tone} {
		var out bytes.Buffer
		if err := audio.Mask(&out, reader(t, in.Bytes()), len(pcm), masks, fill); err != nil {
			t.Fatal(err)
		}
		got := all(t, reader(t, out.Bytes()))
		if len(got) != len(stereo) || out.Len() != 44+2*len(stereo) {
			t.Fatalf("%d samples became %d in %d bytes", len(stereo), len(got), out.Len())
		}
		for i := range got {
			frame, leg := i/2, i%2
			now := time.Duration(frame) * time.Second / rate
			inside := slices.ContainsFunc(masks, func(m audio.Interval) bool { return m.Start <= now && now < m.End })
			near := slices.ContainsFunc(masks, func(m audio.Interval) bool {
				return m.Start-11*time.Millisecond <= now && now < m.End+11*time.Millisecond
			})
			switch {
			case inside && fill == audio.Silence && got[i] != 0, inside && got[i] != got[i-leg]:
				t.Fatalf("frame %d, leg %d: %d is left", frame, leg, got[i])
			case !near && got[i] != stereo[i]:
				t.Fatalf("frame %d changed", frame)
			}
		}
	}
	var one bytes.Buffer
	if err := audio.Extract(&one, reader(t, in.Bytes()), len(pcm), 1, masks); err != nil {
		t.Fatal(err)
	}
	leg := all(t, reader(t, one.Bytes()))
	if len(leg) != len(pcm) || leg[rate] != stereo[2*rate+1] || leg[2*rate] != 0 {
		t.Error("the second leg is not what was extracted")
	}
}

func reader(t *testing.T, b []byte) *wav.Reader {
	t.Helper()
	r, err := wav.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func all(t *testing.T, r *wav.Reader) (out []int16) {
	t.Helper()
	pcm := make([]int16, 1000)
	for {
		n, err := r.Read(pcm)
		out = append(out, pcm[:n]...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	b := audio.Shares([][]audio.Interval{
		{span(0, 4), span(6, 8)},   // 6 s
		{span(3.5, 6), span(9, 9)}, // 2.5 s; begins while the other speaks, who gives way
	}, 10*time.Second)
	if !slices.Equal(b.Talk, []float64{0.6, 0.25}) || b.Silence < 0.199 || b.Silence > 0.201 || !slices.Equal(b.Interruptions, []int{0, 1}) {
		t.Errorf("%+v", b)
	}
	hm := audio.Shares([][]audio.Interval{{span(0, 8)}, {span(3, 3.4)}}, 10*time.Second)
	if !slices.Equal(hm.Interruptions, []int{0, 0}) {
		t.Errorf("a hm interrupts: %+v", hm)
	}
	if b := audio.Shares([][]audio.Interval{{span(0, 1)}, nil}, 0); b.Silence != 0 || b.Talk[0] != 0 {
		t.Errorf("of nothing: %+v", b)
	}
}

// BenchmarkMask masks a tenth of ten minutes of two legs.
func BenchmarkMask(b *testing.B) {
	const minutes = 10
	pcm := make([]int16, minutes*60*rate*2)
	audiotest.Noise(rand.New(rand.NewPCG(3, 3)), pcm, 1000)
	var in bytes.Buffer
	w, err := wav.NewWriter(&in, rate, 2, len(pcm)/2)
	if err == nil {
		err = w.Write(pcm)
	}
	if err != nil {
		b.Fatal(err)
	}
	var masks []audio.Interval
	for s := range minutes * 6 {
		masks = append(masks, span(float64(10*s), float64(10*s+1)))
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := wav.NewReader(bytes.NewReader(in.Bytes()))
		if err == nil {
			err = audio.Mask(io.Discard, r, len(pcm)/2, masks, audio.Silence)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(minutes*60*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
