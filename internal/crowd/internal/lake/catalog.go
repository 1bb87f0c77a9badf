package lake

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"murmur/internal/fact"
)

// catalogName names the catalog and the namespace; an engine opens the tables as murmur.facts, murmur.texts.
const catalogName = "murmur"

// errConflict says that another writer moved a table first: nothing was committed, reload and do it again.
var errConflict = errors.New("lake: another writer was faster")

// catalog is iceberg-go's SQL catalog (the JDBC layout, which Trino and Spark open as it is) with a commit
// of our own. The library's commit moves one table at a time and writes the metadata file without syncing
// it; ours syncs every file first and then moves both tables, with the files' hashes, in one transaction.
type catalog struct {
	db   *sql.DB
	disk *disk
}

const sidecar = `
CREATE TABLE IF NOT EXISTS murmur_lake (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS murmur_files (
	path TEXT PRIMARY KEY,             -- below the lake's directory
	size INTEGER NOT NULL,
	sha256 BLOB NOT NULL,
	fresh INTEGER NOT NULL DEFAULT 0   -- 1: its ids were not yet looked up in the other days
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS murmur_spent (id INTEGER PRIMARY KEY); -- of facts whose rows have random ids
CREATE INDEX IF NOT EXISTS murmur_fresh ON murmur_files (path) WHERE fresh = 1;`

// openCatalog opens or makes the catalog at file for the lake in d.dir. d.root is that of a new one; it becomes that of the one
// there is.
func openCatalog(ctx context.Context, file string, d *disk) (*catalog, error) {
	db, err := openSQLite(file)
	if err != nil {
		return nil, err
	}
	c := &catalog{db: db, disk: d}
	if err := c.init(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

func openSQLite(file string) (*sql.DB, error) {
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)"}, "_txlock": {"immediate"}}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+q.Encode())
}

// setting is a value of the table murmur_lake; "" for none.
func (c *catalog) setting(ctx context.Context, key string) (value string, err error) {
	err = c.db.QueryRowContext(ctx, `SELECT value FROM murmur_lake WHERE key = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// set keeps settings, and forgets those that are "".
func (c *catalog) set(ctx context.Context, settings map[string]string) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for key, value := range settings {
		if value == "" {
			_, err = tx.ExecContext(ctx, `DELETE FROM murmur_lake WHERE key = ?`, key)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO murmur_lake VALUES (?, ?)`, key, value)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// ErrNewer is returned by Open for a lake that a newer version wrote.
var ErrNewer = errors.New("lake: the catalog is newer than this version")

// catalogVersion is that of the tables beside the library's own, kept in user_version. Of the first release it is 0; 1 had no murmur_spent.
const catalogVersion = 2

func (c *catalog) init(ctx context.Context) error {
	var version int
	if err := c.db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version > catalogVersion {
		return ErrNewer
	}
	if version < catalogVersion {
		if _, err := c.db.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, catalogVersion)); err != nil {
			return err
		}
	}
	if _, err := c.db.ExecContext(ctx, sidecar); err != nil {
		return err
	}
	if _, err := c.db.ExecContext(ctx, `INSERT OR IGNORE INTO murmur_lake VALUES ('root', ?)`, c.disk.root); err != nil {
		return err
	}
	if err := c.db.QueryRowContext(ctx, `SELECT value FROM murmur_lake WHERE key = 'root'`).Scan(&c.disk.root); err != nil {
		return err
	}
	if err := c.inside(ctx); err != nil {
		return err
	}
	// The library makes its tables; nothing else of it is used.
	lib, err := sqlcat.NewCatalog(catalogName, c.db, sqlcat.SQLite, iceberg.Properties{"warehouse": c.disk.root})
	if err != nil {
		return err
	}
	ns := table.Identifier{catalogName}
	if ok, err := lib.CheckNamespaceExists(ctx, ns); err != nil || ok {
		return err
	}
	return lib.CreateNamespace(ctx, ns, nil)
}

