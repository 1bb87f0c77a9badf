// Package ledger records what must be provable later: consent, erasures, privacy budget, access, policy and keys.
// It is a transparency log in murmur.db: a Merkle tree over the entries (RFC 6962 2.1, as package
// golang.org/x/mod/sumdb/tlog stores and proves it) with signed checkpoints (c2sp.org/tlog-checkpoint) beside it.
//
// An entry is appended in the same transaction as the change that it records, so neither exists without the
// other; when the ledger cannot be written, the change is not made. The format is in docs/format/ledger.md.
//
// Zone: below both doors. An entry holds no personal data: a person is a salted hash of a keyed pseudonym.
//
// It promises that Verify finds and names an edited, deleted or moved entry, a shortened log and a
// rebuilt one, as long as the attacker did not have the root key.
//
// It does not protect against somebody with the root key, nor against setting the whole directory back to
// an older copy of itself: only a checkpoint that was kept elsewhere shows that (pass it to Verify).
package ledger

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"murmur/internal/meta"
)

var (
	// ErrBroken is returned by Append and Checkpoint when the end of the ledger was tampered with: nothing is
	// appended to or signed on top of it.
	ErrBroken = errors.New("ledger: the end of the ledger was changed from outside")
	// ErrNotFound is returned for an entry that does not exist.
	ErrNotFound = errors.New("ledger: no such entry")
)

// Purpose names the key that Config.Key is to be derived for.
const Purpose = "murmur ledger 1"

// Config is what a Ledger needs.
type Config struct {
	DB    *meta.DB
	File  string           // ledger.checkpoints, outside the database
	Key   *[32]byte        // derived from the root key for Purpose
	Clock func() time.Time // default time.Now
	Rand  io.Reader        // default crypto/rand
}

// Ledger is safe for concurrent use, by several processes too.
type Ledger struct {
	db   *meta.DB
	file string
	key  signer
	mac  []byte
	c    Config
}

// Open opens the ledger, converts one of the first format, and mends what a crash may have left half done in the
// checkpoint file.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.DB == nil || c.File == "" || c.Key == nil {
		return nil, errors.New("ledger: open needs a database, a file and a key")
	}
	l := &Ledger{
		db: c.DB, file: c.File, c: c,
		key: signerOf(c.Key),
		mac: derive(c.Key, "mac"),
	}
	if err := errors.Join(l.convert(ctx), l.mend(ctx)); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

func derive(key *[32]byte, info string) []byte {
	b, err := hkdf.Expand(sha256.New, key[:], info, 32)
	if err != nil {
		panic(err) // only for lengths over 255 hashes
	}
	return b
}

// Receipt identifies an entry: its place and the hash of what it holds.
type Receipt struct {
	Seq  int64
	At   time.Time
	Hash [sha256.Size]byte
}

// String is the receipt as handed out: the entry's number and half of its hash.
func (r Receipt) String() string { return fmt.Sprintf("%d-%x", r.Seq, r.Hash[:16]) }

// row is one entry as stored.
type row struct {
	seq, at         int64
	workspace, kind string
	body, mac       []byte
}

const columns = `seq, at, workspace, kind, body, mac`

func (r *row) scan(s interface{ Scan(...any) error }) error {
	return s.Scan(&r.seq, &r.at, &r.workspace, &r.kind, &r.body, &r.mac)
}

func (r *row) receipt() Receipt { return Receipt{Seq: r.seq, At: timeOf(r.at), Hash: r.leaf()} }

// record is what an entry holds, as the tree hashes it.
func (r *row) record() []byte {
	b := append(binary.BigEndian.AppendUint64(nil, uint64(r.at)), byte(len(r.kind)))
	return append(append(b, r.kind...), r.body...)
}

// leaf is the entry's hash in the tree: all that a proof shows of other entries.
func (r *row) leaf() tlog.Hash { return tlog.RecordHash(r.record()) }

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }

// seal is the MAC of an entry, or of the head, under the ledger's key: without it a ledger cannot be rebuilt.
func (l *Ledger) seal(what string, seq int64, hash tlog.Hash) []byte {
	m := hmac.New(sha256.New, l.mac)
	m.Write([]byte(what))
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(seq)))
	m.Write(hash[:])
	return m.Sum(nil)
}

