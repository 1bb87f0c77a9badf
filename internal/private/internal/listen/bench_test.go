package listen

import (
	"io"
	"testing"

	"murmur/internal/audio"
)

// BenchmarkMeasureAndMask decodes a call of two legs, hears its keys and voice, and masks it: everything but words.
func BenchmarkMeasureAndMask(b *testing.B) {
	s := cardCall()
	for range 8 {
		s.then(cardCall())
	}
	rec := s.recording()
	masks := []audio.Interval{{Start: s.length / 4, End: s.length / 2}}
	b.ReportAllocs()
	for b.Loop() {
		sound, err := measured(b.Context(), rec)
		if err != nil {
			b.Fatal(err)
		}
		res := &Result{frames: sound.Frames, Masks: findings(masks, Digits, nobody)}
		if err := res.Write(b.Context(), rec, io.Discard, audio.Silence); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(s.length.Seconds()*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
