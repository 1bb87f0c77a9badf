package datadir

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"murmur/internal/keyring"
)

var (
	// ErrBackup is returned by Restore for a file that is no backup, is cut short, or was changed.
	ErrBackup = errors.New("datadir: not a whole backup")
	// ErrNotEmpty is returned by Restore for a directory that holds something already.
	ErrNotEmpty = errors.New("datadir: the directory is not empty")
)

// Members of a backup beside the directory's own files, docs/format/backup.md.
const (
	backupFirst = "MURMUR-BACKUP"
	backupMagic = "murmur backup 1\n"
	backupLast  = "MURMUR-SUMS"
)

// Source is a file for a backup: its name in the directory and where it is read. A database is never read
// where it lies but from a copy the database made (VACUUM INTO), the keys from keyring.Ring.Copy.
type Source struct {
	Name string // slash-separated, below the directory
	Path string
}

// Backup writes a tar stream of the files, their hashes last: without them it is no backup. VERSION is added; the
// root key and the key files must be among the files. What the stream holds is what the directory holds: protect it
// as well. An error names the file that is missing, became shorter, or is not what it was when it was written
// (ErrDamaged); what was written to w is then worth nothing.
func (d *Dir) Backup(ctx context.Context, w io.Writer, files ...Source) error {
	files = append([]Source{{versionFile, filepath.Join(d.path, versionFile)}}, files...)
	written := d.writtenOnce()
	t := tar.NewWriter(w)
	if err := addBytes(t, backupFirst, []byte(backupMagic)); err != nil {
		return fmt.Errorf("write backup: %w", typed(err))
	}
	var sums []byte
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum, err := addFile(t, f)
		if err != nil {
			return fmt.Errorf("write backup: %s: %w", f.Name, typed(err))
		}
		if was, ok := written[f.Name]; ok && was != sum {
			return fmt.Errorf("write backup: %w", &DamageError{[]Breach{{f.Name, "changed"}}})
		}
		sums = fmt.Appendf(sums, "%x %s\n", sum, f.Name)
	}
	err := addBytes(t, backupLast, sums)
	if err == nil {
		err = t.Close()
	}
	if err != nil {
		return fmt.Errorf("write backup: %w", typed(err))
	}
	return nil
}

// writtenOnce are the hashes of the files that never change, as the manifest knows them.
func (d *Dir) writtenOnce() map[string][sha256.Size]byte {
	b, err := os.ReadFile(filepath.Join(d.path, openFile))
	if err != nil {
		return nil // nothing to compare with: Verify says that
	}
	all, err := decodeManifest(b, d.root)
	if err != nil {
		return nil
	}
	sums := map[string][sha256.Size]byte{}
	for _, e := range all {
		if e.fixed {
			sums[e.name] = e.sum
		}
	}
	return sums
}

func addBytes(t *tar.Writer, name string, b []byte) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := t.Write(b)
	return err
}

