package server

import (
	"errors"
	"fmt"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// TestWhatARefuserSaidOpensNoMore: a copy of the sealed bytes is taken while they wait; a minute after the person opted out no
// key opens it, and the person's deliveries wait no more. What waits for others still opens.
func TestWhatARefuserSaidOpensNoMore(t *testing.T) {
	t.Parallel()
	n := newAging(t)
	talk := func(id, number string) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":"transcript","delivery_id":%q,"source_id":%[1]q,"call":%[1]q,"occurred_at":"2026-11-03T00:30:00Z","party":{"phone":%q},"turns":[{"side":"contact","text":"the heater is broken"}]}`+"\n", id, number)
	}
	n.do(t, "policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "opt-in"}}, Reason: "test", Author: "test"}, "")
	n.do(t, "import", rpc.ImportArgs{Kind: "native"}, talk("ann", "+12125550123")+talk("bob", "+12125550124"))
	sealed := func() (all []journal.Message) {
		t.Helper()
		if err := n.journal.Sealed(t.Context(), func(m journal.Message) error { all = append(all, m); return nil }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	opens := func(m journal.Message) error {
		_, err := n.ring.Open(m.Workspace, keyring.TopicInbox, m.ID, sealVersion, m.Epoch, m.Payload)
		return err
	}
	copied := sealed()
	for _, m := range copied {
		if err := opens(m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.zone.OptOutContact(t.Context(), workspace.Default, "+12125550123", "agent"); err != nil {
		t.Fatal(err)
	}
	n.do(t, "figures", rpc.FiguresArgs{Refresh: true}, "") // everything accepted is decided
	if err := n.Shred(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := sealed(); len(copied) != 2 || len(left) != 1 {
		t.Fatalf("of %d deliveries %d still wait", len(copied), len(left))
	}
	n.now.Add(45)
	if err := n.Shred(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range copied {
		if err := opens(m); !errors.Is(err, keyring.ErrDead) {
			t.Errorf("45 seconds after somebody refused the bytes of before open: %v", err)
		}
	}
	for _, m := range sealed() {
		if err := opens(m); err != nil {
			t.Errorf("what waits for another person: %v", err)
		}
	}
	if orders, err := n.zone.Shreds(t.Context()); err != nil || len(orders) != 0 {
		t.Errorf("%d orders are left, %v", len(orders), err)
	}
	for id, want := range map[string]fact.State{"ann": fact.Refused, "bob": fact.Held} {
		key, err := n.zone.EventID(workspace.Default, "import", id)
		if err != nil {
			t.Fatal(err)
		}
		if trace, err := n.journal.Trace(t.Context(), workspace.Default, key); err != nil || trace.State != want {
			t.Errorf("what %s said is %v, %v", id, trace.State, err)
		}
	}
	n.do(t, "import", rpc.ImportArgs{Kind: "native"}, talk("new", "+12125550125")) // goes on under the new key
	if left := sealed(); len(left) != 2 || opens(left[1]) != nil {
		t.Errorf("%d deliveries wait", len(left))
	}
}
