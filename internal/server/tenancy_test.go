package server

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/explain"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/ledger"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

var doomed, nextDoor = workspace.MustParse("shop-4417"), workspace.MustParse("next-door")

// street is three workspaces that have some of everything, and doomed's way in. The words of doomed are spoken nowhere else.
type street struct {
	house
	path, secret, token, share string
	session                    *http.Cookie
}

const shopWords = "zyzzogeton quagga"

func newStreet(t *testing.T, data string) *street {
	t.Helper()
	s := &street{house: open(t, data)}
	for _, ws := range []workspace.ID{workspace.Default, doomed, nextDoor} {
		s.settle(ws)
	}
	s.do("figures", rpc.FiguresArgs{Refresh: true}, "")
	return s
}

// settle gives a workspace its life.
func (s *street) settle(ws workspace.ID) {
	s.t.Helper()
	var c rpc.Connected
	s.read("connect", rpc.ConnectArgs{Workspace: ws.String(), Kind: "native", Name: "lines-" + ws.String()}, &c)
	s.do("policy", rpc.PolicyArgs{Workspace: ws.String(), Set: []rpc.KeyValue{{Key: "transcripts", Value: "notice"}, {Key: "outside", Value: "monthly"}}, Reason: "a test", Author: "nobody"}, "")
	s.do("import", rpc.ImportArgs{Workspace: ws.String(), Kind: "native"}, peopleCalls(0, 30)+s.said(ws))
	s.do("erase", rpc.EraseArgs{Workspace: ws.String(), Contact: "+12125550003", Wait: true}, "")
	s.do("digest-add", rpc.SubscribeArgs{Workspace: ws.String(), Address: ws.String() + "@example.org", Role: workspace.Owner}, "")
	s.do("alert-add", rpc.AlertArgs{Workspace: ws.String(), Insight: "missed-call-rate", Way: workspace.BySlack, To: "https://" + ws.String() + ".example.org/hook", As: workspace.Owner}, "")
	s.do("flow-set", rpc.FlowArgs{Workspace: ws.String(), Reason: "a test", Author: "nobody"}, "flow: front-"+ws.String()+"\nnodes:\n  a: {kind: voicemail}\n")
	if err := s.store.Mark(s.t.Context(), ws, "a-suggestion", true); err != nil {
		s.t.Fatal(err)
	}
	notice := filepath.Join(s.dir.Path(), noticesDir, ws.String(), "standard.en.wav")
	if err := errors.Join(os.MkdirAll(filepath.Dir(notice), 0o700), os.WriteFile(notice, []byte("sound of "+ws.String()), 0o600)); err != nil {
		s.t.Fatal(err)
	}
	if ws != doomed {
		return
	}
	s.path, s.secret = c.Path, c.Secret
	s.read("token", rpc.TokenArgs{Workspace: ws.String(), Role: "owner"}, &s.token)
	var err error
	if s.share, err = s.store.NewShare(s.t.Context(), ws, "calls", time.Hour); err != nil {
		s.t.Fatal(err)
	}
	link, err := s.store.NewLink(s.t.Context(), ws)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range s.ask(http.MethodGet, "/open/"+link, nil, "").Result().Cookies() {
		s.session = c
	}
}

// said is a transcript, one that waits for a yes, and one that cannot be read.
func (s *street) said(ws workspace.ID) string {
	words := "where is my parcel"
	if ws == doomed {
		words = shopWords
	}
	return fmt.Sprintf(`{"schema":"murmur.v1","type":"transcript","delivery_id":"t1","source_id":"t1","occurred_at":"2026-11-03T10:00:00Z","call":"p1-0","origin":"vendor","party":{"phone":"+12125550001"},"turns":[{"side":"contact","text":"%s please"}]}
{"schema":"murmur.v1","type":"seance","delivery_id":"t2","source_id":"t2","occurred_at":"2026-11-03T10:00:00Z","text":"%s"}
`, words, words)
}

func (s *street) read(verb string, args, answer any) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.do(verb, args, "")), answer); err != nil {
		s.t.Fatal(err)
	}
}

