package web

import (
	"errors"
	"net"
	"net/http"
)

// cookieName is the session cookie. The __Host- prefix binds it to this host, the root path and TLS; plain
// HTTP, on loopback, cannot use it. Cookies are not bound to a port (RFC 6265 8.5), so there the name contains the
// port: other servers on this machine do not get the session unless they use the same name.
func (s *site) cookieName(r *http.Request) string {
	if s.secure(r) {
		return "__Host-murmur"
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" {
		return "murmur-" + port
	}
	return "murmur"
}

// open trades the one-time link for a session. It answers a page that moves on by itself: the cookie is
// SameSite=Strict, and a redirect that began at a link on another site would arrive without it.
func (s *site) open(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // a preview's HEAD must not use the link up
		w.WriteHeader(http.StatusNoContent)
		return
	}
	secret, session, err := NewSecret(s.Rand)
	if err == nil {
		err = s.Keys.Redeem(r.Context(), HashOf(r.PathValue("token")), session)
	}
	switch {
	case errors.Is(err, ErrNoAccess):
		s.message(w, r, http.StatusNotFound, "This link does not open anything",
			"A link works once, for 30 minutes. This one was used, is older, or was never made.", s.OpenHint)
	case err != nil:
		s.fail(w, r, err)
	default:
		s.opened(w, r, secret)
	}
}

// opened gives a browser its session, on a page that moves on by itself.
func (s *site) opened(w http.ResponseWriter, r *http.Request, secret string) {
	http.SetCookie(w, s.sessionCookie(r, secret))
	s.render(w, r, http.StatusOK, "opened", page{Title: "Opening"})
}

func (s *site) sessionCookie(r *http.Request, secret string) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(r), Value: secret, Path: "/", MaxAge: int(SessionLife.Seconds()),
		Secure: s.secure(r), HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// close ends the session.
func (s *site) close(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(s.cookieName(r)); err == nil {
		if err := s.Keys.End(r.Context(), HashOf(c.Value)); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(r), Path: "/", MaxAge: -1, Secure: s.secure(r), HttpOnly: true, SameSite: http.SameSiteStrictMode})
	s.message(w, r, http.StatusOK, "Closed", "This browser can no longer see the figures.", s.OpenHint)
}

// with answers the access of the request's session, after checking that it includes need.
func (s *site) with(need Role, h func(http.ResponseWriter, *http.Request, Access)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(s.cookieName(r))
		if err != nil {
			s.locked(w, r)
			return
		}
		a, err := s.Keys.Session(r.Context(), HashOf(cookie.Value))
		switch {
		case errors.Is(err, ErrNoAccess):
			s.locked(w, r)
		case errors.Is(err, ErrSuspended):
			s.message(w, r, http.StatusForbidden, "This workspace is suspended",
				"Whoever runs this server has suspended it. Nothing new is taken in and nothing is processed. What came in before is kept, sealed.", "Ask them.")
		case err != nil:
			s.fail(w, r, err)
		case !a.Role.may(need):
			s.message(w, r, http.StatusForbidden, "Not with this access",
				"You are here as "+string(a.Role)+"; this needs "+string(need)+".", "")
		default:
			h(w, r, a)
		}
	}
}

func (s *site) locked(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusUnauthorized, "message", page{Title: "murmur is closed here", Data: messageView{SignIn: s.SignIn != nil, Passkey: s.Passkeys != nil, Hint: s.OpenHint,
		Text: "There is no password. A one-time link opens these pages in this browser: it works once, for 30 minutes."}})
}
