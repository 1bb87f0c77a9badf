package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"murmur/internal/meta"
)

// Checkpoint says: the chain had this many entries and ended in this hash. It is one line of text,
//
//	murmur-ledger-1 SEQ TIME HASH SIGNATURE
//
// in the manner of a signed note: everything before the last space is what Ed25519 signs.
type Checkpoint struct {
	Seq  int64
	At   time.Time
	Hash [sha256.Size]byte
	Sig  []byte
}

const (
	lineMagic  = "murmur-ledger-1"
	timeLayout = "2006-01-02T15:04:05.000000Z"
)

// ErrCheckpoint is returned for a line that is no checkpoint or whose signature is wrong.
var ErrCheckpoint = errors.New("ledger: not a checkpoint of this ledger")

func (c Checkpoint) signed() []byte {
	return fmt.Appendf(nil, "%s %d %s %x", lineMagic, c.Seq, c.At.UTC().Format(timeLayout), c.Hash)
}

// String is the line, without its end.
func (c Checkpoint) String() string {
	return string(c.signed()) + " " + base64.StdEncoding.EncodeToString(c.Sig)
}

// ParseCheckpoint reads a line and verifies its signature. ErrCheckpoint.
func ParseCheckpoint(line string, key ed25519.PublicKey) (Checkpoint, error) {
	f := strings.Split(line, " ")
	if len(f) != 5 || f[0] != lineMagic {
		return Checkpoint{}, fmt.Errorf("line of %d bytes: %w", len(line), ErrCheckpoint)
	}
	var c Checkpoint
	var err [4]error
	var hash []byte
	c.Seq, err[0] = strconv.ParseInt(f[1], 10, 64)
	c.At, err[1] = time.Parse(timeLayout, f[2])
	hash, err[2] = hex.DecodeString(f[3])
	c.Sig, err[3] = base64.StdEncoding.Strict().DecodeString(f[4])
	if errors.Join(err[:]...) != nil || len(hash) != sha256.Size {
		return Checkpoint{}, fmt.Errorf("line of %d bytes: %w", len(line), ErrCheckpoint)
	}
	c.Hash = [sha256.Size]byte(hash)
	if c.String() != line || !ed25519.Verify(key, c.signed(), c.Sig) {
		return Checkpoint{}, fmt.Errorf("line of %d bytes: %w", len(line), ErrCheckpoint)
	}
	return c, nil
}

// Checkpoint signs the end of the chain and writes it into the file, then into the database. It does nothing
// when the chain has not grown; the zero Checkpoint is of an empty ledger. Call it daily, on close, and
// whenever somebody wants one to keep elsewhere. ErrBroken.
func (l *Ledger) Checkpoint(ctx context.Context) (Checkpoint, error) {
	var c Checkpoint
	err := l.db.Tx(ctx, func(tx *sql.Tx) error {
		seq, hash, err := l.head(ctx, tx)
		if err != nil || seq == 0 {
			return err
		}
		c = Checkpoint{Seq: seq, At: l.c.Clock().UTC().Truncate(time.Microsecond), Hash: [sha256.Size]byte(hash)}
		c.Sig = ed25519.Sign(l.sign, c.signed())
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM checkpoints WHERE seq = $1`, seq).Scan(&n); err != nil || n > 0 {
			return err
		}
		// The file first: a checkpoint that is in the file alone is a crash, in the database alone a cut file.
		// The transaction keeps other processes from the file.
		if err := l.appendLine(c.String()); err != nil {
			return err
		}
		return l.keep(ctx, tx, c)
	})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign checkpoint: %w", err)
	}
	return c, nil
}

func (l *Ledger) keep(ctx context.Context, tx *sql.Tx, c Checkpoint) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO checkpoints(seq, at, hash, sig) VALUES($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		c.Seq, c.At.UnixMicro(), c.Hash[:], c.Sig)
	return err
}

func (l *Ledger) appendLine(line string) error {
	f, err := os.OpenFile(l.file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(l.file))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Backup writes to the file named to the checkpoints that belong to a copy of the ledger's database: a line of a
// checkpoint precedes its row, so after the copy the file has all of them, and those of later entries are left out.
func (l *Ledger) Backup(ctx context.Context, copied *meta.DB, to string) error {
	var head int64
	if err := copied.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM ledger`).Scan(&head); err != nil {
		return fmt.Errorf("back up checkpoints: %w", err)
	}
	lines, err := l.readLines()
	if err != nil {
		return fmt.Errorf("back up checkpoints: %w", err)
	}
	var b strings.Builder
	for _, line := range lines {
		if c, err := ParseCheckpoint(line, l.PublicKey()); err != nil || c.Seq <= head { // a damaged line is for Verify to name
			b.WriteString(line + "\n")
		}
	}
	if err := os.WriteFile(to, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("back up checkpoints: %w", err)
	}
	return nil
}

// mend finishes what a crash cut short: a last line without its end is dropped, and a checkpoint that did
// not reach the database is added to it, if the chain agrees.
func (l *Ledger) mend(ctx context.Context) error {
	return l.db.Tx(ctx, func(tx *sql.Tx) error {
		b, err := os.ReadFile(l.file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if whole := bytes.LastIndexByte(b, '\n') + 1; whole < len(b) {
			if err := truncate(l.file, int64(whole)); err != nil {
				return err
			}
			b = b[:whole]
		}
		lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		c, err := ParseCheckpoint(lines[len(lines)-1], l.PublicKey())
		if err != nil {
			return nil // for Verify to name
		}
		var hash []byte
		err = tx.QueryRowContext(ctx, `SELECT hash FROM ledger WHERE seq = $1`, c.Seq).Scan(&hash)
		if err == nil && bytes.Equal(hash, c.Hash[:]) {
			return l.keep(ctx, tx, c)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
}

func truncate(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// readLines gives the lines of the checkpoint file; none when there is no file.
func (l *Ledger) readLines() ([]string, error) {
	f, err := os.Open(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), nil
}
