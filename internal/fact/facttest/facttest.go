// Package facttest makes facts for tests outside the private zone: contacts and texts that went through a
// real seal, because there is no other way to have them.
//
// It is for tests alone and never linked into the binary.
package facttest

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Maker seals under a ring of its own. It panics when the ring fails, so that fuzz targets can use it.
type Maker struct{ ring *keyring.Ring }

// New makes a Maker with a ring in a temporary directory.
func New(t testing.TB) *Maker {
	t.Helper()
	dir := t.TempDir()
	if err := keyring.CreateRoot(dir, keyring.Config{}); err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(dir, keyring.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Create(workspace.Default); err != nil {
		t.Fatal(err)
	}
	return &Maker{ring}
}

// Opened seals b for a topic and opens it again.
func (m *Maker) Opened(topic string, b []byte) keyring.Opened {
	var id [16]byte
	epoch, sealed, err := m.ring.Seal(workspace.Default, topic, id, 0, b)
	if err != nil {
		panic(err)
	}
	o, err := m.ring.Open(workspace.Default, topic, id, 0, epoch, sealed)
	if err != nil {
		panic(err)
	}
	return o
}

// Contact is the n-th synthetic contact. Its 16 bytes are unlikely to occur anywhere by chance.
func (m *Maker) Contact(n int) anon.Contact {
	r := rand.New(rand.NewPCG(uint64(n), 0xc0))
	b := binary.BigEndian.AppendUint64(nil, r.Uint64())
	b = binary.BigEndian.AppendUint64(b, r.Uint64())
	c, err := anon.ReadContact(m.Opened(keyring.TopicFacts, b), 0)
	if err != nil {
		panic(err)
	}
	return c
}

// Text is masked words.
func (m *Maker) Text(s string) anon.Text {
	t, err := anon.ReadText(m.Opened(keyring.TopicFacts, []byte(s)), 0, len(s))
	if err != nil {
		panic(err)
	}
	return t
}

// ID is the n-th synthetic id.
func ID(n int) (id fact.ID) {
	r := rand.New(rand.NewPCG(uint64(n), 0x1d))
	binary.BigEndian.PutUint64(id[:8], r.Uint64())
	binary.BigEndian.PutUint64(id[8:], r.Uint64())
	return id
}

// Head is a fact's head: the n-th id, at a time, of a contact, in a version.
func Head(n int, at time.Time, c anon.Contact, version int64) fact.Head {
	return fact.Head{ID: ID(n), Version: version, At: fact.MicrosOf(at), Source: 7, Contact: c, Anonymiser: 1}
}
