package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"murmur/internal/explain"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// share makes a link to one page of what left.
func (n *Node) share(ctx context.Context, a rpc.ShareArgs) (rpc.Shared, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Shared{}, err
	}
	if pages := web.SharedPages(); !slices.Contains(pages, a.Page) {
		return rpc.Shared{}, &rpc.Problem{Message: "nothing leaves of that page", Hint: "the pages are " + strings.Join(pages, ", "), Exit: 2, Status: 422}
	}
	if p, err := n.store.Policy(ctx, ws); err != nil {
		return rpc.Shared{}, err
	} else if p.Outside != workspace.Monthly {
		return rpc.Shared{}, &rpc.Problem{Message: "no figure leaves this workspace, so the page would stay empty", Hint: "murmur policy set outside=monthly --reason \"..\" first: figures are then released two days after each month", Exit: 2, Status: 422}
	}
	life := time.Duration(a.Days) * 24 * time.Hour
	token, err := n.store.NewShare(ctx, ws, a.Page, life)
	if err != nil {
		return rpc.Shared{}, err
	}
	h := web.HashOf(token)
	l := rpc.Shared{SharedLink: web.SharedLink{ID: workspace.IDOf(h[:]), Page: a.Page, Path: "/s/" + token, Ends: n.now().Add(life).UTC()}}
	if n.public != "" {
		l.URL = n.public + l.Path
	}
	return l, n.accessed(ctx, ws, "share")
}

// shares is web.Shares.
type shares struct{ *Node }

func (s shares) Share(ctx context.Context, ws workspace.ID, page string, days int) (web.SharedLink, error) {
	l, err := s.share(ctx, rpc.ShareArgs{Workspace: ws.String(), Page: page, Days: days})
	if err != nil && explain.Of(err).Status == 422 {
		err = unacceptable{err}
	}
	return l.SharedLink, webErr(err)
}

func (s shares) Shared(ctx context.Context, link web.Hash) (workspace.ID, string, error) {
	ws, page, err := s.store.Shared(ctx, link)
	if err != nil {
		return ws, page, webErr(err)
	}
	if rests, err := s.rests(ctx, ws); err != nil || rests {
		return ws, page, cmp.Or(err, web.ErrNotFound)
	}
	return ws, page, nil
}
