package workspace_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// TestTokensEnd: an API token opens something until its time is over or it is revoked, in its own workspace alone.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s := tokenStore(t, func() time.Time { return now })
	ctx, ws := t.Context(), workspace.Default
	other, err := workspace.Parse("other")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []workspace.ID{ws, other} {
		if err := s.Create(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	opens := func(token string) bool {
		_, _, err := s.Token(ctx, sha256.Sum256([]byte(token)))
		return err == nil
	}
	short, err := s.NewToken(ctx, ws, workspace.Viewer, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	long, err := s.NewToken(ctx, ws, workspace.Owner, workspace.TokenLife)
	if err != nil {
		t.Fatal(err)
	}
	if !opens(short) || !opens(long) {
		t.Fatal("fresh tokens open nothing")
	}
	now = now.Add(time.Hour)
	if opens(short) || !opens(long) {
		t.Error("an hour later: the short one opens, or the long one does not")
	}
	passes, err := s.Passes(ctx, ws, time.Hour)
	if err != nil || len(passes) != 1 || passes[0].Role != workspace.Owner || passes[0].ID == "" {
		t.Fatalf("%+v, %v", passes, err)
	}
	if err := s.Revoke(ctx, other, passes[0].ID); err == nil || !opens(long) {
		t.Errorf("another workspace revokes it: %v", err)
	}
	if err := s.Revoke(ctx, ws, passes[0].ID); err != nil || opens(long) {
		t.Errorf("revoked: %v", err)
	}
	for _, life := range []time.Duration{0, -time.Hour, 367 * 24 * time.Hour} {
		if _, err := s.NewToken(ctx, ws, workspace.Viewer, life); err == nil {
			t.Errorf("a token of %v", life)
		}
	}
}

func tokenStore(t *testing.T, now func() time.Time) *workspace.Store {
	t.Helper()
	dir := t.TempDir()
	if err := keyring.CreateRoot(dir, keyring.Config{}); err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(dir, keyring.Config{Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	db, err := meta.Open(t.Context(), filepath.Join(dir, "murmur.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l, err := ledger.Open(t.Context(), ledger.Config{DB: db, File: filepath.Join(dir, "ledger.checkpoints"), Key: ring.Root().Derive(ledger.Purpose), Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	return workspace.NewStore(db, l, ring, now)
}

// TestAPasskeyIsAddedOnce: a credential that is here is ErrExists, in whichever workspace, and stays as it was.
func TestAPasskeyIsAddedOnce(t *testing.T) {
	t.Parallel()
	s := tokenStore(t, time.Now)
	ctx, other := t.Context(), workspace.MustParse("other")
	for _, w := range []workspace.ID{workspace.Default, other} {
		if err := s.Create(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddPasskey(ctx, workspace.Default, []byte("id"), []byte("first")); err != nil {
		t.Fatal(err)
	}
	for _, w := range []workspace.ID{workspace.Default, other} {
		if err := s.AddPasskey(ctx, w, []byte("id"), []byte("second")); !errors.Is(err, workspace.ErrExists) {
			t.Errorf("%s: %v", w, err)
		}
	}
	if all, err := s.Passkeys(ctx, workspace.Default); err != nil || len(all) != 1 || string(all[0]) != "first" {
		t.Errorf("%q, %v", all, err)
	}
}
