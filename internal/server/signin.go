package server

import (
	"context"
	"errors"

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
