package recording

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"filippo.io/age"

	"murmur/internal/workspace"
)

// callKey seals the file key of one recording. It is in memory only; Keep seals it under the day's epoch.
type callKey struct {
	ws  workspace.ID
	id  ID
	key [32]byte
}

// stanzaType names our recipient in the header of an age file.
const stanzaType = "murmur-call-1"

func (k *callKey) aead() cipher.AEAD {
	block, err := aes.NewCipher(k.key[:])
	if err != nil {
		panic(err) // only for a wrong length
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

// bound ties the stanza to the workspace and the recording.
func (k *callKey) bound() []byte {
	return append(append([]byte("murmur recording 1\x00"), k.ws[:]...), k.id[:]...)
}

// Wrap is age.Recipient. The key wraps one file key in its life, so the nonce is zero, as in age's own recipients.
func (k *callKey) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	body := k.aead().Seal(nil, make([]byte, 12), fileKey, k.bound())
	return []*age.Stanza{{Type: stanzaType, Body: body}}, nil
}

// Unwrap is age.Identity.
func (k *callKey) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != stanzaType || len(stanzas[0].Args) != 0 {
		return nil, age.ErrIncorrectIdentity
	}
	fileKey, err := k.aead().Open(nil, make([]byte, 12), stanzas[0].Body, k.bound())
	if err != nil {
		return nil, fmt.Errorf("unwrap the file key: %w", age.ErrIncorrectIdentity)
	}
	return fileKey, nil
}

func (k *callKey) zero() { clear(k.key[:]) }

// tape is the file of a recording while it is written.
type tape struct {
	f    *os.File
	disk io.Writer      // f, in the end
	w    io.WriteCloser // age over disk
	cut  atomic.Bool
	size int64 // of the plaintext
	most int64
}

// errLong ends a recording that grows beyond what a call can be.
var errLong = errors.New("recording: longer than a call can be")

// newTape makes the file: nothing but ciphertext ever reaches it.
func newTape(c Config, k *callKey, kind Kind) (*tape, error) {
	f, err := os.OpenFile(filepath.Join(c.Dir, k.id.String()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	t := &tape{f: f, disk: c.Disk(f), most: c.Bytes}
	if t.w, err = age.Encrypt(guard{t}, k); err == nil {
		_, err = t.w.Write([]byte{byte(kind)})
	}
	if err != nil {
		return nil, errors.Join(err, t.shred())
	}
	return t, nil
}

// guard is the file below the cipher: nothing is written after the cut, whatever the cipher still holds.
type guard struct{ t *tape }

func (g guard) Write(b []byte) (int, error) {
	if g.t.cut.Load() {
		return 0, ErrStopped
	}
	return g.t.disk.Write(b)
}

func (t *tape) write(b []byte) error {
	if t.size += int64(len(b)); t.size > t.most {
		return errLong
	}
	_, err := t.w.Write(b)
	return err
}

// finish makes the file whole and durable.
func (t *tape) finish() error {
	err := t.w.Close()
	if err == nil {
		err = t.f.Sync()
	}
	if err == nil {
		err = syncDir(filepath.Dir(t.f.Name()))
	}
	return errors.Join(err, t.f.Close())
}

// shred cuts the file to nothing and removes it. What the cipher held is dropped.
func (t *tape) shred() error {
	t.cut.Store(true)
	return errors.Join(shredFile(t.f.Name()), ignoreClosed(t.f.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// shredFile cuts a file to nothing and removes it; it is no error when there is none.
func shredFile(path string) error {
	err := os.Truncate(path, 0)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ID is a recording's own id, random, and its file's name.
type ID [16]byte

func (i ID) String() string { return hex.EncodeToString(i[:]) }

// ParseID reads an ID; false for anything else.
func ParseID(s string) (id ID, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) || hex.EncodeToString(b) != s {
		return ID{}, false
	}
	return ID(b), true
}
