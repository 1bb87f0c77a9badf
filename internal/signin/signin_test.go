package signin

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"murmur/internal/signin/signintest"
	"murmur/internal/workspace"
)

func provider(t *testing.T, i *signintest.Issuer) *Provider {
	t.Helper()
	owners, err := ReadOwners([]string{"ann@example.com", "Bob@example.com=second"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Config{Issuer: i.URL, ClientID: signintest.ClientID, ClientSecret: signintest.ClientSecret, PublicURL: "https://murmur.example.com/", Owners: owners})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// visit is a browser's way to the provider and back.
func visit(t *testing.T, p *Provider) (ticket, state, code string) {
	t.Helper()
	address, ticket, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil || !strings.HasPrefix(back.String(), "https://murmur.example.com"+Path+"?") {
		t.Fatalf("sent back to %v, %v", back, err)
	}
	return ticket, back.Query().Get("state"), back.Query().Get("code")
}

// TestOwnersComeIn: a verified address of the list opens its own workspace, however it is written; each answer once.
func TestOwnersComeIn(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]workspace.ID{"ann@example.com": workspace.Default, "ANN@example.com": workspace.Default, "bob@example.com": workspace.MustParse("second")} {
		p := provider(t, signintest.New(t, email))
		ticket, state, code := visit(t, p)
		if ws, err := p.Finish(t.Context(), ticket, state, code); err != nil || ws != want {
			t.Errorf("%s: %v, %v", email, ws, err)
		}
		if _, err := p.Finish(t.Context(), ticket, state, code); !errors.Is(err, ErrRefused) {
			t.Errorf("the same answer again: %v", err)
		}
	}
}

// TestNobodyElseComesIn: each thing that may be wrong with a token or an answer, one at a time.
func TestNobodyElseComesIn(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]func(*signintest.Issuer){
		"a stranger":                func(i *signintest.Issuer) { i.Claims["email"] = "eve@example.com" },
		"no address":                func(i *signintest.Issuer) { delete(i.Claims, "email") },
		"an address not verified":   func(i *signintest.Issuer) { i.Claims["email_verified"] = false },
		"nobody says it is":         func(i *signintest.Issuer) { delete(i.Claims, "email_verified") },
		"the nonce of another":      func(i *signintest.Issuer) { i.Claims["nonce"] = "another" },
		"no nonce":                  func(i *signintest.Issuer) { i.Claims["nonce"] = "" },
		"a token for another":       func(i *signintest.Issuer) { i.Claims["aud"] = "another" },
		"another issuer's":          func(i *signintest.Issuer) { i.Claims["iss"] = "https://other.example.com" },
		"a token of yesterday":      func(i *signintest.Issuer) { i.Claims["exp"] = time.Now().Add(-24 * time.Hour).Unix() },
		"a key that is nobody's":    func(i *signintest.Issuer) { i.Stray = true },
		"a domain that looks alike": func(i *signintest.Issuer) { i.Claims["email"] = "ann@example.com.example.org" },
	} {
		i := signintest.New(t, "ann@example.com")
		wrong(i)
		p := provider(t, i)
		ticket, state, code := visit(t, p)
		if ws, err := p.Finish(t.Context(), ticket, state, code); !errors.Is(err, ErrRefused) {
			t.Errorf("%s comes in: %v, %v", name, ws, err)
		}
	}

	p := provider(t, signintest.New(t, "ann@example.com"))
	ticket, state, code := visit(t, p)
	other, otherState, _ := visit(t, p)
	for name, a := range map[string][3]string{
		"the answer of another browser": {other, state, code}, "another browser's state": {other, otherState, code}, "no ticket": {"", state, code},
		"half a ticket": {state, state, code}, "an empty ticket": {"..", "", code}, "no code": {ticket, state, ""}, "a code made up": {ticket, state, "guess"},
	} {
		if ws, err := p.Finish(t.Context(), a[0], a[1], a[2]); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, %v", name, ws, err)
		}
	}
}

// TestAProviderThatIsNotThere: it is asked when somebody comes, and again once it is there; no error holds an address.
func TestAProviderThatIsNotThere(t *testing.T) {
	t.Parallel()
	i := signintest.New(t, "ann@example.com")
	p := provider(t, i)
	i.Close()
	if _, _, err := p.Begin(t.Context()); !errors.Is(err, ErrProvider) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("begin: %v", err)
	}
	for _, c := range []Config{
		{}, {Issuer: "http://id.example.com", ClientID: "a", PublicURL: "https://m.example.com", Owners: map[string]workspace.ID{"a@b": workspace.Default}},
		{Issuer: "https://id.example.com", ClientID: "a", PublicURL: "http://m.example.com", Owners: map[string]workspace.ID{"a@b": workspace.Default}},
		{Issuer: "https://id.example.com", ClientID: "a", PublicURL: "https://m.example.com"},
	} {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, bad := range []string{"ann", "ann@example.com=NOT A NAME", ""} {
		if _, err := ReadOwners([]string{bad}); err == nil {
			t.Errorf("%q is an owner", bad)
		}
	}
}