func addFile(t *tar.Writer, s Source) (sum [sha256.Size]byte, err error) {
	if err := checkName(s.Name); err != nil {
		return sum, err
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return sum, reason(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sum, reason(err)
	}
	if !info.Mode().IsRegular() {
		return sum, errors.New("not a regular file")
	}
	if err := t.WriteHeader(&tar.Header{Name: s.Name, Mode: 0o600, Size: info.Size(), Format: tar.FormatPAX}); err != nil {
		return sum, err
	}
	h := sha256.New()
	// What is appended meanwhile is left out; a file that became shorter is an error.
	if _, err := io.CopyN(io.MultiWriter(t, h), f, info.Size()); err != nil {
		return sum, reason(err)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// reason is an error without the path: a file of a backup is known by its name in the directory.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// checkName refuses every name that could reach outside the directory or means something to this package.
func checkName(name string) error {
	reserved := []string{manifestFile, openFile, lockFile, usersFile, ballastFile, socketFile, backupFirst, backupLast}
	if name == "" || name == "." || strings.ContainsAny(name, "\\\n\x00") || !filepath.IsLocal(name) ||
		filepath.ToSlash(filepath.Clean(name)) != name || slices.Contains(reserved, name) {
		return fmt.Errorf("a name of %d bytes is refused: %w", len(name), ErrBackup)
	}
	return nil
}

// required are the files without which a directory lacks what protects people (policies, refusals and the ledger; what became of
// deliveries; which rows are whose), or its rows.
func required() []string { return []string{metaFile, journalFile, catalogFile} }

// member reports a name that Backup is given files under.
func member(name string) bool {
	folder, rest, below := strings.Cut(name, "/")
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 255 { // POSIX NAME_MAX of the usual file systems
			return false
		}
	}
	switch {
	case !below:
		return slices.Contains(append(required(), versionFile, checkpointsFile, keyring.RootFile), name)
	case folder == keyring.Folder:
		return !strings.Contains(rest, "/") && strings.HasSuffix(rest, ".keys")
	}
	return folder == lakeFolder || folder == "notices"
}

// Restore makes a data directory from a backup. Everything is unpacked and compared beside path first; then
// prepare, which may be nil, works on it there (erasures are carried out again before anybody can read); and only a
// whole directory appears at path, which must be missing or empty. Nothing is left where it fails. ErrNotEmpty,
// ErrBackup, ErrNewer, ErrFull, ErrReadOnly, or an error of prepare.
func Restore(ctx context.Context, r io.Reader, path string, prepare func(dir string) error) error {
	if err := restore(ctx, r, path, prepare); err != nil {
		return fmt.Errorf("restore: %w", typed(err))
	}
	return nil
}

func restore(ctx context.Context, r io.Reader, path string, prepare func(dir string) error) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return ErrNotEmpty
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	beside, err := os.MkdirTemp(filepath.Dir(path), ".murmur-restore-*") // mode 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	if err := unpack(ctx, r, beside); err != nil {
		return err
	}
	if err := finish(ctx, beside); err != nil {
		return err
	}
	if prepare != nil {
		if err := prepare(beside); err != nil {
			return err
		}
	}
	err = os.Remove(path) // an empty directory; a filled one refuses
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(beside, path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// CheckBackup reads a backup to its end and compares every hash. ErrBackup names the file that is missing or
// damaged, or says that the backup is cut short.
func CheckBackup(ctx context.Context, r io.Reader) error {
	return readBackup(ctx, r, func(_ string, content io.Reader) error {
		_, err := io.Copy(io.Discard, content)
		return err
	})
}

// unpack writes the members below dir and compares their hashes.
func unpack(ctx context.Context, r io.Reader, dir string) error {
	err := readBackup(ctx, r, func(name string, content io.Reader) error {
		return unpackFile(content, filepath.Join(dir, filepath.FromSlash(name)))
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { // the names too are on the disk
		if err != nil || !e.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

// readBackup hands each member to keep, which reads it to its end, and compares what was read with the hashes.
func readBackup(ctx context.Context, r io.Reader, keep func(name string, content io.Reader) error) error {
	end := &ending{r: r}
	t := tar.NewReader(end)
	h, err := next(t)
	if err != nil || h.Name != backupFirst {
		return fmt.Errorf("it does not begin as one: %w", ErrBackup)
	}
	if b, err := io.ReadAll(io.LimitReader(t, 64)); err != nil || string(b) != backupMagic {
		return fmt.Errorf("it is of another version: %w", ErrBackup)
	}
	last, sums := backupFirst, map[string]string{}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if h, err = next(t); err != nil {
			return fmt.Errorf("after %s: %w", last, err)
		}
		if h.Name == backupLast {
			break
		}
		if err := checkName(h.Name); err != nil {
			return err
		}
		if !member(h.Name) {
			return fmt.Errorf("a file that belongs to no backup, its name %d bytes long: %w", len(h.Name), ErrBackup)
		}
		if _, twice := sums[h.Name]; twice {
			return fmt.Errorf("%s comes twice: %w", h.Name, ErrBackup)
		}
		sum := sha256.New()
		if err := keep(h.Name, io.TeeReader(t, sum)); err != nil {
			return fmt.Errorf("%s: %w", h.Name, cutOff(err))
		}
		last, sums[h.Name] = h.Name, hex.EncodeToString(sum.Sum(nil))
	}
	if err := compareSums(t, sums); err != nil {
		return err
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the end: %w", ErrBackup)
	}
	return end.check()
}

// compareSums reads the list of hashes: each member has one, and each hash a member.
func compareSums(list io.Reader, sums map[string]string) error {
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		want, name, ok := strings.Cut(lines.Text(), " ")
		got, has := sums[name]
		switch {
		case !ok:
			return fmt.Errorf("the list of hashes is damaged: %w", ErrBackup)
		case !has:
			return fmt.Errorf("%s is missing: %w", name, ErrBackup)
		case got != want:
			return fmt.Errorf("%s is damaged: %w", name, ErrBackup)
		}
		delete(sums, name)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the list of hashes: %w", cutOff(err))
	}
	if len(sums) > 0 {
		return fmt.Errorf("the list of hashes does not name every file: %w", ErrBackup)
	}
	return nil
}

// ending remembers the last bytes of a tar stream, which must be two blocks of zeroes (POSIX pax, end of archive):
// the reader of package tar takes the end of the input for it as well.
type ending struct {
	r    io.Reader
	tail [1024]byte
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if n >= len(e.tail) {
		copy(e.tail[:], p[n-len(e.tail):n])
	} else {
		copy(e.tail[:], e.tail[n:])
		copy(e.tail[len(e.tail)-n:], p[:n])
	}
	return n, err
}

func (e *ending) check() error {
	if n, err := io.Copy(io.Discard, e.r); err != nil || n > 0 {
		return fmt.Errorf("something follows the end: %w", errors.Join(ErrBackup, err))
	}
	if e.tail != [1024]byte{} {
		return fmt.Errorf("it is cut short: %w", ErrBackup)
	}
	return nil
}

// next gives the next member, if it is a plain file. A sparse one may claim any size and is refused.
func next(t *tar.Reader) (*tar.Header, error) {
	h, err := t.Next()
	if err != nil {
		return nil, cutOff(err)
	}
	sparse := false
	for k := range h.PAXRecords {
		sparse = sparse || strings.HasPrefix(k, "GNU.sparse")
	}
	if h.Typeflag != tar.TypeReg || sparse {
		return nil, fmt.Errorf("a member of type %q: %w", h.Typeflag, ErrBackup)
	}
	return h, nil
}

// cutOff tells an archive that ends early or has a damaged header from a disk that fails.
func cutOff(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it is cut short: %w", ErrBackup)
	case errors.Is(err, tar.ErrHeader), errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("it is damaged: %w", ErrBackup)
	}
	return err
}

func unpackFile(content io.Reader, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return reason(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return reason(err)
	}
	if _, err = io.Copy(f, content); err == nil {
		err = f.Sync()
	}
	return reason(errors.Join(err, f.Close()))
}

// finish makes what was unpacked a directory that was closed properly.
func finish(ctx context.Context, dir string) error {
	d := &Dir{path: dir}
	if err := d.checkVersion(); err != nil {
		if errors.Is(err, ErrNewer) {
			return err
		}
		return fmt.Errorf("no VERSION: %w", ErrBackup)
	}
	for _, name := range required() {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			return fmt.Errorf("%s is missing or empty: %w", name, ErrBackup)
		}
	}
	root, err := keyring.LoadRoot(dir)
	if err != nil {
		return errors.Join(ErrBackup, err)
	}
	for _, sub := range []string{d.Keys(), d.Lake(), d.Tmp()} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return err
		}
	}
	all, err := list(ctx, dir, nil, nil)
	if err != nil {
		return err
	}
	return replace(dir, manifestFile, encodeManifest(all, root))
}
