package crowd

import (
	"context"

	"murmur/internal/crowd/internal/lake"
)

var (
	// ErrTaken is returned by Open where another directory keeps its lake at the place in the bucket, and by what writes where a
	// copy of this directory does.
	ErrTaken = lake.ErrTaken
	// ErrOther is returned by Open for a lake that is in another bucket than Config.Bucket.
	ErrOther = lake.ErrOther
)

// Away is what is known of the bucket that has the lake's files.
type Away struct {
	Address string
	Copies  int64 // bytes of its files on this machine
	Kept    int   // files that nothing needs and that could not be deleted
	Failed  error // why it did not serve the last time; nil: it did
}

// Away gives what is known without asking the bucket; ok is false where the directory has the lake's files.
func (c *Crowd) Away() (a Away, ok bool) {
	s, ok := c.lake.Away()
	return Away(s), ok
}

// AskBucket tries whether the bucket serves.
func (c *Crowd) AskBucket(ctx context.Context) error { return c.lake.Ask(ctx) }

// Where gives the address of the bucket that has the files of the lake with this catalog; "": the directory has them.
func Where(ctx context.Context, catalog string) (string, error) { return lake.Where(ctx, catalog) }

// ComeBack brings the lake's files back into the directory; then the zone must be opened anew, without the bucket. left says why
// some objects could not be deleted.
func (c *Crowd) ComeBack(ctx context.Context) (left, err error) { return c.lake.ComeBack(ctx) }

// Bytes is how large the lake's data files are.
func (c *Crowd) Bytes(ctx context.Context) (int64, error) {
	s, err := c.lake.Stats(ctx)
	return s.Facts.Bytes + s.Texts.Bytes, err
}
