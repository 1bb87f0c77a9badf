package web

import (
	"context"
	"errors"
	"net/http"
)

// Letters ends the weekly letters of whoever holds the address that stands in each.
type Letters interface {
	Unsubscribe(ctx context.Context, ender Hash) error // ErrNotFound: nobody gets letters by it
}

// unsubscribing asks first, because programs that open every link of a mail must not end anything.
func (s *site) unsubscribing(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "unsubscribe", page{Title: "No more of these mails?"})
}

// unsubscribe ends the letters, at the button or at the one POST of a mail program (RFC 8058 3.2).
func (s *site) unsubscribe(w http.ResponseWriter, r *http.Request) {
	err := s.Letters.Unsubscribe(r.Context(), HashOf(r.PathValue("ender")))
	if err != nil && !errors.Is(err, ErrNotFound) { // twice is no mistake
		s.fail(w, r, err)
		return
	}
	s.message(w, r, http.StatusOK, "No more of these mails", "They do not come to this address any more.", "")
}
