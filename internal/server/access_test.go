package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/ledger"
	"murmur/internal/rpc"
)

// TestTheLinkIsNotInTheLog: where the output of a server is no terminal, it says where the link is and not the link.
func TestTheLinkIsNotInTheLog(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	var said strings.Builder
	seen := errors.New("seen")
	err := Serve(t.Context(), ServeConfig{Data: data, Listen: "127.0.0.1:0", PublicURL: "https://murmur.example.com", Out: &said, Err: &said, Ready: func(context.Context, string, *Node) (bool, error) {
		b, err := os.ReadFile(filepath.Join(data, LinkFile))
		if err != nil {
			return false, err
		}
		info, err := os.Stat(filepath.Join(data, LinkFile))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file of the link: %v, %v", info.Mode(), err)
		}
		at, link, ok := strings.Cut(strings.TrimSpace(string(b)), "/open/")
		if at != "https://murmur.example.com" {
			t.Errorf("the link is of %s, where nobody reaches the server", at)
		}
		if !ok || strings.Contains(said.String(), link) {
			t.Errorf("no link in the file, or it is in the log as well")
		}
		return false, seen
	}})
	if !errors.Is(err, seen) {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(data, LinkFile)); err == nil {
		t.Error("the link outlives its server")
	}
}

// TestAReasonIsMasked: what an owner writes about a person is not kept for good.
func TestAReasonIsMasked(t *testing.T) {
	t.Parallel()
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	const said = "Lena Vogt at +1 212 555 0143 asked for it, lena@example.org"
	if _, err := n.policy(t.Context(), rpc.PolicyArgs{Workspace: "default", Set: []rpc.KeyValue{{Key: "raw-hours", Value: "12"}}, Reason: said}); err != nil {
		t.Fatal(err)
	}
	found := 0
	err = n.ledger.Entries(t.Context(), "default", ledger.Filter{}, func(r ledger.Record) error {
		p, ok := r.Entry.(ledger.Policy)
		if !ok || p.Reason == "" {
			return nil
		}
		found++
		if strings.Contains(p.Reason, "0143") || strings.Contains(p.Reason, "lena@") || !strings.Contains(p.Reason, "asked for it") {
			t.Errorf("the ledger keeps %q", p.Reason)
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d reasons, %v", found, err)
	}
}
