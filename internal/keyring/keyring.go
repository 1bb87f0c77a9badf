// Package keyring keeps the keys, and seals data so that it can be made unreadable later.
//
// A root key (root.key, 0600) wraps the keys of every workspace. A workspace has one file of 4 KiB with
// its lasting keys (pseudonyms; facts) and at most eight epoch keys. An epoch is a day: whatever is sealed
// for the inbox is sealed under the day's epoch key and can be read until Destroy overwrites that key in
// place. The formats are in docs/format/keys.md.
//
// Zone: below both doors. It sees bytes, never their meaning.
//
// It promises that a record opens only for the workspace, topic, id and version it was sealed for; that a
// destroyed key is in no file of the directory afterwards (overwritten in place and fsynced twice, because a
// deleted file or row stays on the disk); that every process on the directory drops it within a second;
// that a changed byte in a key file is noticed and makes only that one key unusable.
//
// It does not protect against somebody who reads the memory of the running process or who has both root.key
// and a copy of a key file made before the key was destroyed (a backup, a snapshot of the disk), nor on
// storage that writes elsewhere when told to overwrite (btrfs, ZFS, flash that remaps blocks): there the
// disk itself must be encrypted. A key dropped from memory is not overwritten there.
package keyring

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"murmur/internal/workspace"
)

// Topics name what a record was sealed for. The inbox and the keys of recordings are sealed under the day's epoch
// key. Facts hold no person and must outlive every epoch: they are sealed under a lasting key.
const (
	TopicInbox      = "inbox"
	TopicFacts      = "facts"
	TopicRecordings = "recordings"
)

var (
	// ErrDead is returned by Open for a record whose epoch key was destroyed: nobody can read it any more.
	ErrDead = errors.New("keyring: the key of that epoch was destroyed")
	// ErrSeal is returned by Open for a record that was changed or sealed for something else.
	ErrSeal = errors.New("keyring: the seal does not open")
	// ErrMode is returned for a root key that others than its owner can read.
	ErrMode = errors.New("keyring: root.key must be readable by its owner alone (chmod 600)")
	// ErrRoot is returned for a root key that is missing, damaged or not the one the keys were wrapped under.
	ErrRoot = errors.New("keyring: the root key is missing, damaged or of another directory")
	// ErrUnknown is returned for a workspace that has no key file: Create makes one.
	ErrUnknown = errors.New("keyring: the workspace has no keys")
	// ErrDamaged is returned when the key that is needed was damaged on disk.
	ErrDamaged = errors.New("keyring: the key is damaged")
	// ErrNewer is returned for keys that a newer version of this program wrote.
	ErrNewer = errors.New("keyring: the keys are newer than this version")
	// ErrFull is returned by Seal when eight epochs are alive: Destroy the oldest first.
	ErrFull = errors.New("keyring: eight epochs are alive")
	// ErrToday is returned by Destroy when asked to destroy the epoch that is being written.
	ErrToday = errors.New("keyring: today's epoch cannot be destroyed")
)

// recheck bounds how long a process may use a key that another process has destroyed.
const recheck = time.Second

// Config is what a Ring needs from outside.
type Config struct {
	Clock func() time.Time // default time.Now; its UTC date is the epoch
	Rand  io.Reader        // default crypto/rand; must be safe for concurrent use
}

func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c
}

// Ring is the keys of one data directory. It is safe for concurrent use, and several processes may have a
// ring on the same directory.
type Ring struct {
	dir  string // the folder of the key files
	root *Root
	wrap cipher.AEAD // under a key derived from the root
	c    Config

	mu   sync.RWMutex
	sets map[workspace.ID]*held
}

// held is a workspace's keys as last read.
type held struct {
	*set
	seen atomic.Int64 // Config.Clock in nanoseconds when the file was last compared
}

// Open opens the ring of a data directory made by CreateRoot. ErrMode, ErrRoot.
func Open(dir string, c Config) (*Ring, error) {
	root, err := LoadRoot(dir)
	if err != nil {
		return nil, err
	}
	keys := filepath.Join(dir, Folder)
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return nil, fmt.Errorf("open keyring: %w", err)
	}
	return &Ring{
		dir: keys, root: root, wrap: gcm(root.Derive(purposeWrap)), c: c.withDefaults(),
		sets: make(map[workspace.ID]*held),
	}, nil
}

// Root is the root key, for deriving the keys of other files.
func (r *Ring) Root() *Root { return r.root }

