package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// flip changes one bit in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	b[len(b)/2] ^= 4
	must(t, os.WriteFile(path, b, 0o600))
}

// A file of one workspace is damaged: rows go on coming in, the others' files are merged, erased from and de-linked, and
// the damaged one is neither made sound by being written anew nor forgotten by verify.
func TestADamagedFileStopsNobodyElse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{SmallFiles: 2, LooseFiles: 2})
	spaces := []workspace.ID{workspace.Default, workspace.MustParse("second"), workspace.MustParse("third")}
	append1 := func(n int) {
		t.Helper()
		var rows []Row
		for i, ws := range spaces {
			r := message(10*n+i, noon.Add(time.Duration(n)*time.Minute), mk.Contact(i), 1, mk.Text("words"))
			r.Workspace = ws
			rows = append(rows, r)
		}
		must(t, l.Append(ctx, rows, to(l, n)))
	}
	append1(0)
	must(t, l.Compact(ctx))
	var bad string
	for p, f := range l.state[fact.Facts].files {
		if f.part.bucket == bucketOf(spaces[0]) {
			bad = p
		}
	}
	flip(t, l.catalog.disk.path(bad))
	for n := range 6 {
		append1(n + 1)
	}
	named := func(name string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s does not name the damaged file: %v", name, err)
		}
	}
	named("compact", l.Compact(ctx))
	must(t, l.Forget(ctx, spaces[1], []anon.Contact{mk.Contact(1)}))
	named("de-link", l.Delink(ctx, olderThan(noon.AddDate(0, 0, 1))))
	named("forget", l.Forget(ctx, spaces[0], []anon.Contact{mk.Contact(0)}))
	must(t, l.Expire(ctx))
	rows := map[workspace.ID]int{}
	for p, f := range l.state[fact.Facts].files {
		if p == bad {
			continue
		}
		for r, err := range l.scan(ctx, fact.Facts, f, nil) {
			must(t, err)
			if rows[r.Workspace]++; r.linked() {
				t.Errorf("a row of %s is still linked", r.Workspace)
			}
		}
	}
	if rows[spaces[0]] != 6 || rows[spaces[1]] != 0 || rows[spaces[2]] != 7 {
		t.Errorf("sound files have %v rows", rows)
	}
	if found, err := l.Verify(ctx); err != nil || len(found) != 1 || found[0].File != bad {
		t.Errorf("verify found %v, %v; want %s alone", found, err, bad)
	}
}

// A damaged metadata file keeps the lake shut, and the error says which it is.
func TestADamagedMetadataFileIsNamed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	for _, ext := range []string{".metadata.json", ".avro"} {
		l := openTest(t, Config{})
		must(t, l.Append(ctx, []Row{call(1, noon, mk.Contact(1), 1)}, to(l, 1)))
		must(t, l.refresh(ctx))
		var bad string
		for _, p := range l.state[fact.Facts].meta {
			if strings.HasSuffix(p, ext) {
				bad = p
			}
		}
		must(t, os.Truncate(l.catalog.disk.path(bad), 40))
		must(t, l.Close())
		if _, err := Open(ctx, l.cfg); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("opening a lake with a damaged %s says %v", filepath.Base(bad), err)
		}
	}
}

// A time that no fact can have is refused as the journal's reader refuses it, before anything is written.
func TestAppendRefusesAnImpossibleTime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	for _, at := range []time.Time{{}, time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)} {
		row := call(1, at, mk.Contact(1), 1)
		if err := l.Append(ctx, []Row{row}, to(l, 1)); !errors.Is(err, fact.ErrTime) || !errors.Is(fact.Check(row.Fact), fact.ErrTime) {
			t.Errorf("%v: %v", at, err)
		}
	}
}

// Links end by workspace: one workspace's days say nothing about another's, also in one bucket and one file.
func TestLinksEndByWorkspace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	short, long := workspace.Default, workspace.MustParse("another")
	for i := 0; bucketOf(long) != bucketOf(short); i++ {
		long = workspace.MustParse(fmt.Sprintf("another-%d", i))
	}
	for _, compacted := range []bool{false, true} {
		l := openTest(t, Config{})
		var rows []Row
		for i, ws := range []workspace.ID{short, long} {
			for day := range 3 {
				r := call(10*i+day, noon.AddDate(0, 0, day), mk.Contact(i), 1)
				r.Workspace = ws
				rows = append(rows, r)
			}
		}
		must(t, l.Append(ctx, rows, to(l, 1)))
		if compacted {
			must(t, l.Compact(ctx))
		}
		must(t, l.Delink(ctx, func(ws workspace.ID, d Day) bool { return ws == short && d <= DayOf(noon)+1 }))
		linked := map[workspace.ID]int{}
		for r, err := range allRows(l, fact.Facts) {
			must(t, err)
			if r.linked() {
				linked[r.Workspace]++
			}
		}
		if linked[short] != 1 || linked[long] != 3 {
			t.Errorf("compacted %v: linked rows %v, want 1 of the short and 3 of the long", compacted, linked)
		}
	}
}

// TestANameOutsideTheLakeIsNotDeleted: a catalog that somebody else wrote names files elsewhere. Such a lake is not opened, and what
// was opened before deletes none.
func TestANameOutsideTheLakeIsNotDeleted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, name := range []string{"../victim/keep.txt", "facts/../../victim/keep.txt", "../victim", "facts/..", "keep.txt", "/keep.txt"} {
		l := openTest(t, Config{})
		outside := filepath.Join(filepath.Dir(l.cfg.Dir), "victim")
		must(t, os.MkdirAll(outside, 0o700))
		must(t, os.MkdirAll(filepath.Join(l.cfg.Dir, "facts"), 0o700))
		kept := filepath.Join(outside, "keep.txt")
		must(t, os.WriteFile(kept, []byte("precious"), 0o600))
		_, err := l.catalog.db.ExecContext(ctx, `INSERT INTO murmur_files VALUES (?, 8, x'00', 1)`, name)
		must(t, err)
		_ = l.Expire(ctx)
		if _, err := os.Stat(kept); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err = l.catalog.db.ExecContext(ctx, `INSERT OR IGNORE INTO murmur_files VALUES (?, 8, x'00', 1)`, name) // it may have been forgotten
		must(t, err)
		cfg := l.cfg
		must(t, l.Close())
		if again, err := Open(ctx, cfg); err == nil {
			t.Errorf("%s: the lake is opened", name)
			_ = again.Close()
		}
	}
}
