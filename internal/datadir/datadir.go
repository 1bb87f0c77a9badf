// Package datadir is murmur's directory on disk: where everything lies, who may open it, and whether
// anything in it changed while nobody had it open.
//
// Zone: below both doors. It sees files and bytes.
//
// It promises that one server at a time has the directory, that nobody but its owner can read it, that a
// directory of a newer version is left alone, and that after a clean close every changed, missing or added
// byte in any file is named by Verify and by the next Open (docs/format/datadir.md). Files below lake/ are
// written once; they keep the hash of the day they appeared.
//
// It does not notice what changes while the directory is open, nor, after a crash, what changed in files
// other than the lake's: there only the contents' own checks can (seals, the ledger, key files). It does
// not protect against somebody with the root key.
package datadir

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
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

	"murmur/internal/keyring"
)

// Format is the version of the directory's layout that this program writes and reads.
const Format = 1

var (
	// ErrLocked is returned when another server has the directory.
	ErrLocked = errors.New("datadir: another process has the directory")
	// ErrNewer is returned for a directory that a newer version wrote.
	ErrNewer = errors.New("datadir: the data is newer than this version")
	// ErrMode is returned for a directory that others than its owner can enter.
	ErrMode = errors.New("datadir: the directory must belong to its owner alone (chmod 700)")
	// ErrForeign is returned for a directory that holds something else.
	ErrForeign = errors.New("datadir: the directory is not empty and not murmur's")
	// ErrReadOnly is returned when the directory cannot be written.
	ErrReadOnly = errors.New("datadir: the directory cannot be written")
	// ErrFull is returned when the disk has no space left.
	ErrFull = errors.New("datadir: no space left")
	// ErrDamaged is what a DamageError is.
	ErrDamaged = errors.New("datadir: files changed while nobody had them open")
)

// Breach names a file, relative to the directory, and what is wrong with it.
type Breach struct{ File, What string }

func (b Breach) String() string { return b.File + ": " + b.What }

// DamageError lists the files that are not as they were left. It is ErrDamaged.
type DamageError struct{ Files []Breach }

func (e *DamageError) Error() string {
	s := make([]string, 0, 5)
	for i, b := range e.Files {
		if i == cap(s)-1 && len(e.Files) > cap(s) {
			s = append(s, fmt.Sprintf("and %d more", len(e.Files)-i))
			break
		}
		s = append(s, b.String())
	}
	return ErrDamaged.Error() + ": " + strings.Join(s, "; ")
}

// Is makes errors.Is(err, ErrDamaged) true.
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }

// Mode says what for the directory is opened.
type Mode int

const (
	Shared Mode = iota // beside others
	Server             // the one that works on it; others may still share
)

// Config is what Open may need beyond path and mode.
type Config struct {
	// Rand is for the root key and the ballast. Default crypto/rand.
	Rand io.Reader
	// Accept opens the directory although files changed. They stay listed, by Damaged and by Verify, until they
	// are again what they were.
	Accept bool
}

// Dir is an open data directory.
type Dir struct {
	path    string
	c       Config
	root    *keyring.Root
	lock    *os.File // flock LOCK_EX: the server
	users   *os.File // flock LOCK_SH: everybody; LOCK_EX: nobody else
	clean   bool
	damaged []Breach
	seen    map[string]seen // hashes taken by Open, by name
}

const (
	versionFile     = "VERSION"
	lockFile        = "lock"
	usersFile       = "users"
	ballastFile     = "ballast"
	metaFile        = "murmur.db"
	journalFile     = "journal.db"
	catalogFile     = "catalog.db"
	checkpointsFile = "ledger.checkpoints"
	socketFile      = "socket"
	ballastSize     = 8 << 20
)

// Open opens a data directory, and makes one where there is none.
func Open(path string, m Mode) (*Dir, error) { return OpenWith(path, m, Config{}) }

// OpenWith is Open with a Config. ErrLocked, ErrNewer, ErrMode, ErrForeign, ErrReadOnly, ErrFull, ErrDamaged,
// and the keyring's errors about the root key.
func OpenWith(path string, m Mode, c Config) (*Dir, error) {
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	d := &Dir{path: path, c: c}
	if err := d.open(m); err != nil {
		d.unlock()
		return nil, fmt.Errorf("open data directory: %w", typed(err))
	}
	return d, nil
}

