package crowd

import (
	"context"
)

// Breach is a file of the lake, relative to it, and what is wrong with it. Rows is what is lost with it at most.
type Breach struct {
	File, What string
	Rows       int64
}

// Verify reads every file of the lake and compares it with what was recorded when it was written.
func (c *Crowd) Verify(ctx context.Context) (files int, found []Breach, err error) {
	stats, err := c.lake.Stats(ctx)
	if err != nil {
		return 0, nil, err
	}
	breaches, err := c.lake.Verify(ctx)
	for _, b := range breaches {
		found = append(found, Breach(b))
	}
	return stats.Facts.Files + stats.Texts.Files, found, err
}

// Backup copies the lake and its catalog.
func (c *Crowd) Backup(ctx context.Context, dir, catalog string) error {
	return c.lake.Backup(ctx, dir, catalog)
}
