// Package recording keeps the audio of calls: sealed under a key of the call's own that is in memory alone until the
// call ended with consent, and gone the moment somebody refuses.
//
// Zone: RED. A Book holds the live calls of the process; Begin gives a Take, the owner of one call's consent machine
// (consent.Call): Step tells it what happened, Write keeps a frame. Files are in the age format (age-encryption.org/v1)
// below DIR/recordings, one a recording, named by a random id (docs/format/recordings.md).
//
// It promises: no frame is kept before the notice was sent to its end, and none after a refusal; the call's key is
// sealed and stored in one transaction with the ledger entry that says why, after it; until then a crash, a kill or a
// power cut leaves a file that nobody can open, and the next Sweep removes it; a refusal zeroes the key before anything
// slow is done, then cuts and removes the file; Open asks for the verdict again each time.
//
// It does not protect against: somebody who reads the memory of the running process (the cipher's own copy of the file key
// is not overwritten when a call is over); a disk that keeps blocks of removed files, where the bytes stay, sealed under a
// key that no longer exists; a caller of Step who reports a notice that was never played.
package recording

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/person"
	"murmur/internal/private/internal/personal"
	"murmur/internal/workspace"
)

var (
	// ErrStopped is returned by Write while no frame may be kept: before the notice ended, while paused, after the end.
	ErrStopped = errors.New("recording: nothing is kept now")
	// ErrBusy is returned by Begin when Config.Most calls are live, and for a call that is live already.
	ErrBusy = errors.New("recording: the call is live already, or too many are")
	// ErrGone is returned by Open for a recording whose key was destroyed, or that never was.
	ErrGone = errors.New("recording: there is none")
	// ErrRefused is returned by Open and Store when the verdict is not to open it.
	ErrRefused = errors.New("recording: consent does not allow it")
)

// Config wires a Book. The first block is required.
type Config struct {
	Dir      string // DIR/recordings; made when missing
	Ring     *keyring.Ring
	DB       *meta.DB
	Ledger   *ledger.Ledger
	Store    *workspace.Store
	Register *consent.Register
	// Report makes what a person heard or said a fact: act is fact.Noticed or fact.OptedOut. It is asked once a call and
	// act; an error is tried again.
	Report func(ctx context.Context, h Head, act fact.Act, via fact.Via) error

	Persons *person.Finder   // who is at an address
	Now     func() time.Time // nil: time.Now
	Rand    io.Reader        // nil: crypto/rand
	Most    int              // live calls; 0: 2000
	Bytes   int64            // of one recording's plaintext; 0: 512 MiB
	// Disk stands between the cipher and a file; nil: nothing does. A full disk is one that fails.
	Disk func(io.Writer) io.Writer
}

// Book is the live calls of a process. It is safe for concurrent use.
type Book struct {
	c Config

	mu   sync.Mutex
	live map[callRef]*Take

	ends ends
	lost []damage // what Sweep found; not changed after it
}

type callRef struct {
	ws   workspace.ID
	call fact.ID
}

// Head says which call it is.
type Head struct {
	Workspace workspace.ID
	Source    string           // name of the source that carries the call
	CallID    string           // the platform's own id
	Contact   personal.Value   // number or address of the outside party; empty: withheld, or Who says it
	Others    []personal.Value // of further outside parties
	Who       anon.Contact     // the outside party, where its address is no longer known
	Country   string           // of Who, ISO 3166; empty: not known
	At        time.Time        // when the call began; zero: now
	// Elsewhere: the platform records; here are only the machine and its receipt, no file and no key.
	Elsewhere bool
	// Media is the platform's recording that is stored; zero: it is recorded here. One is stored once.
	Media MediaID
}

// MediaID is the keyed id of a recording at its platform.
type MediaID [16]byte

// Open opens the book and makes its folder. Call Sweep once before the first Begin.
func Open(c Config) (*Book, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Most == 0 {
		c.Most = 2000
	}
	if c.Bytes == 0 {
		c.Bytes = 512 << 20
	}
	if c.Disk == nil {
		c.Disk = func(w io.Writer) io.Writer { return w }
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open recordings: %w", err)
	}
	return &Book{c: c, live: map[callRef]*Take{}, ends: ends{n: map[End]int{}}}, nil
}

// Begin takes a call on and asks the register and the policy. What it gives stands in one of
//
//	Noticing  play the notice (say NoticeStarted with its first frame, NoticeEnded after its last), or say Attested
//	Asking    the same with a notice that asks for a yes
//	Holding   one party's consent suffices here: frames may be written
//	Refused   the party or the policy said no: a notice may still be played, nothing is recorded
//
// The Take must be closed. ErrBusy.
func (b *Book) Begin(ctx context.Context, h Head) (*Take, error) { return b.begin(ctx, h, Legs) }

func (b *Book) begin(ctx context.Context, h Head, kind Kind) (*Take, error) {
	key, err := b.c.Ring.Pseudonym(h.Workspace)
	if err != nil {
		return nil, err
	}
	if h.At.IsZero() {
		h.At = b.c.Now()
	}
	t := &Take{book: b, head: h, kind: kind, reported: map[fact.Act]bool{}, call: identity.Ref(key, fact.KindCall, h.CallID)}
	if t.people, err = b.people(ctx, h); err != nil {
		return nil, err
	}
	if p := t.people[0]; p.Known() {
		t.who, t.country = p.Contact, p.Country()
	}
	for _, p := range t.people[1:] {
		if err := b.c.Register.Join(ctx, h.Workspace, t.call, h.At, p.All()); err != nil {
			return nil, err
		}
	}
	if _, err := io.ReadFull(b.c.Rand, t.id[:]); err != nil {
		return nil, fmt.Errorf("name a recording: %w", err)
	}
	t.turn.Lock() // whoever finds the call waits until it was screened
	err = b.add(t)
	if err != nil {
		t.turn.Unlock()
		return nil, err
	}
	err = t.screen(context.WithoutCancel(ctx))
	t.turn.Unlock()
	if err != nil {
		return nil, errors.Join(err, t.Close(ctx))
	}
	return t, nil
}

// people are the outside parties of a call, the contact first.
func (b *Book) people(ctx context.Context, h Head) ([]identity.Person, error) {
	if h.Contact.Empty() && h.Who.Valid() {
		return []identity.Person{identity.Stranger(h.Who, h.Country)}, nil
	}
	var all []identity.Person
	for _, v := range append([]personal.Value{h.Contact}, h.Others...) {
		p, err := b.c.Persons.Of(ctx, h.Workspace, v)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (b *Book) add(t *Take) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.live[t.ref()]
	if old != nil && !old.State().Over() {
		return ErrBusy
	}
	if len(b.live) >= b.c.Most {
		maps.DeleteFunc(b.live, func(_ callRef, t *Take) bool { return t.settled() })
	}
	if len(b.live) >= b.c.Most {
		return ErrBusy
	}
	b.live[t.ref()] = t
	return nil
}

// Find gives a live call by the platform's id; nil when there is none.
func (b *Book) Find(ws workspace.ID, callID string) *Take {
	key, err := b.c.Ring.Pseudonym(ws)
	if err != nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live[callRef{ws, identity.Ref(key, fact.KindCall, callID)}]
}

// takes lists the live calls for which keep is true.
func (b *Book) takes(keep func(*Take) bool) (out []*Take) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.live {
		if keep(t) {
			out = append(out, t)
		}
	}
	return out
}

func (b *Book) drop(t *Take) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.live[t.ref()] == t {
		delete(b.live, t.ref())
	}
}
