package server

import (
	"testing"

	"murmur/internal/fact"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// TestWordsFindTheCallOfTheirFile: words that name no call stand in one file behind the call that they are of. A newer version
// of the call, further down, is not on any more when the last words are said.
func TestWordsFindTheCallOfTheirFile(t *testing.T) {
	t.Parallel()
	n := newAging(t)
	n.do(t, "policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "notice"}}, Reason: "test", Author: "test"}, "")
	const (
		party = `"number":"main","party":{"phone":"+12125550142"}}` + "\n"
		call  = `{"schema":"murmur.v1","type":"call","source_id":"c1","direction":"in","outcome":"answered",`
		words = `{"schema":"murmur.v1","type":"transcript","turns":[{"side":"contact","text":"the heater is broken"}],`
	)
	n.do(t, "import", rpc.ImportArgs{Kind: "native"}, ""+
		call+`"delivery_id":"call","occurred_at":"2026-11-03T00:10:00Z","answered_at":"2026-11-03T00:10:00Z","ended_at":"2026-11-03T00:20:00Z",`+party+
		words+`"delivery_id":"in","source_id":"T1","occurred_at":"2026-11-03T00:15:00Z",`+party+
		words+`"delivery_id":"after","source_id":"T2","occurred_at":"2026-11-03T00:21:00Z",`+party+
		call+`"delivery_id":"corrected","occurred_at":"2026-11-03T00:10:00Z","answered_at":"2026-11-03T00:10:00Z","ended_at":"2026-11-03T00:12:00Z",`+party+
		words+`"delivery_id":"late","source_id":"T3","occurred_at":"2026-11-03T00:15:00Z",`+party)
	for id, want := range map[string]fact.State{"call": fact.Published, "in": fact.Published, "after": fact.Held, "corrected": fact.Published, "late": fact.Held} {
		key, err := n.zone.EventID(workspace.Default, "import", id)
		if err != nil {
			t.Fatal(err)
		}
		if trace, err := n.journal.Trace(t.Context(), workspace.Default, key); err != nil || trace.State != want {
			t.Errorf("%s is %v, %v", id, trace.State, err)
		}
	}
}
