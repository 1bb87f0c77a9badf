package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/explain"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// callRows are the rows of n calls from the given id on.
func callRows(from, n int) string {
	var b strings.Builder
	start := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, "c%d,%s,inbound,+1212555%04d,+16465550100,answered,%d\n", i, start.Add(time.Duration(i%40_000)*time.Minute).Format(time.DateTime), i%10_000, i%300)
	}
	return b.String()
}

const callHead = "Call ID,Started,Direction,From,To,Status,Duration (s)\n"

func importAs(ctx context.Context, n *Node, a rpc.ImportArgs, in io.Reader) (got rpc.Imported, err error) {
	var out bytes.Buffer
	if err := n.Do(ctx, "import", a, in, &out); err != nil {
		return got, err
	}
	return got, json.Unmarshal(out.Bytes(), &got)
}

// TestImportsAtOnceReportTheirOwn: an import that runs while another comes and goes counts its own rows.
func TestImportsAtOnceReportTheirOwn(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	long, writes := io.Pipe()
	type answer struct {
		rpc.Imported
		err error
	}
	done := make(chan answer)
	go func() {
		got, err := importAs(t.Context(), n, rpc.ImportArgs{}, long)
		done <- answer{got, err}
	}()
	if _, err := io.WriteString(writes, callHead+callRows(0, 1_000)); err != nil {
		t.Fatal(err)
	}
	short, err := importAs(t.Context(), n, rpc.ImportArgs{}, strings.NewReader(callHead+callRows(5_000, 300)))
	if err != nil || short.In != 300 || short.Published != 300 || short.Duplicate != 0 {
		t.Errorf("the short one: %+v, %v", short, err)
	}
	if _, err := io.WriteString(writes, callRows(1_000, 100)); err != nil {
		t.Fatal(err)
	}
	_ = writes.Close()
	if got := <-done; got.err != nil || got.In != 1_100 || got.Published != 1_100 || got.Duplicate != 0 {
		t.Errorf("the long one: %+v", got)
	}
}

// cutOff gives its text and then ends the context of whoever reads it.
type cutOff struct {
	io.Reader
	end func()
}

func (c cutOff) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		c.end()
	}
	return n, err
}

// TestAnImportGoesOnWhereItWas: what an interrupted import made durable is known to the next, nothing is counted twice.
func TestAnImportGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	const rows = 4_000
	ctx, cancel := context.WithCancel(t.Context())
	_, err := importAs(ctx, n, rpc.ImportArgs{}, cutOff{strings.NewReader(callHead + callRows(0, rows/2)), cancel})
	var p *rpc.Problem
	if !errors.As(err, &p) || p.Exit != 1 || !strings.HasPrefix(p.Message, "interrupted after ") {
		t.Fatalf("an interrupted import: %v", err)
	}
	var kept int64
	if _, err := fmt.Sscanf(p.Message, "interrupted after %d rows", &kept); err != nil {
		t.Fatal(err)
	}
	got, err := importAs(t.Context(), n, rpc.ImportArgs{}, strings.NewReader(callHead+callRows(0, rows)))
	if err != nil || got.In != rows || got.Duplicate != kept || got.Published != rows-kept {
		t.Errorf("%d rows were kept: %+v, %v", kept, got, err)
	}
	again, err := importAs(t.Context(), n, rpc.ImportArgs{}, strings.NewReader(callHead+callRows(0, rows)))
	if err != nil || again.In != rows || again.Duplicate != rows {
		t.Errorf("once more: %+v, %v", again, err)
	}
	s, err := n.Status(t.Context())
	if w := s.Workspaces["default"]; err != nil || w.Published != rows || w.In != 2*rows+kept || w.Duplicate != rows+kept {
		t.Errorf("status: %+v, %v", w, err)
	}
}

// TestARowMayAgreeToAnother: a row that was held until another row of the file agreed is reported as it ended.
func TestARowMayAgreeToAnother(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	if _, err := n.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "transcripts", Value: "opt-in"}}, "a test", "a test"); err != nil {
		t.Fatal(err)
	}
	const file = `{"schema":"murmur.v1","type":"transcript","source_id":"t1","call":"c1","occurred_at":"2026-03-02T10:00:00Z","party":{"phone":"+12125550142"},"turns":[{"side":"contact","text":"hello"}]}
{"schema":"murmur.v1","type":"transcript","source_id":"t2","call":"c2","occurred_at":"2026-03-02T10:00:00Z","party":{"phone":"+12125550143"},"turns":[{"side":"contact","text":"hello"}]}
{"schema":"murmur.v1","type":"consent","source_id":"a1","call":"c1","occurred_at":"2026-03-02T11:00:00Z","purpose":"transcribe","act":"opted_in","via":"agent","party":{"phone":"+12125550142"}}
`
	got, err := importAs(t.Context(), n, rpc.ImportArgs{}, strings.NewReader(file))
	if err != nil || got.In != 3 || got.Published != 2 || got.Held != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestProgressOfAnImport: whoever knows its id may ask how far an import is.
