package pipeline

import (
	"context"
	"errors"
	"syscall"

	"murmur/internal/journal"
)

// theHouse are errors of the installation as a whole, which no delivery and no workspace causes.
var theHouse = []error{
	context.Canceled, context.DeadlineExceeded,
	journal.ErrFull, journal.ErrBroken, journal.ErrTaken, journal.ErrNewer, journal.ErrAhead, journal.ErrStale, journal.ErrClosed,
	journal.ErrAway, journal.ErrUnfit, journal.ErrTrust,
	syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
}

// stops reports whether an error is one of the installation as a whole.
func (p *Pipeline) stops(ctx context.Context, err error) bool {
	for _, h := range theHouse {
		if errors.Is(err, h) {
			return true
		}
	}
	return ctx.Err() != nil || p.House != nil && p.House(err)
}

// stage is a journal.Stage that can be told to set its batch aside because of an error.
type stage func(ctx context.Context, in []journal.Message, aside error) ([]journal.Message, error)

// run runs a stage until ctx ends or the installation fails. When a batch fails and no message is known as the cause,
// run tries it again in halves, down to one message, which it sets aside. When even that fails, the message is not the
// cause.
func (p *Pipeline) run(ctx context.Context, r journal.Reader, f stage) error {
	var size int              // of the batch under way; 0: none
	var aside error           // why the next one, a single message, is to be set aside
	limit := journal.MaxBatch // of the next batch
	r.Limit = func() int { return limit }
	for {
		err := p.Journal.Transform(ctx, r, func(ctx context.Context, in []journal.Message) ([]journal.Message, error) {
			if size > 0 { // the one before was committed
				limit, aside = min(2*limit, journal.MaxBatch), nil
			}
			size = len(in)
			out, err := f(ctx, in, aside)
			if errors.Is(err, journal.ErrEarly) {
				size = 0
			}
			return out, err
		})
		switch {
		case err == nil || p.stops(ctx, err) || size == 0 || aside != nil:
			return err
		case size > 1:
			limit = size / 2
		default:
			limit, aside = 1, err
		}
		size = 0
	}
}
