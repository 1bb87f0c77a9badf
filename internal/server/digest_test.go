package server

import (
	"bytes"
	"encoding/hex"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/explain"
	letters "murmur/internal/mail"
	"murmur/internal/mail/mailtest"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// mailed is a node with a clock of its own, a mail server and two subscribers of the default workspace.
func mailed(t *testing.T, refuse map[string]int) (n *Node, b *mailtest.Box, at *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC) // a Wednesday
	at = &now
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return *at }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	b = mailtest.Serve(t, refuse)
	s, err := letters.ParseServer(b.URL, "", "murmur@example.com")
	if err != nil {
		t.Fatal(err)
	}
	n.mail, n.public = &s, "https://murmur.example.com"
	for address, role := range map[string]workspace.Role{"boss@example.org": workspace.Owner, "help@example.org": workspace.Viewer} {
		if _, err := n.subscribe(t.Context(), rpc.SubscribeArgs{Address: address, Role: role}); err != nil {
			t.Fatal(err)
		}
	}
	return n, b, at
}

// TestTheWeekIsMailedOnce: on Monday at eight, once, however often the job runs, and again the week after.
func TestTheWeekIsMailedOnce(t *testing.T) {
	t.Parallel()
	n, b, at := mailed(t, nil)
	for _, step := range []struct {
		at   string
		want int
	}{
		{"2026-11-08T23:00:00Z", 0}, {"2026-11-09T07:59:00Z", 0}, {"2026-11-09T08:00:00Z", 2}, {"2026-11-09T08:30:00Z", 2}, {"2026-11-11T08:00:00Z", 2},
		{"2026-11-20T08:00:00Z", 2}, {"2026-11-23T09:00:00Z", 4},
	} {
		var err error
		if *at, err = time.Parse(time.RFC3339, step.at); err != nil {
			t.Fatal(err)
		}
		if err := n.mailDigests(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(b.Letters()); got != step.want {
			t.Errorf("%s: %d letters, want %d", step.at, got, step.want)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(b.Letters()[0]))
	if err != nil || m.Header.Get("Subject") != "The week of 2 to 8 November 2026" {
		t.Errorf("%v %v", err, m.Header)
	}
}

// TestOneReaderKeepsNoOtherWaiting: an address that takes no mail is noted, told by doctor, and tried again; the other has its letter.
func TestOneReaderKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	n, b, at := mailed(t, map[string]int{"boss@example.org": 451})
	*at = time.Date(2026, 11, 9, 9, 0, 0, 0, time.UTC)
	if err := n.mailDigests(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, err := n.doctor(t.Context(), rpc.DoctorArgs{})
	if err != nil {
		t.Fatal(err)
	}
	said := false
	for _, c := range d.Checks {
		said = said || c.Name == "digest of default" && !c.OK && strings.HasPrefix(c.Said, "2 subscribers, 1 of")
	}
	if !said || len(b.Letters()) != 1 {
		t.Errorf("%d letters, doctor %v", len(b.Letters()), d.Checks)
	}
	b.Allow("boss@example.org")
	if err := n.mailDigests(t.Context()); err != nil || len(b.Letters()) != 2 {
		t.Errorf("%v, %d letters", err, len(b.Letters()))
	}
}

// TestALetterCanBeEnded: by the address that stands in it, twice without a complaint, and by the owner.
func TestALetterCanBeEnded(t *testing.T) {
	t.Parallel()
	n, _, _ := mailed(t, nil)
	all, err := n.subscribers(t.Context(), rpc.WorkspaceArgs{})
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	if err := (site{n}).Unsubscribe(t.Context(), web.HashOf(all[0].Ender)); err != nil {
		t.Fatal(err)
	}
	if err := (site{n}).Unsubscribe(t.Context(), web.HashOf(all[0].Ender)); err == nil {
		t.Error("ended twice")
	}
	if _, err := n.unsubscribe(t.Context(), rpc.RevokeArgs{ID: all[1].ID}); err != nil {
		t.Error(err)
	}
	if _, err := n.subscribe(t.Context(), rpc.SubscribeArgs{Address: "nobody", Role: workspace.Viewer}); explain.Of(err).Exit != 2 {
		t.Errorf("%v", err)
	}
}

// TestNoAddressIsInTheFiles: who gets the letters is not readable in the data directory.
func TestNoAddressIsInTheFiles(t *testing.T) {
	t.Parallel()
	n, _, at := mailed(t, nil)
	*at = time.Date(2026, 11, 9, 9, 0, 0, 0, time.UTC)
	if err := n.mailDigests(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := n.subscribers(t.Context(), rpc.WorkspaceArgs{})
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	err = filepath.WalkDir(n.dir.Path(), func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		read += len(data)
		for _, secret := range []string{"boss@example.org", "help@example.org", all[0].Ender, hex.EncodeToString([]byte("boss@"))} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", filepath.Base(path), secret)
			}
		}
		return err
	})
	if err != nil || read == 0 {
		t.Errorf("%d bytes read, %v", read, err)
	}
}
