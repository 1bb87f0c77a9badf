package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"murmur/internal/keyring"
)

// Verify reads every file of a directory that nobody has open and names each that is not as it was left:
// changed, missing or added. It changes nothing. ErrLocked while somebody has the directory. ErrNoManifest,
// with what could be found all the same, after a crash.
func Verify(ctx context.Context, path string) ([]Breach, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("verify data directory: %w", err)
	}
	users, err := flock(filepath.Join(path, usersFile), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, fmt.Errorf("verify data directory: %w", typed(err))
	}
	defer funlock(users)
	v := &verification{ctx: ctx, path: path}
	_, err = v.run(func(entry) bool { return true })
	if err != nil {
		return v.found, fmt.Errorf("verify data directory: %w", typed(err))
	}
	return v.found, nil
}

// verification compares a directory with its manifest.
type verification struct {
	ctx   context.Context // nil: no end
	path  string
	root  *keyring.Root // nil: it could not be read
	found []Breach
	seen  map[string]seen // nil: not wanted
}

func (v *verification) breach(file, what string) {
	if !v.names(file) {
		v.found = append(v.found, Breach{file, what})
	}
}

func (v *verification) names(file string) bool {
	return slices.ContainsFunc(v.found, func(b Breach) bool { return b.File == file })
}

// run gives the manifest's entries. read chooses whose content is hashed; the others' sizes are compared.
func (v *verification) run(read func(entry) bool) ([]entry, error) {
	if v.ctx == nil {
		v.ctx = context.Background()
	}
	var err error
	if v.root, err = keyring.LoadRoot(v.path); err != nil {
		if !errors.Is(err, keyring.ErrRoot) && !errors.Is(err, keyring.ErrMode) {
			return nil, err
		}
		v.breach(keyring.RootFile, err.Error())
	}
	b, err := os.ReadFile(filepath.Join(v.path, versionFile))
	if err == nil {
		var n int
		if n, err = decodeVersion(b); n > Format {
			return nil, ErrNewer
		}
	}
	if err != nil {
		v.breach(versionFile, "missing or damaged")
	}
	name, complete := manifestFile, true
	b, err = os.ReadFile(filepath.Join(v.path, name))
	if errors.Is(err, fs.ErrNotExist) {
		name, complete = openFile, false
		b, err = os.ReadFile(filepath.Join(v.path, name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		v.breach(manifestFile, "missing")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := decodeManifest(b, v.root)
	if err != nil {
		v.breach(name, "damaged") // a changed manifest cannot vouch for the other files
		return nil, nil
	}
	if err := v.compare(all, complete, read); err != nil {
		return nil, err
	}
	if !complete {
		return all, ErrNoManifest
	}
	return all, nil
}

func (v *verification) compare(all []entry, complete bool, read func(entry) bool) error {
	missing := make(map[string]entry, len(all))
	for _, e := range all {
		missing[e.name] = e
	}
	err := files(v.ctx, v.path, func(name string, info fs.FileInfo) error {
		e, ok := missing[name]
		delete(missing, name)
		switch {
		case !ok && complete:
			v.breach(name, "not in the manifest")
		case !ok || !complete && !e.fixed && !e.damaged:
			// written since the last clean close
		case info.Size() != e.size:
			v.breach(name, "changed in size")
		case read(e) || e.damaged:
			return v.content(e, info)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.name == keyring.RootFile && keyring.RootPlace() != "" {
			continue // it was moved apart
		}
		if _, ok := missing[e.name]; ok && (complete || e.damaged) {
			v.breach(e.name, "missing")
		}
	}
	return nil
}

func (v *verification) content(e entry, info fs.FileInfo) error {
	now := time.Now() // compared with the time stamps of files, so it must be the machine's
	sum, err := hashFile(v.ctx, filepath.Join(v.path, filepath.FromSlash(e.name)))
	if err != nil && v.ctx.Err() == nil {
		v.breach(e.name, "cannot be read")
		return nil
	}
	if err != nil {
		return err
	}
	if sum != e.sum {
		v.breach(e.name, "changed")
	}
	if v.seen != nil {
		v.seen[e.name] = seen{info: info, sum: sum, at: now}
	}
	return nil
}