// inside refuses a sidecar that names a file outside the tables' folders: what it names is deleted one day. A restored catalog may
// be of somebody else's making.
func (c *catalog) inside(ctx context.Context) error {
	var strange bool
	err := c.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM murmur_files
		WHERE NOT (path GLOB ? OR path GLOB ?) OR '/' || path || '/' LIKE '%/../%')`, tableName(fact.Facts)+"/*", tableName(fact.Texts)+"/*").Scan(&strange)
	if err == nil && strange {
		err = errOutside
	}
	return err
}

// location is where a table's current metadata is; empty when there is no such table.
func (c *catalog) location(ctx context.Context, name string) (loc string, err error) {
	err = c.db.QueryRowContext(ctx, `SELECT metadata_location FROM iceberg_tables
		WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?`, catalogName, catalogName, name).Scan(&loc)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return loc, err
}

// current is one state of the catalog.
type current struct {
	locations map[string]string // by table
	sequence  int64
	fresh     map[string]bool
}

// current reads everything in one statement: it belongs together whatever another process commits.
func (c *catalog) current(ctx context.Context) (current, error) {
	rows, err := c.db.QueryContext(ctx, `
		SELECT 'table', table_name, metadata_location FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?1
		UNION ALL SELECT key, '', value FROM murmur_lake WHERE key = 'sequence'
		UNION ALL SELECT 'fresh', path, '' FROM murmur_files WHERE fresh = 1`, catalogName)
	if err != nil {
		return current{}, err
	}
	defer func() { _ = rows.Close() }()
	now := current{locations: map[string]string{}, fresh: map[string]bool{}}
	for rows.Next() {
		var what, name, value string
		if err := rows.Scan(&what, &name, &value); err != nil {
			return current{}, err
		}
		switch what {
		case "table":
			now.locations[name] = value
		case "fresh":
			now.fresh[name] = true
		default:
			if now.sequence, err = strconv.ParseInt(value, 10, 64); err != nil {
				return current{}, errors.New("lake: the sequence is not a number")
			}
		}
	}
	return now, rows.Err()
}

func (c *catalog) fs(context.Context) (iceio.IO, error) { return c.disk, nil }

// load reads a table at a metadata location. Its transactions are staged on m; nil: it is read only.
func (c *catalog) load(ctx context.Context, name, loc string, m *move) (*table.Table, error) {
	var cat table.CatalogIO
	if m != nil {
		cat = m
	}
	return table.NewFromLocation(ctx, table.Identifier{catalogName, name}, loc, c.fs, cat)
}

// move collects what one operation does to the tables and commits all of it at once.
type move struct {
	c     *catalog
	steps []step
	// fresh names the data files (by path) whose ids must still be looked up in the other days.
	fresh map[string]bool
	// settled names the files that no longer are fresh after this move.
	settled map[string]bool
	// changes is what counts will see differently; sequence is the lake's after the move, 0 when they see the same.
	changes  map[Change]bool
	sequence int64
	// spent are the ids of rows that get others, as spentOf gives them; severed is the last day of such a row.
	spent   []int64
	severed Day
	// damaged is the files that could not be read, and stay as they are.
	damaged []error
}

// tolerate notes that a file could not be read. It returns every other error.
func (m *move) tolerate(err error) error {
	if isDamage(err) {
		m.damaged = append(m.damaged, err)
		return nil
	}
	return err
}

// changed notes that a row that counts was changed or removed.
func (m *move) changed(r Stored) {
	m.changes[Change{r.Workspace, DayOf(time.UnixMicro(int64(r.At))), r.Kind}] = true
}

// sorted gives the changes in a fixed order.
func (m *move) sorted() []Change {
	return slices.SortedFunc(maps.Keys(m.changes), func(a, b Change) int {
		return cmp.Or(bytes.Compare(a.Workspace[:], b.Workspace[:]), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Kind, b.Kind))
	})
}

type step struct{ name, from, to string }

var _ table.CatalogIO = (*move)(nil)

// LoadTable is what the library calls to retry by itself; we retry above it.
func (m *move) LoadTable(context.Context, table.Identifier) (*table.Table, error) {
	return nil, errConflict
}

// CommitTable stages: it writes the new metadata file and remembers the step.
func (m *move) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, ups []table.Update) (table.Metadata, string, error) {
	name := ident[len(ident)-1]
	from, err := m.c.location(ctx, name)
	if err != nil {
		return nil, "", err
	}
	t, err := m.c.load(ctx, name, from, nil)
	if err != nil {
		return nil, "", err
	}
	for _, r := range reqs {
		if err := r.Validate(t.Metadata()); err != nil {
			return nil, "", errConflict
		}
	}
	meta, err := table.UpdateTableMetadata(t.Metadata(), ups, from)
	if err != nil {
		return nil, "", err
	}
	to, err := m.stage(name, from, meta)
	return meta, to, err
}

// stage writes a table's metadata and remembers the step. from is empty for a new table.
func (m *move) stage(name, from string, meta table.Metadata) (string, error) {
	version := 0
	if from != "" {
		n, _, _ := strings.Cut(path.Base(from), "-")
		v, err := strconv.Atoi(n)
		if err != nil {
			return "", errors.New("lake: a metadata file has a strange name")
		}
		version = v + 1
	}
	where, err := table.LoadLocationProvider(meta.Location(), meta.Properties())
	if err != nil {
		return "", err
	}
	to, err := where.NewTableMetadataFileLocation(version)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(meta); err != nil {
		return "", err
	}
	m.steps = append(m.steps, step{name, from, to})
	return to, m.c.disk.WriteFile(to, b.Bytes())
}

// commit makes the written files durable and moves the tables. errConflict: nothing happened.
func (m *move) commit(ctx context.Context) error {
	files := m.c.disk.take()
	if a := m.c.disk.away; a != nil {
		defer a.done(files)
	}
	if err := m.c.disk.sync(files); err != nil {
		return fmt.Errorf("sync the lake: %w", err)
	}
	if a := m.c.disk.away; a != nil {
		if err := a.mine(ctx); err != nil {
			return err
		}
		if err := a.store(ctx, files); err != nil {
			return fmt.Errorf("store the lake: %w", err)
		}
	}
	tx, err := m.c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, s := range m.steps {
		if err := s.apply(ctx, tx); err != nil {
			return err
		}
	}
	if m.sequence > 0 {
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO murmur_lake VALUES ('sequence', ?)`, strconv.FormatInt(m.sequence, 10)); err != nil {
			return err
		}
	}
	if err := m.spend(ctx, tx); err != nil {
		return err
	}
	for p := range m.settled {
		if _, err := tx.ExecContext(ctx, `UPDATE murmur_files SET fresh = 0 WHERE path = ?`, p); err != nil {
			return err
		}
	}
	if len(files) > 0 {
		ins, err := tx.PrepareContext(ctx, `INSERT INTO murmur_files (path, size, sha256, fresh) VALUES (?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		for _, w := range files {
			if _, err := ins.ExecContext(ctx, w.path, w.size, w.sum[:], m.fresh[w.path]); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

func (s step) apply(ctx context.Context, tx *sql.Tx) error {
	if s.from == "" {
		_, err := tx.ExecContext(ctx, `INSERT INTO iceberg_tables
			(catalog_name, table_namespace, table_name, iceberg_type, metadata_location) VALUES (?, ?, ?, 'TABLE', ?)`,
			catalogName, catalogName, s.name, s.to)
		return err
	}
	r, err := tx.ExecContext(ctx, `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
		WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`,
		s.to, s.from, catalogName, catalogName, s.name, s.from)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errConflict, err)
	}
	return nil
}

// recorded is what the sidecar knows of a file.
type recorded struct {
	size  int64
	sum   []byte
	fresh bool
}

// files reads the sidecar.
func (c *catalog) files(ctx context.Context) (map[string]recorded, error) {
	rows, err := c.db.QueryContext(ctx, `SELECT path, size, sha256, fresh FROM murmur_files`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	m := map[string]recorded{}
	for rows.Next() {
		var p string
		var r recorded
		if err := rows.Scan(&p, &r.size, &r.sum, &r.fresh); err != nil {
			return nil, err
		}
		m[p] = r
	}
	return m, rows.Err()
}

// forget takes removed files off the sidecar.
func (c *catalog) forget(ctx context.Context, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, p := range paths {
		if _, err := tx.ExecContext(ctx, `DELETE FROM murmur_files WHERE path = ?`, p); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// recorded is what the sidecar knows of one file.
func (c *catalog) recorded(ctx context.Context, path string) (r recorded, err error) {
	err = c.db.QueryRowContext(ctx, `SELECT size, sha256 FROM murmur_files WHERE path = ?`, path).Scan(&r.size, &r.sum)
	if errors.Is(err, sql.ErrNoRows) {
		return r, &damagedError{path, errors.New("was not written by murmur")}
	}
	return r, err
}
