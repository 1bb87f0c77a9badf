package recording

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"

	"murmur/internal/keyring"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/workspace"
)

// Audio is a recording opened for listening. Close it.
type Audio struct {
	io.Reader
	Kind Kind
	f    *os.File
}

// Close closes the file.
func (a *Audio) Close() error { return a.f.Close() }

// Open opens a stored recording, after asking for the verdict once more. ErrGone, ErrRefused.
func (b *Book) Open(ctx context.Context, ws workspace.ID, id ID) (*Audio, error) {
	a, err := b.open(ctx, ws, id)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	return a, nil
}

func (b *Book) open(ctx context.Context, ws workspace.ID, id ID) (*Audio, error) {
	all, err := b.rows(ctx, `workspace = ? AND id = ?`, ws.String(), id[:])
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, ErrGone
	}
	r := all[0]
	pseudonym, err := b.c.Ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	_, v, err := b.verdict(ctx, ws, r.call, identity.Stranger(anon.Stored(pseudonym, r.who), r.country))
	if err != nil {
		return nil, err
	}
	if v == consent.Refuse {
		return nil, ErrRefused
	}
	a, err := b.unseal(r)
	if errors.Is(err, errDead) {
		err = ErrGone
	}
	return a, err
}

// errDead says that the day whose key sealed a recording's key is over.
var errDead = errors.New("recording: its day is over")

// unseal opens a recording without asking for the verdict.
func (b *Book) unseal(r row) (*Audio, error) {
	opened, err := b.c.Ring.Open(r.ws, keyring.TopicRecordings, r.id, keyVersion, r.epoch, r.sealed)
	if errors.Is(err, keyring.ErrDead) {
		return nil, errDead
	}
	if err != nil {
		return nil, err
	}
	k := &callKey{ws: r.ws, id: r.id, key: [32]byte(opened.Bytes())}
	defer k.zero()
	f, err := os.Open(b.path(r.id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	var kind [1]byte
	plain, err := age.Decrypt(f, k)
	if err == nil {
		_, err = io.ReadFull(plain, kind[:])
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Audio{Reader: plain, Kind: Kind(kind[0]), f: f}, nil
}
