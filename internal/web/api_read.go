package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/insight"
)

type statusBody struct {
	Workspaces map[string]WorkspaceStatus `json:"workspaces"`
}

type redactIn struct {
	Scoped
	Body struct {
		Text string `json:"text" maxLength:"100000"`
	}
}

type redacted struct {
	Redacted string `json:"redacted"`
	Spans    []Span `json:"spans" nullable:"false" doc:"Unicode code points of the text sent, end exclusive"`
}

// reading registers what a viewer may do, and somebody outside: nothing of it changes anything.
func (a api) reading(h huma.API) {
	huma.Register(h, op(http.MethodGet, "/v1/figures", "figures", Outside, "Every released figure; to the role outside, the differentially private ones"),
		func(ctx context.Context, in *struct {
			Scoped
			Insight string `query:"insight" maxLength:"64" pattern:"^[a-z0-9-]*$" doc:"slug; empty: all"`
		}) (*body[[]insight.Figure], error) {
			if _, known := insight.Find(in.Insight); in.Insight != "" && !known {
				return nil, huma.Error404NotFound("there is no insight of that name; docs/insights.md lists them, and each figure has its own in the field insight")
			}
			figures, err := a.Figures.Figures(ctx, access(ctx).Workspace, in.Insight, access(ctx).Role)
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			return &body[[]insight.Figure]{append([]insight.Figure{}, figures...)}, nil
		})
	huma.Register(h, op(http.MethodGet, "/v1/status", "status", Viewer, "What became of every delivery; viewers are told bands, the same ones for a day"),
		func(ctx context.Context, _ *Scoped) (*body[statusBody], error) {
			ws := access(ctx).Workspace
			s, err := a.Pipeline.Status(ctx, ws)
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			if !access(ctx).Role.may(Privacy) {
				s = a.coarse.status(ws, a.Now(), s)
			}
			return &body[statusBody]{statusBody{map[string]WorkspaceStatus{ws.String(): s}}}, nil
		})
	huma.Register(h, op(http.MethodPost, "/v1/redact", "redact", Viewer, "Mask a text; nothing is stored"),
		func(ctx context.Context, in *redactIn) (*body[redacted], error) {
			masked, spans, err := a.Redactor.Redact(ctx, access(ctx).Workspace, in.Body.Text)
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			return &body[redacted]{redacted{masked, append([]Span{}, spans...)}}, nil
		})
}
