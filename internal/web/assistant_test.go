package web_test

import (
	"strings"
	"testing"

	"murmur/internal/web/webtest"
)

// TestAnAssistantNeedsAToken: /mcp answers a token's workspace as viewers may see it, and nobody else.
func TestAnAssistantNeedsAToken(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	const ask = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_figures","arguments":{"insight":"missed-call-rate"}}}`
	accept := []string{"Accept", "application/json, text/event-stream"}
	for token, want := range map[string]int{"": 401, "guessed": 401, "stranger": 200, "viewer": 200} {
		w := b.call(token, "POST", "/mcp", ask, accept...)
		if w.Code != want {
			t.Errorf("%d, want %d: %s", w.Code, want, w.Body)
		}
		if found := strings.Contains(w.Body.String(), "missed-call-rate/1"); found != (token == "viewer") {
			t.Errorf("figures: %v", found)
		}
	}
}
