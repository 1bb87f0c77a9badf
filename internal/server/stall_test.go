package server

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/keyring"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// breaks are ways in which the key file of one workspace comes to harm.
var breaks = map[string]func(file string) error{
	"a bit of the pseudonym key": flip(128 + 60),
	"a bit of the facts key":     flip(256 + 60),
	"a bit of the header":        flip(20),
	"cut short":                  func(file string) error { return os.Truncate(file, 300) },
	"empty":                      func(file string) error { return os.Truncate(file, 0) },
	"removed":                    os.Remove,
	"noise":                      func(file string) error { return os.WriteFile(file, bytes.Repeat([]byte{7}, 4096), 0o600) },
}

func flip(at int) func(string) error {
	return func(file string) error {
		b, err := os.ReadFile(file)
		if err == nil {
			b[at] ^= 1
			err = os.WriteFile(file, b, 0o600)
		}
		return err
	}
}

// tenants is a node with three workspaces, of which one is broken by and by.
type tenants struct {
	house
	now   *atomic.Int64
	good  []workspace.ID
	bad   workspace.ID
	first uint32 // the day on which everything came
}

func threeTenants(t *testing.T) *tenants {
	t.Helper()
	k := &tenants{now: &atomic.Int64{}}
	k.now.Store(time.Date(2026, 11, 4, 10, 0, 0, 0, time.UTC).Unix())
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return time.Unix(k.now.Load(), 0).UTC() }})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(context.Background())
	k.house, k.first = house{n, t}, n.ring.Today()
	for _, name := range []string{"ann", "bob", "cat"} {
		ws, err := workspace.Parse(name)
		if err == nil {
			err = n.createWorkspace(t.Context(), ws)
		}
		if err != nil {
			t.Fatal(err)
		}
		k.do("connect", rpc.ConnectArgs{Workspace: name, Kind: "native", Name: "desk"}, "")
		k.do("policy", rpc.PolicyArgs{Workspace: name, Set: []rpc.KeyValue{{Key: "transcripts", Value: "opt-in"}}, Reason: "test", Author: "test"}, "")
		k.do("import", rpc.ImportArgs{Workspace: name, Kind: "native"}, someCalls(0, 40)+recorded)
		if name == "bob" {
			k.bad = ws
		} else {
			k.good = append(k.good, ws)
		}
	}
	return k
}

// TestOneBrokenWorkspaceAmongThree: whatever happens to the key file of one, every job is done for the others, and it is
// said which one stands still.
func TestOneBrokenWorkspaceAmongThree(t *testing.T) {
	t.Parallel()
	for name, harm := range breaks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := threeTenants(t)
			defer stop(t, k.Node)
			if err := harm(filepath.Join(k.dir.Path(), keyring.Folder, "bob.keys")); err != nil {
				t.Fatal(err)
			}
			k.now.Add(24 * 3600)
			mine := func(job string, err error) { // an error may speak of the broken one alone
				t.Helper()
				if err != nil && (!strings.Contains(err.Error(), "bob") || strings.Contains(err.Error(), "ann") || strings.Contains(err.Error(), "cat")) {
					t.Errorf("%s: %v", job, err)
				}
			}
			mine("rotate", k.Rotate(t.Context()))
			for _, ws := range k.good {
				alive, err := k.ring.Epochs(ws)
				if err != nil || len(alive) != 1 || alive[0] == k.first {
					t.Errorf("keys of %s alive a day later: %v, %v", ws, alive, err)
				}
			}
			mine("release", k.Refresh(t.Context()))
			for _, ws := range k.good {
				if f, err := k.Figures(t.Context(), ws, "missed-call-rate", release.Owner); err != nil || len(f) == 0 {
					t.Errorf("no figures of %s: %v", ws, err)
				}
			}
			mine("tidy", k.Tidy(t.Context()))
			k.do("erase", rpc.EraseArgs{Workspace: "ann", Contact: "+12125550103"}, "")
			k.do("import", rpc.ImportArgs{Workspace: "cat", Kind: "native"}, someCalls(40, 50))
			status, err := k.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ann, bob, cat := status.Workspaces["ann"], status.Workspaces["bob"], status.Workspaces["cat"]
			if ann.Published != 34 || ann.Erased != 6 || ann.Held != 1 || cat.Published != 50 || bob.In != 41 || bob.Sum() != 41 {
				t.Errorf("ann %+v, bob %+v, cat %+v", ann.Counts, bob.Counts, cat.Counts)
			}
			if len(ann.Stalled)+len(cat.Stalled) > 0 {
				t.Errorf("they stand still: %v, %v", ann.Stalled, cat.Stalled)
			}
			k.saysWhoIsBroken(bob.Stalled)
			k.goesOnFromABackup(ann.Counts, cat.Counts)
		})
	}
}

// saysWhoIsBroken looks at what an operator would: doctor, verify and the metrics.
func (k *tenants) saysWhoIsBroken(stalled []string) {
	k.t.Helper()
	d := k.do("doctor", rpc.DoctorArgs{}, "")
	if !strings.Contains(d, `bob`) || !strings.Contains(d, `"ok":false`) || strings.Contains(d, `of ann","ok":false`) {
		k.t.Errorf("doctor does not name it: %s", d)
	}
	v, err := k.verify(k.t.Context(), rpc.VerifyArgs{Attack: true})
	if err != nil || len(v.Breaches) == 0 {
		k.t.Errorf("verify: %+v, %v", v.Breaches, err)
	}
	for _, b := range v.Breaches {
		if !strings.Contains(b.File+b.What, "bob") {
			k.t.Errorf("verify says of another: %+v", b)
		}
	}
	if len(stalled) == 0 {
		return // a damaged header keeps nothing from being done
	}
	answer := httptest.NewRecorder()
	k.metrics().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if m := answer.Body.String(); !strings.Contains(m, `murmur_workspace_stalled{job="`) || !strings.Contains(m, `workspace="bob"} 1`) {
		k.t.Errorf("metrics do not name it")
	}
}

// goesOnFromABackup restores a backup of the three, where the others are as they were.
func (k *tenants) goesOnFromABackup(ann, cat rpc.Counts) {
	k.t.Helper()
	data := filepath.Join(k.t.TempDir(), "restored")
	if err := Restore(k.t.Context(), strings.NewReader(k.do("backup", nil, "")), nil, Config{Data: data, Now: k.Node.now}); err != nil {
		k.t.Fatalf("restore: %v", err)
	}
	n, err := Open(k.t.Context(), Config{Data: data, Now: k.Node.now})
	if err != nil {
		k.t.Fatal(err)
	}
	defer stop(k.t, n)
	s, err := n.Status(k.t.Context())
	if err != nil || s.Workspaces["ann"].Counts != ann || s.Workspaces["cat"].Counts != cat {
		k.t.Errorf("restored: %+v, %v", s.Workspaces, err)
	}
}
