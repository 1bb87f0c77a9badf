package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/presidio"
)

// analyzeIn is a request to Presidio's analyzer. Parameters that only control Presidio's own recognizers are accepted
// and have no effect.
type analyzeIn struct {
	Scoped
	Body struct {
		Text          string   `json:"text" maxLength:"100000"`
		Language      string   `json:"language" enum:"en" doc:"two letters; English only"`
		Entities      []string `json:"entities,omitempty" maxItems:"100" doc:"only these; empty: all"`
		Threshold     float64  `json:"score_threshold,omitempty" minimum:"0" maximum:"1"`
		AllowList     []string `json:"allow_list,omitempty" maxItems:"1000" doc:"values that are left in clear, exactly as they are written"`
		CorrelationID string   `json:"correlation_id,omitempty" maxLength:"200"`
		Decision      bool     `json:"return_decision_process,omitempty"`
		Context       []string `json:"context,omitempty" maxItems:"1000"`
	}
}

// anonymizeIn is a request to Presidio's anonymizer.
type anonymizeIn struct {
	Scoped
	Body struct {
		Text        string                       `json:"text" maxLength:"100000"`
		Anonymizers map[string]presidio.Operator `json:"anonymizers,omitempty" doc:"by entity type; DEFAULT for all others"`
		Results     []presidio.Result            `json:"analyzer_results" maxItems:"10000" nullable:"false"`
	}
}

// presidio registers the two operations of Presidio, in its request and response shapes.
func (a api) presidio(h huma.API) {
	huma.Register(h, op(http.MethodPost, "/v1/redact/analyze", "redact-analyze", Viewer, "Find personal data, in the shapes of Presidio's analyzer; nothing is stored"),
		func(ctx context.Context, in *analyzeIn) (*body[[]presidio.Result], error) {
			if unknown := entitiesUnknown(in.Body.Entities); unknown != nil {
				return nil, unknown
			}
			_, spans, err := a.Redactor.Redact(ctx, access(ctx).Workspace, in.Body.Text)
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			text, found := []rune(in.Body.Text), []presidio.Result{}
			for _, s := range spans {
				r := presidio.Result{Start: s.Start, End: s.End, Score: s.Score, Entity: presidio.Entity(s.Type)}
				if len(in.Body.Entities) > 0 && !slices.Contains(in.Body.Entities, r.Entity) || r.Score < in.Body.Threshold ||
					slices.Contains(in.Body.AllowList, string(text[s.Start:s.End])) {
					continue
				}
				found = append(found, r)
			}
			return &body[[]presidio.Result]{found}, nil
		})
	huma.Register(h, op(http.MethodPost, "/v1/redact/anonymize", "redact-anonymize", Viewer, "Put operators in the place of findings, in the shapes of Presidio's anonymizer; nothing is stored"),
		func(_ context.Context, in *anonymizeIn) (*body[presidio.Anonymized], error) {
			out, err := presidio.Anonymize(in.Body.Text, in.Body.Results, in.Body.Anonymizers)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			return &body[presidio.Anonymized]{out}, nil
		})
}

// entitiesUnknown refuses names of entities that murmur does not find: an answer without findings would read as a text without
// personal data. The names are told by their places, because an error repeats nothing that was sent.
func entitiesUnknown(asked []string) error {
	known := presidio.Entities()
	var details []error
	for i, name := range asked {
		if !slices.Contains(known, name) {
			details = append(details, &huma.ErrorDetail{Message: "not an entity that is found here", Location: fmt.Sprintf("body.entities[%d]", i)})
		}
	}
	if details == nil {
		return nil
	}
	return huma.Error422UnprocessableEntity("entities are "+strings.Join(known, ", "), details...)
}
