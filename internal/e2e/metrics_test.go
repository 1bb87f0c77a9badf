package e2e

import (
	"bytes"
	"net/http"
	"testing"

	"murmur/internal/rpc"
)

// The metrics are counts of the whole server. Over HTTP an owner of the default workspace sees them and nobody else, under
// whatever Host; over the control socket its owner does.
func TestMetricsAreTheOperatorsAlone(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	has := func(b []byte) bool { return bytes.Contains(b, []byte("murmur_deliveries")) }
	var viewer string
	h.do("token", rpc.TokenArgs{Role: "viewer"}, &viewer)
	for name, head := range map[string]http.Header{
		"nobody": nil, "a guess": bearer("guess"), "a viewer": bearer(viewer), "another scheme": {"Authorization": {"Basic " + h.token()}},
	} {
		a, err := h.send(http.MethodGet, "/metrics", nil, head)
		if err != nil || a.status/100 != 4 || has(a.body) {
			t.Errorf("%s: %d, %v", name, a.status, err)
		}
	}
	if a := h.send2(http.MethodGet, "/metrics", h.token()); a.status != http.StatusOK || !has(a.body) {
		t.Errorf("an owner: %d", a.status)
	}
	if a := h.get("/readyz"); bytes.ContainsAny(a.body, "0123456789") {
		t.Errorf("whoever asks whether the server is ready is told a count: %s", a.body)
	}
}
