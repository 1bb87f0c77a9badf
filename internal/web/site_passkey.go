package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"murmur/internal/workspace"
)

// Passkeys lets owners in by a key of their device.
type Passkeys interface {
	// Add asks an owner's browser for a new key: the options of navigator.credentials.create as JSON, and the ticket that the
	// answer must bring back.
	Add(ctx context.Context, ws workspace.ID) (options []byte, ticket string, err error)
	// Added keeps the key that answers. ErrNoAccess.
	Added(ctx context.Context, ws workspace.ID, ticket string, answer io.Reader) error
	// Ask asks a browser that nobody knows: the options of navigator.credentials.get, and the ticket.
	Ask() (options []byte, ticket string, err error)
	// Answer gives the workspace whose owner's device signed. ErrNoAccess.
	Answer(ctx context.Context, ticket string, answer io.Reader) (workspace.ID, error)
}

// passkeyLife is how long a device may take to sign.
const passkeyLife = 5 * time.Minute

// passkeyCookie binds an answer to the browser that was asked.
func (s *site) passkeyCookie(r *http.Request, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(r) + "-passkey", Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: s.secure(r), HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func (s *site) passkeyAsked(w http.ResponseWriter, r *http.Request, options []byte, ticket string, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, s.passkeyCookie(r, ticket, passkeyLife))
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(options) // the reader may be gone
}

// passkeyTicket takes the ticket of an answer, once.
func (s *site) passkeyTicket(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(s.cookieName(r) + "-passkey")
	http.SetCookie(w, s.passkeyCookie(r, "", -time.Second))
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *site) newPasskey(w http.ResponseWriter, r *http.Request, a Access) {
	options, ticket, err := s.Passkeys.Add(r.Context(), a.Workspace)
	s.passkeyAsked(w, r, options, ticket, err)
}

func (s *site) addPasskey(w http.ResponseWriter, r *http.Request, a Access) {
	s.passkeyDone(w, r, s.Passkeys.Added(r.Context(), a.Workspace, s.passkeyTicket(w, r), r.Body))
}

func (s *site) askPasskey(w http.ResponseWriter, r *http.Request) {
	options, ticket, err := s.Passkeys.Ask()
	s.passkeyAsked(w, r, options, ticket, err)
}

// usePasskey starts a session of the owner whose device signed.
func (s *site) usePasskey(w http.ResponseWriter, r *http.Request) {
	ws, err := s.Passkeys.Answer(r.Context(), s.passkeyTicket(w, r), r.Body)
	if err == nil {
		secret, session, drawn := NewSecret(s.Rand)
		if err = drawn; err == nil {
			err = s.Keys.Start(r.Context(), ws, session)
		}
		if err == nil {
			http.SetCookie(w, s.sessionCookie(r, secret))
		}
	}
	s.passkeyDone(w, r, err)
}

func (s *site) passkeyDone(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrNoAccess):
		w.WriteHeader(http.StatusForbidden)
	case err != nil:
		s.fail(w, r, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
