package redact

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"murmur/internal/redact/internal/rule/name"
	"murmur/internal/redact/internal/rule/net"
	"murmur/internal/redact/internal/rule/place"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/tag"
)

// corpus is a mixed text in the proportions of a business's calls and texts: mostly talk, some values.
func corpus() []Turn {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "Agent: thanks for calling the dental office, how can I help you today?\n"+
			"Customer: yeah hi this is Teresa Walsh, I was hoping to move my cleaning to some other time because the kids have school\n"+
			"Agent: sure, what's a good call back number in case we get disconnected\n"+
			"Customer: it's four one five, five five five, oh one %s\n"+
			"Agent: great, we have something at 3:30 or a quarter past four, which would you like\n"+
			"Customer: let me think, the later one is better, and could you tell me what the filling cost last time? I thought it was about $120 but my insurance said something else\n"+
			"Agent: one moment please while I look that up for you, it should not take long\n", [...]string{"three two", "double seven", "nine four"}[i%3])
	}
	return ParsePlain(b.String())
}

// measure runs stage over the corpus and prints MB a second of the machine's processor, which other programs do not
// change much, beside those of the wall clock.
func measure(b *testing.B, turns []Turn, stage func(t Turn)) {
	n := 0
	for _, t := range turns {
		n += len(t.Text)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	start := processor()
	for b.Loop() {
		for _, t := range turns {
			stage(t)
		}
	}
	if d := processor() - start; d > 0 {
		b.ReportMetric(float64(n)*float64(b.N)/1e6/d.Seconds(), "MB/cpu-s")
	}
}

// processor is the time this process has had on processors.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRedact is the whole path over one document: every stage, the second reading included.
func BenchmarkRedact(b *testing.B) {
	d, err := New(Config{Dial: Strict})
	if err != nil {
		b.Fatal(err)
	}
	doc := Doc{Turns: corpus()}
	n := 0
	for _, t := range doc.Turns {
		n += len(t.Text)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	start := processor()
	for b.Loop() {
		if _, err := d.Redact(doc); err != nil {
			b.Fatal(err)
		}
	}
	if used := processor() - start; used > 0 {
		b.ReportMetric(float64(n)*float64(b.N)/1e6/used.Seconds(), "MB/cpu-s")
	}
}

// BenchmarkStage is each stage alone, in the order of work.
func BenchmarkStage(b *testing.B) {
	turns := corpus()
	s := new(turn)
	b.Run("normalise", func(b *testing.B) { measure(b, turns, func(t Turn) { s.View = token.ViewOf(t.Text) }) })
	b.Run("tokenise", func(b *testing.B) {
		measure(b, turns, func(t Turn) { s.View = token.ViewOf(t.Text); s.Tokens = token.Tokenise(&s.View, s.Tokens[:0]) })
	})
	b.Run("numbers", func(b *testing.B) {
		measure(b, turns, func(t Turn) {
			s.View = token.ViewOf(t.Text)
			s.Tokens = token.Tokenise(&s.View, s.Tokens[:0])
			s.Words = token.Words(&s.View, s.Tokens, s.Words[:0])
			s.Runs = s.Reader.Read(s.Words)
		})
	})
	loaded := func(rule func()) func(*testing.B) {
		return func(b *testing.B) {
			all := make([]*turn, len(turns))
			for i, t := range turns {
				all[i] = new(turn)
				all[i].load(token.ViewOf(t.Text), Strict)
			}
			i := 0
			measure(b, turns, func(Turn) { s = all[i]; s.Marks = s.Marks[:0]; rule(); i = (i + 1) % len(all) })
		}
	}
	b.Run("anchors", loaded(func() { net.FindAnchors(&s.Scan) }))
	b.Run("names", loaded(func() { name.FindNames(&s.Scan); place.FindPlaces(&s.Scan) }))
	m, err := tag.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("tagger", loaded(func() { s.observe(nil, 0); m.Read(&s.input, &s.tags); m.Label(&m.Header.Dials[Strict], &s.tags) }))
	b.Run("fuse", loaded(func() {
		s.Mark(0, min(2, len(s.Tokens)), Person, 80, ByCue)
		s.Mark(0, 1, Date, 70, ByShape)
		s.spans()
	}))
}
