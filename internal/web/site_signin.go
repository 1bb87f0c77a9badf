package web

import (
	"errors"
	"net/http"
	"time"
)

// ticketLife is how long somebody may take at the identity provider.
const ticketLife = 10 * time.Minute

// ticketCookie keeps what binds the provider's answer to this browser. It is SameSite=Lax: the answer comes from another site.
func (s *site) ticketCookie(r *http.Request, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(r) + "-ticket", Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: s.secure(r), HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// signIn sends a browser to the identity provider.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	address, ticket, err := s.SignIn.Begin(r.Context())
	if err != nil {
		s.Log.Error("sign-in", "error", err)
		s.message(w, r, http.StatusServiceUnavailable, "The identity provider does not answer", "Try again in a minute, or open a one-time link.", s.OpenHint)
		return
	}
	http.SetCookie(w, s.ticketCookie(r, ticket, ticketLife))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// signedIn takes the provider's answer, once, and starts a session.
func (s *site) signedIn(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie(s.cookieName(r) + "-ticket")
	if err != nil {
		s.refused(w, r)
		return
	}
	http.SetCookie(w, s.ticketCookie(r, "", -time.Second))
	q := r.URL.Query()
	ws, err := s.SignIn.Finish(r.Context(), c.Value, q.Get("state"), q.Get("code"))
	if errors.Is(err, ErrNoAccess) {
		s.refused(w, r)
		return
	}
	secret, session, drawn := NewSecret(s.Rand)
	if err = errors.Join(err, drawn); err == nil {
		err = s.Keys.Start(r.Context(), ws, session)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.opened(w, r, secret)
}

func (s *site) refused(w http.ResponseWriter, r *http.Request) {
	s.message(w, r, http.StatusForbidden, "You are not let in", "The identity provider did not name an owner of a workspace here, or the answer was not for this browser.", s.OpenHint)
}
