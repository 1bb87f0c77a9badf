package server

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/explain"
	"murmur/internal/journal/sqlite"
	"murmur/internal/meta"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// release1 is what the first release left: testdata/release-1/README.md.
const release1 = "testdata/release-1"

// unpackRelease gives a fresh copy of a directory that an older release left, and a clock five minutes after it.
func unpackRelease(t *testing.T, name string) Config {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(unzip(t, name))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(data, filepath.FromSlash(h.Name)) //nolint:gosec // our own archive
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, b, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	at := releasedAt(t)
	return Config{Data: data, Now: func() time.Time { return at }}
}

func unzip(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open(filepath.Join(release1, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func releasedAt(t *testing.T) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(saved(t, "made"))))
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(5 * time.Minute)
}

func saved(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(release1, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestADirectoryOfTheFirstReleaseOpens: figures, counters and every check are those of the release that made it.
func TestADirectoryOfTheFirstReleaseOpens(t *testing.T) {
	t.Parallel()
	n, err := Open(t.Context(), unpackRelease(t, "closed.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	asReleased(t, n)
	n.Start(t.Context())
	workspaces, err := n.store.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ws := range workspaces { // that release knew no noise
		if _, err := n.store.SetPolicy(t.Context(), ws, []workspace.Change{{Key: "noise", Value: "0"}}, "a test", "a test"); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	asReleased(t, n, unnamed)
}

// asReleased compares a node with what the release said.
func asReleased(t *testing.T, n *Node, but ...func(contracted) bool) {
	t.Helper()
	var got bytes.Buffer
	if err := n.Do(t.Context(), "figures", rpc.FiguresArgs{}, nil, &got); err != nil {
		t.Fatal(err)
	}
	but = append(but, mended)
	want := contractedOf(t, saved(t, "figures.jsonl"), but...)
	later := func(c contracted) bool { // a question that the release did not ask
		return !bytes.Contains(saved(t, "figures.jsonl"), []byte(`"insight":"`+c.Insight+`"`))
	}
	for i, line := range contractedOf(t, got.Bytes(), append(but, later)...) {
		if i >= len(want) || line != want[i] {
			t.Fatalf("line %d of the figures is\n%s\nand was\n%s", i+1, line, want[min(i, len(want)-1)])
		}
	}
	var was rpc.Status
	if err := json.Unmarshal(saved(t, "status.json"), &was); err != nil {
		t.Fatal(err)
	}
	status, err := n.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for ws, w := range was.Workspaces {
		if got := status.Workspaces[ws]; got.Counts != w.Counts {
			t.Errorf("workspace %s: %+v, it was %+v", ws, got.Counts, w.Counts)
		}
	}
	v, err := n.verify(t.Context(), rpc.VerifyArgs{Attack: true})
	if err != nil || len(v.Breaches) > 0 {
		t.Errorf("verify: %v, %v", v.Breaches, err)
	}
}

// contracted is what users rely on of a figure: later releases may say more, and compute it later.
type contracted struct {
	Workspace, Insight, Measure, Grain, Period, Unit, Contacts, Hidden, Definition string
	Split, Value, Low, High, Base                                                  json.RawMessage
}

// unnamed are the figures by number, menu or survey: that release named each label, this one only those with a minimum group
// behind them, so that other cells are merged when a period is counted again.
func unnamed(c contracted) bool {
	split := string(c.Split)
	return strings.Contains(split, `"number"`) || strings.Contains(split, `"choice"`) || strings.Contains(split, `"node"`) || strings.Contains(split, `"survey"`)
}

// mended are the figures that the release read wrongly from its tables: it said no-data of a hidden share of demand after hours,
// and took a choice that is merged with those of other menus for nobody's.
func mended(c contracted) bool {
	return c.Insight == "after-hours-demand" && c.Hidden != "" || c.Insight == "menu-trouble" || c.Insight == "dead-rules"
}

func contractedOf(t *testing.T, figures []byte, but ...func(contracted) bool) (lines []string) {
	t.Helper()
	for d := json.NewDecoder(bytes.NewReader(figures)); d.More(); {
		var c contracted
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(but, func(leave func(contracted) bool) bool { return leave(c) }) {
			continue
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	return lines
}

// TestWhatTheFirstReleaseHadAcceptedIsProcessed: it was killed with 150 deliveries pending; they are published.
func TestWhatTheFirstReleaseHadAcceptedIsProcessed(t *testing.T) {
	t.Parallel()
	n, err := Open(t.Context(), unpackRelease(t, "crashed.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	counts := func() web.WorkspaceStatus {
		s, err := n.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.Workspaces["acme"]
	}
	before := counts()
	if before.Pending != 150 || before.In != 389 {
		t.Fatalf("unpacked: %+v", before.Counts)
	}
	n.Start(t.Context())
	if err := n.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := counts()
	if after.Pending != 0 || after.In != 389 || after.Sum() != 389 || after.Published < before.Published+100 {
		t.Errorf("drained: %+v", after.Counts)
	}
}

// TestABackupOfTheFirstReleaseRestores: a backup is kept longer than a release.
func TestABackupOfTheFirstReleaseRestores(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if err := Restore(t.Context(), unzip(t, "backup.tar.gz"), nil, Config{Data: data}); err != nil {
		t.Fatal(err)
	}
	n := start(t, data)
	defer stop(t, n)
	s, err := n.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	acme := s.Workspaces["acme"].Counts
	if acme.In != 239 || acme.Sum() != 239 || acme.Published != 218 || acme.Erased != 6 || s.Workspaces["beta"].Published != 57 {
		t.Errorf("restored: %+v", s.Workspaces)
	}
}

// TestNewerDataIsRefused: each store says its version, and none that a newer version wrote is touched: exit code 5.
func TestNewerDataIsRefused(t *testing.T) {
	t.Parallel()
	sqlite := func(file, statement string) func(t *testing.T, data string) {
		return func(t *testing.T, data string) {
			t.Helper()
			db, err := sql.Open("sqlite", "file:"+filepath.Join(data, file))
			if err == nil {
				_, err = db.Exec(statement)
			}
			if err = errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, newer := range map[string]func(t *testing.T, data string){
		"directory": func(t *testing.T, data string) {
			t.Helper()
			sum := sha256.Sum256([]byte("murmur data 99"))
			if err := os.WriteFile(filepath.Join(data, "VERSION"), fmt.Appendf(nil, "murmur data 99 %x\n", sum[:4]), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"metadata": sqlite("murmur.db", `INSERT INTO goose_db_version(version_id, is_applied) VALUES(9999, 1)`),
		"journal":  sqlite("journal.db", `PRAGMA user_version = 99`),
		"lake":     sqlite("catalog.db", `PRAGMA user_version = 99`),
		"jobs":     sqlite("jobs.db", `INSERT INTO river_migration(version, line) VALUES(9999, 'main')`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := unpackRelease(t, "crashed.tar.gz")
			newer(t, c.Data)
			n, err := Open(t.Context(), c)
			if err == nil {
				_, err = n.openJobs(t.Context())
				n.close()
				defer stop(t, n)
			}
			if p := explain.Of(err); err == nil || p.Exit != 5 || p.Hint == "" {
				t.Errorf("%v: %+v", err, p)
			}
		})
	}
}

// TestAnUpgradeThatIsCutShortGoesOn: murmur is killed after it has brought some of the stores up to date.
func TestAnUpgradeThatIsCutShortGoesOn(t *testing.T) {
	t.Parallel()
	steps := []func(c Config) error{
		func(c Config) error {
			db, err := meta.Open(t.Context(), filepath.Join(c.Data, "murmur.db"))
			if err != nil {
				return err
			}
			return db.Close()
		},
		func(c Config) error {
			j, err := sqlite.Open(t.Context(), filepath.Join(c.Data, "journal.db"), sqlite.Config{Now: c.Now})
			if err != nil {
				return err
			}
			return j.Close()
		},
	}
	for i := range steps {
		c := unpackRelease(t, "crashed.tar.gz")
		if err := steps[i](c); err != nil {
			t.Fatal(err)
		}
		n, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		n.Start(t.Context())
		if err := n.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, err := n.Status(t.Context())
		if acme := s.Workspaces["acme"]; err != nil || acme.In != 389 || acme.Sum() != 389 || acme.Pending != 0 || acme.Published < 318 {
			t.Errorf("step %d: %+v, %v", i, acme.Counts, err)
		}
		stop(t, n)
	}
}
