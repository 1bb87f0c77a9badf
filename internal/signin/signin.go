// Package signin lets owners in through an identity provider: OpenID Connect, the authorization code flow with PKCE
// (OpenID Connect Core 1.0 3.1, RFC 7636).
//
// Zone: beside the pages. It sees the address of an owner for as long as it is compared with the list of owners; it stores and
// logs none.
//
// It promises that a person comes in only when the provider vouches for them, in an answer to this very browser: the state binds
// the answer to the browser, the nonce the ID token to the question, PKCE the code to both; signature, issuer, audience and time
// are checked by coreos/go-oidc. An address that the provider has not verified counts for nobody.
//
// What it does not protect against: a provider that vouches for the wrong person. Ending somebody's account there ends no session
// here; sessions end after a week, and the settings page ends them.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"murmur/internal/workspace"
)

var (
	// ErrRefused is returned for an answer that does not prove an owner.
	ErrRefused = errors.New("the identity provider did not name an owner")
	// ErrProvider is returned where the provider cannot be asked.
	ErrProvider = errors.New("the identity provider cannot be reached, or is none")
	// ErrConfig is returned by New for a configuration that cannot work.
	ErrConfig = errors.New("sign-in needs an issuer and a public address, https or on this machine, a client id, and at least one owner")
)

// Config is how murmur is known to the provider, and who is an owner.
type Config struct {
	Issuer       string // its address, as its discovery document says it
	ClientID     string
	ClientSecret string // empty: a public client
	PublicURL    string // where browsers reach this server; Path is below it
	// Owners are verified e-mail addresses, and whose workspace each owns.
	Owners map[string]workspace.ID
}

// Path is where the provider sends browsers back to.
const Path = "/sign-in/back"

// Provider is an identity provider. It is safe for concurrent use.
type Provider struct {
	config Config
	client *http.Client

	mu    sync.Mutex
	known *oidc.Provider // once it was asked
}

// patience bounds one request to the provider.
const patience = 10 * time.Second

// New checks a configuration; the provider is asked when the first owner comes. ErrConfig.
func New(c Config) (*Provider, error) {
	for _, address := range []string{c.Issuer, c.PublicURL} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
			return nil, ErrConfig
		}
	}
	if c.ClientID == "" || len(c.Owners) == 0 {
		return nil, ErrConfig
	}
	owners := make(map[string]workspace.ID, len(c.Owners))
	for who, ws := range c.Owners {
		owners[strings.ToLower(who)] = ws
	}
	c.Owners, c.PublicURL = owners, strings.TrimRight(c.PublicURL, "/")
	return &Provider{config: c, client: &http.Client{Timeout: patience}}, nil
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// ask gives the provider, which is discovered once.
func (p *Provider) ask(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.config.Issuer) // it keeps the context, for its keys
		if err != nil {
			return nil, nil, ErrProvider // its text may hold an address
		}
		p.known = known
	}
	return p.known, &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: p.known.Endpoint(),
		RedirectURL: p.config.PublicURL + Path, Scopes: []string{oidc.ScopeOpenID, "email"},
	}, nil
}

// Begin gives the address to send a browser to, and the ticket that it must bring back: state, nonce and PKCE verifier. The
// ticket is for this browser alone. ErrProvider.
func (p *Provider) Begin(ctx context.Context) (address, ticket string, err error) {
	_, c, err := p.ask(ctx)
	if err != nil {
		return "", "", err
	}
	state, nonce, verifier := random(), random(), oauth2.GenerateVerifier()
	return c.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), strings.Join([]string{state, nonce, verifier}, "."), nil
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Finish takes the provider's answer and gives the workspace whose owner came. ErrRefused, ErrProvider.
func (p *Provider) Finish(ctx context.Context, ticket, state, code string) (workspace.ID, error) {
	parts := strings.Split(ticket, ".")
	if len(parts) != 3 || code == "" || subtle.ConstantTimeCompare([]byte(parts[0]), []byte(state)) != 1 {
		return workspace.ID{}, ErrRefused
	}
	provider, c, err := p.ask(ctx)
	if err != nil {
		return workspace.ID{}, err
	}
	token, err := c.Exchange(oidc.ClientContext(ctx, p.client), code, oauth2.VerifierOption(parts[2]))
	if err != nil {
		if _, answered := errors.AsType[*oauth2.RetrieveError](err); answered {
			return workspace.ID{}, ErrRefused
		}
		return workspace.ID{}, ErrProvider
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(oidc.ClientContext(ctx, p.client), &oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	if err != nil || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(parts[1])) != 1 {
		return workspace.ID{}, ErrRefused
	}
	return p.owner(id)
}

// owner compares a verified address with the list of owners.
func (p *Provider) owner(id *oidc.IDToken) (workspace.ID, error) {
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := id.Claims(&claims); err != nil || !claims.Verified {
		return workspace.ID{}, ErrRefused
	}
	ws, ok := p.config.Owners[strings.ToLower(claims.Email)]
	if !ok {
		return workspace.ID{}, ErrRefused
	}
	return ws, nil
}

// ReadOwners reads EMAIL and EMAIL=WORKSPACE; without a workspace it is the default one.
func ReadOwners(all []string) (map[string]workspace.ID, error) {
	owners := map[string]workspace.ID{}
	for i, one := range all {
		who, name, named := strings.Cut(one, "=")
		ws := workspace.Default
		if named {
			var err error
			if ws, err = workspace.Parse(name); err != nil {
				return nil, fmt.Errorf("owner %d: %w", i+1, err)
			}
		}
		if !strings.Contains(who, "@") {
			return nil, fmt.Errorf("owner %d is no e-mail address: %w", i+1, ErrConfig)
		}
		owners[who] = ws
	}
	return owners, nil
}
