package lake

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// holders counts the rows of a contact in the current files, and the files of the directory and the catalog
// that have its 16 bytes in the open.
func holders(t *testing.T, l *Lake, c anon.Contact) (rows, raw int) {
	t.Helper()
	b := c.Bytes()
	for _, tab := range tables {
		for r, err := range allRows(l, tab) {
			must(t, err)
			if r.Contact == b {
				rows++
			}
		}
	}
	files := filesBelow(t, l.cfg.Dir)
	for _, suffix := range []string{"", "-wal"} {
		files = append(files, l.cfg.Catalog+suffix)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		must(t, err)
		if bytes.Contains(content, b[:]) {
			raw++
		}
	}
	return rows, raw
}

// Erase one of many contacts, in the middle of appends: afterwards no file has its pseudonym, decoded or as
// plain bytes, and everybody else's rows are as they were. The identifiers of a page with few values are not
// compressed away: before, the bytes are found.
func TestAForgottenContactIsInNoFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	victim, text := mk.Contact(0), mk.Text("words")
	for i := range 10 {
		var rows []Row
		for j := range 30 {
			n := i*30 + j
			at := noon.Add(time.Duration(n) * 20 * time.Minute)
			rows = append(rows, message(n, at, mk.Contact(n%15), int64(i), text))
		}
		must(t, l.Append(ctx, rows, to(l, i)))
	}
	if rows, raw := holders(t, l, victim); rows != 2*20 || raw == 0 {
		t.Fatalf("before: %d rows, %d files with the bytes", rows, raw)
	}
	must(t, l.Forget(ctx, workspace.MustParse("another"), []anon.Contact{victim}))
	if rows, _ := holders(t, l, victim); rows != 2*20 {
		t.Fatalf("forgetting in another workspace left %d rows of 40", rows)
	}
	must(t, l.Forget(ctx, workspace.Default, []anon.Contact{victim}))
	must(t, l.Forget(ctx, workspace.Default, []anon.Contact{victim, {}})) // again, and nobody
	must(t, l.Expire(ctx))
	if rows, raw := holders(t, l, victim); rows != 0 || raw != 0 {
		t.Errorf("after: %d rows, %d files with the bytes", rows, raw)
	}
	if n := len(latest(t, l, fact.Facts)); n != 280 {
		t.Errorf("%d facts are left, want 280", n)
	}
	if n, err := l.Waiting(ctx); n != 0 || err != nil {
		t.Errorf("%d files wait, %v", n, err)
	}
}

func TestADelinkedContactIsInNoFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	old, recent := mk.Contact(1), mk.Contact(2)
	later := noon.AddDate(0, 0, 60)
	must(t, l.Append(ctx, []Row{call(1, noon, old, 1), message(2, noon, old, 1, mk.Text("a")), call(3, later, recent, 1)}, to(l, 1)))
	must(t, l.Delink(ctx, olderThan(later)))
	must(t, l.Expire(ctx))
	if rows, raw := holders(t, l, old); rows != 0 || raw != 0 {
		t.Errorf("the old contact: %d rows, %d files", rows, raw)
	}
	if rows, _ := holders(t, l, recent); rows != 1 {
		t.Errorf("the recent contact: %d rows", rows)
	}
	if n := len(latest(t, l, fact.Facts)); n != 3 {
		t.Errorf("%d facts are left of 3", n)
	}
}

// The same fact delivered again after its row was de-linked does not link it again.
func TestADelinkedRowStaysDelinked(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	row := []Row{message(1, noon, mk.Contact(1), 1, mk.Text("a"))}
	for i := range 4 { // from either side: the copy may be read before or after
		must(t, l.Append(ctx, row, to(l, 2*i)))
		must(t, l.Delink(ctx, olderThan(noon.AddDate(0, 0, 1))))
		must(t, l.Append(ctx, row, to(l, 2*i+1)))
		must(t, l.Compact(ctx))
		if rows, _ := holders(t, l, mk.Contact(1)); rows != 0 {
			t.Fatalf("%d rows are linked again", rows)
		}
	}
	if n := len(latest(t, l, fact.Facts)); n != 1 {
		t.Errorf("%d facts, want 1", n)
	}
}

