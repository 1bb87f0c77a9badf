package sqlite

import (
	"testing"

	"murmur/internal/journal"
)

// TestTheLogBeginsAnew: once the log was written into the file, the next transaction begins it anew. SQLite's own
// checkpoints are far off.
func TestTheLogBeginsAnew(t *testing.T) {
	t.Parallel()
	x := start(t)
	for i := 0; i < checkpointAfter; i += journal.MaxBatch {
		var batch []journal.Message
		for n := range journal.MaxBatch {
			batch = append(batch, x.delivery(i+n))
		}
		x.accept(t, batch...)
	}
	if err := x.writeLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.accept(t, x.delivery(checkpointAfter))
	var busy, frames, written int
	if err := x.reads.QueryRow(passively).Scan(&busy, &frames, &written); err != nil || frames > 100 {
		t.Errorf("the log has %d pages: %v", frames, err)
	}
}
