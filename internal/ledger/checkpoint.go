package ledger

import (
	"bytes"
	"context"
	"database/sql"
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

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"murmur/internal/meta"
)

// Checkpoint says: the ledger had this many entries, and this was the root of the tree over them. It is a signed note
// (c2sp.org/tlog-checkpoint): the name of the ledger's key, Size, Root in base64 and At, a line each; an empty line; the
// signature.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
	At   time.Time
	Note string // as signed
}

const timeLayout = "2006-01-02T15:04:05.000000Z"

// ErrCheckpoint is returned for a text that is no checkpoint or whose signature is wrong.
var ErrCheckpoint = errors.New("ledger: not a checkpoint of this ledger")

// String is the signed note.
func (c Checkpoint) String() string { return c.Note }

// text is what is signed.
func (c Checkpoint) text(origin string) string {
	return fmt.Sprintf("%s\n%d\n%s\n%s\n", origin, c.Size, c.Root, c.At.UTC().Format(timeLayout))
}

// ParseCheckpoint reads a signed note and verifies its signature. ErrCheckpoint.
func ParseCheckpoint(text string, v Verifier) (Checkpoint, error) {
	bad := fmt.Errorf("text of %d bytes: %w", len(text), ErrCheckpoint)
	n, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil || len(n.UnverifiedSigs) > 0 {
		return Checkpoint{}, bad
	}
	f := strings.Split(n.Text, "\n")
	if len(f) != 5 {
		return Checkpoint{}, bad
	}
	c := Checkpoint{Note: text}
	var errs [3]error
	c.Size, errs[0] = strconv.ParseInt(f[1], 10, 64)
	c.Root, errs[1] = tlog.ParseHash(f[2])
	c.At, errs[2] = time.Parse(timeLayout, f[3])
	if errors.Join(errs[:]...) != nil || c.Size < 1 || c.text(v.Name()) != n.Text {
		return Checkpoint{}, bad
	}
	return c, nil
}

// sign makes the note of a checkpoint.
func (l *Ledger) sign(c Checkpoint) (Checkpoint, error) {
	b, err := note.Sign(&note.Note{Text: c.text(l.key.Name())}, l.key)
	c.Note = string(b)
	return c, err
}

// Checkpoint signs the root of the tree and writes it into the file, then into the database. When the ledger has not
// grown it gives the newest one; the zero Checkpoint is of an empty ledger. Call it daily, on close, and whenever
// somebody wants one to keep elsewhere. ErrBroken.
func (l *Ledger) Checkpoint(ctx context.Context) (Checkpoint, error) {
	var c Checkpoint
	err := l.db.Tx(ctx, func(tx *sql.Tx) error {
		size, root, err := l.head(ctx, tx)
		if err != nil || size == 0 {
			return err
		}
		var text string
		err = tx.QueryRowContext(ctx, `SELECT note FROM checkpoints WHERE size = $1`, size).Scan(&text)
		if err == nil {
			if c, err = ParseCheckpoint(text, l.key); err == nil && c.Root == root {
				return nil
			}
			return ErrBroken
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if c, err = l.sign(Checkpoint{Size: size, Root: root, At: l.c.Clock().UTC().Truncate(time.Microsecond)}); err != nil {
			return err
		}
		// The file first: a checkpoint only in the file is the trace of a crash, one only in the database of a
		// cut file. The transaction keeps other processes from the file.
		if err := l.appendNote(c.Note); err != nil {
			return err
		}
		return keep(ctx, tx, c)
	})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign checkpoint: %w", err)
	}
	return c, nil
}

func keep(ctx context.Context, tx *sql.Tx, c Checkpoint) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO checkpoints(size, note) VALUES($1, $2) ON CONFLICT DO NOTHING`, c.Size, c.Note)
	return err
}

func (l *Ledger) appendNote(text string) error {
	f, err := os.OpenFile(l.file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
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

// Backup writes to the file named to the checkpoints that belong to a copy of the ledger's database: a checkpoint is in
// the file before it is in the database, so after the copy the file has all of them, and those of later entries are
// left out.
func (l *Ledger) Backup(ctx context.Context, copied *meta.DB, to string) error {
	var size int64
	if err := copied.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM ledger`).Scan(&size); err != nil {
		return fmt.Errorf("back up checkpoints: %w", err)
	}
	notes, err := l.readNotes()
	if err != nil {
		return fmt.Errorf("back up checkpoints: %w", err)
	}
	var b strings.Builder
	for _, text := range notes {
		if c, err := ParseCheckpoint(text, l.key); err != nil || c.Size <= size { // a damaged one is for Verify to name
			b.WriteString(text)
		}
	}
	if err := os.WriteFile(to, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("back up checkpoints: %w", err)
	}
	return nil
}

// mend finishes what a crash cut short: a last note without its end is dropped, and a checkpoint that did
// not reach the database is added to it, if the tree agrees.
func (l *Ledger) mend(ctx context.Context) error {
	return l.db.Tx(ctx, func(tx *sql.Tx) error {
		b, err := os.ReadFile(l.file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		notes, whole := splitNotes(b)
		if whole < len(b) {
			if err := truncate(l.file, int64(whole)); err != nil {
				return err
			}
		}
		if len(notes) == 0 {
			return nil
		}
		c, err := ParseCheckpoint(notes[len(notes)-1], l.key)
		if err != nil {
			return nil // for Verify to name
		}
		root, err := tlog.TreeHash(c.Size, tree(ctx, tx))
		if errors.Is(err, ErrBroken) || err == nil && root != c.Root {
			return nil
		}
		if err != nil {
			return err
		}
		return keep(ctx, tx, c)
	})
}

func truncate(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// SplitNotes cuts a text into the notes that stand in it one after the other; what follows the last one is one more.
func SplitNotes(text string) []string {
	notes, whole := splitNotes([]byte(text))
	if whole < len(text) {
		notes = append(notes, text[whole:])
	}
	return notes
}

// splitNotes cuts the checkpoint file into its notes; a note ends with the line of its signature. whole is where the last
// one ends.
func splitNotes(b []byte) (notes []string, whole int) {
	for at := 0; at < len(b); {
		end := bytes.IndexByte(b[at:], '\n')
		if end < 0 {
			break
		}
		line := b[at : at+end]
		at += end + 1
		if bytes.HasPrefix(line, []byte("— ")) {
			notes, whole = append(notes, string(b[whole:at])), at
		}
	}
	return notes, whole
}

// readNotes gives the notes of the checkpoint file; none when there is no file.
func (l *Ledger) readNotes() ([]string, error) {
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
	if err != nil {
		return nil, err
	}
	return SplitNotes(string(b)), nil
}
