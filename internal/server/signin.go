package server

import (
	"context"
	"errors"
	"net/url"

	"murmur/internal/signin"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// gate is the identity provider as the pages see it.
type gate struct{ *signin.Provider }

// Finish implements web.SignIn.
func (g gate) Finish(ctx context.Context, ticket, state, code string) (workspace.ID, error) {
	ws, err := g.Provider.Finish(ctx, ticket, state, code)
	if errors.Is(err, signin.ErrRefused) {
		err = web.ErrNoAccess
	}
	return ws, err
}

// secureHost is the host of a public address over TLS; "" where there is none.
func secureHost(public string) string {
	if u, err := url.Parse(public); err == nil && u.Scheme == "https" {
		return u.Host
	}
	return ""
}
