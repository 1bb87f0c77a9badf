// Package crowd is the second door: facts go in, tables of many people come out, rows do not (Kept states the exception).
//
// Zone: AMBER. It sees pseudonymous rows and masked words, no person. Enrich reads a topic and a mood out of
// masked words; Append puts facts into the lake, exactly once; Forget, Withdraw and Delink remove rows, words and links;
// Release counts, guards and stores the tables of a period; Sets gives them back. Importers of this package can ask for
// nothing else.
//
// What it does not protect against: someone with the data directory and its keys, and the limits of the Guarded
// tier that package release states.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"murmur/internal/bucket"
	"murmur/internal/crowd/internal/count/duckdb"
	"murmur/internal/crowd/internal/enrich"
	"murmur/internal/crowd/internal/lake"
	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/safe"
	"murmur/internal/workspace"
)

// ErrNewer is returned by Open for a lake that a newer version wrote.
var ErrNewer = lake.ErrNewer

// Config wires the crowd.
type Config struct {
	Lake, Catalog, Temp string         // paths
	Bucket              *bucket.Bucket // has the lake's files; nil: Lake has them
	DB                  *meta.DB
	Seal                workspace.Sealer // names in the dictionary are sealed at rest
	ReleaseKey          []byte           // authenticates stored tables; 32 bytes
	Queries             []release.Query  // the catalogue
	Policy              func(context.Context, workspace.ID) (workspace.Policy, error)
	// Erased gives the moment up to which a contact was erased: such facts are refused at the last step.
	Erased func(context.Context, workspace.ID, anon.Contact) (time.Time, error)
	// Fetching reports whether a workspace's history is still coming in: others are shown nothing new of it before that
	// ends. nil: never.
	Fetching func(context.Context, workspace.ID) (bool, error)
	Now      func() time.Time
	// Ledger and Outside are for releases that leave: the account of their budget, and the plan that is followed where the
	// policy says so, for the number of contacts that it names. nil: none.
	Ledger  *ledger.Ledger
	Outside func(contacts int) provable.Plan
	Random  io.Reader // of the noise of releases that leave; nil: crypto/rand. Two releases with the same are no secret
}

// Crowd is the zone. It is safe for concurrent use.
type Crowd struct {
	lake       *lake.Lake
	engine     *duckdb.Counter
	enricher   *enrich.Enricher
	releaser   *release.Releaser
	names      *dictionary
	categories *categories
	finder     finder
	arrivals   *arrivals
	changes    *changes
	watch      *watch
	store      *store
	policy     func(context.Context, workspace.ID) (workspace.Policy, error)
	erased     func(context.Context, workspace.ID, anon.Contact) (time.Time, error)
	fetching   func(context.Context, workspace.ID) (bool, error)
	now        func() time.Time
	budget     budget
	leaver     *provable.Releaser
	leaving    sync.Mutex // one release at a time
	outside    func(contacts int) provable.Plan
}

// Open opens the lake and the counting engine. ErrTaken, ErrOther, or an error of package bucket.
func Open(ctx context.Context, c Config) (*Crowd, error) {
	told := &changes{db: c.DB}
	l, err := lake.Open(ctx, lake.Config{Dir: c.Lake, Catalog: c.Catalog, Bucket: c.Bucket, Changing: told.note})
	if err != nil {
		return nil, err
	}
	if err := told.catchUp(ctx, l); err != nil {
		_ = l.Close()
		return nil, err
	}
	engine, err := duckdb.Open(ctx, duckdb.Config{Lake: c.Lake, Temp: filepath.Join(c.Temp, "count")})
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open the counting engine: %w", err)
	}
	kept, account := &store{db: c.DB, now: c.Now}, budget{c.DB, c.Ledger}
	return &Crowd{
		budget: account, outside: c.Outside,
		leaver: &provable.Releaser{Reader: engine, Store: account, Key: c.ReleaseKey, Random: c.Random, Clock: c.Now},
		lake:   l, engine: engine, enricher: enrich.New(), policy: c.Policy, erased: c.Erased, fetching: c.Fetching, now: c.Now,
		names: &dictionary{db: c.DB, seal: c.Seal}, categories: &categories{db: c.DB, seal: c.Seal}, arrivals: &arrivals{db: c.DB},
		changes: told, watch: newWatch(told), store: kept,
		releaser: &release.Releaser{Queries: c.Queries, Counter: engine, Store: kept, Key: c.ReleaseKey, Clock: c.Now},
	}, nil
}

// Close lets go of the engine and the lake.
func (c *Crowd) Close() error {
	if err := c.engine.Close(); err != nil {
		_ = c.lake.Close()
		return fmt.Errorf("close the counting engine: %w", err)
	}
	return c.lake.Close()
}

