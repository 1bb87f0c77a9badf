package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/workspace"
)

// PassID is how a token or session is named: never the secret itself.
type PassID struct {
	ID string `path:"id" pattern:"^[0-9a-f]{12}$" doc:"as GET /v1/tokens names it"`
}

// access registers the operations about tokens and sessions.
func (a api) access(h huma.API) {
	huma.Register(h, op(http.MethodGet, "/v1/tokens", "tokens", Owner, "The API tokens and signed-in browsers that open this workspace"),
		func(ctx context.Context, _ *struct{ Scoped }) (*body[[]workspace.Pass], error) {
			all, err := a.Keys.Passes(ctx, access(ctx).Workspace)
			return &body[[]workspace.Pass]{append([]workspace.Pass{}, all...)}, a.answer(ctx, err)
		})
	huma.Register(h, noContent(op(http.MethodDelete, "/v1/tokens/{id}", "revoke-token", Owner, "End a token or a browser's session at once")),
		func(ctx context.Context, in *struct {
			Scoped
			PassID
		}) (*struct{}, error) {
			return nil, a.answer(ctx, a.Keys.Revoke(ctx, access(ctx).Workspace, in.ID))
		})
}