// Append adds an entry in the caller's transaction, which must be the only writer (meta.DB.Tx). ErrEntry
// when a field is outside its set, ErrBroken when the ledger was tampered with.
func (l *Ledger) Append(ctx context.Context, tx *sql.Tx, e Entry) (Receipt, error) {
	r, err := l.append(ctx, tx, e)
	if err != nil {
		return Receipt{}, fmt.Errorf("append to ledger: %w", err)
	}
	return r, nil
}

func (l *Ledger) append(ctx context.Context, tx *sql.Tx, e Entry) (Receipt, error) {
	e, err := e.salted(l.c.Rand)
	if err == nil {
		err = e.check()
	}
	if err != nil {
		return Receipt{}, err
	}
	r := row{at: l.c.Clock().UnixMicro(), workspace: e.workspace(), kind: e.kind()}
	if r.body, err = encode(e); err != nil {
		return Receipt{}, err
	}
	size, _, err := l.head(ctx, tx)
	if err != nil {
		return Receipt{}, err
	}
	r.seq = size + 1
	r.mac = l.seal("entry", r.seq, r.leaf())
	if err := insert(ctx, tx, &r); err != nil {
		return Receipt{}, err
	}
	return r.receipt(), l.grow(ctx, tx, size, r.leaf())
}

func insert(ctx context.Context, tx *sql.Tx, r *row) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO ledger(`+columns+`) VALUES($1, $2, $3, $4, $5, $6)`,
		r.seq, r.at, r.workspace, r.kind, r.body, r.mac)
	return err
}

// querier is a transaction, or the database for reading.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// Record is an entry as kept.
type Record struct {
	Receipt
	Kind  string
	Entry Entry
}

// Filter chooses entries; the zero value chooses all.
type Filter struct {
	Kind  string // one of Kinds; "": all
	After int64  // only entries with a greater number
	Limit int    // 0: no limit
}

// Entries calls f with the entries of a workspace, oldest first. An error of f ends it. Entries about a deleted workspace
// that had the name before are not among them.
func (l *Ledger) Entries(ctx context.Context, workspace string, c Filter, f func(Record) error) error {
	limit := c.Limit
	if limit <= 0 {
		limit = -1
	}
	rows, err := l.db.QueryContext(ctx, `SELECT `+columns+` FROM ledger
		WHERE workspace = $1 AND seq > $2 AND ($3 = '' OR kind = $3)
		AND seq > coalesce((SELECT max(seq) FROM ledger WHERE workspace = $1 AND kind = 'tenancy' AND body ->> 'act' = $5), 0)
		ORDER BY seq LIMIT $4`, workspace, c.After, c.Kind, limit, GoneAct)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		rec, err := record(rows)
		if err != nil {
			return err
		}
		if err := f(rec); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	return nil
}

func record(s interface{ Scan(...any) error }) (Record, error) {
	var r row
	if err := r.scan(s); err != nil {
		return Record{}, fmt.Errorf("read ledger: %w", err)
	}
	e, err := decode(r.kind, r.body)
	if err != nil {
		return Record{}, fmt.Errorf("read ledger: entry %d: %w", r.seq, errors.Join(err, ErrBroken))
	}
	return Record{Receipt: r.receipt(), Kind: r.kind, Entry: e}, nil
}

// Holds reports whether a receipt, as printed by Receipt.String, belongs to an entry of this ledger.
func (l *Ledger) Holds(ctx context.Context, receipt string) (bool, error) {
	var seq int64
	if _, err := fmt.Sscanf(receipt, "%d-", &seq); err != nil {
		return false, nil
	}
	var r row
	err := r.scan(l.db.QueryRowContext(ctx, `SELECT `+columns+` FROM ledger WHERE seq = $1`, seq))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read ledger: %w", err)
	}
	return hmac.Equal(r.mac, l.seal("entry", seq, r.leaf())) && r.receipt().String() == receipt, nil
}

// Close signs a last checkpoint. The database is the caller's.
func (l *Ledger) Close(ctx context.Context) error {
	_, err := l.Checkpoint(ctx)
	return err
}
