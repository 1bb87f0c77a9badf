package keyring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"murmur/internal/workspace"
)

// Destroy overwrites the keys of every epoch before below and reports how many it destroyed. When it
// returns nil they are gone from the disk and from this process; other processes drop them within a second.
// ErrToday when below lies after the epoch that is being written.
//
// A damaged epoch slot is overwritten too: its day is not known, and a key with a flipped bit can still be
// recovered.
func (r *Ring) Destroy(ws workspace.ID, below uint32) (int, error) {
	n := 0
	today := r.Today()
	_, err := r.change(ws, func(s *set) ([]write, error) {
		if below > s.current(today) {
			return nil, fmt.Errorf("keys of %s: %w", ws, ErrToday)
		}
		var dead []int
		for i := firstEpoch; i < firstEpoch+epochSlots; i++ {
			b := s.slot(i)
			old := kind(b[0]) == destroyed || binary.BigEndian.Uint32(b[slotEpoch:]) < below
			if !zero(b) && (old || slices.Contains(s.damaged, i)) {
				dead = append(dead, i)
			}
		}
		n = len(dead)
		return r.shred(ws, dead)
	})
	if err != nil {
		return 0, fmt.Errorf("destroy keys: %w", err)
	}
	return n, nil
}

// shred overwrites slots twice: first with 32 sealed zero bytes, which look as random as a key and can
// be told from damage after a crash; then with zeroes. One fsync for each pass.
func (r *Ring) shred(ws workspace.ID, slots []int) ([]write, error) {
	var first, second []write
	for k, i := range slots {
		b, err := r.wrapSlot(ws, i, destroyed, 0, new([32]byte))
		if err != nil {
			return nil, err
		}
		more := k < len(slots)-1
		first = append(first, write{slot: i, b: b, more: more})
		second = append(second, write{slot: i, b: make([]byte, slotSize), more: more})
	}
	return append(first, second...), nil
}

// DestroyWorkspace overwrites all keys of a workspace and removes its file: its facts and pseudonyms are
// unreadable and unlinkable from then on. Doing it again changes nothing.
func (r *Ring) DestroyWorkspace(ws workspace.ID) error {
	f, err := r.locked(ws, syscall.LOCK_EX)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("destroy workspace: %w", err)
	}
	noise := make([]byte, fileSize)
	_, err = io.ReadFull(r.c.Rand, noise)
	if err == nil {
		err = writeAll(f, []write{{b: noise}, {b: make([]byte, fileSize)}})
	}
	if err == nil {
		err = os.Remove(r.path(ws))
	}
	if err == nil {
		err = syncDir(r.dir)
	}
	r.mu.Lock()
	delete(r.sets, ws)
	r.mu.Unlock()
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("destroy workspace: %w", err)
	}
	return nil
}

// Damage is a key that does not open.
type Damage struct {
	File string // below the data directory
	What string
}

// Check reads every key file and names each damaged slot.
func (r *Ring) Check() ([]Damage, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, fmt.Errorf("check keys: %w", err)
	}
	var all []Damage
	for _, e := range entries {
		file := filepath.Join(Folder, e.Name())
		name, ok := strings.CutSuffix(e.Name(), suffix)
		ws, err := workspace.Parse(name)
		if !ok || err != nil {
			all = append(all, Damage{file, "not a key file"})
			continue
		}
		b, err := r.read(ws)
		var s *set
		if err == nil {
			s, err = r.parse(ws, b)
		}
		if err != nil {
			all = append(all, Damage{file, err.Error()})
			continue
		}
		if info, err := e.Info(); err == nil && info.Size() != fileSize {
			all = append(all, Damage{file, fmt.Sprintf("%d bytes, not %d", info.Size(), fileSize)})
		}
		for _, i := range s.damaged {
			all = append(all, Damage{file, fmt.Sprintf("slot %d (%s) is damaged", i, slotName(i))})
		}
	}
	return all, nil
}

func slotName(i int) string {
	switch {
	case i == headerSlot:
		return "header"
	case i == pseudonymSlot:
		return "pseudonym key"
	case i == factsSlot:
		return "facts key"
	case i < firstEpoch+epochSlots:
		return "epoch key"
	}
	return "reserved"
}

// Copy writes the root key, unless it is kept apart, and the key files into another directory, each file as it was at one moment.
// Without epochs the copy holds the lasting keys alone: nothing that was sealed for the inbox can be read
// with it, so that a backup never outlives the destruction of a day.
func (r *Ring) Copy(dir string, epochs bool) error {
	to := filepath.Join(dir, Folder)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("copy keys: %w", err)
	}
	if apart.Load() == nil {
		if err := publish(dir, filepath.Join(dir, RootFile), encodeRoot(*r.root.k)); err != nil {
			return fmt.Errorf("copy keys: %w", err)
		}
	}
	all, err := r.Workspaces()
	if err != nil {
		return err
	}
	for _, ws := range all {
		b, err := r.read(ws)
		if errors.Is(err, ErrUnknown) {
			continue // destroyed a moment ago
		}
		if err != nil {
			return err
		}
		if !epochs {
			clear(b[firstEpoch*slotSize : (firstEpoch+epochSlots)*slotSize])
		}
		if err := publish(to, filepath.Join(to, ws.String()+suffix), b[:]); err != nil {
			return fmt.Errorf("copy keys: %w", err)
		}
	}
	return nil
}
