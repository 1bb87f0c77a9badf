package server

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// TestOldRowsAreFoundByNoKey: a day after link-days, whoever has the directory, every key and the platform's list of calls finds no row
// of a call by its id, and no file but the lake's has the id either; words are found until they go. The calls count all the same, and a
// call that comes once more does not count twice.
func TestOldRowsAreFoundByNoKey(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	data := filepath.Join(t.TempDir(), "data")
	n, err := Open(t.Context(), Config{Data: data, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(t.Context())
	if err := n.Do(t.Context(), "policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "notice"}}, Reason: "a test"}, nil, io.Discard); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := range 12 {
		began := at.Add(-time.Duration(i) * time.Hour).Format(time.RFC3339)
		fmt.Fprintf(&lines, `{"schema":"murmur.v1","type":"call","source_id":"AC%d","occurred_at":%q,"direction":"in","party":{"phone":"+1212555%04d"},"result":"answered","answered_at":%[2]q,"completed_at":%[2]q}`+"\n", i, began, 100+i)
	}
	fmt.Fprintf(&lines, `{"schema":"murmur.v1","type":"transcript","source_id":"T1","occurred_at":%q,"call":"AC99","party":{"phone":"+12125550101"},"turns":[{"side":"contact","text":"the heater is broken"}]}`+"\n", at.Add(-time.Hour).Format(time.RFC3339))
	take := func() string {
		t.Helper()
		var out bytes.Buffer
		if err := n.Do(t.Context(), "import", rpc.ImportArgs{}, strings.NewReader(lines.String()), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if out := take(); !strings.Contains(out, `"published":13,`) {
		t.Fatal(out)
	}
	var all []fact.ID
	names := []string{"AC99"} // has words
	for i := range 12 {
		names = append(names, fmt.Sprintf("AC%d", i))
	}
	for _, name := range names {
		id, err := n.zone.CallID(workspace.Default, name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := n.zone.CallRows(t.Context(), workspace.Default, id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows...)
	}
	// found is what the thief finds of the calls, and of their words.
	found := func() (calls, talks int) {
		t.Helper()
		for _, name := range names {
			id, err := n.zone.CallID(workspace.Default, name)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := n.zone.CallRows(t.Context(), workspace.Default, id)
			if err != nil {
				t.Fatal(err)
			}
			k, err := n.crowd.Kept(t.Context(), workspace.Default, id, rows)
			if err != nil {
				t.Fatal(err)
			}
			if talks += len(k.Talks); !k.At.IsZero() && name != "AC99" {
				calls++
			}
		}
		return calls, talks
	}
	if calls, talks := found(); calls != 12 || talks != 1 {
		t.Fatalf("%d calls and %d talks are found on the first day: the search does not work", calls, talks)
	}
	for _, c := range []struct{ days, calls, talks int }{{59, 12, 1}, {62, 0, 1}, {92, 0, 0}} {
		at = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).AddDate(0, 0, c.days)
		if err := n.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if calls, talks := found(); calls != c.calls || talks != c.talks {
			t.Errorf("after %d days %d calls and %d talks are found, want %d and %d", c.days, calls, talks, c.calls, c.talks)
		}
	}
	take()
	at = at.AddDate(0, 0, 4)
	if err := n.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if calls, _ := found(); calls != 0 {
		t.Errorf("%d calls that came once more have rows again", calls)
	}
	stop(t, n)
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, id := range all {
			if bytes.Contains(b, id[:]) {
				t.Errorf("%s has the id of a call", d.Name())
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