// Format prints no key.
func (r *Ring) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// Create makes the key file of a workspace, with fresh lasting keys. Doing it again changes nothing.
func (r *Ring) Create(ws workspace.ID) error {
	if !ws.Valid() {
		return fmt.Errorf("create keys: %w", workspace.ErrBadID)
	}
	b, err := r.newFile(ws)
	if err == nil {
		err = publish(r.dir, r.path(ws), b[:])
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create keys: %w", err)
	}
	return nil
}

// Workspaces lists who has a key file, in no particular order.
func (r *Ring) Workspaces() ([]workspace.ID, error) { return keyed(r.dir) }

// Keyed lists who has a key file in a data directory, without opening any.
func Keyed(dir string) ([]workspace.ID, error) { return keyed(filepath.Join(dir, Folder)) }

func keyed(keys string) ([]workspace.ID, error) {
	entries, err := os.ReadDir(keys)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var all []workspace.ID
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if id, err := workspace.Parse(name); ok && err == nil {
			all = append(all, id)
		}
	}
	return all, nil
}

// Pseudonym is the workspace's key for pseudonyms and keyed ids. ErrUnknown, ErrDamaged.
func (r *Ring) Pseudonym(ws workspace.ID) (Pseudonym, error) {
	h, err := r.get(ws)
	if err != nil {
		return Pseudonym{}, err
	}
	if !h.pseudonym.Valid() {
		return Pseudonym{}, fmt.Errorf("pseudonym key of %s: %w", ws, ErrDamaged)
	}
	return h.pseudonym, nil
}

// Epochs lists the epochs whose keys are alive, oldest first.
func (r *Ring) Epochs(ws workspace.ID) ([]uint32, error) {
	h, err := r.get(ws)
	if err != nil {
		return nil, err
	}
	return h.alive(), nil
}

// Today is the first epoch of the day.
func (r *Ring) Today() uint32 { return EpochOf(r.c.Clock()) }

// epochsADay are as many as a key can be renewed in a day, and one. Versions before had one a day, numbered by the day alone:
// those are older than any of now.
const epochsADay = 1 << 13

// EpochOf is the first epoch of a time's day (UTC): the days since 1970-01-01 times epochsADay; times before that give 0.
func EpochOf(t time.Time) uint32 {
	if s := t.Unix(); s > 0 {
		return uint32(s / 86400 * epochsADay)
	}
	return 0
}

// Current is the epoch that Seal uses now: the day's first one, until Renew.
func (r *Ring) Current(ws workspace.ID) (uint32, error) {
	h, err := r.get(ws)
	if err != nil {
		return 0, err
	}
	return h.current(r.Today()), nil
}

// current is the newest epoch of a day that has a key, else its first one.
func (s *set) current(today uint32) (epoch uint32) {
	epoch = today
	for e := range s.epochs {
		if e > epoch && e < today+epochsADay {
			epoch = e
		}
	}
	return epoch
}

// Renew begins another epoch within the day, so that the key of the one before can be destroyed. ErrFull.
func (r *Ring) Renew(ws workspace.ID) (epoch uint32, err error) {
	today := r.Today()
	_, err = r.change(ws, func(s *set) ([]write, error) {
		i := s.free()
		if epoch = s.current(today) + 1; i < 0 || epoch >= today+epochsADay {
			return nil, fmt.Errorf("keys of %s: %w", ws, ErrFull)
		}
		b, err := r.freshSlot(ws, i, epochKey, epoch)
		return []write{{slot: i, b: b}}, err
	})
	if err != nil {
		return 0, fmt.Errorf("renew a key: %w", err)
	}
	return epoch, nil
}

// get gives the workspace's keys, at most a second behind the file.
func (r *Ring) get(ws workspace.ID) (*held, error) {
	now := r.c.Clock().UnixNano()
	r.mu.RLock()
	h := r.sets[ws]
	r.mu.RUnlock()
	if h != nil {
		if age := now - h.seen.Load(); age >= 0 && age < int64(recheck) {
			return h, nil
		}
	}
	return r.reload(ws)
}

// reload compares the file with what is held and takes what changed.
func (r *Ring) reload(ws workspace.ID) (*held, error) {
	now := r.c.Clock().UnixNano()
	// The lock is held while reading so that an older reading never replaces a newer one.
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := r.read(ws)
	if err != nil {
		delete(r.sets, ws)
		return nil, err
	}
	h := r.sets[ws]
	if h == nil || h.raw != *b {
		s, err := r.parse(ws, b)
		if err != nil {
			delete(r.sets, ws)
			return nil, err
		}
		h = &held{set: s}
		r.sets[ws] = h
	}
	h.seen.Store(now)
	return h, nil
}