// ask sends a request to the server as somebody.
func (s *street) ask(method, path string, as any, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	switch as := as.(type) {
	case string:
		r.Header.Set("Authorization", "Bearer "+as)
	case *http.Cookie:
		r.AddCookie(as)
	}
	w := httptest.NewRecorder()
	newServing(s.Node, slog.New(slog.DiscardHandler)).public.Handler.ServeHTTP(w, r)
	return w
}

// delete suspends doomed and deletes it.
func (s *street) delete() error {
	s.do("workspace-suspend", rpc.WorkspaceArgs{Workspace: doomed.String()}, "")
	return s.Do(s.t.Context(), "workspace-delete", rpc.WorkspaceArgs{Workspace: doomed.String()}, nil, new(bytes.Buffer))
}

// figuresOf are those of the other two workspaces.
func (s *street) figuresOf() string {
	return s.do("figures", rpc.FiguresArgs{Workspace: "default", Refresh: true}, "") + s.do("figures", rpc.FiguresArgs{Workspace: nextDoor.String()}, "") +
		s.do("figures", rpc.FiguresArgs{Workspace: nextDoor.String(), As: "viewer"}, "")
}

// TestADeletedWorkspaceIsGoneWhereverItStops: a process dies after the order and after each step; the next one ends the
// deletion, and has the receipt. Nothing of the workspace is in any file then, and the others have the figures that they had.
func TestADeletedWorkspaceIsGoneWhereverItStops(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := newStreet(t, data)
	q, err := s.openJobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Insert(t.Context(), guardArgs{doomed.String(), "lines", "platformcallid"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	want := s.figuresOf()
	stop(t, s.Node)
	signs := signsOf(t, data)
	if found := signs.in(t, data); len(found) < len(signs) {
		t.Fatalf("only %d of %d signs are in the files: the test cannot fail: %v", len(found), len(signs), found)
	}
	for _, step := range []string{"order", "keys", "recordings", "deliveries", "queue", "rows", "jobs", "notices", "metadata", "none"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			data := copiedApart(t, data)
			s := &street{house: open(t, data)}
			dead := errors.New("dead")
			s.tenancy.crash = func(at string) error {
				if at == step {
					return dead
				}
				return nil
			}
			if err := s.delete(); (err == nil) != (step == "none") {
				t.Fatalf("delete: %v", err)
			}
			stop(t, s.Node)

			c, err := attach(t.Context(), Config{Data: data})
			if err != nil {
				t.Fatal(err)
			}
			s = &street{house: house{c.(*Node), t}}
			tenant, err := s.store.Tenant(t.Context(), doomed)
			if err != nil || tenant.State != "deleted" || tenant.Deleted == nil {
				t.Fatalf("afterwards: %+v, %v", tenant, err)
			}
			if holds, err := s.ledger.Holds(t.Context(), tenant.Receipt); err != nil || !holds {
				t.Errorf("the receipt %q: %t, %v", tenant.Receipt, holds, err)
			}
			if got := s.figuresOf(); got != want {
				t.Error("the others have other figures")
			}
			if found := signs.in(t, data); len(found) > 0 { // also while it is open
				t.Errorf("what is left: %v", found)
			}
			var v rpc.Verified
			s.read("verify", rpc.VerifyArgs{}, &v)
			if len(v.Breaches) > 0 {
				t.Errorf("verify: %v", v.Breaches)
			}
			stop(t, s.Node)
			if found := signs.in(t, data); len(found) > 0 {
				t.Errorf("what is left once it is closed: %v", found)
			}
			onlyKept(t, data)
		})
	}
}

// signs are bytes by which something of a workspace is known, by what they are.
type signs map[string][]byte