// TestASeveredRowIsFoundByNoID: neither the file of an old call nor what refers to it has its id, whoever looks; the same fact, and a
// newer version of it, change nothing; a fact that comes late counts. The words of others stand where they stood.
func TestASeveredRowIsFoundByNoID(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	c, later := mk.Contact(1), noon.AddDate(0, 0, 60)
	talk := Row{workspace.Default, &fact.Talk{Head: facttest.Head(2, noon, c, 1), Call: facttest.ID(1), Body: mk.Text("a")}}
	must(t, l.Append(ctx, []Row{call(1, noon, c, 1), talk, call(3, later, c, 1), message(4, later, c, 1, mk.Text("b"))}, to(l, 1)))
	sever := func() {
		t.Helper()
		must(t, l.Delink(ctx, olderThan(later)))
		must(t, l.Compact(ctx))
		must(t, l.Sever(ctx, func(_ workspace.ID, _ fact.Kind, d Day) bool { return d < DayOf(later) }))
		must(t, l.Expire(ctx))
	}
	sever()
	found := func(id int) (n int) {
		t.Helper()
		for r, err := range allRows(l, fact.Facts) {
			must(t, err)
			if r.ID == facttest.ID(id) || r.Call == facttest.ID(id) {
				n++
			}
		}
		return n
	}
	for id, want := range map[int]int{1: 0, 2: 0, 3: 1, 4: 1} {
		if n := found(id); n != want {
			t.Errorf("id %d stands in %d rows, want %d", id, n, want)
		}
	}
	if facts, texts, err := l.Call(ctx, workspace.Default, facttest.ID(1), []fact.ID{facttest.ID(1)}); err != nil || len(facts)+len(texts) > 0 {
		t.Errorf("the old call: %d facts, %d texts, %v", len(facts), len(texts), err)
	}
	must(t, l.Append(ctx, []Row{call(1, noon, c, 1), talk}, to(l, 2)))
	must(t, l.Append(ctx, []Row{call(1, noon, c, 9), call(5, noon, c, 1)}, to(l, 3)))
	sever()
	sever()
	if n := len(latest(t, l, fact.Facts)); n != 5 {
		t.Errorf("%d facts, want 5", n)
	}
	if n := found(1) + found(5); n != 0 {
		t.Errorf("%d rows are found again", n)
	}
}

// An opt-out takes what was said in the call and leaves that it took place; words of the talk go with it.
func TestWithdrawTakesContentAlone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	c, text := mk.Contact(1), mk.Text("what was said")
	talk := func(n int, of int) Row {
		return Row{workspace.Default, &fact.Talk{Head: facttest.Head(n, noon, c, 1), Call: facttest.ID(of), Body: text}}
	}
	must(t, l.Append(ctx, []Row{call(1, noon, c, 1), talk(2, 1), call(3, noon, c, 1), talk(4, 3), message(5, noon, c, 1, text)}, to(l, 1)))
	check := func(facts, texts int) {
		t.Helper()
		if f, w := len(latest(t, l, fact.Facts)), len(latest(t, l, fact.Texts)); f != facts || w != texts {
			t.Errorf("%d facts, %d texts; want %d, %d", f, w, facts, texts)
		}
	}
	check(5, 3)
	must(t, l.Withdraw(ctx, workspace.Default, Withdrawal{Calls: []fact.ID{facttest.ID(1), {}}}))
	check(4, 2)
	must(t, l.Withdraw(ctx, workspace.Default, Withdrawal{Contacts: []anon.Contact{c}}))
	check(3, 0)
}

// A rewrite obeys what is said about each row, of a file and of its place in it, and judges only the versions that count.
func TestARewriteObeysTheVerdicts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	c := mk.Contact(1)
	rows := []Row{call(1, noon, c, 1), call(2, noon, c, 1), call(3, noon, c, 1), call(4, noon.AddDate(0, 0, 1), c, 1)}
	must(t, l.Append(ctx, rows, to(l, 1)))
	must(t, l.Append(ctx, []Row{call(2, noon, c, 2)}, to(l, 2)))
	loose, _, err := l.untidy(ctx, true)
	must(t, err)
	seen := map[string]map[int]bool{}
	loose[0].judge = func(f dataFile, r Stored) verdict {
		if seen[f.path] == nil {
			seen[f.path] = map[int]bool{}
		}
		if seen[f.path][r.n] || r.n >= int(f.Count()) {
			t.Errorf("the row at %d was judged twice, or is none of the %d", r.n, f.Count())
		}
		seen[f.path][r.n] = true
		switch r.ID {
		case facttest.ID(1):
			return drop
		case facttest.ID(2):
			if r.Version != 2 {
				t.Errorf("version %d was judged", r.Version)
			}
			return unlink
		}
		return stay
	}
	must(t, l.rewriteAll(ctx, loose))
	if len(seen) != 2 {
		t.Errorf("rows of %d files were judged, want 2", len(seen))
	}
	got := latest(t, l, fact.Facts)
	if len(got) != 3 {
		t.Fatalf("%d facts, want 3", len(got))
	}
	for n, linked := range map[int]bool{2: false, 3: true, 4: true} {
		r, ok := got[key{workspace.Default, facttest.ID(n)}]
		if !ok || (r.Contact == c.Bytes()) != linked {
			t.Errorf("fact %d: there %v, contact %x, want linked %v", n, ok, r.Contact, linked)
		}
	}
}

