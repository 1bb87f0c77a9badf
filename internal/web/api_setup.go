package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/workspace"
)

type policyIn struct {
	Scoped
	Body struct {
		Reason string            `json:"reason" minLength:"3" maxLength:"300" doc:"why, for the ledger; no names"`
		Set    map[string]string `json:"set" minProperties:"1" maxProperties:"16" doc:"the keys to change, as in murmur policy"`
	}
}

type workspaceIn struct {
	Scoped
	Body struct {
		Name string `json:"workspace" minLength:"1" maxLength:"32" pattern:"^[a-z0-9-]+$"`
	}
}

type created struct {
	Workspace string `json:"workspace"`
	Token     string `json:"token" doc:"an owner token of the new workspace; shown once"`
}

// policyValues prints a policy as its keys and values.
func policyValues(p workspace.Policy) map[string]string {
	m := map[string]string{}
	keys, _ := workspace.Keys()
	for _, k := range keys {
		m[k], _ = p.Get(k)
	}
	return m
}

// setup registers policy and workspaces.
func (a api) setup(h huma.API) {
	huma.Register(h, op(http.MethodGet, "/v1/policy", "policy", Viewer, "The policy in force"),
		func(ctx context.Context, _ *Scoped) (*body[map[string]string], error) {
			p, err := a.Policies.Policy(ctx, access(ctx).Workspace)
			return &body[map[string]string]{policyValues(p)}, a.answer(ctx, err)
		})
	huma.Register(h, op(http.MethodPut, "/v1/policy", "set-policy", Privacy, "Change the policy; the reason goes to the ledger"),
		func(ctx context.Context, in *policyIn) (*body[map[string]string], error) {
			p, err := a.Policies.SetPolicy(ctx, access(ctx), in.Body.Set, in.Body.Reason)
			return &body[map[string]string]{policyValues(p)}, a.answer(ctx, err)
		})
	huma.Register(h, op(http.MethodGet, "/v1/greetings", "greetings", Viewer, "What the policy in force asks to be said to callers, by language"),
		func(ctx context.Context, _ *Scoped) (*body[[]Greeting], error) {
			p, err := a.Policies.Policy(ctx, access(ctx).Workspace)
			return &body[[]Greeting]{append([]Greeting{}, greetings(p)...)}, a.answer(ctx, err)
		})
	huma.Register(h, op(http.MethodGet, "/v1/workspaces", "workspaces", Viewer, "The workspaces this token may know: its own; for an operator, all"),
		func(ctx context.Context, _ *Scoped) (*body[[]string], error) {
			who := access(ctx)
			if !who.Operator {
				return &body[[]string]{[]string{who.Workspace.String()}}, nil
			}
			all, err := a.Workspaces.Workspaces(ctx)
			names := make([]string, len(all))
			for i, w := range all {
				names[i] = w.String()
			}
			return &body[[]string]{names}, a.answer(ctx, err)
		})
	huma.Register(h, made(op(http.MethodPost, "/v1/workspaces", "create-workspace", Owner, "Make a workspace; operators only")),
		func(ctx context.Context, in *workspaceIn) (*body[created], error) {
			if !access(ctx).Operator {
				return nil, huma.Error403Forbidden("only an operator's token makes workspaces")
			}
			id, err := workspace.Parse(in.Body.Name)
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			token, err := a.Workspaces.Create(ctx, id)
			return &body[created]{created{id.String(), token}}, a.answer(ctx, err)
		})
}

func made(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}