// signsOf collects what is known of doomed in a directory that nobody has open.
func signsOf(t *testing.T, data string) signs {
	t.Helper()
	all := signs{"notice": []byte("sound of shop"), "name of a key file": []byte("keys/shop-4417"), "platform's call": []byte("platformcallid")}
	for file, queries := range map[string][]string{
		"murmur.db": {
			`SELECT 'token ' || role, hash FROM tokens WHERE workspace = 'shop-4417'`, `SELECT 'source', token_hash FROM sources WHERE workspace = 'shop-4417'`,
			`SELECT 'erased', contact FROM erasures WHERE workspace = 'shop-4417'`, `SELECT 'name ' || label, name FROM labels WHERE workspace = 'shop-4417'`,
			`SELECT 'release ' || period, substr(body, 1, 64) FROM releases WHERE workspace = 'shop-4417'`, `SELECT 'flow', substr(body, 1, 64) FROM flows WHERE workspace = 'shop-4417'`,
			`SELECT 'subscriber', id FROM subscribers WHERE workspace = 'shop-4417'`, `SELECT 'alert', id FROM alerts WHERE workspace = 'shop-4417'`,
		},
		"journal.db": {`SELECT 'delivery', d.id FROM delivery d JOIN workspace w ON w.no = d.ws WHERE w.name = 'shop-4417'`,
			`SELECT 'payload', substr(body, 1, 64) FROM payload p JOIN workspace w ON w.no = p.ws WHERE w.name = 'shop-4417'`},
	} {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(data, file)+"?mode=ro&immutable=1")
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range queries {
			rows, err := db.Query(q)
			if err != nil {
				t.Fatal(q, err)
			}
			n := 0
			for ; rows.Next(); n++ {
				var what string
				var b []byte
				if err := rows.Scan(&what, &b); err != nil {
					t.Fatal(err)
				}
				all[fmt.Sprintf("%s %d", what, n)] = b
			}
			if n == 0 || rows.Err() != nil {
				t.Fatalf("%s finds nothing: %v", q, rows.Err())
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// in names the signs that are in the files. They are read by another process: closing a database's file here would drop
// SQLite's locks on it.
func (s signs) in(t *testing.T, data string) (found []string) {
	t.Helper()
	all, err := exec.Command("sh", "-c", `find "$0" -type f ! -name MANIFEST.open ! -name '*.lock' -exec cat {} +; find "$0" -type f; ls "$0"/keys | sed s,^,keys/,`, data).Output()
	if err != nil {
		t.Fatal(err)
	}
	for what, sign := range s {
		if bytes.Contains(all, sign) {
			found = append(found, what)
		}
	}
	slices.Sort(found)
	return found
}

// onlyKept looks for rows of doomed in every table of every database that has a column for workspaces: the ledger's and the
// budget's are all there may be.
func onlyKept(t *testing.T, data string) {
	t.Helper()
	kept := []string{"ledger", "budgets", "deletions"}
	for _, file := range []string{"murmur.db", "journal.db", "jobs.db", "catalog.db"} {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(data, file)+"?mode=ro&immutable=1")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		rows, err := db.Query(`SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`)
		if err != nil {
			t.Fatal(err)
		}
		var columns [][2]string
		for rows.Next() {
			var c [2]string
			if err := rows.Scan(&c[0], &c[1]); err != nil {
				t.Fatal(err)
			}
			columns = append(columns, c)
		}
		for _, c := range columns {
			var n int
			if err := db.QueryRow(fmt.Sprintf(`SELECT count(*) FROM "%s" WHERE instr("%s", 'shop-4417') > 0`, c[0], c[1])).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n > 0 && !slices.Contains(kept, c[0]) {
				t.Errorf("%s, table %s, column %s: %d rows name the workspace", file, c[0], c[1], n)
			}
		}
	}
}

// copied is another copy of a directory that nobody has open.
func copiedApart(t *testing.T, data string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(to, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestNothingOpensADeletedWorkspace: every route of the API, of the pages and of the webhooks refuses what opened the
// workspace. They are read out of the API's own description and of the pages' source, so that a new one is not forgotten.
func TestNothingOpensADeletedWorkspace(t *testing.T) {
	t.Parallel()
	s := newStreet(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, s.Node)
	opens := func(when string, want bool) {
		for _, r := range s.routes() {
			method, path, _ := strings.Cut(r, " ")
			path = strings.NewReplacer("{$}", "", "{id}", "p1-0", "{name}", "lines-"+doomed.String()).Replace(path)
			var as any = s.session
			switch {
			case strings.HasPrefix(path, "/v1/") || path == "/mcp" || path == "/metrics":
				as = s.token
			case strings.HasPrefix(path, "/in/"):
				as, path = s.secret, s.path
			case strings.HasPrefix(path, "/s/"):
				as, path = nil, strings.Replace(path, "{token}", s.share, 1)
			case slices.Contains([]string{"/open/{token}", "/close", "/sign-in", "/sign-in/back", "/passkey/ask", "/passkey/use", "/unsubscribe/{ender}"}, path):
				continue // open to everybody
			}
			got := s.ask(method, path, as, `{"schema":"murmur.v1"}`).Code
			if got == http.StatusMethodNotAllowed {
				continue // this server has no passkeys
			}
			refused := got == http.StatusUnauthorized || got == http.StatusNotFound
			if want && method == http.MethodGet && refused && !strings.Contains(r, "{") && path != "/privacy/receipt" {
				t.Errorf("%s: %s is answered %d: the test cannot fail", when, r, got)
			}
			if !want && !refused {
				t.Errorf("%s: %s is answered %d", when, r, got)
			}
		}
	}
	opens("before", true)
	if err := s.delete(); err != nil {
		t.Fatal(err)
	}
	opens("after", false)
	// Nor does a verb know it.
	for _, verb := range []string{"token", "connect-list", "policy", "erase", "export", "digest", "alert-list", "share", "digest-list", "workspace-suspend", "workspace-export", "workspace-limit"} {
		args := map[string]any{"workspace": doomed.String(), "contact": "+12125550001", "role": "owner", "call": "p1-0"}
		if err := s.Do(t.Context(), verb, args, nil, new(bytes.Buffer)); !errors.Is(err, workspace.ErrNotFound) {
			t.Errorf("%s: %v, want not found", verb, err)
		}
	}
}

// routes are all that the public handler knows.
func (s *street) routes() (all []string) {
	s.t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(s.ask(http.MethodGet, "/openapi.json", nil, "").Body.Bytes(), &doc); err != nil {
		s.t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	source, err := os.ReadFile("../web/site.go")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`HandleFunc\("((?:GET|POST) /[^"]*)"`).FindAllSubmatch(source, -1) {
		if p := string(m[1]); p != "GET /" && !strings.HasSuffix(p, ".") {
			all = append(all, p)
		}
	}
	for _, m := range regexp.MustCompile(`\{"(/[a-z]*)", "`).FindAllSubmatch(source, -1) {
		all = append(all, "GET "+string(m[1]))
	}
	if all = append(all, "POST /in/native/TOKEN", "POST /mcp", "GET /metrics"); len(all) < 70 {
		s.t.Fatalf("only %d routes", len(all))
	}
	return all
}

// TestAReusedNameIsANewWorkspace: what the workspace of that name had is not in the new one, and opens nothing of it.
func TestAReusedNameIsANewWorkspace(t *testing.T) {
	t.Parallel()
	s := newStreet(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, s.Node)
	var before web.WorkspaceStatus
	before, err := site{s.Node}.Status(t.Context(), doomed)
	if err != nil || before.In == 0 {
		t.Fatal(before, err)
	}
	key, err := s.ring.Pseudonym(doomed)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.delete(); err != nil {
		t.Fatal(err)
	}
	var made rpc.TenantMade
	s.read("workspace-create", rpc.WorkspaceArgs{Workspace: doomed.String()}, &made)
	now, err := s.ring.Pseudonym(doomed)
	if err != nil || now.Same(key) {
		t.Errorf("the same key: %v", err)
	}
	after, err := site{s.Node}.Status(t.Context(), doomed)
	if err != nil || after.In != 0 || len(after.BySource) != 0 {
		t.Errorf("status: %+v, %v", after, err)
	}
	if p, err := s.store.Policy(t.Context(), doomed); err != nil || p != workspace.DefaultPolicy() {
		t.Errorf("policy: %+v, %v", p, err)
	}
	if f := s.do("figures", rpc.FiguresArgs{Workspace: doomed.String(), Refresh: true}, ""); f != "" {
		t.Errorf("figures: %s", f)
	}
	history, err := s.policyHistory(t.Context(), doomed)
	if err != nil || len(history) != 0 {
		t.Errorf("history of the policy: %v, %v", history, err)
	}
	if marks, err := s.store.Marks(t.Context(), doomed); err != nil || len(marks) != 0 {
		t.Errorf("marks: %v, %v", marks, err)
	}
	if got := s.ask(http.MethodGet, "/v1/figures", s.token, "").Code; got != http.StatusUnauthorized {
		t.Errorf("the former token: %d", got)
	}
	if got := s.ask(http.MethodGet, "/v1/status", made.Token, "").Code; got != http.StatusOK {
		t.Errorf("the new token: %d", got)
	}
	var got rpc.Imported
	if err := json.Unmarshal([]byte(s.do("import", rpc.ImportArgs{Workspace: doomed.String(), Kind: "native"}, peopleCalls(0, 30))), &got); err != nil || got.Duplicate != 0 || got.Published != 90 {
		t.Errorf("the same deliveries: %+v, %v", got, err)
	}
}

// TestASuspendedWorkspaceRests: its webhooks, its API and its pages say so; nothing of it is processed; refusals hold; and when
// it works again, what was accepted is decided.
func TestASuspendedWorkspaceRests(t *testing.T) {
	t.Parallel()
	s := newStreet(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, s.Node)
	status := func() web.WorkspaceStatus {
		t.Helper()
		st, err := site{s.Node}.Status(t.Context(), doomed)
		if err != nil || st.In != st.Sum() {
			t.Fatalf("%+v, %v", st, err)
		}
		return st
	}
	call := func(id string) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":"call","delivery_id":%q,"source_id":%q,"occurred_at":"2026-11-03T12:00:00Z","direction":"in","outcome":"missed","party":{"phone":"+12125550001"}}`, id, id)
	}
	before := status()
	// A delivery that was accepted just before, which the pipeline meets afterwards.
	err := s.way.Still(func() error {
		if got := s.ask(http.MethodPost, s.path, s.secret, call("late")); got.Code != http.StatusOK {
			t.Fatalf("before: %d %s", got.Code, got.Body)
		}
		return s.store.Suspend(t.Context(), doomed)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := status(); st.Held != before.Held+1 || st.Published != before.Published {
		t.Errorf("while it is suspended: %+v, before: %+v", st.Counts, before.Counts)
	}
	if got := s.ask(http.MethodPost, s.path, s.secret, call("refused")); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "suspended") {
		t.Errorf("a webhook: %d %s", got.Code, got.Body)
	}
	if got := s.ask(http.MethodGet, "/v1/figures", s.token, ""); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "suspended") {
		t.Errorf("the API: %d %s", got.Code, got.Body)
	}
	if got := s.ask(http.MethodPost, "/mcp", s.token, "{}"); got.Code != http.StatusForbidden {
		t.Errorf("an assistant: %d", got.Code)
	}
	if got := s.ask(http.MethodGet, "/calls", s.session, ""); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "is suspended") {
		t.Errorf("a page: %d", got.Code)
	}
	if got := s.ask(http.MethodGet, "/s/"+s.share, nil, ""); got.Code == http.StatusOK {
		t.Error("a shared page is shown")
	}
	if err := s.Do(t.Context(), "import", rpc.ImportArgs{Workspace: doomed.String(), Kind: "native"}, strings.NewReader(call("imported")), new(bytes.Buffer)); !errors.Is(err, workspace.ErrSuspended) {
		t.Errorf("an import: %v", err)
	}
	if got := s.ask(http.MethodPost, "/v1/contacts/opt-out", s.token, `{"contact":"+12125550009","via":"api"}`); got.Code != http.StatusNoContent {
		t.Errorf("a refusal: %d %s", got.Code, got.Body)
	}
	if got := s.ask(http.MethodPost, "/v1/erasures", s.token, `{"contact":"+12125550005"}`); got.Code != http.StatusOK {
		t.Errorf("an erasure: %d %s", got.Code, got.Body)
	}
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.do("workspace-resume", rpc.WorkspaceArgs{Workspace: doomed.String()}, "")
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	reasons, err := s.journal.Reasons(t.Context(), doomed, fact.Held)
	if err != nil || slices.ContainsFunc(reasons, func(r deliveries.Reason) bool { return r.Why == fact.WhySuspended }) {
		t.Errorf("set aside for good: %v, %v", reasons, err)
	}
	id, err := s.zone.EventID(doomed, "lines-"+doomed.String(), "late")
	if err != nil {
		t.Fatal(err)
	}
	if late, err := s.journal.Trace(t.Context(), doomed, id); err != nil || late.State != fact.Published {
		t.Errorf("what was accepted before: %s, %v", late.State, err)
	}
	status()
	if got := s.ask(http.MethodPost, s.path, s.secret, call("again")); got.Code != http.StatusOK {
		t.Errorf("a webhook when it works again: %d %s", got.Code, got.Body)
	}
}

// TestLimitsHold: a workspace gets what it may have and no more, however it comes; the others are not held up, and what
// murmur itself writes down for a person is never refused.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC)
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	s := &street{house: house{n, t}}
	var c rpc.Connected
	s.read("connect", rpc.ConnectArgs{Workspace: doomed.String(), Kind: "native"}, &c)
	sent := 0
	send := func(k int) (taken int, last *httptest.ResponseRecorder) {
		for range k {
			sent++
			last = s.ask(http.MethodPost, c.Path, c.Secret, fmt.Sprintf(`{"schema":"murmur.v1","type":"call","delivery_id":"d%d"}`, sent))
			if last.Code == http.StatusOK {
				taken++
			}
		}
		return taken, last
	}
	limit := func(l workspace.Limits) {
		t.Helper()
		s.do("workspace-limit", rpc.LimitArgs{Workspace: doomed.String(), Limits: l}, "")
	}
	for _, c := range []struct {
		what string
		l    workspace.Limits
		want int
		rest time.Duration // after which there is room again
	}{
		{"a second", workspace.Limits{Second: 3}, 3, time.Second},
		{"a day", workspace.Limits{Day: 4 + 3}, 3, 24 * time.Hour}, // it has had four
		{"open", workspace.Limits{Open: 8 + 7}, 7, 0},              // and eight by now, none of which is processed
	} {
		limit(c.l)
		got, last := send(10)
		if got != c.want || last.Code != http.StatusTooManyRequests || last.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d taken, want %d; then %d", c.what, got, c.want, last.Code)
		}
		if now = now.Add(c.rest); c.rest > 0 {
			if got, _ := send(1); got != 1 {
				t.Errorf("%s: none is taken after %s", c.what, c.rest)
			}
		}
	}
	open, _, err := n.journal.Load(t.Context(), doomed, time.Time{})
	if err != nil || open > 15 {
		t.Errorf("%d are open, 15 may be: %v", open, err)
	}
	if err := (contacts{n}).OptOut(t.Context(), doomed, "+12125550001", "api"); err != nil {
		t.Errorf("a refusal over the limit: %v", err)
	}
	limit(workspace.Limits{})
	if got, _ := send(10); got != 10 {
		t.Errorf("without limits %d of 10 are taken", got)
	}
}

