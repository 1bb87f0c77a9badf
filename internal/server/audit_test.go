package server

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

const recorded = `{"schema":"murmur.v1","type":"transcript","source_id":"TR1","call":"AC1","occurred_at":"2026-11-03T12:00:00Z",` +
	`"party":{"phone":"+12125550123"},"turns":[{"side":"contact","start":0,"end":2,"text":"I would like to book a visit"}]}`

// TestContentAgainstARefusalIsFound plants what must never be: a transcript in the lake of somebody who refused, with
// the refusal written behind everyone's back. Verify names it, takes it out and counts it.
func TestContentAgainstARefusalIsFound(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	n := start(t, data)
	ask := func(verb string, args any, in string) string {
		t.Helper()
		var out bytes.Buffer
		if err := n.Do(t.Context(), verb, args, strings.NewReader(in), &out); err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
		return out.String()
	}
	ask("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "notice"}}, Reason: "a notice is played", Author: "test"}, "")
	if got := ask("import", rpc.ImportArgs{Kind: "native"}, recorded); !strings.Contains(got, `"published":1`) {
		t.Fatal(got)
	}
	var contact []byte
	journal, err := sql.Open("sqlite", "file:"+n.dir.Journal()+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	stop(t, n) // nothing else may open the journal's file while it works
	if err := journal.QueryRow(`SELECT contact FROM delivery`).Scan(&contact); err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}

	n = start(t, data)
	if found, err := n.audit(t.Context(), workspace.Default); err != nil || found != 0 {
		t.Fatalf("before the plant: %d, %v", found, err)
	}
	err = n.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO optouts(workspace, kind, ref, at, via) VALUES('default', 'contact', ?, 0, 0)`, contact)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, n)
	n = start(t, data)
	v, err := n.verify(t.Context(), rpc.VerifyArgs{})
	if err != nil || len(v.Breaches) != 1 || !strings.Contains(v.Breaches[0].What, "1 transcripts that somebody refused") {
		t.Fatalf("%+v, %v", v.Breaches, err)
	}
	if v, err := n.verify(t.Context(), rpc.VerifyArgs{}); err != nil || len(v.Breaches) != 0 {
		t.Errorf("it is still there: %+v, %v", v.Breaches, err)
	}
	if err := n.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, err := n.Status(t.Context())
	stop(t, n)
	if err != nil || status.Workspaces["default"].BySource["control"].Published != 1 {
		t.Errorf("the violation was not counted: %+v, %v", status, err)
	}
}

func start(t *testing.T, data string) *Node {
	t.Helper()
	n, err := Open(t.Context(), Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(context.Background())
	return n
}

func stop(t *testing.T, n *Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}
