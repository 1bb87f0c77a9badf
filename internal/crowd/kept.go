package crowd

import (
	"cmp"
	"context"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// KeptCall is what the lake has of one call. A zero At: nothing.
type KeptCall struct {
	At        time.Time
	Contact   [anon.ContactLen]byte // zero: no longer linked
	Direction fact.Direction
	TalkS     int64 // fact.Absent: not known
	Talks     []KeptTalk
}

// KeptTalk is the masked words of a call.
type KeptTalk struct {
	ID     fact.ID
	At     time.Time
	Origin fact.Origin
	Text   string
}

// Kept gives one call with its masked words, for the export that the business asks for. It is the only way on which a
// row leaves the lake: for one named call, never a list, after the verdict about that very call, and with an entry in
// the ledger; the caller must ensure all three. rows are the ids that the call's own row may have.
func (c *Crowd) Kept(ctx context.Context, ws workspace.ID, call fact.ID, rows []fact.ID) (KeptCall, error) {
	facts, texts, err := c.lake.Call(ctx, ws, call, rows)
	if err != nil {
		return KeptCall{}, err
	}
	var k KeptCall
	versions := map[fact.ID]int64{}
	origins := map[fact.ID]fact.Origin{}
	for _, r := range facts {
		talk := r.Kind == fact.KindTalk && r.Call == call
		if !talk && (r.Kind != fact.KindCall || !slices.Contains(rows, r.ID)) || versions[r.ID] > r.Version {
			continue
		}
		versions[r.ID] = r.Version
		if at := time.UnixMicro(int64(r.At)).UTC(); k.At.IsZero() || !talk {
			k.At = at
		}
		if r.Contact != [anon.ContactLen]byte{} {
			k.Contact = r.Contact
		}
		if talk {
			origins[r.ID] = fact.Origin(r.Number(fact.ColOrigin))
		} else {
			k.Direction, k.TalkS = fact.Direction(r.Number(fact.ColDirection)), r.Number(fact.ColTalkS)
		}
	}
	words := map[fact.ID]KeptTalk{}
	for _, r := range texts {
		if origin, ok := origins[r.ID]; ok && r.Version == versions[r.ID] {
			words[r.ID] = KeptTalk{ID: r.ID, At: time.UnixMicro(int64(r.At)).UTC(), Origin: origin, Text: r.Text}
		}
	}
	for _, t := range words {
		k.Talks = append(k.Talks, t)
	}
	slices.SortFunc(k.Talks, func(a, b KeptTalk) int {
		return cmp.Or(a.At.Compare(b.At), slices.Compare(a.ID[:], b.ID[:]))
	})
	return k, nil
}