// TestWhatCannotBeDoneToAWorkspace is said, with a hint.
func TestWhatCannotBeDoneToAWorkspace(t *testing.T) {
	t.Parallel()
	s := &street{house: open(t, filepath.Join(t.TempDir(), "data"))}
	defer stop(t, s.Node)
	s.do("workspace-create", rpc.WorkspaceArgs{Workspace: doomed.String()}, "")
	for _, c := range []struct {
		verb, name string
		want       error
	}{
		{"workspace-create", doomed.String(), workspace.ErrExists},
		{"workspace-create", "No Name", workspace.ErrBadID},
		{"workspace-delete", doomed.String(), workspace.ErrWorks},
		{"workspace-delete", "nowhere", workspace.ErrNotFound},
		{"workspace-suspend", "default", workspace.ErrDefault},
		{"workspace-delete", "default", workspace.ErrDefault},
		{"workspace-export", "nowhere", workspace.ErrNotFound},
	} {
		err := s.Do(t.Context(), c.verb, rpc.WorkspaceArgs{Workspace: c.name}, nil, new(bytes.Buffer))
		if !errors.Is(err, c.want) || explain.Of(err).Hint == "" {
			t.Errorf("%s %s: %v, hint %q", c.verb, c.name, err, explain.Of(err).Hint)
		}
	}
	// A name is free once nothing is left, and not before.
	if err := errors.Join(s.suspend(t.Context(), doomed), s.orderDeletion(t.Context(), doomed)); err != nil {
		t.Fatal(err)
	}
	if err := s.Do(t.Context(), "workspace-create", rpc.WorkspaceArgs{Workspace: doomed.String()}, nil, new(bytes.Buffer)); !errors.Is(err, workspace.ErrDeleting) {
		t.Errorf("the name of one that is being deleted: %v", err)
	}
	if err := s.Do(t.Context(), "connect", rpc.ConnectArgs{Workspace: doomed.String(), Kind: "native"}, nil, new(bytes.Buffer)); !errors.Is(err, workspace.ErrDeleting) {
		t.Errorf("a source of one that is being deleted: %v", err)
	}
	if keys, err := s.ring.Workspaces(); err != nil || slices.Contains(keys, doomed) {
		t.Errorf("keys are left: %v", err)
	}
}

