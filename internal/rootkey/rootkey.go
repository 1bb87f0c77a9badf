// Package rootkey finds the root key of a data directory that is kept apart from the data.
//
// Zone: below both doors. It sees one key and nothing that is sealed under it.
//
// A place is what `--root-key` says:
//
//   - FILE: a file outside of the data directory, readable by its owner alone. Where there is none a new data directory
//     makes one.
//   - credential:NAME: a credential that systemd gives the service (LoadCredential=, LoadCredentialEncrypted=).
//   - COMMAND: a program, with arguments, that prints the key: an HSM's or a cloud's own client, say. It gets this
//     process's environment, where such programs look for their credentials.
//   - SCHEME://KEY?wrapped=FILE: a key service (hashivault; by build tag awskms, gcpkms, azurekeyvault) that unwraps the
//     key in FILE. A new data directory makes one.
//
// The key is the 80 bytes of a root.key, or 32 bytes in hexadecimal or base64. It is asked for once a process.
//
// What it does not protect against: whoever can run the command, read the file, or read the memory of this process.
package rootkey

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"murmur/internal/keyring"
)

var (
	// ErrPlace is returned for an invalid place of a root key.
	ErrPlace = errors.New("the root key's place is a FILE outside of the data directory, credential:NAME, a COMMAND, or the address of a key service")
	// ErrCommand is returned for a command that does not print a key.
	ErrCommand = errors.New("the command that gives the root key failed")
)

// patience bounds how long a command may take.
const patience = time.Minute

// Find reads a place for the data directory. Nothing is loaded yet. ErrPlace.
func Find(place, data string) (keyring.RootSource, error) {
	if name, ok := strings.CutPrefix(place, "credential:"); ok {
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" || name == "" || name != filepath.Base(name) {
			return nil, fmt.Errorf("%w: systemd gives no credential of that name", ErrPlace)
		}
		return keyring.RootInFile{Path: filepath.Join(dir, name), Shared: true}, nil
	}
	if strings.Contains(place, "://") {
		return serviceOf(place, data)
	}
	info, err := os.Stat(place)
	if err == nil && info.Mode().IsRegular() && info.Mode()&0o100 == 0 {
		return file(place, data)
	}
	words := strings.Fields(place)
	if len(words) == 0 || err == nil && info.IsDir() {
		return nil, ErrPlace
	}
	if program, err := exec.LookPath(words[0]); err == nil {
		return &command{program: program, args: words[1:]}, nil
	}
	if len(words) > 1 {
		return nil, fmt.Errorf("%w: there is no such program", ErrPlace)
	}
	return file(place, data)
}

// file is a place in a file; it lies outside of the data directory.
func file(path, data string) (keyring.RootSource, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, ErrPlace
	}
	if data, err = filepath.Abs(data); err != nil {
		return nil, ErrPlace
	}
	for _, d := range []string{data, resolved(data)} {
		if rel, err := filepath.Rel(d, filepath.Join(resolved(filepath.Dir(path)), filepath.Base(path))); err == nil && filepath.IsLocal(rel) {
			return nil, fmt.Errorf("%w: that file lies in the data directory", ErrPlace)
		}
	}
	return keyring.RootInFile{Path: path}, nil
}

func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// command is a root key that a program prints.
type command struct {
	program string
	args    []string

	once sync.Once
	root *keyring.Root
	err  error
}

// Load implements keyring.RootSource.
func (c *command) Load() (*keyring.Root, error) {
	c.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, c.program, c.args...)
		cmd.Stdin, cmd.Stderr = nil, os.Stderr // it may have to say why
		out, err := cmd.Output()
		if err != nil {
			c.err = fmt.Errorf("%w: %w", ErrCommand, keyring.ErrRoot)
			return
		}
		c.root, c.err = keyring.ParseRoot(out)
	})
	return c.root, c.err
}

// Create implements keyring.RootSource: the key has to be there.
func (c *command) Create(keyring.Config) error {
	_, err := c.Load()
	return err
}

// String leaves the arguments out: one may be a secret.
func (c *command) String() string { return "command " + c.program }
