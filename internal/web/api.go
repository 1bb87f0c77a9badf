package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"murmur/internal/insight"
	"murmur/internal/workspace"
)

// api is the /v1 surface. Operations take the workspace from the token; the optional ?workspace= only
// confirms it.
type api struct {
	Config
	coarse *coarse
}

func newAPI(mux *http.ServeMux, c Config) {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	h := humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "murmur", Version: c.Version,
				Description: "Figures about many people, control over one's own data. Errors are problem+json (RFC 9457)."},
			Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "From `murmur token`; opens one workspace."},
			}},
			Security: []map[string][]string{{"token": {}}},
		},
		OpenAPIPath:   "/openapi",
		Formats:       map[string]huma.Format{"application/json": strictJSON, "json": strictJSON, "application/jsonl": jsonLines},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{dropValues},
	})
	a := api{Config: c, coarse: &coarse{}}
	h.UseMiddleware(a.authenticate(h))
	a.reading(h)
	a.presidio(h)
	a.people(h)
	a.setup(h)
	a.tenants(h)
	a.sources(h)
	a.access(h)
	a.alerts(h)
	a.categories(h)
	a.sharing(h)
}

// jsonLines prints figures one a line, as the command line does; anything else is one line.
var jsonLines = linesOf(func(w io.Writer, v any) error {
	if figures, ok := v.([]insight.Figure); ok {
		return insight.Encode(w, figures)
	}
	return json.NewEncoder(w).Encode(v)
})

// dropValues keeps an error from repeating what was sent: it may be somebody's number. A location is cut to the
// part that the API's own schema names.
func dropValues(_ huma.Context, _ string, v any) (any, error) {
	if e, ok := v.(*huma.ErrorModel); ok {
		for _, d := range e.Errors {
			d.Value = nil
			if said, _, ok := strings.Cut(d.Message, ": "); ok && strings.HasPrefix(said, "expected string to be ") {
				d.Message = said // what follows is the parser's, with the text
			}
			path := strings.SplitN(d.Location, ".", 3)
			if strings.HasPrefix(d.Message, "unexpected property") {
				path = path[:1]
			}
			d.Location = strings.Join(path[:min(2, len(path))], ".")
		}
	}
	return v, nil
}

type accessKey struct{}

// access answers what the request's token opens; authenticate has put it there.
func access(ctx context.Context) Access {
	a, _ := ctx.Value(accessKey{}).(Access)
	return a
}

// need is the metadata key of the role an operation asks for; always is that of one that works in a suspended workspace too:
// what a person says about their own data holds, whatever becomes of the business.
const need, always = "role", "always"

// suspendedText is what a token of a suspended workspace is told.
const suspendedText = "this workspace is suspended; ask whoever runs this server"

// authenticate resolves the bearer token (RFC 6750 2.1) and checks workspace and role. Without a token: 401;
// naming another workspace: 404, as for one that does not exist; a role too small: 403.
func (a api) authenticate(h huma.API) func(huma.Context, func(huma.Context)) {
	refuse := func(ctx huma.Context, status int, msg string) { _ = huma.WriteErr(h, ctx, status, msg) }
	return func(ctx huma.Context, next func(huma.Context)) {
		scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="murmur"`)
			refuse(ctx, http.StatusUnauthorized, "send Authorization: Bearer TOKEN; murmur token makes one")
			return
		}
		who, err := a.Keys.Token(ctx.Context(), HashOf(token))
		switch {
		case errors.Is(err, ErrNoAccess):
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="murmur", error="invalid_token"`)
			refuse(ctx, http.StatusUnauthorized, "this token is unknown, expired or revoked")
			return
		case errors.Is(err, ErrSuspended) && ctx.Operation().Metadata[always] == nil:
			refuse(ctx, http.StatusForbidden, suspendedText)
			return
		case err != nil && left(ctx.Context()):
			refuse(ctx, http.StatusServiceUnavailable, "the request ended")
			return
		case err != nil && !errors.Is(err, ErrSuspended):
			a.Log.Error("api: token", "error", err)
			refuse(ctx, http.StatusInternalServerError, "internal error")
			return
		}
		if ws := ctx.Query("workspace"); ws != "" && ws != who.Workspace.String() {
			refuse(ctx, http.StatusNotFound, "no such workspace")
			return
		}
		if role, _ := ctx.Operation().Metadata[need].(Role); !who.Role.may(role) {
			refuse(ctx, http.StatusForbidden, "the token's role is too small for this")
			return
		}
		next(huma.WithValue(ctx, accessKey{}, who))
	}
}

// answer turns an interface's error into a problem. Any other error is a fault of the server: it is logged,
// and the answer does not describe it.
func (a api) answer(ctx context.Context, err error) error {
	var refusal *Refusal
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return huma.Error404NotFound("not found in this workspace")
	case errors.As(err, &refusal):
		return huma.Error422UnprocessableEntity(refusal.Said, &huma.ErrorDetail{Message: refusal.Why, Location: "body"})
	case errors.Is(err, ErrInput), errors.Is(err, workspace.ErrPolicy), errors.Is(err, workspace.ErrBadID):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return huma.Error503ServiceUnavailable("took too long; try again")
	case ctx.Err() != nil:
		return huma.Error503ServiceUnavailable("the request ended")
	}
	a.Log.Error("api", "error", err)
	return huma.Error500InternalServerError("internal error")
}

// op describes an operation with the role it needs.
func op(method, path, id string, role Role, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary,
		Description: "Role: " + string(role) + ".", Metadata: map[string]any{need: role},
		Errors:       []int{400, 401, 403, 404, 413, 422, 429, 500, 503},
		MaxBodyBytes: 1 << 20}
}

// Scoped is the parameter every operation has.
type Scoped struct {
	Workspace string `query:"workspace" maxLength:"32" doc:"the token's own workspace; any other is answered 404"`
}

// body is an answer of type T.
type body[T any] struct{ Body T }
