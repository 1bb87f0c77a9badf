package listen

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/wav"
)

// maxPeak is what a recording may take, in bytes of heap, however long it is. The promise is 256 MB for the process.
const maxPeak = 32 << 20

// long is a recording of two legs that is made while it is read: a quarter of a second of sound every five.
func long(seconds int, peak *uint64) Recording {
	const rate, legs = 8000, 2
	var head, block bytes.Buffer
	if _, err := wav.NewWriter(&head, rate, legs, rate*seconds); err != nil {
		panic(err) // for a length that no file has
	}
	pcm := append(audiotest.Tones(rate, legs*rate/4, 3000, 300), make([]int16, legs*rate*19/4)...)
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

// peakOf measures a long recording and masks every tenth second of it; it gives the most heap that was in use meanwhile.
func peakOf(t testing.TB, length time.Duration) (peak uint64) {
	t.Helper()
	runtime.GC()
	rec := long(int(length/time.Second), &peak)
	s, err := measured(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	if s.Duration() != length || len(s.Voice[0]) != int(length/(5*time.Second)) {
		t.Fatalf("%v, %d stretches of voice", s.Duration(), len(s.Voice[0]))
	}
	var masks []audio.Interval
	for at := time.Duration(0); at < length; at += 10 * time.Second {
		masks = append(masks, audio.Interval{Start: at, End: at + time.Second})
	}
	res := &Result{frames: s.Frames, Masks: findings(masks, Digits, nobody)}
	if err := res.Write(t.Context(), rec, io.Discard, audio.Silence); err != nil {
		t.Fatal(err)
	}
	return peak
}

// TestMemoryIsBounded is not parallel: others would be measured too. MURMUR_FULL=1 takes an hour's recording.
func TestMemoryIsBounded(t *testing.T) {
	length := 5 * time.Minute
	if os.Getenv("MURMUR_FULL") != "" {
		length = time.Hour
	}
	if peak := peakOf(t, length); peak == 0 || peak > maxPeak {
		t.Errorf("%v of two legs took %d MiB of heap, want 1 to %d", length, peak>>20, maxPeak>>20)
	}
}

// BenchmarkAnHour decodes an hour of two legs, hears its keys and voice, and masks it.
func BenchmarkAnHour(b *testing.B) {
	var peak uint64
	for b.Loop() {
		peak = max(peak, peakOf(b, time.Hour))
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	b.ReportMetric(3600*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
