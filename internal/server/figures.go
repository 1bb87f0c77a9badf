package server

import (
	"context"
	"io"

	"murmur/internal/crowd"
	"murmur/internal/crowd/release"
	"murmur/internal/insight"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// Figures makes the figures of a workspace from its released tables, oldest period first; slug chooses one insight.
func (n *Node) Figures(ctx context.Context, ws workspace.ID, slug string, as release.Audience) ([]insight.Figure, error) {
	sets, err := n.crowd.Sets(ctx, ws, as)
	if err != nil {
		return nil, err
	}
	var out []insight.Figure
	for _, in := range insight.All() {
		if slug != "" && in.Slug != slug {
			continue
		}
		out = append(out, in.Of(sets)...)
	}
	return out, nil
}

// Refresh waits until everything accepted is in the lake and computes what is due in every workspace.
func (n *Node) Refresh(ctx context.Context) error {
	if err := n.Drain(ctx); err != nil {
		return err
	}
	return n.eachWorking(ctx, "release", func(ws workspace.ID) error { return n.release(ctx, ws, crowd.Wish) })
}

// release computes one workspace, one at a time: two refreshes at once would do the work twice.
func (n *Node) release(ctx context.Context, ws workspace.ID, when crowd.When) error {
	n.releasing.Lock()
	defer n.releasing.Unlock()
	return n.withoutErased(ctx, ws, func() error {
		_, err := n.crowd.Release(ctx, ws, when)
		return err
	})
}

func (n *Node) printFigures(ctx context.Context, a rpc.FiguresArgs, out io.Writer) error {
	if a.Insight != "" {
		if _, ok := insight.Find(a.Insight); !ok {
			return &rpc.Problem{Message: "there is no insight of that name", Hint: "murmur figures names each in its second column; docs/insights.md explains them", Exit: 2, Status: 404}
		}
	}
	figures := n.figuresOf(a.As)
	if a.Refresh {
		if err := n.Refresh(ctx); err != nil {
			return err
		}
	}
	workspaces, err := n.store.List(ctx)
	if a.Workspace != "" {
		var ws workspace.ID
		ws, err = n.known(ctx, a.Workspace)
		workspaces = []workspace.ID{ws}
	}
	if err != nil {
		return err
	}
	var all []insight.Figure
	for _, ws := range workspaces {
		fs, err := figures(ctx, ws, a.Insight)
		if err != nil {
			return err
		}
		all = append(all, fs...)
	}
	return insight.Encode(out, all)
}
