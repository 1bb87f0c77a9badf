package workspace_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"murmur/internal/workspace"
)

// TestASharedLinkOpensOnePage: until it ends or is revoked; it is no token and no session, and no token is a link.
func TestASharedLinkOpensOnePage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	f := tokenStore(t, func() time.Time { return now })
	hashOf := func(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }
	if err := f.Create(t.Context(), workspace.Default); err != nil {
		t.Fatal(err)
	}
	link, err := f.NewShare(t.Context(), workspace.Default, "calls", 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ws, page, err := f.Shared(t.Context(), hashOf(link))
	if ws != workspace.Default || page != "calls" || err != nil {
		t.Errorf("%s %s %v", ws, page, err)
	}
	if _, _, err := f.Token(t.Context(), hashOf(link)); !errors.Is(err, workspace.ErrNotFound) {
		t.Errorf("as a token: %v", err)
	}
	if _, err := f.Session(t.Context(), hashOf(link), time.Hour); !errors.Is(err, workspace.ErrNotFound) {
		t.Errorf("as a session: %v", err)
	}
	now = now.Add(time.Second)
	token, err := f.NewToken(t.Context(), workspace.Default, workspace.Outside, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Shared(t.Context(), hashOf(token)); !errors.Is(err, workspace.ErrNotFound) {
		t.Errorf("a token as a link: %v", err)
	}
	all, err := f.Passes(t.Context(), workspace.Default, time.Hour)
	if err != nil || len(all) != 2 || all[0].Role != workspace.Share || all[0].Page != "calls" {
		t.Fatal(all, err)
	}
	other, err := f.NewShare(t.Context(), workspace.Default, "topics", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Revoke(t.Context(), workspace.Default, all[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Shared(t.Context(), hashOf(link)); !errors.Is(err, workspace.ErrNotFound) {
		t.Errorf("after it was revoked: %v", err)
	}
	now = now.Add(25 * time.Hour)
	if _, _, err := f.Shared(t.Context(), hashOf(other)); !errors.Is(err, workspace.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
	for _, life := range []time.Duration{0, -time.Hour, workspace.MaxTokenLife + 1} {
		if _, err := f.NewShare(t.Context(), workspace.Default, "calls", life); !errors.Is(err, workspace.ErrTokenLife) {
			t.Errorf("%s: %v", life, err)
		}
	}
}
