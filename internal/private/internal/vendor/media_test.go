package vendor

import (
	"net/http"
	"net/url"
	"testing"
)

// TestWhereMediaMayLie: the API's own host, the vendor's list, and what the owner named; https alone but for the last.
func TestWhereMediaMayLie(t *testing.T) {
	t.Parallel()
	c, err := New(Config{Base: "https://api.vendor.example", Named: []string{"10.0.0.7:8080", "files.lan:443"}, Header: map[string]string{"Authorization": "a key"}})
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{".media.example", "cdn.example"}
	for address, want := range map[string]struct{ fetched, key bool }{
		"https://api.vendor.example/r.wav":      {true, true},
		"https://API.vendor.example:443/r.wav":  {true, true},
		"http://api.vendor.example/r.wav":       {},
		"https://api.vendor.example:8443/r.wav": {},
		"https://eu.media.example/r.wav":        {true, false},
		"https://media.example/r.wav":           {},
		"https://evilmedia.example/r.wav":       {},
		"https://evilcdn.example/r.wav":         {},
		"https://cdn.example/r.wav":             {true, false},
		"https://cdn.example.evil.example/r":    {},
		"https://a@cdn.example/r.wav":           {},
		"http://10.0.0.7:8080/r.wav":            {true, false},
		"http://10.0.0.7:22/r.wav":              {},
		"https://files.lan/r.wav":               {true, false},
		"https://127.0.0.1/r.wav":               {},
		"file:///etc/passwd":                    {},
		"/r.wav":                                {},
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.keeps(u, hosts); got != want.fetched {
			t.Errorf("%s: fetched %t", address, got)
		}
		r := &http.Request{URL: u, Header: http.Header{"Authorization": {"of an earlier hop"}, "Referer": {"https://api.vendor.example/"}}}
		c.authorize(r)
		if got := r.Header.Get("Authorization") == "a key"; got != want.key || !want.key && len(r.Header) > 0 {
			t.Errorf("%s: the key goes there: %t", address, got)
		}
	}
}
