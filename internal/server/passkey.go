package server

import (
	"context"
	"errors"
	"io"

	"murmur/internal/passkey"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// devices is passkeys as the pages see them.
type devices struct {
	*passkey.Gate
	n *Node
}

// Added implements web.Passkeys.
func (d devices) Added(ctx context.Context, ws workspace.ID, ticket string, answer io.Reader) error {
	if err := d.Gate.Added(ctx, ws, ticket, answer); err != nil {
		return ofDevice(err)
	}
	return site{d.n}.accessed(ctx, ws, "token")
}

// Answer implements web.Passkeys.
func (d devices) Answer(ctx context.Context, ticket string, answer io.Reader) (workspace.ID, error) {
	ws, err := d.Gate.Answer(ctx, ticket, answer)
	return ws, ofDevice(err)
}

func ofDevice(err error) error {
	if errors.Is(err, passkey.ErrRefused) {
		return web.ErrNoAccess
	}
	return err
}

// passkeys are those of a server that browsers reach by a name; nil where they offer none.
func (n *Node) passkeys() (web.Passkeys, error) {
	g, err := passkey.New(n.public, n.store, n.now)
	if g == nil || err != nil {
		return nil, err
	}
	return devices{g, n}, nil
}
