package rootkey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/keyring"
)

// vault answers as Vault's transit engine does (developer.hashicorp.com/vault/api-docs/secret/transit, encrypt and decrypt),
// with a key of its own, to whoever has the token.
type vault struct {
	seal  cipher.AEAD
	asked int
	token string
}

func newVault(t *testing.T) (*vault, *httptest.Server) {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	v := &vault{token: "let me in"}
	if v.seal, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(v)
	t.Cleanup(srv.Close)
	return v, srv
}

func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.asked++
	var in struct{ Plaintext, Ciphertext string }
	if r.Header.Get("X-Vault-Token") != v.token || json.NewDecoder(r.Body).Decode(&in) != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	out := map[string]string{}
	switch r.URL.Path {
	case "/v1/transit/encrypt/murmur":
		plain, _ := base64.StdEncoding.DecodeString(in.Plaintext)
		out["ciphertext"] = "vault:v1:" + base64.StdEncoding.EncodeToString(v.seal.Seal(nil, nil, plain, nil))
	case "/v1/transit/decrypt/murmur":
		sealed, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(in.Ciphertext, "vault:v1:"))
		plain, err := v.seal.Open(nil, nil, sealed, nil)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		out["plaintext"] = base64.StdEncoding.EncodeToString(plain)
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": out})
}

// TestAKeyServiceUnwraps: a new directory's key is made once and wrapped; the file holds no form of it; the service gives it
// back to whoever may ask, and nobody else opens it: not without the service, not without its token, not when a bit changed.
func TestAKeyServiceUnwraps(t *testing.T) {
	v, srv := newVault(t)
	t.Setenv("VAULT_SERVER_URL", srv.URL) // the client reads it once in a process: -count=2 fails
	t.Setenv("VAULT_SERVER_TOKEN", "let me in")
	dir := t.TempDir()
	data, wrapped := filepath.Join(dir, "data"), filepath.Join(dir, "data.root-key")
	find := func(place string) keyring.RootSource {
		t.Helper()
		s, err := Find(place, data)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, err := find("hashivault://murmur").Load(); !errors.Is(err, keyring.ErrRoot) {
		t.Errorf("no wrapped key: %v", err)
	}
	first := find("hashivault://murmur")
	if err := errors.Join(first.Create(keyring.Config{}), first.Create(keyring.Config{})); err != nil {
		t.Fatal(err)
	}
	root, err := first.Load()
	if err != nil {
		t.Fatal(err)
	}
	asked := v.asked
	if again, err := first.Load(); err != nil || again != root || v.asked != asked {
		t.Errorf("asked for twice in one process: %v", err)
	}
	same, err := find("hashivault://murmur?wrapped=" + wrapped).Load()
	if err != nil || *same.Derive("a test") != *root.Derive("a test") {
		t.Errorf("another process has another key: %v", err)
	}
	content, err := os.ReadFile(wrapped)
	info, err2 := os.Stat(wrapped)
	if err != nil || err2 != nil || info.Mode().Perm() != 0o600 || bytes.Contains(content, []byte("murmur root")) || strings.Contains(first.String(), "murmur?") {
		t.Errorf("the wrapped key: %v, %v, %v", err, err2, info.Mode())
	}

	for _, harm := range []struct {
		name     string
		do, undo func()
	}{
		{"a changed byte", func() { write(t, wrapped, append(bytes.Clone(content[:len(content)-2]), 'A', 'A')) }, func() { write(t, wrapped, content) }},
		{"a token that was revoked", func() { v.token = "another" }, func() { v.token = "let me in" }},
		{"no service", srv.Close, func() {}},
	} {
		harm.do()
		_, err := find("hashivault://murmur").Load()
		if !errors.Is(err, keyring.ErrRoot) || !errors.Is(err, ErrService) || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "let me in") {
			t.Errorf("%s: %v", harm.name, err)
		}
		harm.undo()
	}
}

// TestServicesThatAreNotThere: a key service of another build, an unknown one, and a wrapped key in the data directory.
func TestServicesThatAreNotThere(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, place := range []string{"nokms://key", "https://example.com/key", "hashivault://key?wrapped=" + filepath.Join(data, "key"), "hashivault://%zz"} {
		if _, err := Find(place, data); !errors.Is(err, ErrPlace) {
			t.Errorf("%s: %v", place, err)
		}
	}
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
