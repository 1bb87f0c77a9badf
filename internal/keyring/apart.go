package keyring

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// ErrBeside is returned where a root key lies in the data directory although the configuration names
// another place.
var ErrBeside = errors.New("keyring: root.key lies beside the data, and the root key is to come from elsewhere")

// RootSource is where a root key comes from that is kept apart from the data.
type RootSource interface {
	// Load reads the key. ErrRoot when there is none, ErrMode when others can read it.
	Load() (*Root, error)
	// Create is asked once, for a new data directory. A source that has a key already keeps it.
	Create(Config) error
	// String names the place, for doctor. It holds no secret.
	String() string
}

// apart is set once, before anything is opened.
var apart atomic.Pointer[RootSource]

// Apart makes this process load the root key from s, and never from a data directory: a process works on one
// directory, and a copy that it makes for a backup or a restore has the same key.
func Apart(s RootSource) { apart.Store(&s) }

// RootPlace names where the root key comes from; empty where it lies beside the data.
func RootPlace() string {
	if s := apart.Load(); s != nil {
		return (*s).String()
	}
	return ""
}

// loadApart loads a key from elsewhere, for a directory that must not hold one as well.
func loadApart(dir string, s RootSource) (*Root, error) {
	if _, err := os.Lstat(filepath.Join(dir, RootFile)); err == nil {
		return nil, fmt.Errorf("load root key: %w", ErrBeside)
	}
	return s.Load()
}

// RootInFile is a root key in a file outside of the data directory.
type RootInFile struct {
	Path string
	// Shared turns the check of the file's mode off: the program that provides the file protects it
	// (systemd credentials).
	Shared bool
}

// Load implements RootSource.
func (f RootInFile) Load() (*Root, error) {
	b, err := readRoot(f.Path, f.Shared)
	if err != nil {
		return nil, err
	}
	return ParseRoot(b)
}

// Create implements RootSource: it writes a fresh key where there is no file.
func (f RootInFile) Create(c Config) error {
	err := writeRoot(f.Path, c)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (f RootInFile) String() string { return "file " + f.Path }

// ParseRoot reads a root key: the bytes of root.key, or 32 bytes in hexadecimal or base64.
func ParseRoot(b []byte) (*Root, error) {
	if len(b) == rootSize && string(b[:len(rootMagic)]) == rootMagic {
		return decodeRoot(b)
	}
	s := strings.TrimSpace(string(b))
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString} {
		if k, err := decode(s); err == nil && len(k) == 32 {
			return &Root{k: newSecret(k)}, nil
		}
	}
	return nil, fmt.Errorf("load root key: not the bytes of a root.key, nor 32 bytes in hexadecimal or base64: %w", ErrRoot)
}
