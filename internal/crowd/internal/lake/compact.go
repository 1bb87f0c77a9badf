package lake

import (
	"context"
	"errors"
)

// Compact sorts loose rows into their days, merges the files of each day and bucket, and drops superseded versions, in
// whatever day they are. It goes through many days a commit; appends get their turn in between.
func (l *Lake) Compact(ctx context.Context) error {
	return wrap("compact", errors.Join(l.merge(ctx, true), l.settle(ctx)))
}

// merge brings files into the layout: all of them, or where there are many.
func (l *Lake) merge(ctx context.Context, all bool) error {
	loose, _, err := l.untidy(ctx, all)
	if err != nil {
		return err
	}
	err = l.rewriteAll(ctx, loose)
	_, sorted, failed := l.untidy(ctx, all) // sorting loose rows may leave a day with many files
	return errors.Join(err, failed, l.rewriteAll(ctx, sorted))
}

func (l *Lake) untidy(ctx context.Context, all bool) (loose, sorted []group, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return nil, nil, err
	}
	loose, sorted = l.scattered(all)
	return loose, sorted, nil
}
