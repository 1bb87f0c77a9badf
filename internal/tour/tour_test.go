package tour

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
	_ "modernc.org/sqlite" // reads the files as anyone with the data directory would

	"murmur/internal/rpc"
	"murmur/internal/server"
)

// TestTour sends the call of the page to a real server, with seven callers beside it, and looks into the files.
func TestTour(t *testing.T) {
	for _, d := range Deliveries {
		Check(t, "body "+d.Name, "json", string(Body(t, d.Name)))
	}
	data := filepath.Join(t.TempDir(), "data")
	var figure []byte
	err := server.Serve(t.Context(), server.ServeConfig{
		Data: data, Listen: "127.0.0.1:0", Out: io.Discard, Err: io.Discard, Now: func() time.Time { return Now },
		Ready: func(ctx context.Context, base string, n *server.Node) (bool, error) {
			figure = live(ctx, t, base, n)
			return true, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	Check(t, "figure", "json", indent(t, figure))
	journalRows(t, filepath.Join(data, "journal.db"))
	lakeRows(t, filepath.Join(data, "lake"))
	table(t, filepath.Join(data, "murmur.db"))
}

// live connects a source, states the notice, sends everything and gives the first figure.
func live(ctx context.Context, t *testing.T, base string, n *server.Node) []byte {
	t.Helper()
	do := func(verb string, args any) []byte {
		t.Helper()
		var b bytes.Buffer
		if err := n.Do(ctx, verb, args, nil, &b); err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
		return b.Bytes()
	}
	var c rpc.Connected
	if err := json.Unmarshal(do("connect", rpc.ConnectArgs{Kind: "quo", Secret: Secret}), &c); err != nil {
		t.Fatal(err)
	}
	do("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "notice"}}, Reason: "a notice is played on every call", Author: "the tour"})
	for i, d := range Deliveries {
		status, answer := post(t, base+c.Path, d.ID, Body(t, d.Name))
		if i == 0 {
			Check(t, "answer", "text", status+"\n"+answer)
		}
	}
	for i := range 7 {
		post(t, base+c.Path, fmt.Sprintf("msg_other_%d", i), other(t, i))
	}
	figure, _, _ := bytes.Cut(do("figures", rpc.FiguresArgs{Insight: "missed-call-rate", Refresh: true}), []byte("\n"))
	return figure
}

func post(t *testing.T, url, id string, body []byte) (status, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = Sign(t, id, body)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("answered %s: %s, %v", res.Status, b, err)
	}
	return "HTTP " + res.Status, string(b)
}

// other is the call of somebody else to the same number; the first five are answered.
func other(t *testing.T, i int) []byte {
	t.Helper()
	b := string(Body(t, "call"))
	b = strings.NewReplacer("EVtour1", fmt.Sprintf("EVother%d", i), "ACtour1", fmt.Sprintf("ACother%d", i), "+12125550142", fmt.Sprintf("+1212555015%d", i)).Replace(b)
	if i < 5 {
		b = strings.NewReplacer(`"unanswered", "hasVoicemail": true`, `"answered", "hasVoicemail": false`, `"answeredAt": null`, `"answeredAt": "2026-11-09T08:57:15Z"`).Replace(b)
	}
	return []byte(b)
}

// journalRows shows the two deliveries as they lie in the journal.
func journalRows(t *testing.T, file string) {
	t.Helper()
	db := open(t, "sqlite", "file:"+file+"?mode=ro&immutable=1")
	Check(t, "journal", "text", rows(t, db, `SELECT '<id>' AS id, source, at, state, why, length(contact) AS contact,
		(SELECT count(*) FROM payload p WHERE p.pos = d.pos) AS sealed FROM delivery d ORDER BY pos LIMIT 2`))
}

// lakeRows shows what DuckDB, or any other engine, reads from the lake about the call.
func lakeRows(t *testing.T, lake string) {
	t.Helper()
	c, err := duckdb.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	// SQL has no parameter for a file's name inside read_parquet; the path is this test's own.
	from := func(table string) string {
		return "read_parquet('" + filepath.ToSlash(lake) + "/" + table + "/data/**/*.parquet', hive_partitioning = false)"
	}
	Check(t, "lake", "text", rows(t, db, `SELECT workspace, kind, '<id>' AS id, version, "at", octet_length(contact) AS contact, '<label>' AS source, direction,
		'<label>' AS number, result, reason, voicemail, ring_s, anonymiser FROM `+from("facts")+` WHERE kind = 1 AND result = 4 AND voicemail = 1
		AND contact IN (SELECT contact FROM `+from("texts")+`)`))
	Check(t, "text", "text", rows(t, db, `SELECT workspace, kind, '<id>' AS id, "at", octet_length(contact) AS contact, topic, text FROM `+from("texts")))
}

// table shows the released table behind the figure. It is authenticated, not encrypted: it is about many people.
func table(t *testing.T, file string) {
	t.Helper()
	db := open(t, "sqlite", "file:"+file+"?mode=ro&immutable=1")
	var body []byte
	if err := db.QueryRowContext(t.Context(), `SELECT body FROM releases WHERE period = '2026-W46'`).Scan(&body); err != nil {
		t.Fatal(err)
	}
	const head = len("murmur release 1\n") + 32
	var set struct {
		Closed bool `json:"closed"`
		Tables []struct {
			Query  struct{ Name string } `json:"query"`
			Groups json.RawMessage       `json:"groups"`
		} `json:"tables"`
	}
	if err := json.Unmarshal(body[head:], &set); err != nil {
		t.Fatal(err)
	}
	for _, x := range set.Tables {
		if x.Query.Name == "missed-call-rate/1" {
			Check(t, "table", "json", indent(t, x.Groups))
			return
		}
	}
	t.Fatal("no table of missed calls")
}

func open(t *testing.T, driver, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// rows prints the answer of a query: one column a line, a blank line between rows.
func rows(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	r, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	names, err := r.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for n := 0; r.Next(); n++ {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := r.Scan(into...); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			out.WriteString("\n")
		}
		for i, v := range values {
			switch x := v.(type) {
			case nil:
				v = "null"
			case time.Time:
				v = x.UTC().Format(time.RFC3339)
			}
			if names[i] == "contact" && v != "null" {
				v = fmt.Sprintf("<contact>, %v bytes", v)
			}
			fmt.Fprintf(&out, "%-12s %v\n", names[i], v)
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func indent(t *testing.T, b []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var (
	linked = regexp.MustCompile(`\]\(\.\./([a-z0-9_/.-]+\.go)\)((?:[ ,]*` + "`[A-Za-z.]+`" + `)*)`)
	named  = regexp.MustCompile("`([A-Za-z.]+)`")
)

// TestFunctionsAreThere looks up every function that the page names behind a link to a file.
func TestFunctionsAreThere(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(Root(t), "docs", "tour.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range linked.FindAllStringSubmatch(string(b), -1) {
		has := declared(t, filepath.Join(Root(t), m[1]))
		for _, f := range named.FindAllStringSubmatch(m[2], -1) {
			found++
			if !has[f[1]] {
				t.Errorf("%s has no %s", m[1], f[1])
			}
		}
	}
	if found < 15 {
		t.Errorf("the page names only %d functions", found)
	}
}

// declared lists the functions, methods (Type.Method) and types of a file.
func declared(t *testing.T, file string) map[string]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				e := d.Recv.List[0].Type
				if s, ok := e.(*ast.StarExpr); ok {
					e = s.X
				}
				if id, ok := e.(*ast.Ident); ok {
					name = id.Name + "." + name
				}
			}
			has[name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if s, ok := s.(*ast.TypeSpec); ok {
					has[s.Name.Name] = true
				}
			}
		}
	}
	return has
}