func (d *Dir) open(m Mode) error {
	fresh, err := d.look()
	if err != nil {
		return err
	}
	if m == Server {
		if d.lock, err = flock(filepath.Join(d.path, lockFile), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return err
		}
	}
	// A process that has the directory alone looks for damage; all others wait until that is done.
	d.users, err = flock(filepath.Join(d.path, usersFile), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, ErrLocked) {
		if d.users, err = flock(filepath.Join(d.path, usersFile), syscall.LOCK_SH); err != nil {
			return err
		}
		if err = d.checkVersion(); err == nil {
			d.root, err = keyring.LoadRoot(d.path)
		}
		return err
	}
	if err != nil {
		return err
	}
	if fresh {
		err = d.create()
	} else {
		err = d.enter()
	}
	if err != nil {
		return err
	}
	return syscall.Flock(int(d.users.Fd()), syscall.LOCK_SH)
}

// look makes the directory if need be and decides whether it is to be filled.
func (d *Dir) look() (fresh bool, err error) {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return false, err
	}
	info, err := os.Stat(d.path)
	if err != nil {
		return false, err
	}
	ours := d.has(versionFile) || d.has(manifestFile) || d.has(openFile)
	if !ours { // first: nobody is to be told to change the mode of a directory that is not murmur's
		entries, err := os.ReadDir(d.path)
		if err != nil {
			return false, err
		}
		for _, e := range entries {
			if n := e.Name(); n != lockFile && n != usersFile {
				return false, ErrForeign
			}
		}
	}
	if p := info.Mode().Perm(); p&0o077 != 0 {
		return false, fmt.Errorf("mode %04o: %w", p, ErrMode)
	}
	if d.has(versionFile) || d.has(manifestFile) {
		return false, nil
	}
	return !ours || !d.has(metaFile), nil // without metadata: a crash while it was made; with: VERSION is missing
}

func (d *Dir) has(name string) bool {
	_, err := os.Lstat(filepath.Join(d.path, name))
	return err == nil
}

// create fills an empty directory; VERSION comes last and says that it is whole.
func (d *Dir) create() error {
	for _, sub := range []string{d.Keys(), d.Lake(), d.Tmp()} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return err
		}
	}
	// An empty MANIFEST.open is written first and says that the directory is being made. Its key may not exist
	// yet, so it is written again later.
	if err := replace(d.path, openFile, nil); err != nil {
		return err
	}
	err := keyring.CreateRoot(d.path, keyring.Config{Rand: d.c.Rand})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if d.root, err = keyring.LoadRoot(d.path); err != nil {
		return err
	}
	if err := d.RefillBallast(); err != nil {
		return err
	}
	if err := replace(d.path, openFile, encodeManifest(nil, d.root)); err != nil {
		return err
	}
	d.clean = true
	return replace(d.path, versionFile, encodeVersion(Format))
}

// enter opens an existing directory as the only user: nothing is written before it is known to be whole.
func (d *Dir) enter() error {
	err := d.checkVersion()
	if errors.Is(err, ErrNewer) {
		return err
	}
	v := &verification{path: d.path, seen: map[string]seen{}}
	old, err := v.run(func(e entry) bool { return !e.fixed }) // the lake's files: size alone
	switch {
	case errors.Is(err, ErrNoManifest):
	case err != nil:
		return err
	default:
		d.clean = true
	}
	if d.root = v.root; d.root == nil {
		_, err := keyring.LoadRoot(d.path)
		if errors.Is(err, keyring.ErrRoot) {
			return &DamageError{v.found}
		}
		return err
	}
	if len(v.found) > 0 && !d.c.Accept {
		return &DamageError{v.found}
	}
	d.damaged, d.seen = v.found, v.seen
	for i := range old {
		old[i].damaged = v.names(old[i].name)
	}
	if err := d.mark(old); err != nil {
		return err
	}
	_ = d.RefillBallast() // Doctor says when it is missing
	return nil
}

