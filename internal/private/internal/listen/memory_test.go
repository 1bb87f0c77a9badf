package listen

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"murmur/internal/private/internal/audio"
	"murmur/internal/private/internal/audio/audiotest"
	"murmur/internal/private/internal/audio/wav"
)

// maxPeak is what an hour may take, in bytes of heap. The promise is 256 MB for the process.
const maxPeak = 64 << 20

// hour is a recording of two legs, an hour long, that is made while it is read: a second of sound, four of silence.
func hour(peak *uint64) Recording {
	const rate, legs, seconds = 8000, 2, 3600
	var head, block bytes.Buffer
	if _, err := wav.NewWriter(&head, rate, legs, rate*seconds); err != nil {
		panic(err) // for a length that no file has
	}
	pcm := append(audiotest.Tones(rate, legs*rate, 3000, 300), make([]int16, 4*legs*rate)...)
	for _, s := range pcm {
		block.Write([]byte{byte(s), byte(uint16(s) >> 8)})
	}
	return func(context.Context) (io.ReadCloser, error) {
		parts := []io.Reader{bytes.NewReader(head.Bytes())}
		for range seconds / 5 {
			parts = append(parts, bytes.NewReader(block.Bytes()))
		}
		return io.NopCloser(&watching{io.MultiReader(parts...), peak, 0}), nil
	}
}

// watching looks at the heap every megabyte that is read.
type watching struct {
	io.Reader
	peak *uint64
	read int
}

func (w *watching) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if w.read += n; w.read >= 1<<20 {
		w.read = 0
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*w.peak = max(*w.peak, m.HeapAlloc)
	}
	return n, err
}

// anHour measures an hour and masks every tenth second of it; it gives the most heap that was in use meanwhile.
func anHour(t testing.TB) (peak uint64) {
	t.Helper()
	runtime.GC()
	rec := hour(&peak)
	s, err := measured(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	if s.Duration() != time.Hour || len(s.Voice[0]) != 720 {
		t.Fatalf("%v, %d stretches of voice", s.Duration(), len(s.Voice[0]))
	}
	var masks []audio.Interval
	for at := time.Duration(0); at < time.Hour; at += 10 * time.Second {
		masks = append(masks, audio.Interval{Start: at, End: at + time.Second})
	}
	res := &Result{frames: s.Frames, Masks: findings(masks, Digits, nobody)}
	if err := res.Write(t.Context(), rec, io.Discard, audio.Silence); err != nil {
		t.Fatal(err)
	}
	return peak
}

// TestMemoryOfAnHour is not parallel: others would be measured too.
func TestMemoryOfAnHour(t *testing.T) {
	if peak := anHour(t); peak == 0 || peak > maxPeak {
		t.Errorf("an hour of two legs took %d MiB of heap, want 1 to %d", peak>>20, maxPeak>>20)
	}
}

// BenchmarkAnHour is the same with its figures.
func BenchmarkAnHour(b *testing.B) {
	var peak uint64
	for b.Loop() {
		peak = max(peak, anHour(b))
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	b.ReportMetric(3600*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