// Enrich adds what can be read from masked words: a topic and a mood.
func (c *Crowd) Enrich(facts []fact.Fact) {
	for _, f := range facts {
		c.enricher.Enrich(f)
	}
}

// Position is the queue's position of the last facts of a partition in the lake; "" before the first.
func (c *Crowd) Position(ctx context.Context, partition int32) (journal.Position, error) {
	pos, err := c.lake.Position(ctx, partition)
	return journal.Position(pos), err
}

// Append makes batches durable and moves the position of their partition from one to the next (journal.ErrTaken when another
// writer moved it). The order matters, and every step can be repeated after a crash: names first, so that no row has an
// unknown label; then the removal of withdrawn content, from the lake and from these batches, because one batch may hold a
// refusal and the refused content; the rows and their position last.
func (c *Crowd) Append(ctx context.Context, batches []fact.Batch, partition int32, from, to journal.Position) error {
	refused := withdrawals(batches)
	var rows []lake.Row
	for _, b := range batches {
		if err := c.names.add(ctx, b.Workspace, b.Labels); err != nil {
			return safe.Wrap("store names", err)
		}
		for _, f := range b.Facts {
			gone, err := c.erased(ctx, b.Workspace, f.Meta().Contact)
			if err != nil {
				return err
			}
			if !gone.IsZero() && f.Meta().At <= fact.MicrosOf(gone) || refused[b.Workspace].covers(f) {
				continue
			}
			refused[b.Workspace].silence(f)
			rows = append(rows, lake.Row{Workspace: b.Workspace, Fact: f})
		}
	}
	if err := c.arrivals.note(ctx, rows, c.now()); err != nil {
		return safe.Wrap("note arrivals", err)
	}
	for ws, w := range refused {
		if err := c.lake.Withdraw(ctx, ws, w.Withdrawal); err != nil {
			return err
		}
	}
	err := c.lake.Append(ctx, rows, lake.Step{Partition: partition, From: string(from), To: string(to)})
	if errors.Is(err, lake.ErrMoved) {
		return fmt.Errorf("%w: %w", journal.ErrTaken, err)
	}
	if err != nil || len(refused) == 0 {
		return err
	}
	return c.lake.Expire(ctx) // the words leave the disk now, or when the count that still reads them ends (Release)
}

// refusals is what people of one workspace withdrew: content of calls, everything that contacts said.
type refusals struct{ lake.Withdrawal }

// withdrawals collects the opt-outs of batches.
func withdrawals(batches []fact.Batch) map[workspace.ID]*refusals {
	all := map[workspace.ID]*refusals{}
	for _, b := range batches {
		for _, f := range b.Facts {
			c, ok := f.(*fact.Consent)
			if !ok || !slices.Contains(refusing, c.Act) || c.Purpose == fact.Share {
				continue // an event that cannot be erased is kept
			}
			if all[b.Workspace] == nil {
				all[b.Workspace] = &refusals{}
			}
			r := all[b.Workspace]
			if c.Call != (fact.ID{}) {
				r.Calls = append(r.Calls, c.Call)
			} else {
				r.Contacts = append(r.Contacts, c.Contact)
			}
		}
	}
	return all
}

// refusing are the acts that take words out.
var refusing = []fact.Act{fact.OptedOut, fact.Withdrawn, fact.Followed}

// covers reports whether a fact is content that was withdrawn.
func (r *refusals) covers(f fact.Fact) bool {
	if r == nil {
		return false
	}
	t, ok := f.(*fact.Talk)
	return ok && (slices.Contains(r.Calls, t.Call) || slices.Contains(r.Contacts, t.Contact))
}

// silence removes the words of texts whose sender withdrew.
func (r *refusals) silence(f fact.Fact) {
	if w := f.Words(); r != nil && w != nil && slices.Contains(r.Contacts, f.Meta().Contact) {
		*w = anon.Text{}
	}
}

// Against counts the talks in the lake that were refused, by call or by contact, and removes them. There must be
// none, because every way into the lake asks for the verdict first; Against only checks those ways.
func (c *Crowd) Against(ctx context.Context, ws workspace.ID, calls []fact.ID, contacts []anon.Contact) (found int, err error) {
	refused := lake.Withdrawal{Calls: calls, Contacts: contacts}
	if found, err = c.lake.Withdrawable(ctx, ws, refused); err != nil || found == 0 {
		return 0, err
	}
	if err := c.lake.Withdraw(ctx, ws, refused); err != nil {
		return found, err
	}
	return found, c.lake.Expire(ctx)
}