// mark says that the manifest no longer holds: MANIFEST becomes MANIFEST.open.
func (d *Dir) mark(old []entry) error {
	if !d.has(manifestFile) && d.has(openFile) && len(d.damaged) == 0 {
		return nil // after a crash it is there already, so that a full disk does no harm
	}
	if len(d.damaged) == 0 {
		if err := os.Rename(filepath.Join(d.path, manifestFile), filepath.Join(d.path, openFile)); err != nil {
			return err
		}
		return syncDir(d.path)
	}
	if err := replace(d.path, openFile, encodeManifest(old, d.root)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(d.path, manifestFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(d.path)
}

// MetaOf is where the metadata of a data directory lies that is not open.
func MetaOf(path string) string { return filepath.Join(path, metaFile) }

// Paths. What is behind them belongs to the packages named.
func (d *Dir) Path() string        { return d.path }
func (d *Dir) Meta() string        { return filepath.Join(d.path, metaFile) }        // meta, ledger
func (d *Dir) Journal() string     { return filepath.Join(d.path, journalFile) }     // journal/sqlite
func (d *Dir) Jobs() string        { return filepath.Join(d.path, "jobs.db") }       // job
func (d *Dir) Catalog() string     { return filepath.Join(d.path, catalogFile) }     // crowd: the lake's catalog
func (d *Dir) Lake() string        { return filepath.Join(d.path, lakeFolder) }      // crowd: written once
func (d *Dir) Keys() string        { return filepath.Join(d.path, keyring.Folder) }  // keyring
func (d *Dir) Recordings() string  { return filepath.Join(d.path, "recordings") }    // private: sealed audio
func (d *Dir) Tmp() string         { return filepath.Join(d.path, tmpFolder) }       // anybody; emptied on close
func (d *Dir) Checkpoints() string { return filepath.Join(d.path, checkpointsFile) } // ledger

const (
	lakeFolder = "lake"
	tmpFolder  = "tmp"
)

// Socket is where the server of a data directory can be spoken to: in the directory, or, where that path is
// too long for a socket address (104 bytes on some systems), in the user's cache directory.
func Socket(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	inside := filepath.Join(path, socketFile)
	cache, err := os.UserCacheDir()
	if len(inside) <= 100 || err != nil {
		return inside
	}
	sum := sha256.Sum256([]byte(path))
	dir := filepath.Join(cache, "murmur")
	_ = os.MkdirAll(dir, 0o700) // listening or dialling says what is wrong
	return filepath.Join(dir, hex.EncodeToString(sum[:8]))
}

// Damaged lists what Config.Accept accepted.
func (d *Dir) Damaged() []Breach { return d.damaged }

// Clean reports whether the directory was closed properly before; after a crash the contents' own checks
// are all there is. It is false when others have the directory open.
func (d *Dir) Clean() bool { return d.clean }

// ReleaseBallast frees 8 MiB, so that an erasure or an opt-out can be written on a full disk.
func (d *Dir) ReleaseBallast() error {
	err := os.Remove(filepath.Join(d.path, ballastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(d.path)
	}
	if err != nil {
		return fmt.Errorf("release ballast: %w", typed(err))
	}
	return nil
}

// RefillBallast takes the space back; ErrFull when there is none. The bytes are random, because some file
// systems store zeroes in no space at all.
func (d *Dir) RefillBallast() error {
	if d.has(ballastFile) {
		return nil
	}
	b := make([]byte, ballastSize)
	_, err := io.ReadFull(d.c.Rand, b)
	if err == nil {
		err = replace(d.path, ballastFile, b)
	}
	if err != nil {
		return fmt.Errorf("fill ballast: %w", typed(err))
	}
	return nil
}

// encodeVersion writes "murmur data N CHECK": a changed byte is damage, never another version.
func encodeVersion(n int) []byte {
	s := "murmur data " + strconv.Itoa(n)
	sum := sha256.Sum256([]byte(s))
	return fmt.Appendf(nil, "%s %x\n", s, sum[:4])
}

// checkVersion returns ErrNewer, or ErrDamaged for a file that no version of murmur wrote.
func (d *Dir) checkVersion() error {
	b, err := os.ReadFile(filepath.Join(d.path, versionFile))
	if err != nil {
		return err
	}
	n, err := decodeVersion(b)
	if err != nil {
		return err
	}
	if n > Format {
		return fmt.Errorf("format %d, this version knows %d: %w", n, Format, ErrNewer)
	}
	return nil
}

func decodeVersion(b []byte) (int, error) {
	f := strings.Fields(string(b))
	if len(f) == 4 {
		if n, err := strconv.Atoi(f[2]); err == nil && n > 0 && bytes.Equal(encodeVersion(n), b) {
			return n, nil
		}
	}
	return 0, &DamageError{[]Breach{{versionFile, "damaged"}}}
}
