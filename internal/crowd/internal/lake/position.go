package lake

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/apache/iceberg-go"

	"murmur/internal/fact"
)

// ErrMoved is returned by Append when the position is not where the caller thinks: another writer was there. Ask for
// Position and go on from it.
var ErrMoved = errors.New("lake: the position was moved by another writer")

// Step moves one partition of the queue that rows come from: From is the position of the Append before, To that of
// this one. Positions are the queue's own bytes; the lake only compares them for equality. Empty: before the first.
type Step struct {
	Partition int32
	From, To  string
}

// Position is the position of the last Append of a partition that is in the lake; "" before the first.
func (l *Lake) Position(ctx context.Context, partition int32) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return "", err
	}
	return l.position(partition)
}

func (l *Lake) position(partition int32) (string, error) {
	return url.PathUnescape(l.state[fact.Facts].t.Properties().Get(positionName(partition), ""))
}

// properties is how a step is kept with the rows.
func (s Step) properties() iceberg.Properties {
	return iceberg.Properties{positionName(s.Partition): url.PathEscape(s.To)}
}

func positionName(partition int32) string {
	if partition == 0 {
		return propPosition
	}
	return fmt.Sprintf("%s.%d", propPosition, partition)
}
