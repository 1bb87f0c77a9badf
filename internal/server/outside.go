package server

import (
	"context"
	"slices"

	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/insight"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// Outside makes the figures of a workspace that left it, from its differentially private releases; slug chooses one insight.
func (n *Node) Outside(ctx context.Context, ws workspace.ID, slug string) ([]insight.Figure, error) {
	releases, err := n.crowd.Outside(ctx, ws)
	if err != nil {
		return nil, err
	}
	figures := insight.Outside(releases)
	return slices.DeleteFunc(figures, func(f insight.Figure) bool { return slug != "" && f.Insight != slug }), nil
}

// figuresOf gives the figures that somebody is shown: owner, viewer, outside; empty: owner.
func (n *Node) figuresOf(as string) func(ctx context.Context, ws workspace.ID, slug string) ([]insight.Figure, error) {
	if as == "outside" {
		return n.Outside
	}
	audience := release.Owner
	if as == "viewer" {
		audience = release.Others
	}
	return func(ctx context.Context, ws workspace.ID, slug string) ([]insight.Figure, error) {
		return n.Figures(ctx, ws, slug, audience)
	}
}

// planOf compiles a specification.
func planOf(text []byte) (provable.Plan, error) {
	spec, err := provable.ParseSpec(text)
	if err != nil {
		return provable.Plan{}, err
	}
	return provable.Compile(spec, insight.OutsideMeasures())
}

// planFor is the plan that is followed in a workspace of about so many contacts a month.
func planFor(contacts int) provable.Plan {
	spec, err := provable.ParseSpec(provable.Default)
	if err != nil {
		panic(err) // it is part of the program, and tested
	}
	spec.Expect.Contacts = float64(contacts)
	p, err := provable.Compile(spec, insight.OutsideMeasures())
	if err != nil {
		panic(err) // the same
	}
	return p
}

// explainSpec says what a specification gives and costs. It spends nothing.
func (n *Node) explainSpec(ctx context.Context, a rpc.ExplainArgs) (provable.Explanation, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return provable.Explanation{}, err
	}
	if a.Spec == "" {
		policy, err := n.store.Policy(ctx, ws)
		if err != nil {
			return provable.Explanation{}, err
		}
		return n.crowd.Explain(ctx, ws, planFor(policy.OutsideContacts))
	}
	plan, err := planOf([]byte(a.Spec))
	if err != nil {
		return provable.Explanation{}, &rpc.Problem{Message: err.Error(), Hint: "docs/provable.md describes a specification", Exit: 2, Status: 422}
	}
	return n.crowd.Explain(ctx, ws, plan)
}
