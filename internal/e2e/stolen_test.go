package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/rpc"
	"murmur/internal/server"
	"murmur/internal/workspace"
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
	h.do("erase", rpc.EraseArgs{Contact: "+12025550144"}, nil)
	h.figures()
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
	findsNobody(t, stolen, file)

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

// findsNobody tries numbers: a million under each key that a thief may think of, and the right one under every 32 bytes of
// the key files. With the owner's key the same search finds both people, so there is somebody to find.
func findsNobody(t *testing.T, stolen string, rootKey []byte) {
	t.Helper()
	known := pseudonymsIn(t, stolen)
	find := func(sum func([]byte) [sha256.Size]byte, numbers ...string) (found int) {
		for _, n := range numbers {
			if s := sum([]byte("contact\x00" + n)); known[[16]byte(s[:16])] {
				found++
			}
		}
		return found
	}
	under := func(key []byte) func([]byte) [sha256.Size]byte {
		m := hmac.New(sha256.New, key)
		return func(b []byte) (sum [sha256.Size]byte) {
			m.Reset()
			m.Write(b)
			m.Sum(sum[:0])
			return sum
		}
	}
	people := []string{"+12025550143", "+12025550144"}

	owners := filepath.Join(t.TempDir(), "with the key")
	if err := os.CopyFS(owners, os.DirFS(stolen)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(owners, 0o700), os.WriteFile(filepath.Join(owners, keyring.RootFile), rootKey, 0o600)); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	ring, err := keyring.Open(owners, keyring.Config{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ring.Pseudonym(workspace.Default)
	if err != nil {
		t.Fatal(err)
	}
	if n := find(key.Sum, people...); n != len(people) {
		t.Fatalf("with the owner's key %d of %d are found: there is nobody to find", n, len(people))
	}

	numbers := make([]string, 1_000_000)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+1202%07d", 5_000_000+i) // both people are among them
	}
	guess := sha256.Sum256([]byte("murmur"))
	for name, k := range map[string][]byte{"none": nil, "zeroes": make([]byte, 32), "a guess": guess[:]} {
		if n := find(under(k), numbers...); n > 0 {
			t.Errorf("under %s %d of a million numbers are found", name, n)
		}
	}
	files, err := filepath.Glob(filepath.Join(stolen, keyring.Folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d key files, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(b) - 31 {
			if find(under(b[i:i+32]), people...) > 0 {
				t.Errorf("%s holds the key of the pseudonyms at %d", filepath.Base(f), i)
			}
		}
	}
}

// pseudonymsIn are all that the databases of a directory hold.
func pseudonymsIn(t *testing.T, dir string) map[[16]byte]bool {
	t.Helper()
	all := map[[16]byte]bool{}
	for file, query := range map[string]string{
		"journal.db": `SELECT contact FROM delivery WHERE contact IS NOT NULL`,
		"murmur.db":  `SELECT contact FROM erasures UNION SELECT contact FROM erasing WHERE contact IS NOT NULL UNION SELECT ref FROM optouts UNION SELECT contact FROM parties UNION SELECT contact FROM addresses UNION SELECT also FROM addresses`,
	} {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, file)+"?immutable=1")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b); err != nil || len(b) != 16 {
				t.Fatalf("a contact of %d bytes, %v", len(b), err)
			}
			all[[16]byte(b)] = true
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