// A version that moves its event to another day wins over the old one there, after Compact in every file.
func TestAMovedEventCountsOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	c, far := mk.Contact(1), noon.AddDate(0, 0, -400)
	must(t, l.Append(ctx, []Row{message(1, noon, c, 1, mk.Text("old")), message(2, far, c, 9, mk.Text("new"))}, to(l, 1)))
	must(t, l.Append(ctx, []Row{message(1, far, c, 2, mk.Text("new")), message(2, noon, c, 3, mk.Text("old"))}, to(l, 2)))
	must(t, l.Compact(ctx))
	for _, tab := range tables {
		n := 0
		for r, err := range allRows(l, tab) {
			must(t, err)
			if n++; r.At != fact.MicrosOf(far) || tab == fact.Texts && r.Text != "new" {
				t.Errorf("an old version is left in table %s", tableName(tab))
			}
		}
		if n != 2 {
			t.Errorf("%d rows in table %s, want 2", n, tableName(tab))
		}
	}
}

// A crash before the commit leaves nothing, a crash after it leaves everything, in both tables; the replay
// heals either.
func TestACrashNeverSplitsTheTables(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	for _, point := range []string{"write", "commit"} {
		dir, at := tempDir(t), ""
		cfg := Config{Dir: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "lake.db"), Failpoint: func(p string) error {
			if p == at {
				return errCrash
			}
			return nil
		}}
		l := openTest(t, cfg)
		rows := []Row{message(1, noon, mk.Contact(1), 1, mk.Text("once"))}
		at = point
		if err := l.Append(ctx, rows, to(l, 7)); !errors.Is(err, errCrash) {
			t.Fatalf("no crash at %s: %v", point, err)
		}
		at = ""
		again := openTest(t, cfg)
		pos, err := again.Position(ctx, 0)
		must(t, err)
		if want := map[string]string{"write": "", "commit": "7"}[point]; pos != want {
			t.Errorf("crash at %s: position %q, want %q", point, pos, want)
		}
		must(t, again.Append(ctx, rows, to(again, 7)))
		if err := again.Append(ctx, rows, Step{From: "5", To: "6"}); !errors.Is(err, ErrMoved) {
			t.Errorf("an older batch: %v, want ErrMoved", err)
		}
		s, err := again.Stats(ctx)
		must(t, err)
		if s.Facts.Rows != 1 || s.Texts.Rows != 1 {
			t.Errorf("crash at %s, after the replay: %+v", point, s)
		}
		must(t, again.Expire(ctx))
		if n, err := again.Waiting(ctx); n != 0 || err != nil {
			t.Errorf("crash at %s: %d leftovers, %v", point, n, err)
		}
	}
}

// TestAVacatedWorkspaceIsInNoFile: rows of two workspaces share files; those of one leave all of them, and the other's are as
// they were. While somebody reads the files from before, it says so.
func TestAVacatedWorkspaceIsInNoFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{LooseFiles: 3})
	doomed := workspace.MustParse("doomed")
	for i := range 8 {
		var rows []Row
		for j := range 30 {
			r := message(i*30+j, noon.Add(time.Duration(j)*time.Hour), mk.Contact(j%7), int64(i), mk.Text("words"))
			theirs := r
			theirs.Workspace = doomed
			rows = append(rows, r, theirs)
		}
		must(t, l.Append(ctx, rows, to(l, i)))
	}
	before := latest(t, l, fact.Facts)
	_, release, err := l.Pin(ctx)
	must(t, err)
	if err := l.Vacate(ctx, doomed); !errors.Is(err, ErrRead) {
		t.Errorf("while somebody reads: %v, want ErrRead", err)
	}
	release()
	must(t, l.Vacate(ctx, doomed))
	must(t, l.Vacate(ctx, doomed)) // again
	for _, tab := range tables {
		rows := latest(t, l, tab)
		if len(rows) != 240 {
			t.Errorf("%s: %d rows are left, want 240", tableName(tab), len(rows))
		}
		for k, r := range rows {
			if k.ws == doomed || tab == fact.Facts && (r.Version != before[k].Version || r.Contact != before[k].Contact) {
				t.Fatalf("%s: a row of the deleted workspace, or another one changed", tableName(tab))
			}
		}
	}
	for _, f := range append(filesBelow(t, l.cfg.Dir), l.cfg.Catalog, l.cfg.Catalog+"-wal") {
		content, err := os.ReadFile(f)
		must(t, err)
		if bytes.Contains(content, []byte("doomed")) {
			t.Errorf("%s has its name", filepath.Base(f))
		}
	}
	if n, err := l.Waiting(ctx); n != 0 || err != nil {
		t.Errorf("%d files wait, %v", n, err)
	}
}
