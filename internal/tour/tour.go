// Package tour keeps docs/tour.md true: the calls it sends, and the blocks of the page that a test makes and compares.
//
// Zone: outside, for tests alone; nothing links it into the binary. A block of the page stands between two comments
// that name it:
//
//	<!-- made: NAME -->
//	...
//	<!-- end -->
//
// Two tests make them, because the compiler lets no other package look: internal/private shows what only the private
// zone sees (event, verdict, fact), this package what anyone with the data directory sees (journal row, Parquet row,
// table, figure). Both rewrite their blocks with -update and compare them without. Keyed values differ with every data
// directory; the tests print a word in angle brackets in their place.
//
// What it does not show: that the prose between the blocks is true.
package tour

import (
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the blocks of docs/tour.md anew")

// Now is the clock of the tour, a Monday.
var Now = time.Date(2026, 11, 9, 9, 0, 0, 0, time.UTC)

// Secret is the signing secret of the tour's source.
const Secret = "whsec_dGhlIHRvdXIgaGFzIG5vIHNlY3JldHMgYXQgYWxs"

// Deliveries are the two webhooks of the one call, in the order of the page: the id under which Quo sends them and
// the file in testdata that holds the body.
var Deliveries = []struct{ ID, Name string }{{"msg_tour_call", "call"}, {"msg_tour_voicemail", "voicemail"}}

//go:embed testdata/*.json
var bodies embed.FS

// Body gives the body of a delivery, byte for byte.
func Body(t testing.TB, name string) []byte {
	t.Helper()
	b, err := bodies.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Sign gives the headers that Quo sends with a body (Standard Webhooks 1.0: HMAC-SHA256 over "id.timestamp.body").
func Sign(t testing.TB, id string, body []byte) http.Header {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(Secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(Now.Unix(), 10)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + stamp + "." + string(body)))
	return http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {stamp},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))},
	}
}

// Root is the root of the repository.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

var page sync.Mutex // -update reads and writes the page

// Check compares a block of docs/tour.md with what the house does, or writes it with -update. The block is shown as
// code of the given language.
func Check(t testing.TB, name, language, got string) {
	t.Helper()
	page.Lock()
	defer page.Unlock()
	file := filepath.Join(Root(t), "docs", "tour.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin := "<!-- made: " + name + " -->\n"
	before, rest, ok := strings.Cut(string(b), begin)
	said, after, closed := strings.Cut(rest, "<!-- end -->")
	if !ok || !closed {
		t.Fatalf("docs/tour.md has no block %q", name)
	}
	want := "```" + language + "\n" + strings.TrimRight(got, "\n") + "\n```\n"
	if said == want {
		return
	}
	if !*update {
		t.Errorf("docs/tour.md, block %q: the house does something else now (-update writes it):\n%s\nthe page says:\n%s", name, want, said)
		return
	}
	if err := os.WriteFile(file, []byte(before+begin+want+"<!-- end -->"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
