// Package web is what people and programs see of murmur: the pages, the HTTP API and the files they need.
//
// Zone: open. Everything it shows is a released figure, a count of deliveries, a policy or a receipt; it
// never sees a row. The few personal values that come in (an address to erase, a text or a recording to mask) come in a
// request body, are handed on and are neither kept, logged nor put in a URL.
//
// It declares the small interfaces it needs next to their use (Keys, Figures, Marks, Pipeline, Calls,
// Contacts, Holdings, Policies, Sources, Workspaces, Redactor, Letters, Alerts, Categories, Shares); package server wires them. Each takes the
// workspace that the token or session was issued for, and no other: a request cannot name another one.
//
// Promises: pages work without JavaScript and without a network beyond this server; no inline script or
// style (the content security policy forbids both); every page and every API answer is made from the same
// values; another workspace's token or id is answered 404.
//
// It does not protect against: the holder of an unused one-time link or of a token, within its role; a
// browser extension; a name that the redactor missed in a text (the playground shows what the redactor
// gives).
package web

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"murmur/internal/insight"

	"github.com/danielgtaylor/huma/v2"
)

// ErrNotFound is what the interfaces answer for an id that is unknown in the workspace asked, whether or
// not it exists in another one.
var ErrNotFound = errors.New("not found")

// ErrInput is the parent of every refusal of a value a person or program sent; its text is shown to them, so
// it must not repeat the value.
var ErrInput = errors.New("not accepted")

// Config is what the pages and the API need. Every interface is required.
type Config struct {
	Version   string
	Catalogue []insight.Insight // in the order pages show them

	Keys       Keys
	Figures    Figures
	Marks      Marks
	Pipeline   Pipeline
	Calls      Calls
	Contacts   Contacts
	Holdings   Holdings
	Policies   Policies
	Sources    Sources
	Workspaces Workspaces
	Redactor   Redactor
	Letters    Letters
	Alerts     Alerts
	Categories Categories
	Shares     Shares

	// SignIn lets owners in beside one-time links; nil: nobody.
	SignIn SignIn
	// Passkeys lets them in by a key of their device; nil: nobody.
	Passkeys Passkeys

	Kinds []SourceKind // kinds of source the first run offers

	// SecureHost is the host, with its port where there is one, under which a proxy reaches the server for browsers that speak
	// TLS to it: there cookies get the __Host- prefix and answers Strict-Transport-Security. TLS on the connection itself is
	// noticed without it. Empty: there is none.
	SecureHost string
	// OpenHint tells a person without a session how to get a one-time link, such as a command. May be empty.
	OpenHint string

	Timeout time.Duration    // of one request; 0: 15 s
	MaxBody int64            // bytes of a request body; 0: 1 MiB
	Now     func() time.Time // nil: time.Now
	Rand    io.Reader        // of session secrets; nil: crypto/rand
	Log     *slog.Logger     // nil: slog.Default; gets route patterns and error kinds, never values
}

func (c *Config) defaults() error {
	for name, v := range map[string]any{"Keys": c.Keys, "Figures": c.Figures, "Marks": c.Marks, "Pipeline": c.Pipeline,
		"Calls": c.Calls, "Contacts": c.Contacts, "Holdings": c.Holdings, "Policies": c.Policies, "Sources": c.Sources,
		"Workspaces": c.Workspaces, "Redactor": c.Redactor, "Letters": c.Letters, "Alerts": c.Alerts, "Categories": c.Categories, "Shares": c.Shares} {
		if v == nil {
			return fmt.Errorf("web: Config.%s is missing", name)
		}
	}
	if c.Timeout == 0 {
		c.Timeout = 15 * time.Second
	}
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return nil
}

// New makes the handler of all pages, of /v1, of /openapi.json and of /static. It panics when a required
// field of c is missing: that is a mistake in the wiring, found by starting once.
func New(c Config) http.Handler {
	if err := c.defaults(); err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", staticFiles())
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} { // those of the protocol
		mux.Handle(method+" /mcp", assistants(c))
	}
	newAPI(mux, c)
	newSite(c).routes(mux)
	return protect(noSuchCall(mux), c)
}

// noSuchCall answers what no operation of the API takes as the API answers: 404, or 405 with the methods that there are.
func noSuchCall(mux *http.ServeMux) http.Handler {
	takes := func(r *http.Request) bool {
		_, pattern := mux.Handler(r)
		return strings.Contains(pattern, " /v1/")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") || takes(r) {
			mux.ServeHTTP(w, r)
			return
		}
		refused := huma.Error404NotFound("there is no such address; /openapi.json lists those there are")
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			other := r.Clone(r.Context())
			if other.Method = method; takes(other) {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			refused = huma.Error405MethodNotAllowed("this address does not take " + r.Method)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(refused.GetStatus())
		_ = json.NewEncoder(w).Encode(refused)
	})
}

// secure reports whether the browser speaks TLS, to this server or to the proxy before it.
func (c *Config) secure(r *http.Request) bool {
	return r.TLS != nil || c.SecureHost != "" && strings.EqualFold(r.Host, c.SecureHost)
}
