package crowd

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// repeatedBy is how many contacts got a reply before it has a name, as the minimum group of what comes from words. A table
// shows the name only of a period in which enough contacts got it (package release).
const repeatedBy = 10

// longestReply is in bytes: what is longer is no reply that one types.
const longestReply = 1_000

// replyName is a masked text as the name of its reply. Of all texts with one label the one with the least hash is the name,
// so that it does not depend on their order: the least hash is the newest version.
func replyName(l fact.Label, text string) entry {
	h := sha256.Sum256([]byte(text))
	return entry{label: l, dim: fact.DimReply, naming: naming{text, math.MaxInt64 - int64(binary.BigEndian.Uint64(h[:8])>>1)}}
}

// renameReply keeps the name of a reply that has one; the row of f is about to be stored.
func (c *Crowd) renameReply(ctx context.Context, ws workspace.ID, f fact.Fact) error {
	m, ok := f.(*fact.Message)
	if !ok || m.Reply == 0 || !m.Body.Valid() || len(m.Body.String()) > longestReply {
		return nil
	}
	if has, err := c.names.has(ctx, ws, m.Reply); err != nil || !has {
		return err
	}
	return c.names.put(ctx, ws, []entry{replyName(m.Reply, m.Body.String())})
}

// withReplies is the dictionary for the tables of a block: of all replies it has those that enough contacts got within the block,
// so that it follows from the rows alone, whatever came first. One that has no name yet gets it.
func (l *look) withReplies(ctx context.Context, block release.Period, files release.Snapshot) (release.Dictionary, error) {
	repeated, err := l.engine.Repeated(ctx, l.ws, files, release.Span{Start: block.Start, End: block.End}, repeatedBy)
	if err != nil {
		return release.Dictionary{}, err
	}
	fresh := maps.Clone(repeated)
	for _, n := range l.names.Labels {
		delete(fresh, fact.Label(n.Key))
	}
	if len(fresh) > 0 {
		if err := l.nameReplies(ctx, fresh); err != nil {
			return release.Dictionary{}, err
		}
	}
	return l.names.Without(func(n release.Label) bool { return n.Dim == fact.DimReply && !repeated[fact.Label(n.Key)] }), nil
}

// nameReplies names replies out of the words in the lake.
func (l *look) nameReplies(ctx context.Context, fresh map[fact.Label]bool) error {
	// No text may come to the lake between the reading of them all and the name: it would not be asked.
	l.appending.Lock()
	defer l.appending.Unlock()
	snapshot, unpin, err := l.lake.Pin(ctx)
	if err != nil {
		return err
	}
	defer unpin()
	ids, err := l.engine.Texts(ctx, l.ws, filesOf(snapshot, l.ws, time.Time{}, time.Time{}), fresh)
	if err != nil {
		return err
	}
	texts, err := l.lake.Words(ctx, snapshot, l.ws, ids)
	if err != nil {
		return fmt.Errorf("read replies: %w", err)
	}
	least := map[fact.Label]entry{}
	for _, t := range texts {
		if len(t.Text) > longestReply {
			continue
		}
		n := replyName(ids[t.ID], t.Text)
		if n.version > least[n.label].version {
			least[n.label] = n
		}
	}
	if err := l.Crowd.names.put(ctx, l.ws, slices.Collect(maps.Values(least))); err != nil {
		return fmt.Errorf("store names: %w", err)
	}
	if l.names, err = l.Crowd.names.read(ctx, l.ws); err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	return nil
}
