package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type sourceIn struct {
	Scoped
	Body struct {
		Kind       string   `json:"kind" minLength:"1" maxLength:"32" pattern:"^[a-z0-9-]+$"`
		Name       string   `json:"name,omitempty" maxLength:"64" pattern:"^[A-Za-z0-9._-]*$" doc:"default: the kind"`
		Secret     string   `json:"secret,omitempty" maxLength:"512" doc:"signing secret of its webhooks; default: a new one"`
		APIKey     string   `json:"api_key,omitempty" maxLength:"4096" doc:"tried first; with a key the server also polls and backfills"`
		APIBase    string   `json:"api_base,omitempty" maxLength:"512" format:"uri"`
		PublicURL  string   `json:"public_url,omitempty" maxLength:"512" format:"uri" doc:"where the vendor reaches this server: with a key, its webhook is set up"`
		MediaHosts []string `json:"media_hosts,omitempty" maxItems:"16" nullable:"false" doc:"hosts, with port if unusual, that recordings may be fetched from"`
	}
}

// SourceName is a source's name.
type SourceName struct {
	Name string `path:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" doc:"the source's name"`
}

type namedSource struct {
	Scoped
	SourceName
}

type keyIn struct {
	Scoped
	SourceName
	Body struct {
		APIKey string `json:"api_key" minLength:"1" maxLength:"4096" doc:"of the same account"`
	}
}

type secretIn struct {
	Scoped
	SourceName
	Body struct {
		Secret string `json:"secret,omitempty" maxLength:"512" doc:"default: a new one"`
	}
}

type rotatedBody struct {
	Secret string `json:"secret" doc:"shown once; the last one stays valid until the next rotation"`
}

// sources registers what an owner does with sources. No answer holds a secret but the two that make one.
func (a api) sources(h huma.API) {
	huma.Register(h, op(http.MethodGet, "/v1/sources", "sources", Owner, "The connected sources, how far each is and what is wrong"),
		func(ctx context.Context, _ *Scoped) (*body[[]Source], error) {
			s, err := a.Sources.Sources(ctx, access(ctx).Workspace)
			return &body[[]Source]{append([]Source{}, s...)}, a.answer(ctx, err)
		})
	huma.Register(h, made(op(http.MethodPost, "/v1/sources", "connect", Owner, "Connect a source; its secret is shown once")),
		func(ctx context.Context, in *sourceIn) (*body[Connected], error) {
			b := in.Body
			if b.Name == "" {
				b.Name = b.Kind
			}
			s, err := a.Sources.Connect(ctx, access(ctx).Workspace, NewSource{Kind: b.Kind, Name: b.Name, Secret: b.Secret,
				APIKey: b.APIKey, APIBase: b.APIBase, PublicURL: b.PublicURL, MediaHosts: b.MediaHosts})
			return &body[Connected]{s}, a.answer(ctx, err)
		})
	huma.Register(h, noContent(op(http.MethodPost, "/v1/sources/{name}/pause", "pause-source", Owner, "Stop asking its vendor; webhooks are still taken")),
		func(ctx context.Context, in *namedSource) (*struct{}, error) {
			return nil, a.answer(ctx, a.Sources.Pause(ctx, access(ctx).Workspace, in.Name, true))
		})
	huma.Register(h, noContent(op(http.MethodPost, "/v1/sources/{name}/resume", "resume-source", Owner, "Ask its vendor again, from where it stood")),
		func(ctx context.Context, in *namedSource) (*struct{}, error) {
			return nil, a.answer(ctx, a.Sources.Pause(ctx, access(ctx).Workspace, in.Name, false))
		})
	huma.Register(h, noContent(op(http.MethodPost, "/v1/sources/{name}/key", "rekey-source", Owner, "Try another API key of the same account, and use it")),
		func(ctx context.Context, in *keyIn) (*struct{}, error) {
			return nil, a.answer(ctx, a.Sources.Rekey(ctx, access(ctx).Workspace, in.Name, in.Body.APIKey))
		})
	huma.Register(h, op(http.MethodPost, "/v1/sources/{name}/secret", "rotate-source", Owner, "Add a signing secret beside the last one"),
		func(ctx context.Context, in *secretIn) (*body[rotatedBody], error) {
			secret, err := a.Sources.Rotate(ctx, access(ctx).Workspace, in.Name, in.Body.Secret)
			return &body[rotatedBody]{rotatedBody{secret}}, a.answer(ctx, err)
		})
	huma.Register(h, noContent(op(http.MethodDelete, "/v1/sources/{name}", "remove-source", Owner, "Remove a source; what it delivered stays")),
		func(ctx context.Context, in *namedSource) (*struct{}, error) {
			return nil, a.answer(ctx, a.Sources.Remove(ctx, access(ctx).Workspace, in.Name))
		})
}
