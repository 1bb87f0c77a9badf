package keyring

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// RootFile is the name of the root key's file in the data directory; Folder holds the key files.
const (
	RootFile = "root.key"
	Folder   = "keys"
)

// Layout of root.key, docs/format/keys.md.
const (
	rootMagic   = "MURMROOT"
	rootVersion = 1
	rootKeyAt   = 16
	rootSumAt   = 48
	rootSize    = 80
)

// Purposes of derived keys. A new use gets a new name; a name never changes.
const (
	purposeWrap      = "murmur wrap 1"
	purposeHeader    = "murmur key file header 1"
	purposePseudonym = "murmur pseudonym 1 " // and the workspace
	purposeID        = "murmur root id 1"
)

// Root is the key that every other key is wrapped under or derived from.
type Root struct{ k secret }

// CreateRoot makes the root key of a data directory, durable when it returns. It never replaces one: fs.ErrExist. A key
// that is kept apart is made where it is kept, if there is none.
func CreateRoot(dir string, c Config) error {
	if s := apart.Load(); s != nil {
		return (*s).Create(c)
	}
	return writeRoot(filepath.Join(dir, RootFile), c)
}

// writeRoot writes a fresh root key into a file that does not exist yet.
func writeRoot(path string, c Config) error {
	c = c.withDefaults()
	var k [32]byte
	if _, err := io.ReadFull(c.Rand, k[:]); err != nil {
		return fmt.Errorf("create root key: %w", err)
	}
	if err := publish(filepath.Dir(path), path, encodeRoot(&k)); err != nil {
		return fmt.Errorf("create root key: %w", err)
	}
	return nil
}

// WrapRoot draws a root key and writes what wrap makes of its bytes to a file that its owner alone may read. fs.ErrExist when
// there is one.
func WrapRoot(path string, c Config, wrap func(plain []byte) (wrapped []byte, err error)) error {
	c = c.withDefaults()
	var k [32]byte
	defer clear(k[:])
	if _, err := io.ReadFull(c.Rand, k[:]); err != nil {
		return fmt.Errorf("create root key: %w", err)
	}
	plain := encodeRoot(&k)
	defer clear(plain)
	wrapped, err := wrap(plain)
	if err != nil {
		return fmt.Errorf("create root key: %w", err)
	}
	if err := publish(filepath.Dir(path), path, wrapped); err != nil {
		return fmt.Errorf("create root key: %w", err)
	}
	return nil
}

// LoadRoot reads the root key of a data directory, beside the data or from where it is kept apart. ErrMode when others
// can read it, ErrRoot when it is missing or damaged, ErrBeside.
func LoadRoot(dir string) (*Root, error) {
	if s := apart.Load(); s != nil {
		return loadApart(dir, *s)
	}
	b, err := readRoot(filepath.Join(dir, RootFile), false)
	if err != nil {
		return nil, err
	}
	return decodeRoot(b)
}

// readRoot reads a file that its owner alone may read; with shared anybody may.
func readRoot(path string, shared bool) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load root key: no file: %w", ErrRoot)
	}
	if err != nil {
		return nil, fmt.Errorf("load root key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("load root key: %w", err)
	}
	if !shared && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("load root key: mode %04o: %w", info.Mode().Perm(), ErrMode)
	}
	b, err := io.ReadAll(io.LimitReader(f, rootSize+1))
	if err != nil {
		return nil, fmt.Errorf("load root key: %w", err)
	}
	return b, nil
}

func encodeRoot(k *[32]byte) []byte {
	b := make([]byte, rootSize)
	copy(b, rootMagic)
	binary.BigEndian.PutUint32(b[8:], rootVersion)
	copy(b[rootKeyAt:], k[:])
	sum := sha256.Sum256(b[:rootSumAt])
	copy(b[rootSumAt:], sum[:])
	return b
}

func decodeRoot(b []byte) (*Root, error) {
	if len(b) != rootSize {
		return nil, fmt.Errorf("load root key: not %d bytes: %w", rootSize, ErrRoot)
	}
	if sum := sha256.Sum256(b[:rootSumAt]); !bytes.Equal(sum[:], b[rootSumAt:]) {
		return nil, fmt.Errorf("load root key: checksum: %w", ErrRoot)
	}
	if string(b[:8]) == rootMagic && binary.BigEndian.Uint32(b[8:]) > rootVersion {
		return nil, fmt.Errorf("load root key: %w", ErrNewer)
	}
	if string(b[:8]) != rootMagic || binary.BigEndian.Uint32(b[8:]) != rootVersion {
		return nil, fmt.Errorf("load root key: unknown format: %w", ErrRoot)
	}
	return &Root{k: newSecret(b[rootKeyAt:rootSumAt])}, nil
}

// Derive gives the key for one purpose: HKDF-SHA256 (RFC 5869) with the purpose as info.
func (r *Root) Derive(purpose string) *[32]byte {
	b, err := hkdf.Key(sha256.New, (*r.k)[:], nil, purpose, 32)
	if err != nil {
		panic(err) // only for lengths over 255 hashes
	}
	return (*[32]byte)(b)
}

// ID names the root key without revealing any of it: files use it to say which root key they belong
// to.
func (r *Root) ID() [16]byte { return [16]byte(r.Derive(purposeID)[:16]) }

// Format prints no key.
func (r Root) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }
