package server

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/ledger"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// TestALiveCallOverTheAPI: a telephony reports a call, the person presses 9, and the receipt is checked here and elsewhere.
func TestALiveCallOverTheAPI(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	n, err := Open(t.Context(), Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	c := calls{n}
	if _, err := c.Receipt(t.Context(), workspace.Default, "AC1"); !errors.Is(err, web.ErrNotFound) {
		t.Errorf("a call that nobody knows: %v", err)
	}
	_, err = n.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "recordings", Value: "notice"}}, "a test", "a test")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for _, e := range []struct{ event, key, state string }{
		{"began", "", "noticing"}, {"notice_started", "", "noticing"}, {"notice_ended", "", "holding"}, {"key", "9", "shredded"}, {"hangup", "", "shredded"},
	} {
		at = at.Add(time.Second)
		s, err := c.Event(t.Context(), workspace.Default, "AC1", web.CallEvent{Kind: e.event, Key: e.key, At: at})
		if err != nil || s.State != e.state {
			t.Errorf("%s: %s, want %s: %v", e.event, s.State, e.state, err)
		}
	}
	if _, err := c.Event(t.Context(), workspace.Default, "AC1", web.CallEvent{Kind: "laughed", At: at}); !errors.Is(err, web.ErrInput) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "docs/api.md") {
		t.Errorf("an unknown event: %v", err)
	}
	r, err := c.Receipt(t.Context(), workspace.Default, "AC1")
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := n.verify(t.Context(), rpc.VerifyArgs{}); err != nil || len(v.Breaches) > 0 {
		t.Errorf("found %v: %v", v.Breaches, err)
	}
	err = n.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), '"on":"opted_out"', '"on":"hangup"') AS BLOB) WHERE kind = 'recording'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := n.verify(t.Context(), rpc.VerifyArgs{})
	if err != nil || !strings.Contains(mentions(v.Breaches), "edited") || !strings.Contains(mentions(v.Breaches), "not one the rule allows") {
		t.Errorf("found %v: %v", v.Breaches, err)
	}
	if err := n.Close(); err != nil && !strings.Contains(err.Error(), "ledger") {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for _, c := range []struct {
		data, key string
		trusted   bool
	}{{data, "", true}, {elsewhere, r.Key, true}, {elsewhere, "", false}, {elsewhere, ledger.KeyOf(&[32]byte{1}), false}} {
		a, err := VerifyReceipt(c.data, file, c.key)
		if err != nil || a.Trusted != c.trusted || (len(a.Breaches) == 0) != c.trusted || a.Call != "AC1" {
			t.Errorf("%+v: %v", a, err)
		}
		if a, err := VerifyReceipt(c.data, bytes.Replace(file, []byte("opted_out"), []byte("opted_in"), 1), c.key); err != nil || len(a.Breaches) == 0 {
			t.Errorf("a changed one: %+v, %v", a, err)
		}
	}
	if _, err := VerifyReceipt(elsewhere, file, "my key"); !errors.Is(err, ledger.ErrKey) {
		t.Errorf("a key that is none: %v", err)
	}
	if _, err := VerifyReceipt(data, []byte("{}"), ""); err == nil {
		t.Error("no receipt at all is one")
	}
}

func mentions(all []rpc.Breach) string {
	var b strings.Builder
	for _, x := range all {
		b.WriteString(x.What + "; ")
	}
	return b.String()
}
