package datadir

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
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

// Backup writes a tar stream of the files, their hashes last. VERSION is added; the root key and the key
// files must be among the files. What the stream holds is what the directory holds: keep it as well.
func (d *Dir) Backup(ctx context.Context, w io.Writer, files ...Source) error {
	files = append([]Source{{versionFile, filepath.Join(d.path, versionFile)}}, files...)
	t := tar.NewWriter(w)
	if err := addBytes(t, backupFirst, []byte(backupMagic)); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	var sums []byte
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum, err := addFile(t, f)
		if err != nil {
			return fmt.Errorf("write backup: %w", typed(err))
		}
		sums = fmt.Appendf(sums, "%x %s\n", sum, f.Name)
	}
	err := addBytes(t, backupLast, sums)
	if err == nil {
		err = t.Close()
	}
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

func addBytes(t *tar.Writer, name string, b []byte) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := t.Write(b)
	return err
}

func addFile(t *tar.Writer, s Source) ([]byte, error) {
	if err := checkName(s.Name); err != nil {
		return nil, err
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", s.Name)
	}
	if err := t.WriteHeader(&tar.Header{Name: s.Name, Mode: 0o600, Size: info.Size(), Format: tar.FormatPAX}); err != nil {
		return nil, err
	}
	h := sha256.New()
	// What is appended meanwhile is left out; a file that became shorter is an error.
	if _, err := io.CopyN(io.MultiWriter(t, h), f, info.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return h.Sum(nil), nil
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

// Restore makes a data directory from a backup. Everything is unpacked and compared beside path first, and
// only a whole directory appears there; path must be missing or empty. The caller replays erasures before
// it serves anything. ErrNotEmpty, ErrBackup, ErrNewer, ErrFull, ErrReadOnly.
func Restore(ctx context.Context, r io.Reader, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore: %w", typed(err))
	}
	if len(entries) > 0 {
		return fmt.Errorf("restore: %w", ErrNotEmpty)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("restore: %w", typed(err))
	}
	beside, err := os.MkdirTemp(filepath.Dir(path), ".murmur-restore-*") // mode 0700
	if err != nil {
		return fmt.Errorf("restore: %w", typed(err))
	}
	defer os.RemoveAll(beside)
	if err := unpack(ctx, r, beside); err != nil {
		return fmt.Errorf("restore: %w", typed(err))
	}
	if err := finish(ctx, beside); err != nil {
		return fmt.Errorf("restore: %w", typed(err))
	}
	err = os.Remove(path) // an empty directory; a filled one refuses
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(beside, path)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", typed(err))
	}
	return syncDir(filepath.Dir(path))
}

// unpack writes the members below dir and compares their hashes.
func unpack(ctx context.Context, r io.Reader, dir string) error {
	t := tar.NewReader(r)
	h, err := next(t)
	if err != nil || h.Name != backupFirst {
		return ErrBackup
	}
	if b, err := io.ReadAll(io.LimitReader(t, 64)); err != nil || string(b) != backupMagic {
		return ErrBackup
	}
	var sums strings.Builder
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := next(t)
		if err != nil {
			return err
		}
		if h.Name == backupLast {
			break
		}
		if err := checkName(h.Name); err != nil {
			return err
		}
		sum := sha256.New()
		if err := unpackFile(t, filepath.Join(dir, filepath.FromSlash(h.Name)), sum); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s %s\n", hex.EncodeToString(sum.Sum(nil)), h.Name)
	}
	want, err := io.ReadAll(io.LimitReader(t, int64(sums.Len())+1))
	if err != nil || string(want) != sums.String() {
		return fmt.Errorf("the hashes differ: %w", ErrBackup)
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the end: %w", ErrBackup)
	}
	return nil
}

// next gives the next member, if it is a plain file. A sparse one may claim any size and is refused.
func next(t *tar.Reader) (*tar.Header, error) {
	h, err := t.Next()
	if err != nil {
		return nil, errors.Join(ErrBackup, err)
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

func unpackFile(t *tar.Reader, path string, sum hash.Hash) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("a name comes twice: %w", ErrBackup)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(f, sum), t)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader) {
		err = errors.Join(ErrBackup, err)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
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
