package web

import (
	"context"
	"net/http"

	"murmur/internal/workspace"
)

// passView is a token or a session as the settings list it.
type passView struct {
	workspace.Pass
	Session bool
	Passkey bool
	Here    bool // the session of the browser that asks
}

// passes lists what opens the workspace, for a request that holds a session of it.
func (s *site) passes(ctx context.Context, r *http.Request, a Access) ([]passView, error) {
	all, err := s.Keys.Passes(ctx, a.Workspace)
	out := make([]passView, len(all))
	for i, p := range all {
		out[i] = passView{Pass: p, Session: p.Role == workspace.SessionRole, Passkey: p.Role == workspace.PasskeyRole, Here: p.ID == s.here(r)}
	}
	return out, err
}

// here is the id under which the request's own session is listed; "" where it has none.
func (s *site) here(r *http.Request) string {
	c, err := r.Cookie(s.cookieName(r))
	if err != nil {
		return ""
	}
	h := HashOf(c.Value)
	return workspace.IDOf(h[:])
}

// endPass ends a token or a session at once; ending one's own session signs one out.
func (s *site) endPass(w http.ResponseWriter, r *http.Request, a Access) {
	id, err := field(r, "id", workspace.PassIDLen, workspace.PassIDLen)
	if err == nil && id == s.here(r) {
		s.close(w, r)
		return
	}
	if err == nil {
		err = s.Keys.Revoke(r.Context(), a.Workspace, id)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	seeOther(w, r, "/settings", "ended")
}
