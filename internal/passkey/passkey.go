// Package passkey lets owners in by a passkey: a key that a device keeps and uses when its holder unlocks it (Web Authentication
// Level 3, by go-webauthn).
//
// Zone: beside the pages. It sees public keys, and does not know who holds them.
//
// It promises that a person comes in only when their device signed this very question, which was sent to this browser, under this
// server's name, after the device verified its holder; that a question is answered once, within minutes; and that a key whose own
// counter shows that it was copied lets nobody in.
//
// What it does not protect against: a device that is taken unlocked. Ending a passkey (settings) ends no session that it opened.
package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"murmur/internal/workspace"
)

// ErrRefused is returned for an answer that lets nobody in, and for a device that cannot be added.
var ErrRefused = errors.New("the passkey is not known here, or its answer is not valid")

// Store keeps credentials: workspace.Store.
type Store interface {
	AddPasskey(ctx context.Context, ws workspace.ID, id, credential []byte) error
	Passkeys(ctx context.Context, ws workspace.ID) ([][]byte, error)
	UsedPasskey(ctx context.Context, id, credential []byte) error
}

// Gate asks devices. It is safe for concurrent use.
type Gate struct {
	rp      *webauthn.WebAuthn
	store   Store
	tickets *tickets
}

const maxBody = 64 << 10

// New makes a gate for a server that browsers reach at a public address. nil where no browser offers passkeys: the address must have a
// name, not a number, and TLS unless it is localhost.
func New(public string, store Store, now func() time.Time) (*Gate, error) {
	u, err := url.Parse(public)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
		return nil, nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil, nil
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "murmur", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference:  protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &Gate{rp: rp, store: store, tickets: newTickets(now)}, nil
}

// Add asks the browser of an owner for a new key: what navigator.credentials.create takes, and the ticket that the answer must bring.
func (g *Gate) Add(ctx context.Context, ws workspace.ID) (options []byte, ticket string, err error) {
	o, err := g.owner(ctx, ws)
	if err != nil {
		return nil, "", err
	}
	ask, session, err := g.rp.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.all).CredentialDescriptors()))
	if err != nil {
		return nil, "", fmt.Errorf("ask for a passkey: %w", err)
	}
	if options, err = json.Marshal(ask.Response); err != nil {
		return nil, "", err
	}
	ticket, err = g.tickets.write(question{Adds: ws.String(), Session: *session})
	return options, ticket, err
}

// Added keeps the key that answers. ErrRefused.
func (g *Gate) Added(ctx context.Context, ws workspace.ID, ticket string, answer io.Reader) error {
	q, ok := g.tickets.read(ticket)
	if !ok || q.Adds != ws.String() {
		return ErrRefused
	}
	parsed, err := protocol.ParseCredentialCreationResponseBody(io.LimitReader(answer, maxBody))
	if err != nil {
		return ErrRefused // its text may quote the answer
	}
	o, err := g.owner(ctx, ws)
	if err != nil {
		return err
	}
	c, err := g.rp.CreateCredential(o, q.Session, parsed)
	if err != nil || !g.tickets.spend(ws, q) {
		return ErrRefused
	}
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := g.store.AddPasskey(ctx, ws, c.ID, b); errors.Is(err, workspace.ErrExists) {
		return ErrRefused // a device draws a new id for each key
	} else if err != nil {
		return err
	}
	return nil
}

// Ask makes a question for a browser without a session: what navigator.credentials.get takes, and
// the ticket.
func (g *Gate) Ask() (options []byte, ticket string, err error) {
	ask, session, err := g.rp.BeginDiscoverableLogin()
	if err != nil {
		return nil, "", fmt.Errorf("ask for a passkey: %w", err)
	}
	if options, err = json.Marshal(ask.Response); err != nil {
		return nil, "", err
	}
	ticket, err = g.tickets.write(question{Session: *session})
	return options, ticket, err
}

// Answer gives the workspace whose owner's device signed. ErrRefused.
func (g *Gate) Answer(ctx context.Context, ticket string, answer io.Reader) (workspace.ID, error) {
	q, ok := g.tickets.read(ticket)
	if !ok || q.Adds != "" {
		return workspace.ID{}, ErrRefused
	}
	parsed, err := protocol.ParseCredentialRequestResponseBody(io.LimitReader(answer, maxBody))
	if err != nil {
		return workspace.ID{}, ErrRefused
	}
	var broken error // of the store, which is not the device's fault
	find := func(_, handle []byte) (webauthn.User, error) {
		ws, err := workspace.Parse(string(handle))
		if err != nil {
			return nil, ErrRefused
		}
		o, err := g.owner(ctx, ws)
		broken = err
		return o, err
	}
	user, c, err := g.rp.ValidatePasskeyLogin(find, q.Session, parsed)
	switch {
	case broken != nil:
		return workspace.ID{}, broken
	case err != nil || c.Authenticator.CloneWarning || !g.tickets.spend(user.(owner).ws, q):
		return workspace.ID{}, ErrRefused
	}
	b, err := json.Marshal(c)
	if err != nil {
		return workspace.ID{}, err
	}
	if err := g.store.UsedPasskey(ctx, c.ID, b); errors.Is(err, workspace.ErrNotFound) {
		return workspace.ID{}, ErrRefused // it was ended meanwhile
	} else if err != nil {
		return workspace.ID{}, err
	}
	return user.(owner).ws, nil
}

// owner stands for all owners of a workspace: only their devices tell them apart.
type owner struct {
	ws  workspace.ID
	all []webauthn.Credential
}

func (g *Gate) owner(ctx context.Context, ws workspace.ID) (o owner, err error) {
	stored, err := g.store.Passkeys(ctx, ws)
	if err != nil {
		return o, err
	}
	o = owner{ws: ws, all: make([]webauthn.Credential, len(stored))}
	for i, b := range stored {
		if err := json.Unmarshal(b, &o.all[i]); err != nil {
			return o, errors.New("a stored passkey cannot be read")
		}
	}
	return o, nil
}

// WebAuthnID implements webauthn.User.
func (o owner) WebAuthnID() []byte { return []byte(o.ws.String()) }

// WebAuthnName implements webauthn.User.
func (o owner) WebAuthnName() string { return o.ws.String() }

// WebAuthnDisplayName implements webauthn.User.
func (o owner) WebAuthnDisplayName() string { return "owner of " + o.ws.String() }

// WebAuthnCredentials implements webauthn.User.
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.all }
