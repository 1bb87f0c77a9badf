package web

import (
	"bytes"
	"context"
	"encoding/json"
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
				return nil, errOperator
			}
			id, err := workspace.Parse(in.Body.Name)
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			token, err := a.Workspaces.Create(ctx, id)
			return &body[created]{created{id.String(), token}}, a.answer(ctx, err)
		})
}

type limitsIn struct {
	TenantName
	Body workspace.Limits
}

// TenantName names the workspace that an operator means. Its name stands in the path because it is not the token's own.
type TenantName struct {
	Scoped
	Name string `path:"name" maxLength:"32" pattern:"^[a-z0-9-]+$"`
}

var errOperator = huma.Error403Forbidden("only an operator's token does this: one of an owner of the default workspace")

// tenants registers what operators do with workspaces.
func (a api) tenants(h huma.API) {
	const one = "/v1/workspaces/{name}"
	// on does something with the workspace that is named and answers how it stands then.
	on := func(do func(context.Context, workspace.ID) error) func(context.Context, *TenantName) (*body[workspace.Tenant], error) {
		return func(ctx context.Context, in *TenantName) (*body[workspace.Tenant], error) {
			if !access(ctx).Operator {
				return nil, errOperator
			}
			ws, err := workspace.Parse(in.Name)
			if err == nil {
				err = do(ctx, ws)
			}
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			t, err := a.Workspaces.Tenant(ctx, ws)
			return &body[workspace.Tenant]{t}, a.answer(ctx, err)
		}
	}
	huma.Register(h, op(http.MethodGet, one, "workspace", Owner, "How a workspace stands, also one that is deleted; operators only"),
		on(func(context.Context, workspace.ID) error { return nil }))
	huma.Register(h, op(http.MethodPost, one+"/suspend", "suspend-workspace", Owner, "Take nothing in for a workspace, process and show nothing of it, and keep what it has; operators only"), on(a.Workspaces.Suspend))
	huma.Register(h, op(http.MethodPost, one+"/resume", "resume-workspace", Owner, "Have a suspended workspace work again; operators only"), on(a.Workspaces.Resume))
	huma.Register(h, accepted(op(http.MethodDelete, one, "delete-workspace", Owner, "Delete a suspended workspace: its keys at once, then everything else; operators only")), on(a.Workspaces.Delete))
	huma.Register(h, op(http.MethodPut, one+"/limits", "limit-workspace", Owner, "Set all limits of a workspace; one that is left out is taken away; operators only"),
		func(ctx context.Context, in *limitsIn) (*body[workspace.Tenant], error) {
			return on(func(ctx context.Context, ws workspace.ID) error { return a.Workspaces.SetLimits(ctx, ws, in.Body) })(ctx, &in.TenantName)
		})
	huma.Register(h, op(http.MethodGet, one+"/export", "export-workspace", Owner, "What the workspace's owner set and was shown, as JSON; its ledger tells of it; operators only"),
		func(ctx context.Context, in *TenantName) (*body[json.RawMessage], error) {
			if !access(ctx).Operator {
				return nil, errOperator
			}
			ws, err := workspace.Parse(in.Name)
			var out bytes.Buffer
			if err == nil {
				err = a.Workspaces.Export(ctx, ws, &out)
			}
			return &body[json.RawMessage]{bytes.TrimSpace(out.Bytes())}, a.answer(ctx, err)
		})
}

func accepted(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusAccepted
	return o
}

func made(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}
