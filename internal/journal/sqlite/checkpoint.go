package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"murmur/internal/journal"
)

// checkpointAfter is how many messages are committed before the log is written into the file.
const checkpointAfter = 4096

// checkpoints writes the log into the file beside the writer, so that no commit pays for it. SQLite's own way is to do it
// in the commit that fills the log: that one takes as long as a few thousand pages need.
type checkpoints chan struct{} // capacity 1

func (c checkpoints) want() {
	select {
	case c <- struct{}{}:
	default:
	}
}

// checkpoint writes the log each time that is wanted, until ctx ends. It is a goroutine of the journal's. A failed checkpoint
// is tried again the next time, or breaks the writer.
func (j *Journal) checkpoint(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.checkpoints:
		}
		_ = j.writeLog(ctx)
	}
}

// writeLog writes the log into the file. On a reader most of it is written while others commit; what they added meanwhile
// is written between two transactions, so that the log is empty at that moment and begins anew.
func (j *Journal) writeLog(ctx context.Context) error {
	_, most := j.reads.ExecContext(ctx, passively)
	return j.writer.hand(&work{ctx: ctx, err: make(chan error, 1), apart: func(c *sql.Conn) error {
		if errors.Is(classify(most), journal.ErrBroken) {
			return most // nobody knows what the file holds
		}
		_, err := c.ExecContext(context.WithoutCancel(ctx), passively)
		return err
	}})
}

// passively writes as much of the log as is possible without waiting for other connections.
const passively = `pragma wal_checkpoint(passive)`
