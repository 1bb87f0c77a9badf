package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/explain"
	"murmur/internal/ledger"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// The verbs of whoever runs the server, and the same for an operator's token (web.Workspaces).

func (n *Node) tenants(ctx context.Context, _ rpc.WorkspaceArgs) ([]workspace.Tenant, error) {
	all, err := n.store.List(ctx)
	if err != nil {
		return nil, err
	}
	going, err := n.store.Deletions(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]workspace.Tenant, 0, len(all)+len(going))
	for _, ws := range append(all, going...) {
		t, err := n.store.Tenant(ctx, ws)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func (n *Node) createTenant(ctx context.Context, a rpc.WorkspaceArgs) (m rpc.TenantMade, err error) {
	ws, err := workspace.Parse(a.Workspace)
	if err != nil {
		return m, err
	}
	if m.Token, err = n.created(ctx, ws); err != nil {
		return m, err
	}
	m.Tenant, err = n.store.Tenant(ctx, ws)
	return m, err
}

func (n *Node) limitTenant(ctx context.Context, a rpc.LimitArgs) (workspace.Tenant, error) {
	return onTenant(n, func(ctx context.Context, ws workspace.ID) error { return n.store.SetLimits(ctx, ws, a.Limits) })(ctx, rpc.WorkspaceArgs{Workspace: a.Workspace})
}

// onTenant does something with a workspace and says how it stands then.
func onTenant(n *Node, do func(context.Context, workspace.ID) error) func(context.Context, rpc.WorkspaceArgs) (workspace.Tenant, error) {
	return func(ctx context.Context, a rpc.WorkspaceArgs) (workspace.Tenant, error) {
		ws, err := workspace.Parse(a.Workspace)
		if err == nil {
			err = do(ctx, ws)
		}
		if err != nil {
			return workspace.Tenant{}, err
		}
		return n.store.Tenant(ctx, ws)
	}
}

// deletePatience is how long a command waits for readers of an older state; then the next process goes on.
const deletePatience = time.Minute

// deleteNow orders a deletion and carries it out. Once it was ordered an error says only that something is left.
func (n *Node) deleteNow(ctx context.Context, ws workspace.ID) error {
	if err := n.orderDeletion(ctx, ws); err != nil {
		return err
	}
	late := time.Now().Add(deletePatience)
	for {
		err := n.vacate(ctx, ws)
		if err == nil {
			return nil
		}
		if !stillRead(err) || time.Now().After(late) {
			return &rpc.Problem{Message: "the workspace is deleted and its keys are destroyed, but not everything could be taken out yet: " + explain.Describe(err),
				Hint: "the next command or a server goes on; murmur doctor shows what waits", Exit: 1, Status: 503}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(readAgain):
		}
	}
}

// readAgain is when a deletion looks again whether an older state is still being read.
const readAgain = 200 * time.Millisecond

// deletions tells doctor what is left of workspaces.
func (n *Node) deletions(ctx context.Context, say func(name string, ok bool, hint, format string, args ...any)) error {
	all, err := n.store.Deletions(ctx)
	if err != nil {
		return err
	}
	for _, ws := range all {
		t, err := n.store.Tenant(ctx, ws)
		if err != nil {
			return err
		}
		age := n.now().Sub(*t.Deleting).Round(time.Second)
		say("deletion of "+ws.String(), age < eraseWithin, "docs/runbook/workspace-stalled.md: nobody can read what is left, but it is still there",
			"ordered %s ago, and something is left", age)
	}
	return nil
}

// exportTenant writes a workspace as JSON. The ledger says that it was given away.
func (n *Node) exportTenant(ctx context.Context, a rpc.WorkspaceArgs, out io.Writer) error {
	ws, err := workspace.Parse(a.Workspace)
	if err != nil {
		return err
	}
	t, err := n.store.Tenant(ctx, ws)
	if err != nil {
		return err
	}
	if t.Condition.Gone() {
		return fmt.Errorf("workspace %s: %w", ws, workspace.ErrNotFound)
	}
	if err := n.store.Exported(ctx, ws); err != nil {
		return err
	}
	p, err := n.store.Policy(ctx, ws)
	if err != nil {
		return err
	}
	g := rpc.Exported{Murmur: "workspace.v1", Workspace: ws.String(), At: n.now().UTC(), Limits: t.Limits, Policy: map[string]string{}, Ledger: []rpc.ExportedEntry{}}
	keys, _ := workspace.Keys()
	for _, k := range keys {
		g.Policy[k], _ = p.Get(k)
	}
	var errs [6]error
	g.Sources, errs[0] = n.listSources(ctx, a)
	g.Flows, errs[1] = n.showFlows(ctx, rpc.FlowArgs{Workspace: a.Workspace})
	g.Status, errs[2] = site{n}.Status(ctx, ws)
	g.Figures, errs[3] = n.Figures(ctx, ws, "", release.Owner)
	g.Outside, errs[4] = n.Outside(ctx, ws, "")
	errs[5] = n.ledger.Entries(ctx, ws.String(), ledger.Filter{}, func(r ledger.Record) error {
		g.Ledger = append(g.Ledger, rpc.ExportedEntry{Receipt: r.Receipt.String(), At: r.At.UTC(), Kind: r.Kind, Entry: r.Entry})
		return nil
	})
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(g)
}

// workspaces is web.Workspaces.
type workspaces struct{ *Node }

func (w workspaces) Workspaces(ctx context.Context) ([]workspace.ID, error) { return w.store.List(ctx) }

func (w workspaces) Create(ctx context.Context, ws workspace.ID) (string, error) {
	token, err := w.created(ctx, ws)
	return token, webErr(err)
}

func (w workspaces) Tenant(ctx context.Context, ws workspace.ID) (workspace.Tenant, error) {
	t, err := w.store.Tenant(ctx, ws)
	return t, webErr(err)
}

func (w workspaces) SetLimits(ctx context.Context, ws workspace.ID, l workspace.Limits) error {
	return webErr(w.store.SetLimits(ctx, ws, l))
}

func (w workspaces) Suspend(ctx context.Context, ws workspace.ID) error {
	return webErr(w.suspend(ctx, ws))
}
func (w workspaces) Resume(ctx context.Context, ws workspace.ID) error {
	return webErr(w.resume(ctx, ws))
}

func (w workspaces) Delete(ctx context.Context, ws workspace.ID) error {
	return webErr(w.orderDeletion(ctx, ws))
}

func (w workspaces) Export(ctx context.Context, ws workspace.ID, out io.Writer) error {
	return webErr(w.exportTenant(ctx, rpc.WorkspaceArgs{Workspace: ws.String()}, out))
}
