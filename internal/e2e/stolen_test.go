package e2e

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/server"
)

// TestAStolenDirectoryOpensNothing: with the root key apart, a copy of the directory holds no form of it, opens under no
// other key, and cannot be given a ledger that the owner's key would accept.
func TestAStolenDirectoryOpensNothing(t *testing.T) {
	t.Parallel()
	data := newData(t)
	place := filepath.Join(t.TempDir(), "root.key")
	h := spawn(t, data, "--root-key", place)
	native := h.connect("native")
	h.post(native.Path, call("AC1", time.Now(), "+12025550143"), bearer(native.Secret), http.StatusOK)
	h.policy("transcripts", "notice")
	h.stopWell()
	stolen := filepath.Join(t.TempDir(), "stolen")
	if err := os.CopyFS(stolen, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(stolen, 0o700); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	file, err := os.ReadFile(place)
	if err != nil {
		t.Fatal(err)
	}
	noTrace(t, stolen, file[16:48])

	if _, err := keyring.Open(stolen, keyring.Config{}); !errors.Is(err, keyring.ErrRoot) {
		t.Errorf("without a key: %v", err)
	}
	if err := keyring.CreateRoot(stolen, keyring.Config{}); err != nil { // the thief makes one
		t.Fatal(err)
	}
	ring, err := keyring.Open(stolen, keyring.Config{})
	if err != nil {
		t.Fatal(err)
	}
	workspaces, err := ring.Workspaces()
	if err != nil || len(workspaces) == 0 {
		t.Fatalf("%d workspaces, %v", len(workspaces), err)
	}
	for _, ws := range workspaces {
		if p, err := ring.Pseudonym(ws); !errors.Is(err, keyring.ErrRoot) || p.Valid() {
			t.Errorf("the key that finds people by their number, under a key of the thief's: %v", err)
		}
	}
	if _, err := server.Open(t.Context(), server.Config{Data: stolen}); err == nil {
		t.Error("the directory opens under a key of the thief's")
	}
	db, err := meta.Open(t.Context(), filepath.Join(stolen, "murmur.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	forge(t, db, stolen, ring.Root().Derive(ledger.Purpose))
	root, err := keyring.ParseRoot(file)
	if err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, db, stolen, root.Derive(ledger.Purpose))
	if breaches, err := l.Verify(t.Context()); err != nil || len(breaches) == 0 {
		t.Errorf("the owner's key accepts the thief's ledger: %v", err)
	}
}

func openLedger(t *testing.T, db *meta.DB, dir string, key *[32]byte) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{DB: db, File: filepath.Join(dir, "ledger.checkpoints"), Key: key, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// forge takes an entry out of the ledger and signs the rest with a key of the thief's.
func forge(t *testing.T, db *meta.DB, dir string, key *[32]byte) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), "DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openLedger(t, db, dir, key).Checkpoint(t.Context()); err != nil && !errors.Is(err, ledger.ErrBroken) {
		t.Logf("the thief cannot even sign: %v", err)
	}
}

// noTrace looks for a key in every file, as bytes, in hexadecimal and in base64.
func noTrace(t *testing.T, dir string, key []byte) {
	t.Helper()
	forms := [][]byte{key, []byte(hex.EncodeToString(key))}
	for i := range 3 { // wherever a group of three begins
		forms = append(forms, []byte(base64.RawStdEncoding.EncodeToString(key[i:i+27])), []byte(base64.RawURLEncoding.EncodeToString(key[i:i+27])))
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		for _, f := range forms {
			if bytes.Contains(b, f) {
				t.Errorf("%s holds the root key", name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