// Speakers lists the contacts of whom words are kept in rows that are linked.
func (c *Crowd) Speakers(ctx context.Context, ws workspace.ID) ([][anon.ContactLen]byte, error) {
	return c.lake.Speakers(ctx, ws)
}

// Forget takes every row of the contacts out of the lake and out of its files. Rows in an unreadable file stay: then the
// others are removed, the error says so, and unreadable is true.
func (c *Crowd) Forget(ctx context.Context, ws workspace.ID, contacts []anon.Contact) (unreadable bool, err error) {
	err = c.lake.Forget(ctx, ws, contacts)
	if err != nil && !lake.Unreadable(err) {
		return false, err
	}
	c.untell(ctx, ws)
	return err != nil, errors.Join(err, c.lake.Expire(ctx))
}

// ErrRead is returned by Vacate while a count reads files with the rows.
var ErrRead = lake.ErrRead

// Vacate takes every row of a workspace out of the lake and out of its files, and forgets what is known of it here; what the
// metadata has of it is its owner's to delete. Nothing may come in for it meanwhile. ErrRead: do it again.
func (c *Crowd) Vacate(ctx context.Context, ws workspace.ID) error {
	c.names.forget(ws)
	c.categories.forget(ws)
	c.finder.forget(ws)
	c.watch.done(ws, time.Time{})
	return c.lake.Vacate(ctx, ws)
}

// settle is how long an old day that facts still come for (a backfill) keeps its links: its periods close 24 hours
// after the last fact, and a count without links takes all contacts for one.
const settle = 48 * time.Hour

// textDays is how long masked words are kept.
const textDays = 90

// longestLink is the most days that a policy lets rows of one person be linked. It holds for a workspace whose own
// number is not known.
const longestLink = 60

// Tidy does the daily work of the lake: drops old words, cuts the links of each workspace's rows that are older than its
// own number of days, merges files, gives rows that are old enough random ids, removes files that nothing needs. A failed part does not stop the others.
func (c *Crowd) Tidy(ctx context.Context, linkDays map[workspace.ID]int) error {
	now := c.now()
	return errors.Join(
		c.lake.DropTexts(ctx, now.AddDate(0, 0, -textDays)),
		c.delink(ctx, now, linkDays),
		c.lake.Compact(ctx),
		c.sever(ctx, now, linkDays),
		c.lake.Expire(ctx),
	)
}

// delink cuts the links of rows.
func (c *Crowd) delink(ctx context.Context, now time.Time, linkDays map[workspace.ID]int) error {
	old, failed := c.older(ctx, now, linkDays)
	err := c.lake.Delink(ctx, func(ws workspace.ID, day lake.Day) bool { return old(ws, day, 0) })
	return errors.Join(err, failed())
}

// sever replaces the ids of rows that are no longer linked. Rows with words keep their ids as long as their words, so that a
// refusal of the call finds them.
func (c *Crowd) sever(ctx context.Context, now time.Time, linkDays map[workspace.ID]int) error {
	old, failed := c.older(ctx, now, linkDays)
	err := c.lake.Sever(ctx, func(ws workspace.ID, kind fact.Kind, day lake.Day) bool {
		if kind == fact.KindMessage || kind == fact.KindTalk || kind == fact.KindAnswer {
			return old(ws, day, textDays)
		}
		return old(ws, day, 0)
	})
	return errors.Join(err, failed())
}

// older gives what says whether a day of a workspace is more than its number of days ago, or than so many if that is more, and
// what failed while it did. Days that facts still come for are not old. Which these are is read at the first question about an old
// day: the lake asks when it holds its files, and what is in them had been noted as arrived before.
func (c *Crowd) older(ctx context.Context, now time.Time, linkDays map[workspace.ID]int) (old func(ws workspace.ID, day lake.Day, least int) bool, failed func() error) {
	filling := map[dayOf]bool(nil)
	var err error
	old = func(ws workspace.ID, day lake.Day, least int) bool {
		days, known := linkDays[ws]
		if !known {
			days = longestLink
		}
		if day >= lake.DayOf(now.AddDate(0, 0, -max(days, least))) || err != nil {
			return false
		}
		if filling == nil {
			if filling, err = c.arrivals.since(ctx, now.Add(-settle)); err != nil {
				return false
			}
		}
		return !filling[dayOf{ws, day}]
	}
	return old, func() error { return err }
}

// Compact brings the lake's files into their order, one a day, and removes those that nothing needs: daily, and at the
// end of an import.
func (c *Crowd) Compact(ctx context.Context) error {
	return errors.Join(c.lake.Compact(ctx), c.lake.Expire(ctx))
}
