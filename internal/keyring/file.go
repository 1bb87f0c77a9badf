package keyring

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"murmur/internal/workspace"
)

func (r *Ring) path(ws workspace.ID) string { return filepath.Join(r.dir, ws.String()+suffix) }

// publish makes a file appear whole and durable under its name, or not at all; fs.ErrExist when there is
// one already. Its blocks are all written, so that they are overwritten in place later.
func publish(dir, path string, b []byte) error {
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// locked opens a key file under flock(2) how (LOCK_SH, LOCK_EX). Closing the file gives the lock back. The
// lock is held for a few writes at most, so waiting for it takes no context.
func (r *Ring) locked(ws workspace.ID, how int) (*os.File, error) {
	if !ws.Valid() {
		return nil, workspace.ErrBadID
	}
	flag := os.O_RDONLY
	if how == syscall.LOCK_EX {
		flag = os.O_RDWR
	}
	for {
		f, err := os.OpenFile(r.path(ws), flag, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("keys of %s: %w", ws, ErrUnknown)
		}
		if err != nil {
			return nil, err
		}
		gone, err := lock(f, how)
		if err == nil && !gone {
			return f, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, err
		}
	}
}

// lock waits for the lock and reports whether the file was removed meanwhile.
func lock(f *os.File, how int) (gone bool, err error) {
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("lock: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0, nil
}

// read reads a key file, never while somebody writes it.
func (r *Ring) read(ws workspace.ID) (*[fileSize]byte, error) {
	f, err := r.locked(ws, syscall.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	defer f.Close()
	return readAll(ws, f)
}

// readAll reads a key file. What a file that was cut short has lost reads as zeroes: the keys before the cut can be
// used, and destroyed in time. Check names the file.
func readAll(ws workspace.ID, f *os.File) (*[fileSize]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if info.Size() > fileSize {
		return nil, fmt.Errorf("keys of %s: %d bytes, not %d: %w", ws, info.Size(), fileSize, ErrDamaged)
	}
	var b [fileSize]byte
	if _, err := io.ReadFull(f, b[:]); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return &b, nil
}

// change gives f the key file alone. f returns what to write where, in order; each write is durable before
// the next one. Afterwards the ring holds what the file holds.
func (r *Ring) change(ws workspace.ID, f func(*set) ([]write, error)) (*held, error) {
	file, err := r.locked(ws, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	b, err := readAll(ws, file)
	var s *set
	if err == nil {
		s, err = r.parse(ws, b)
	}
	var todo []write
	if err == nil {
		todo, err = f(s)
	}
	if err == nil {
		err = writeAll(file, todo)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return r.reload(ws)
}

// write overwrites slots in place. Nothing here ever makes a new copy of the file.
type write struct {
	slot int
	b    []byte
	more bool // the next write may share this one's fsync
}

func writeAll(f *os.File, todo []write) error {
	for _, w := range todo {
		if _, err := f.WriteAt(w.b, int64(w.slot)*slotSize); err != nil {
			return err
		}
		if w.more {
			continue
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}
