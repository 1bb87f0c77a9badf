package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"murmur/internal/workspace"
)

// FlowArgs are those of flow set, whose file is the input, and of flow show.
type FlowArgs struct {
	Workspace string `json:"workspace"`
	Name      string `json:"name"`
	Reason    string `json:"reason"`
	Author    string `json:"author"`
}

// FlowSet is a version of a flow.
type FlowSet struct {
	Flow    string    `json:"flow"`
	Version int       `json:"version"`
	Since   time.Time `json:"since"`
	SetAt   time.Time `json:"set_at"`
	Nodes   int       `json:"nodes"`
	Keys    int       `json:"keys"`
	Fresh   bool      `json:"fresh,omitempty"` // it was made just now
	YAML    string    `json:"yaml,omitempty"`  // of the newest version
}

func (n *Node) setFlow(ctx context.Context, a FlowArgs, in io.Reader) (FlowSet, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return FlowSet{}, err
	}
	const most = 64<<10 + 1 // one more than ParseFlow takes
	file, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return FlowSet{}, fmt.Errorf("read the flow: %w", err)
	}
	f, err := workspace.ParseFlow(file)
	if err != nil {
		return FlowSet{}, err
	}
	reason, err := n.withoutPeople(ctx, ws, a.Reason)
	if err != nil {
		return FlowSet{}, err
	}
	f, fresh, err := n.store.SetFlow(ctx, ws, f, reason, a.Author)
	set := flowSet(f)
	set.Fresh = fresh
	return set, err
}

func (n *Node) showFlows(ctx context.Context, a FlowArgs) ([]FlowSet, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	all, err := n.store.Flows(ctx, ws)
	out := []FlowSet{}
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

func flowSet(f workspace.Flow) FlowSet {
	s := FlowSet{Flow: f.Name, Version: f.Version, Since: f.Since, SetAt: f.SetAt, Nodes: len(f.Nodes)}
	for _, n := range f.Nodes {
		s.Keys += len(n.Keys)
	}
	return s
}
