package server

import (
	"context"
	"fmt"
	"io"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

func (n *Node) setFlow(ctx context.Context, a rpc.FlowArgs, in io.Reader) (rpc.FlowSet, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.FlowSet{}, err
	}
	const most = 64<<10 + 1 // one more than ParseFlow takes
	file, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return rpc.FlowSet{}, fmt.Errorf("read the flow: %w", err)
	}
	f, err := workspace.ParseFlow(file)
	if err != nil {
		return rpc.FlowSet{}, err
	}
	reason, err := n.withoutPeople(ctx, ws, a.Reason)
	if err != nil {
		return rpc.FlowSet{}, err
	}
	f, fresh, err := n.store.SetFlow(ctx, ws, f, reason, a.Author)
	set := flowSet(f)
	set.Fresh = fresh
	return set, err
}

func (n *Node) showFlows(ctx context.Context, a rpc.FlowArgs) ([]rpc.FlowSet, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	all, err := n.store.Flows(ctx, ws)
	out := []rpc.FlowSet{}
	for i, f := range all {
		if a.Name != "" && f.Name != a.Name {
			continue
		}
		s := flowSet(f)
		if i+1 == len(all) || all[i+1].Name != f.Name {
			s.YAML = f.YAML
		}
		out = append(out, s)
	}
	return out, err
}

func flowSet(f workspace.Flow) rpc.FlowSet {
	s := rpc.FlowSet{Flow: f.Name, Version: f.Version, Since: f.Since, SetAt: f.SetAt, Nodes: len(f.Nodes)}
	for _, n := range f.Nodes {
		s.Keys += len(n.Keys)
	}
	return s
}
