package datadir

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"murmur/internal/keyring"
)

// MANIFEST lists every file of a directory that nobody has open. While somebody has, it is MANIFEST.open.
const (
	manifestFile  = "MANIFEST"
	openFile      = "MANIFEST.open"
	manifestMagic = "murmur manifest 1"
	purpose       = "murmur manifest 1"
)

// ErrNoManifest is returned by Verify for a directory that was not closed properly: only files that never
// change could be compared.
var ErrNoManifest = errors.New("datadir: the directory was not closed properly, so there is no manifest of it")

var errManifest = errors.New("damaged")

// patience bounds how long Close reads files.
const patience = 8 * time.Second

// entry is one file of a manifest.
type entry struct {
	name    string // slash-separated, below the directory
	size    int64
	sum     [sha256.Size]byte
	fixed   bool // written once; the hash is that of the first time
	damaged bool // somebody opened the directory although this file had changed
}

// encodeManifest writes the manifest with its MAC; the entries are sorted by name.
func encodeManifest(all []entry, root *keyring.Root) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %x\n", manifestMagic, root.ID())
	for _, e := range all {
		flag := "-"
		switch {
		case e.damaged && e.fixed:
			flag = "D"
		case e.damaged:
			flag = "d"
		case e.fixed:
			flag = "f"
		}
		fmt.Fprintf(&b, "%x %d %s %q\n", e.sum, e.size, flag, e.name)
	}
	fmt.Fprintf(&b, "mac %x\n", macOf(b.Bytes(), root))
	return b.Bytes()
}

func macOf(b []byte, root *keyring.Root) []byte {
	m := hmac.New(sha256.New, root.Derive(purpose)[:])
	m.Write(b)
	return m.Sum(nil)
}

// decodeManifest reads a manifest. With a nil root the MAC is not looked at.
func decodeManifest(b []byte, root *keyring.Root) ([]entry, error) {
	cut := bytes.LastIndex(b, []byte("\nmac ")) + 1
	if cut == 0 {
		return nil, errManifest
	}
	if root != nil && string(b[cut:]) != fmt.Sprintf("mac %x\n", macOf(b[:cut], root)) {
		return nil, errManifest
	}
	lines := strings.Split(strings.TrimSuffix(string(b[:cut]), "\n"), "\n")
	if !strings.HasPrefix(lines[0], manifestMagic+" ") {
		return nil, errManifest
	}
	var all []entry
	for _, l := range lines[1:] {
		f := strings.SplitN(l, " ", 4)
		if len(f) != 4 || len(f[2]) != 1 || !strings.Contains("-fdD", f[2]) {
			return nil, errManifest
		}
		sum, err1 := hex.DecodeString(f[0])
		size, err2 := strconv.ParseInt(f[1], 10, 64)
		name, err3 := strconv.Unquote(f[3])
		if errors.Join(err1, err2, err3) != nil || len(sum) != sha256.Size {
			return nil, errManifest
		}
		all = append(all, entry{
			name: name, size: size, sum: [sha256.Size]byte(sum),
			fixed: strings.Contains("fD", f[2]), damaged: strings.Contains("dD", f[2]),
		})
	}
	return all, nil
}

// seen is a file as it was when Open hashed it.
type seen struct {
	info fs.FileInfo
	sum  [sha256.Size]byte
	at   time.Time
}

// still reports whether the file was not written since. A file written less than two seconds before it was
// hashed may have been written again with the same time stamp.
func (s seen) still(info fs.FileInfo) bool {
	return s.info != nil && os.SameFile(s.info, info) && s.info.Size() == info.Size() &&
		s.info.ModTime().Equal(info.ModTime()) && s.at.Sub(info.ModTime()) > 2*time.Second
}

// files calls f with every regular file of a directory but the manifests, in order of names.
func files(ctx context.Context, dir string, f func(name string, info fs.FileInfo) error) error {
	var names []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err == nil && e.Type().IsRegular() && rel != manifestFile && rel != openFile {
			names = append(names, filepath.ToSlash(rel))
		}
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, n := range names {
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(n)))
		if err == nil && info.Size() == 0 && (n == lockFile || n == usersFile) {
			continue // made by whoever looks; they hold nothing
		}
		if err == nil {
			err = f(n, info)
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

func hashFile(ctx context.Context, path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	for { // in pieces, so that ctx is heard
		_, err := io.CopyN(h, f, 64<<20)
		if errors.Is(err, io.EOF) {
			return [sha256.Size]byte(h.Sum(nil)), nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return sum, err
		}
	}
}

// Close gives the directory back. The last user empties tmp/ and writes MANIFEST; when reading the files
// takes longer than 8 s there is none, as after a crash. Everything else in the directory must be closed.
func (d *Dir) Close() error { return d.CloseBefore(time.Now().Add(patience)) }

// CloseBefore is Close that reads files until the given time at most.
func (d *Dir) CloseBefore(late time.Time) error {
	if d.users == nil {
		return nil
	}
	defer d.unlock()
	for {
		err := syscall.Flock(int(d.users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil // somebody else is the last
		}
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("close data directory: %w", err)
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), late)
	defer cancel()
	err := errors.Join(empty(d.Tmp()), d.writeManifest(ctx))
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("close data directory: %w", typed(err))
	}
	return nil
}

// writeManifest turns MANIFEST.open into MANIFEST. Files that are written once keep their first hash, and
// files that were accepted as damaged stay listed.
func (d *Dir) writeManifest(ctx context.Context) error {
	var old []entry
	b, err := os.ReadFile(filepath.Join(d.path, openFile))
	if err == nil {
		old, err = decodeManifest(b, d.root)
	}
	if err != nil {
		return &DamageError{[]Breach{{openFile, errManifest.Error()}}} // it stays, so that Verify says so too
	}
	all, err := list(ctx, d.path, old, d.seen)
	if err != nil {
		return err
	}
	if err := replace(d.path, manifestFile, encodeManifest(all, d.root)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(d.path, openFile)); err != nil {
		return err
	}
	return syncDir(d.path)
}

// list makes the entries of a directory's files.
func list(ctx context.Context, dir string, old []entry, known map[string]seen) ([]entry, error) {
	keep := make(map[string]entry, len(old))
	var all []entry
	for _, e := range old {
		if e.damaged || e.fixed {
			keep[e.name] = e
		}
		if e.damaged {
			all = append(all, e)
		}
	}
	err := files(ctx, dir, func(name string, info fs.FileInfo) error {
		e, kept := keep[name]
		if kept && e.damaged {
			return nil
		}
		if !kept {
			e = entry{name: name, size: info.Size(), fixed: strings.HasPrefix(name, lakeFolder+"/")}
			if s := known[name]; s.still(info) {
				e.sum = s.sum
			} else {
				sum, err := hashFile(ctx, filepath.Join(dir, filepath.FromSlash(name)))
				if err != nil {
					return err
				}
				e.sum = sum
			}
		}
		all = append(all, e)
		return nil
	})
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return all, err
}
