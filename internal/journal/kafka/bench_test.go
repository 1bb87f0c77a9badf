package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"murmur/internal/journal"
	"murmur/internal/kafkatest"
)

// BenchmarkClusterAppend appends as the outbox does, 512 messages of facts at a time, one batch after another, to one real
// server, beside a bare client that sends the same bytes in the same way.
func BenchmarkClusterAppend(b *testing.B) {
	c := kafkatest.Start(b, 1)
	q, err := Open(Config{Servers: c.Servers, Prefix: "bench"})
	must(b, err)
	defer func() { must(b, q.Close()) }()
	must(b, q.Check(b.Context(), journal.Facts))
	batch := facts(journal.MaxBatch)
	records := make([]*kgo.Record, len(batch))
	for i := range batch {
		batch[i].Payload = make([]byte, 1024)
	}
	for name, send := range map[string]func() error{
		"queue": func() error { return q.Append(b.Context(), batch...) },
		"bare": func() error {
			for i := range batch {
				records[i] = q.record(&batch[i])
			}
			return q.client.ProduceSync(b.Context(), records...).FirstErr()
		},
	} {
		b.Run(name, func(b *testing.B) {
			began, n := time.Now(), 0
			for b.Loop() {
				must(b, send())
				n += len(batch)
			}
			b.ReportMetric(float64(n)/time.Since(began).Seconds(), "messages/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
