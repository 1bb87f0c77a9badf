package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"murmur/internal/workspace"
)

// Role is what a token or session may do inside its workspace.
type Role string

const (
	Outside Role = "outside" // reads differentially private figures
	Viewer  Role = "viewer"  // reads all figures, and states
	Privacy Role = "privacy" // also opt-outs, erasures, receipts and the policy
	Owner   Role = "owner"   // also sources, replay and call control
)

// may reports whether r includes the rights of need.
func (r Role) may(need Role) bool {
	rank := map[Role]int{Outside: 1, Viewer: 2, Privacy: 3, Owner: 4}
	return rank[r] >= rank[need] && rank[r] > 0
}

// Access is what a token or session opens.
type Access struct {
	Workspace workspace.ID
	Role      Role
	// Operator may also make, limit, suspend, export and delete workspaces. It gives no access to them: a workspace's data need
	// its own token, but for an export, of which the workspace's ledger tells.
	Operator bool
}

// Hash is the SHA-256 of a secret. Secrets are 256 random bits, so a plain hash is enough: there is nothing
// to guess.
type Hash [sha256.Size]byte

// HashOf hashes a secret as it travels (base64url).
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// NewSecret draws a secret: 32 bytes from r in base64url, and the hash to store in its place.
func NewSecret(r io.Reader) (string, Hash, error) {
	var b [32]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", Hash{}, fmt.Errorf("draw secret: %w", err)
	}
	s := base64.RawURLEncoding.EncodeToString(b[:])
	return s, HashOf(s), nil
}

// Lifetimes of what opens the pages.
const (
	LinkLife    = 30 * time.Minute
	SessionLife = 7 * 24 * time.Hour
)

// ErrNoAccess is answered for a token, link or session that is unknown, used, ended or expired.
var ErrNoAccess = errors.New("no access")

// ErrSuspended is answered, with the access, for a token or session of a workspace that is suspended.
var ErrSuspended = errors.New("this workspace is suspended")

// Keys says what a secret opens. It keeps hashes only.
type Keys interface {
	// Token answers what an API token opens. ErrSuspended.
	Token(ctx context.Context, token Hash) (Access, error)
	// Redeem uses up a one-time link made at most LinkLife ago and starts a session, in one step: of two
	// requests with the same link one gets ErrNoAccess.
	Redeem(ctx context.Context, link, session Hash) error
	// Session answers what a session started at most SessionLife ago opens. ErrSuspended.
	Session(ctx context.Context, session Hash) (Access, error)
	// Start starts a session of whoever SignIn let in.
	Start(ctx context.Context, ws workspace.ID, session Hash) error
	// End ends a session; an unknown one is no error.
	End(ctx context.Context, session Hash) error
	// Passes lists the valid tokens and sessions of a workspace.
	Passes(ctx context.Context, ws workspace.ID) ([]workspace.Pass, error)
	// Revoke ends one of them at once. ErrNotFound.
	Revoke(ctx context.Context, ws workspace.ID, id string) error
}

// SignIn lets owners in through an identity provider.
type SignIn interface {
	// Begin gives the address to send a browser to, and the ticket that it must bring back.
	Begin(ctx context.Context) (address, ticket string, err error)
	// Finish takes the provider's answer and gives the workspace whose owner came. ErrNoAccess.
	Finish(ctx context.Context, ticket, state, code string) (workspace.ID, error)
}