// TestWhatWasUnderWayFindsTheDoorShut: a delivery that was sealed before the order, and a row that was decided before it, are
// not stored after it.
func TestWhatWasUnderWayFindsTheDoorShut(t *testing.T) {
	t.Parallel()
	s := &street{house: open(t, filepath.Join(t.TempDir(), "data"))}
	s.do("workspace-create", rpc.WorkspaceArgs{Workspace: doomed.String()}, "")
	id := journal.ID{1}
	epoch, sealed, err := s.ring.Seal(doomed, "inbox", id, sealVersion, []byte("said"))
	if err != nil {
		t.Fatal(err)
	}
	m := journal.Message{Topic: journal.Inbox, Workspace: doomed, ID: id, Source: 1, At: time.Now(), Epoch: epoch, Payload: sealed}
	if err := s.delete(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.journal.Accept(t.Context(), m); !errors.Is(err, workspace.ErrNotFound) {
		t.Errorf("accept: %v", err)
	}
	m.State = fact.Published
	if _, err := s.journal.Settle(t.Context(), func() bool { return true }, []journal.Message{m}, nil); !errors.Is(err, workspace.ErrNotFound) {
		t.Errorf("settle: %v", err)
	}
	if err := s.store.Mark(t.Context(), doomed, "late", true); err != nil {
		t.Errorf("a mark: %v", err)
	}
	if err := s.crowd.Landed(t.Context(), doomed); err != nil {
		t.Errorf("an import that ends: %v", err)
	}
	data := s.dir.Path()
	stop(t, s.Node)
	onlyKept(t, data)
}

// TestAnExportHoldsWhatItsOwnerHad, no secret and no address of a person, and the ledger tells of it.
func TestAnExportHoldsWhatItsOwnerHad(t *testing.T) {
	t.Parallel()
	s := newStreet(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, s.Node)
	var operator string
	s.read("token", rpc.TokenArgs{Role: "owner"}, &operator)
	got := s.ask(http.MethodGet, "/v1/workspaces/"+doomed.String()+"/export", operator, "").Body.String()
	var e rpc.Exported
	if err := json.Unmarshal([]byte(strings.Replace(got, `"entry":`, `"-":`, -1)), &e); err != nil {
		t.Fatal(err, got)
	}
	if e.Murmur != "workspace.v1" || len(e.Sources) != 1 || len(e.Flows) != 1 || len(e.Figures) == 0 || e.Status.In == 0 || e.Policy["transcripts"] != "notice" || len(e.Ledger) == 0 {
		t.Errorf("the export: %d sources, %d flows, %d figures, %d entries", len(e.Sources), len(e.Flows), len(e.Figures), len(e.Ledger))
	}
	for _, no := range []string{s.secret, s.token, "quagga", "2125550", "@example.org"} {
		if strings.Contains(got, no) {
			t.Errorf("the export holds %q", no)
		}
	}
	told := 0
	err := s.ledger.Entries(t.Context(), doomed.String(), ledger.Filter{Kind: "tenancy"}, func(r ledger.Record) error {
		if r.Entry.(ledger.Tenancy).Act == "exported" {
			told++
		}
		return nil
	})
	if err != nil || told != 1 {
		t.Errorf("%d entries tell of it, %v", told, err)
	}
	// The same by an operator's token, and by nobody else's.
	for path, method := range map[string]string{"": http.MethodGet, "/suspend": http.MethodPost, "/resume": http.MethodPost, "/export": http.MethodGet} {
		if got := s.ask(method, "/v1/workspaces/"+nextDoor.String()+path, s.token, "").Code; got != http.StatusForbidden {
			t.Errorf("%s by another workspace's owner: %d", path, got)
		}
	}
	for _, step := range []struct {
		method, path, body string
		want               int
		state              string
	}{
		{http.MethodDelete, "", "", http.StatusUnprocessableEntity, ""},
		{http.MethodPut, "/limits", `{"deliveries_a_second":5}`, http.StatusOK, "works"},
		{http.MethodPost, "/suspend", "", http.StatusOK, "suspended"},
		{http.MethodDelete, "", "", http.StatusAccepted, "deleting"},
	} {
		got := s.ask(step.method, "/v1/workspaces/"+doomed.String()+step.path, operator, step.body)
		if got.Code != step.want || !strings.Contains(got.Body.String(), `"state":"`+step.state+`"`) && step.state != "" {
			t.Errorf("%s %s: %d %s", step.method, step.path, got.Code, got.Body)
		}
	}
	if err := s.deleteDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.ask(http.MethodGet, "/v1/workspaces/"+doomed.String(), operator, "").Body.String(); !strings.Contains(got, `"state":"deleted"`) || !strings.Contains(got, `"receipt":"`) {
		t.Errorf("once nothing is left: %s", got)
	}
}

// TestARestoreDeletesAgain: a backup of before has the workspace, and the directory that it replaces says that it is deleted.
func TestARestoreDeletesAgain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := newStreet(t, data)
	want := s.figuresOf()
	var backup bytes.Buffer
	if err := s.backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	if err := s.delete(); err != nil {
		t.Fatal(err)
	}
	s.do("workspace-create", rpc.WorkspaceArgs{Workspace: nextDoor.String() + "-2"}, "")
	stop(t, s.Node)
	restored := filepath.Join(t.TempDir(), "data")
	if err := Restore(t.Context(), &backup, nil, Config{Data: restored, InsteadOf: data}); err != nil {
		t.Fatal(err)
	}
	s = &street{house: open(t, restored)}
	defer stop(t, s.Node)
	if tenant, err := s.store.Tenant(t.Context(), doomed); err != nil || tenant.State != "deleted" {
		t.Errorf("the workspace: %+v, %v", tenant, err)
	}
	if keys, err := s.ring.Workspaces(); err != nil || slices.Contains(keys, doomed) {
		t.Errorf("its keys are there: %v", err)
	}
	if got := s.figuresOf(); len(got) < len(want)/2 {
		t.Errorf("the others lost figures: %d bytes, %d before", len(got), len(want))
	}
}
