// Package lake keeps the facts: two Apache Iceberg tables on disk, written by one writer.
//
// Zone: AMBER. `facts` has the numbers of every fact, `texts` the masked words of those that have any.
// Both are partitioned by day(at) and bucket(16, workspace).
//
// It promises:
//   - exactly once: the queue's position commits with the rows of both tables, in one transaction. An Append
//     at the position that is already in changes nothing.
//   - three operations only: append, replace data files, expire snapshots. There is never a delete file, so
//     the plain list of Parquet files is the table, for every reader.
//   - the highest version of an id wins. Until Compact has run an id can stand in several rows: readers take
//     the row with the highest version per (workspace, id), among equals one without a contact; a text counts
//     when its version is the one that counts in facts. A version can move its event to another day;
//     reading one period alone may then meet the old version. Compact looks every new id up in all days
//     and drops what is superseded, so that after it one row is left.
//   - a row that Sever was asked about is found by no id, and its fact counts once all the same.
//   - what Forget, Retract, Delink or DropTexts took away is in no file after Expire.
//
// What it does not protect against: someone who reads the disk. Files are not encrypted (no engine could
// read them); rows carry pseudonyms until Delink. The volume must be encrypted. A file that Expire removed
// is unlinked, not overwritten. A fact that is still in the journal when its contact is forgotten would
// come back: the caller holds the list of the forgotten.
package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"murmur/internal/bucket"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Config says where the lake is. Every field without a default is required.
type Config struct {
	// Dir holds the tables' files.
	Dir string
	// Catalog is the SQLite file of the catalog.
	Catalog string
	// Bucket has the tables' files; Dir then has copies of them. The lake moves there the first time, and stays. nil: Dir has
	// them. ErrTaken, ErrElsewhere, ErrOther.
	Bucket *bucket.Bucket
	// Copies is how many bytes the copies may take, beside what is being read and what waits to be stored. Default:
	// Bucket.Limit.
	Copies int64
	// SmallFiles is how many files of about one size a day and bucket may have before Append merges them. Default 8.
	SmallFiles int
	// LooseFiles is how many files may wait to be sorted into their days. Default 32.
	LooseFiles int
	// Failpoint is called before the effect of a commit ("write"), between the effect and its acknowledgement
	// ("commit"), and when files were removed and are still on record ("expire"); an error stops the operation there,
	// as a crash would. Default: none.
	Failpoint func(point string) error
	// Changing is told before each commit what it changes of what counts can see, and the sequence the lake has
	// after it. An error stops the commit. It is called in the writer's turn and must not call the lake. After a
	// crash between the call and the commit the change did not take place and comes again under a later
	// sequence: it may report changes that did not take place, but never misses one. Default: not called.
	Changing func(ctx context.Context, sequence int64, changes []Change) error
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Change names what a commit touches: rows of one kind, of one workspace, on one day. An event that a newer version
// moves to another day is a change of the new day when it is appended, and of the old one when the old row leaves.
type Change struct {
	Workspace workspace.ID
	Day       Day
	Kind      fact.Kind
}

// Row is one fact of one workspace.
type Row struct {
	Workspace workspace.ID
	Fact      fact.Fact
}

// Day is a number of days since 1 January 1970, UTC.
type Day int32

// DayOf is the day of t in UTC.
func DayOf(t time.Time) Day { return dayAt(fact.Micros(t.UnixMicro())) }

func dayAt(at fact.Micros) Day { return Day(floorDiv(int64(at), dayMicros)) }

// Start is the day's first instant.
func (d Day) Start() time.Time { return time.UnixMicro(int64(d) * dayMicros).UTC() }

const dayMicros = 86_400_000_000

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Lake is open for one process; other processes may have the same lake open. Its methods are safe for
// concurrent use.
type Lake struct {
	cfg     Config
	catalog *catalog
	writer  *gate // of all processes, one writes
	readers *gate // shared while this process has pins

	mu       sync.Mutex // guards what follows, and the writer's turn inside the process
	state    map[fact.Table]*tableState
	sequence int64           // of the state
	fresh    map[string]bool // data files of the state whose ids were not yet looked up in the other days
	damaged  map[string]bool // data files that could not be read
	stray    bool            // the bucket may have files that are not on record
	builders map[fact.Table]*rowBuilder

	pinMu sync.Mutex
	pins  map[string]int // relative path of a data or metadata file: number of pins
	held  int            // number of live pins
}

// Open opens the lake and makes it when there is none.
func Open(ctx context.Context, cfg Config) (*Lake, error) {
	l, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	return l, nil
}

func open(ctx context.Context, cfg Config) (*Lake, error) {
	if cfg.SmallFiles == 0 {
		cfg.SmallFiles = 8
	}
	if cfg.LooseFiles == 0 {
		cfg.LooseFiles = 32
	}
	if cfg.Failpoint == nil {
		cfg.Failpoint = func(string) error { return nil }
	}
	if cfg.Changing == nil {
		cfg.Changing = func(context.Context, int64, []Change) error { return nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Bucket != nil && cfg.Copies == 0 {
		cfg.Copies = cfg.Bucket.Limit()
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	cfg.Dir = dir
	l := &Lake{cfg: cfg, state: map[fact.Table]*tableState{}, builders: map[fact.Table]*rowBuilder{}, pins: map[string]int{}, damaged: map[string]bool{}}
	for _, t := range tables {
		if l.builders[t], err = newRowBuilder(t); err != nil {
			return nil, err
		}
	}
	if l.writer, err = openGate(filepath.Join(dir, "writer.lock")); err != nil {
		return nil, err
	}
	if l.readers, err = openGate(filepath.Join(dir, "readers.lock")); err != nil {
		return nil, errors.Join(err, l.writer.close())
	}
	if err := l.start(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// start opens the catalog and makes the tables that are missing.
func (l *Lake) start(ctx context.Context) error {
	if err := l.writer.lock(ctx); err != nil {
		return err
	}
	defer l.writer.unlock()
	var err error
	d := &disk{dir: l.cfg.Dir, root: uriOf(l.cfg.Dir)}
	if l.cfg.Bucket != nil {
		d.root = l.cfg.Bucket.Root()
	}
	if l.catalog, err = openCatalog(ctx, l.cfg.Catalog, d); err != nil {
		return err
	}
	if at, err := l.catalog.setting(ctx, "bucket"); err != nil {
		return err
	} else if at != "" {
		if err := l.goAway(ctx); err != nil {
			return err
		}
	}
	m := &move{c: l.catalog}
	for _, t := range tables {
		loc, err := l.catalog.location(ctx, tableName(t))
		if err != nil {
			return err
		}
		if loc != "" {
			err = l.upgrade(ctx, m, t, loc)
		} else {
			err = l.create(m, t)
		}
		if err != nil {
			return err
		}
	}
	if len(m.steps) > 0 {
		if err := m.commit(ctx); err != nil {
			return err
		}
	}
	if l.cfg.Bucket != nil && l.catalog.disk.away == nil {
		return l.goAway(ctx)
	}
	return l.refresh(ctx)
}

func (l *Lake) create(m *move, t fact.Table) error {
	meta, err := newMetadata(t, l.catalog.disk.root+"/"+tableName(t))
	if err != nil {
		return err
	}
	_, err = m.stage(tableName(t), "", meta)
	return err
}

// upgrade gives a table that was made before there were loose files the partition spec of those.
func (l *Lake) upgrade(ctx context.Context, m *move, t fact.Table, loc string) error {
	tbl, err := l.catalog.load(ctx, tableName(t), loc, nil)
	if err != nil {
		return fmt.Errorf("read table %s: %w", tableName(t), l.blame(ctx, t, err))
	}
	if tbl.Metadata().PartitionSpecByID(looseSpec) != nil {
		return nil
	}
	meta, err := withLooseSpec(tbl.Metadata(), loc)
	if err != nil {
		return err
	}
	_, err = m.stage(tableName(t), loc, meta)
	return err
}

// Close lets go of the lake. Pins must have been released.
func (l *Lake) Close() error {
	err := errors.Join(l.writer.close(), l.readers.close())
	if l.catalog != nil {
		err = errors.Join(err, l.catalog.db.Close())
	}
	return err
}

// Sequence is that of the last change: see Snapshot.Sequence.
func (l *Lake) Sequence(ctx context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.refresh(ctx)
	return l.sequence, err
}

// Append adds rows and takes a step, in one commit. Where the partition stands at to.To already it does nothing: the rows
// are in. ErrMoved where it does not stand at to.From. Rows of one id may come in any order and any number of times. Files
// that have become many are then merged, in commits of their own: an error says nothing about the rows, and the same
// Append may follow it.
func (l *Lake) Append(ctx context.Context, rows []Row, to Step) error {
	for _, r := range rows {
		if !r.Workspace.Valid() || r.Fact == nil {
			return errors.New("lake: a row without a workspace or a fact")
		}
		if !r.Fact.Meta().At.Possible() {
			return wrap("append", fact.ErrTime)
		}
	}
	err := l.change(ctx, func(m *move) error {
		at, err := l.position(to.Partition)
		if err != nil || at == to.To {
			return err
		}
		if at != to.From {
			return ErrMoved
		}
		rows, err := l.catalog.unspent(ctx, rows)
		if err != nil {
			return err
		}
		if err := l.append(ctx, m, fact.Texts, rows, nil); err != nil {
			return err
		}
		return l.append(ctx, m, fact.Facts, rows, to.properties())
	})
	if err != nil {
		return wrap("append", err)
	}
	if err := l.merge(ctx, false); err != nil && !isDamage(err) {
		return wrap("merge files", err)
	}
	return nil
}

func (l *Lake) append(ctx context.Context, m *move, t fact.Table, rows []Row, props iceberg.Properties) error {
	rows, loose := newest(t, rows)
	if len(rows) == 0 && props == nil {
		return nil
	}
	return l.edit(ctx, m, t, func(tbl *table.Table, txn *table.Transaction) error {
		if props != nil {
			if err := txn.SetProperties(props); err != nil {
				return err
			}
		}
		files, err := l.write(ctx, tbl, t, rows, loose)
		if err != nil || len(files) == 0 {
			return err
		}
		if t == fact.Facts {
			for _, f := range files {
				m.fresh[f.path] = true
			}
			for _, r := range rows {
				m.changes[Change{r.Workspace, dayAt(r.Fact.Meta().At), r.Fact.Kind()}] = true
			}
		}
		return txn.AddDataFiles(ctx, dataFiles(files), nil, table.WithoutAutoNameMapping(), table.WithoutDuplicateCheck())
	})
}

func dataFiles(files []dataFile) []iceberg.DataFile {
	out := make([]iceberg.DataFile, len(files))
	for i, f := range files {
		out[i] = f.DataFile
	}
	return out
}

// edit stages one table's part of a move. Superseded snapshots leave the metadata with it; their files stay
// until Expire.
func (l *Lake) edit(ctx context.Context, m *move, t fact.Table, f func(*table.Table, *table.Transaction) error) error {
	tbl, err := l.catalog.load(ctx, tableName(t), l.state[t].t.MetadataLocation(), m)
	if err != nil {
		return err
	}
	txn := tbl.NewTransaction()
	if err := f(tbl, txn); err != nil {
		return err
	}
	if err := txn.ExpireSnapshots(table.WithRetainLast(1), table.WithOlderThan(0), table.WithPostCommit(false)); err != nil {
		return err
	}
	_, err = txn.Commit(ctx)
	return err
}

// attempts bounds how often a change is done again after another writer was faster. Writers of this
// program take turns by a lock; only a foreign engine can be in the way.
const attempts = 5

// change runs f with the writer's turn on the current state and commits what it staged.
func (l *Lake) change(ctx context.Context, f func(*move) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writer.lock(ctx); err != nil {
		return err
	}
	defer l.writer.unlock()
	for i := 1; ; i++ {
		err := l.try(ctx, f)
		if !errors.Is(err, errConflict) || i == attempts {
			return err
		}
	}
}

// giveUp forgets files that were written for a change that failed; Expire removes them.
func (l *Lake) giveUp() {
	files := l.catalog.disk.take()
	l.stray = l.stray || len(files) > 0
	if a := l.catalog.disk.away; a != nil {
		a.done(files)
	}
}

func (l *Lake) try(ctx context.Context, f func(*move) error) error {
	if err := l.refresh(ctx); err != nil {
		return err
	}
	l.giveUp() // what a failed attempt wrote
	m := &move{c: l.catalog, fresh: map[string]bool{}, settled: map[string]bool{}, changes: map[Change]bool{}}
	if err := f(m); err != nil {
		return err
	}
	if len(m.steps) == 0 && len(m.settled) == 0 {
		return l.damage(m.damaged)
	}
	if len(m.changes) > 0 {
		// From the clock: a number that a crash left unused does not come again, nor one that was given out after the
		// backup that this lake was restored from.
		m.sequence = max(l.sequence+1, l.cfg.Now().UnixMicro())
		if err := l.cfg.Changing(ctx, m.sequence, m.sorted()); err != nil {
			return err
		}
	}
	if err := l.cfg.Failpoint("write"); err != nil {
		return err
	}
	if err := m.commit(ctx); err != nil {
		l.stray = true
		return err
	}
	if err := l.cfg.Failpoint("commit"); err != nil {
		return err
	}
	return l.damage(m.damaged)
}

// damage stores which files could not be read, so that Append does not try to merge them again.
func (l *Lake) damage(found []error) error {
	for _, err := range found {
		var bad *damagedError
		if errors.As(err, &bad) {
			l.damaged[bad.path] = true
		}
	}
	return errors.Join(found...)
}

// tableState is what the current snapshot of a table consists of.
type tableState struct {
	t         *table.Table
	files     map[string]dataFile   // by path
	meta      []string              // metadata file, manifest list, manifests: paths
	manifests map[string][]dataFile // live files of each manifest, by its URI: a manifest never changes
}

// refresh reloads the tables that moved since the last look.
func (l *Lake) refresh(ctx context.Context) error {
	now, err := l.catalog.current(ctx)
	if err != nil {
		return err
	}
	l.sequence, l.fresh = now.sequence, now.fresh
	for _, t := range tables {
		loc := now.locations[tableName(t)]
		old := l.state[t]
		if old != nil && old.t.MetadataLocation() == loc {
			continue
		}
		s, err := l.read(ctx, t, loc, old)
		if err != nil {
			return fmt.Errorf("read table %s: %w", tableName(t), l.blame(ctx, t, err))
		}
		l.state[t] = s
	}
	return nil
}

// read loads a table's state. Manifests that the last state knew are not read again.
func (l *Lake) read(ctx context.Context, t fact.Table, loc string, old *tableState) (*tableState, error) {
	tbl, err := l.catalog.load(ctx, tableName(t), loc, nil)
	if err != nil {
		return nil, err
	}
	s := &tableState{t: tbl, files: map[string]dataFile{}, manifests: map[string][]dataFile{}}
	names := []string{loc}
	if snap := tbl.CurrentSnapshot(); snap != nil {
		manifests, err := snap.Manifests(l.catalog.disk)
		if err != nil {
			return nil, err
		}
		names = append(names, snap.ManifestList)
		for _, mf := range manifests {
			names = append(names, mf.FilePath())
			files, err := l.manifest(mf, old)
			if err != nil {
				return nil, err
			}
			s.manifests[mf.FilePath()] = files
			for _, f := range files {
				s.files[f.path] = f
			}
		}
	}
	for _, n := range names {
		rel, err := l.catalog.disk.rel(n)
		if err != nil {
			return nil, err
		}
		s.meta = append(s.meta, rel)
	}
	return s, nil
}

// manifest lists the live files of a manifest.
func (l *Lake) manifest(mf iceberg.ManifestFile, old *tableState) ([]dataFile, error) {
	if old != nil {
		if files, ok := old.manifests[mf.FilePath()]; ok {
			return files, nil
		}
	}
	var files []dataFile
	for e, err := range mf.Entries(l.catalog.disk, true) {
		if err != nil {
			return nil, err
		}
		f, err := l.dataFile(e.DataFile())
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}
