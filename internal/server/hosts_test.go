package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// TestATenantNamesNoHost: a workspace's owner has the server ask no host that the operator did not allow; whoever runs
// the machine may name any.
func TestATenantNamesNoHost(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"data":[],"nextCursor":null}`))
	}))
	t.Cleanup(inside.Close)
	at := strings.TrimPrefix(inside.URL, "http://")
	_, port, _ := strings.Cut(at, ":")
	n, err := Open(t.Context(), Config{Data: t.TempDir() + "/data", AllowHosts: []string{"allowed.example.com:443"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	for _, base := range []string{inside.URL, "http://localhost:" + port, "http://[::1]:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://2130706433:" + port,
		"http://169.254.169.254", "https://10.0.0.7", "https://vendor.example.com", "https://allowed.example.com:8443", "http://allowed.example.com"} {
		_, err := sources{n}.Connect(t.Context(), workspace.Default, web.NewSource{Kind: "quo", Name: "quo", APIKey: "good", APIBase: base})
		if refusedFor(err) != "not-allowed" {
			t.Errorf("API base %s: %v", base, err)
		}
	}
	for _, host := range []string{at, "127.0.0.1", "metadata.internal:80", "allowed.example.com:80"} {
		_, err := sources{n}.Connect(t.Context(), workspace.Default, web.NewSource{Kind: "quo", Name: "quo", APIKey: "good", MediaHosts: []string{host}})
		if refusedFor(err) != "not-allowed" {
			t.Errorf("media host %s: %v", host, err)
		}
	}
	if asked.Load() != 0 {
		t.Fatalf("%d requests reached a server inside", asked.Load())
	}
	if _, err := n.connect(t.Context(), rpc.ConnectArgs{Kind: "quo", Name: "quo", APIKey: "good", APIBase: inside.URL}); err != nil || asked.Load() == 0 {
		t.Errorf("the operator: %v, %d requests", err, asked.Load())
	}
}