func TestProgressOfAnImport(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	ask := func() (p rpc.Progress) {
		var out bytes.Buffer
		if err := n.Do(t.Context(), "import-progress", rpc.ProgressArgs{ID: "one"}, nil, &out); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var seen rpc.Progress
	look := cutOff{strings.NewReader(callHead + callRows(0, 3_000)), func() { seen = ask() }}
	if _, err := importAs(t.Context(), n, rpc.ImportArgs{ID: "one"}, look); err != nil {
		t.Fatal(err)
	}
	if seen.Rows == 0 || seen.Rows > 3_000 || seen.Storing {
		t.Errorf("at the end of the file: %+v", seen)
	}
	if after := ask(); after != (rpc.Progress{}) {
		t.Errorf("afterwards: %+v", after)
	}
}

// TestBadFiles: a file that is damaged, or none, is told so, or its bad rows are named by their lines; nothing is lost and
// the next file of another workspace is read.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	utf16 := func(s string) string {
		var b strings.Builder
		b.WriteString("\xff\xfe")
		for _, c := range s {
			b.WriteByte(byte(c))
			b.WriteByte(byte(c >> 8))
		}
		return b.String()
	}
	const unread = "the file cannot be read"
	three := callHead + callRows(0, 3)
	for name, c := range map[string]struct {
		file  string
		kind  string
		fails string // how the error begins
		rows  int64
		bad   string // lines and reasons
	}{
		"empty":                       {file: "", fails: unread},
		"blank":                       {file: " \n\r\n\t", fails: unread},
		"headers alone":               {file: callHead},
		"of another kind":             {file: "a,b,c\n1,2,3\n", fails: unread},
		"calls read as a survey":      {file: three, kind: "surveys", fails: unread},
		"zeros":                       {file: strings.Repeat("\x00", 10_000), fails: unread},
		"a picture":                   {file: "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", fails: unread},
		"a mark and CRLF":             {file: "\ufeff" + strings.ReplaceAll(three, "\n", "\r\n"), rows: 3},
		"UTF-16":                      {file: utf16(three), rows: 3},
		"UTF-16 cut in a character":   {file: utf16(three)[:2*len(three)-1], rows: 3, bad: "4 bad-field (talk_s)"},
		"cut in the middle of a row":  {file: strings.TrimSuffix(three, ",inbound,+12125550002,+16465550100,answered,2\n"), rows: 3},
		"cut in a quote":              {file: three + "c9,2026-10-01 08:00:00,inbound,\"+1212", rows: 4, bad: "5 bad-field (quoting)"},
		"a date that is none":         {file: three + "c9,yesterday,inbound,+1,+2,answered,1\n", rows: 4, bad: "5 bad-time (occurred_at)"},
		"a zero byte in a cell":       {file: three + "c9,2026-10-01 08:00:00,inbound,+1212555\x000001,+2,answered,1\n", rows: 4},
		"a line of 50 MB":             {file: callHead + callRows(0, 1) + strings.Repeat("x", 50_000_000) + "\n" + callRows(1, 1), rows: 3, bad: "3 too-large (row)"},
		"a native line of 50 MB":      {file: `{"schema":"murmur.v1","type":"call","body":"` + strings.Repeat("x", 50_000_000) + "\"}\n", kind: "native", rows: 1, bad: "1 too-large (line)"},
		"native cut in the middle":    {file: `{"schema":"murmur.v1","type":"call","sour`, rows: 1, bad: "1 not-json (body)"},
		"native of an unknown type":   {file: `{"schema":"murmur.v1","type":"seance","source_id":"x","occurred_at":"2026-03-02T10:00:00Z"}`, rows: 1, bad: "1 unknown-type (type)"},
		"native from the year 30000":  {file: `{"schema":"murmur.v1","type":"call","source_id":"far","occurred_at":"9999-03-02T10:00:00Z"}`, rows: 1, bad: "1 bad-time (occurred_at)"},
		"a call from before the time": {file: `{"schema":"murmur.v1","type":"call","source_id":"old","occurred_at":"1970-01-01T00:00:00Z"}`, rows: 1, bad: "1 bad-time (occurred_at)"},
	} {
		got, err := importAs(t.Context(), n, rpc.ImportArgs{Kind: c.kind}, strings.NewReader(c.file))
		var bad []string
		for _, b := range got.Bad {
			bad = append(bad, fmt.Sprintf("%d %s", b.Line, b.Why))
		}
		switch {
		case c.fails != "" && (err == nil || !strings.HasPrefix(err.Error(), c.fails) || explain.Of(err).Exit != 2 || explain.Of(err).Hint == ""):
			t.Errorf("%s: %v", name, err)
		case c.fails == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.fails == "" && (got.In != c.rows || strings.Join(bad, "; ") != c.bad):
			t.Errorf("%s: %d rows, bad %q", name, got.In, bad)
		}
		if err != nil && (strings.Contains(err.Error(), "2125550") || strings.Contains(err.Error(), "IHDR")) {
			t.Errorf("%s: the error has content: %v", name, err)
		}
	}
	s, err := n.Status(t.Context())
	if w := s.Workspaces["default"]; err != nil || w.Pending != 0 || w.Quarantined == 0 {
		t.Errorf("status: %+v, %v", w, err)
	}
}

// endless is a file whose first line never ends.
type endless struct{ read chan struct{} }

func (e endless) Read(p []byte) (int, error) {
	select {
	case e.read <- struct{}{}:
	default:
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestAnImportEndsWithItsCaller: whatever the file, an import that is interrupted ends.
func TestAnImportEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	n := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n.Node)
	ctx, cancel := context.WithCancel(t.Context())
	file := endless{make(chan struct{}, 1)}
	go func() { <-file.read; cancel() }()
	if err := n.Do(ctx, "import", rpc.ImportArgs{}, file, io.Discard); explain.Of(err).Exit == 0 {
		t.Errorf("an endless line: %v", err)
	}
}
