package crowd

import (
	"context"
	"fmt"
	"sync"

	"murmur/internal/crowd/internal/count/duckdb"
	"murmur/internal/crowd/internal/enrich"
	"murmur/internal/crowd/internal/noise"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/safe"
	"murmur/internal/workspace"
)

// Subject is what people write about beside the public reasons.
type Subject struct {
	Words    []string // each was used by a minimum group of them
	Contacts int64    // with noise
}

// Subjects are those of the last block of weeks that was over two days ago.
type Subjects struct {
	Period string // the block; empty: none was yet, its history still comes in, or its words are gone
	List   []Subject
}

// mostSaid is how many texts are looked through, of those with a reason and of those without.
const mostSaid = 4_000

// finder keeps what was found last, of each workspace: words and numbers, no text.
type finder struct {
	mu    sync.Mutex // one search at a time
	found map[workspace.ID]finding
}

type finding struct {
	Subjects
	of string // what it was made from
}

// Subjects finds what people write about of which no public reason is told. One text more could move every group; so they are made
// of weeks for which hardly any comes any more, and the noise of a number depends on the rows of its texts alone. What an own category tells most
// texts of is left out. The others have a minimum group of what comes from words behind them and behind each word, counted
// without noise and with it, so that a word that is not there does not tell that one more person would have made it appear. ErrErasing.
func (c *Crowd) Subjects(ctx context.Context, ws workspace.ID) (Subjects, error) {
	erased, err := lastErased(ctx, c.store.db, ws)
	if err != nil {
		return Subjects{}, err
	}
	l := &look{Crowd: c, ws: ws}
	if err := l.read(ctx); err != nil || len(l.arrived) == 0 {
		return Subjects{}, err
	}
	block, ok := l.lastOver()
	if !ok {
		return Subjects{}, nil
	}
	c.finder.mu.Lock()
	defer c.finder.mu.Unlock()
	of := fmt.Sprint(block.Name, erased, l.changed.around(block), l.settings.Noise, l.settings.MinContent, l.basis)
	if f := c.finder.found[ws]; f.of == of {
		return f.Subjects, nil
	}
	s, err := l.subjects(ctx, block)
	if err != nil {
		return Subjects{}, err
	}
	if len(c.finder.found) >= keptModels || c.finder.found == nil {
		c.finder.found = map[workspace.ID]finding{}
	}
	c.finder.found[ws] = finding{s, of}
	return s, nil
}

// forget lets go of what was found in a workspace.
func (f *finder) forget(ws workspace.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.found, ws)
}

// lastOver is the last block that was over release.CloseAfter ago and has words; none while the history comes in.
func (l *look) lastOver() (last release.Period, ok bool) {
	first, until := l.arrived.span()
	for _, b := range release.Blocks(l.settings.Zone, first, until) {
		if over := !l.now().Before(b.End.Add(release.CloseAfter)); over && !l.fetching && !l.arrived.last(b).IsZero() && !l.wordless(b.Start) {
			last, ok = b, true
		}
	}
	return last, ok
}

func (l *look) subjects(ctx context.Context, block release.Period) (Subjects, error) {
	s := Subjects{Period: block.Name}
	snapshot, unpin, err := l.lake.Pin(ctx)
	if err != nil {
		return s, err
	}
	defer unpin()
	read := func(told bool) (all []enrich.Said, err error) {
		err = l.engine.Said(ctx, duckdb.Said{
			Workspace: l.ws, Facts: filesOf(snapshot, l.ws, block.Start.Add(-release.Horizon), block.End.Add(release.Horizon)),
			Texts: filesIn(snapshot, fact.Texts, l.ws, block.Start, block.End), Span: block.Span(), Told: told, Most: mostSaid,
		}, func(contact [16]byte, words string) { all = append(all, enrich.Said{Contact: contact, Words: words}) })
		return all, err
	}
	untold, err := read(false)
	if err != nil {
		return s, err
	}
	told, err := read(true)
	if err != nil {
		return s, err
	}
	own, err := l.categories.learned(l.ws, l.own)
	if err != nil {
		return s, err
	}
	keys := noise.NewKeys(l.releaser.Key, l.ws.String(), block.Name)
	s.List, err = subjectsOf(untold, told, minimum{keys, l.settings.Noise, l.settings.MinContent}, own)
	return s, err
}

// subjectsOf finds subjects in texts; what own tells most of is left out.
func subjectsOf(untold, told []enrich.Said, least minimum, own *learned) (all []Subject, err error) {
	found, err := enrich.Find(untold, told, least.of)
	if err != nil {
		return nil, safe.Wrap("find subjects", err)
	}
	for _, f := range found {
		texts := make([]enrich.Said, len(f.Texts))
		for i, at := range f.Texts {
			texts[i] = untold[at]
		}
		really, noised := contactsOf(texts, least.keys, least.scale)
		if min(really, noised) >= least.least && !mostlyTold(own, texts) {
			all = append(all, Subject{f.Words, noised})
		}
	}
	return all, nil
}

// minimum is the least group of contacts, and the noise that they are counted with.
type minimum struct {
	keys  noise.Keys
	scale int64
	least int64
}

// of reports whether contacts are enough, with noise and without.
func (m minimum) of(contacts map[[16]byte]bool) bool {
	var texts []enrich.Said
	for c := range contacts {
		texts = append(texts, enrich.Said{Contact: c})
	}
	really, noised := contactsOf(texts, m.keys, m.scale)
	return min(really, noised) >= m.least
}

// contactsOf counts the contacts of texts, and gives the number with the noise of their rows.
func contactsOf(texts []enrich.Said, keys noise.Keys, scale int64) (really, noised int64) {
	var cell noise.Cell
	who := map[[16]byte]bool{}
	for _, t := range texts {
		who[t.Contact] = true
		mark := release.MarkOf(t.Contact[:])
		cell.Key[0], cell.Key[1] = cell.Key[0]+mark[0], cell.Key[1]+mark[1]
	}
	really = int64(len(who))
	return really, keys.Contacts(really, cell, scale)
}

// mostlyTold reports whether own categories tell most texts already.
func mostlyTold(own *learned, texts []enrich.Said) bool {
	if own == nil {
		return false
	}
	n := 0
	for _, t := range texts {
		if own.model.Of(t.Words) != 0 {
			n++
		}
	}
	return 2*n > len(texts)
}
