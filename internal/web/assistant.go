package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"murmur/internal/insight"
	"murmur/internal/mcp"
)

// assistants serves the Model Context Protocol at /mcp. With a token of the role outside an assistant reads what is
// differentially private, with any other what viewers may see.
func assistants(c Config) http.Handler {
	tools := mcp.Handler(func(r *http.Request) *mcp.Config {
		who, as := access(r.Context()), Viewer
		var insights []insight.Insight
		if who.Role == Outside {
			as, insights = Outside, insight.OutsideInsights()
		}
		return &mcp.Config{Version: c.Version, Insights: insights, Figures: func(ctx context.Context) ([]insight.Figure, error) {
			figures, err := c.Figures.Figures(ctx, who.Workspace, "", as)
			if err != nil && !left(r.Context()) {
				c.Log.Error("mcp", "error", err)
			}
			return figures, err
		}}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost { // no stream of the server's own (MCP 2025-11-25, streamable HTTP)
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "send a message by POST", http.StatusMethodNotAllowed)
			return
		}
		who, err := bearer(r, c.Keys)
		switch ws := r.URL.Query().Get("workspace"); {
		case errors.Is(err, ErrNoAccess):
			w.Header().Set("WWW-Authenticate", `Bearer realm="murmur"`)
			http.Error(w, "send Authorization: Bearer TOKEN; murmur token makes one", http.StatusUnauthorized)
		case errors.Is(err, ErrSuspended):
			http.Error(w, suspendedText, http.StatusForbidden)
		case left(r.Context()):
			http.Error(w, "the request ended", http.StatusServiceUnavailable)
		case err != nil:
			c.Log.Error("mcp: token", "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
		case ws != "" && ws != who.Workspace.String():
			http.Error(w, "no such workspace", http.StatusNotFound)
		default:
			tools.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), accessKey{}, who)))
		}
	})
}

// bearer answers what a request's token opens (RFC 6750 2.1). ErrNoAccess: nothing, or there is none.
func bearer(r *http.Request, keys Keys) (Access, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Access{}, ErrNoAccess
	}
	return keys.Token(r.Context(), HashOf(token))
}
