package faulttest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeT is a test that can end as one likes.
type fakeT struct {
	testing.TB
	failed, skipped bool
	end             []func()
}

func (f *fakeT) Helper()               {}
func (f *fakeT) Cleanup(g func())      { f.end = append(f.end, g) }
func (f *fakeT) Failed() bool          { return f.failed }
func (f *fakeT) Skipped() bool         { return f.skipped }
func (f *fakeT) Errorf(string, ...any) { f.failed = true }
func (f *fakeT) Skipf(string, ...any)  { f.skipped = true }
func (f *fakeT) run(g func(*Row)) {
	g(Begin(f, "a fault"))
	for _, e := range f.end {
		e()
	}
}

// TestTheTableFails: whatever is not well makes the table fail, and what was not tested is counted.
func TestTheTableFails(t *testing.T) {
	for what, c := range map[string]struct {
		ok   bool
		said string
		do   func(*fakeT, *Row)
	}{
		"all well":      {true, "| equal | red | ok |", func(_ *fakeT, r *Row) { r.Same(true); r.Planted(true) }},
		"lost":          {false, "FAILED", func(_ *fakeT, r *Row) { r.Lost = 1 }},
		"doubled":       {false, "FAILED", func(_ *fakeT, r *Row) { r.Doubled = 1 }},
		"figures":       {false, "| differ |", func(_ *fakeT, r *Row) { r.Same(true); r.Same(false); r.Same(true) }},
		"green control": {false, "| GREEN | FAILED |", func(_ *fakeT, r *Row) { r.Planted(false) }},
		"a failed test": {false, "FAILED", func(f *fakeT, _ *Row) { f.failed = true }},
		"not tested":    {false, "NOT TESTED: no root", func(_ *fakeT, r *Row) { r.Skip("no root") }},
	} {
		name := filepath.Join(t.TempDir(), "rows")
		t.Setenv(tableFile, name)
		f := &fakeT{}
		f.run(func(r *Row) { c.do(f, r) })
		rows, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		ok, err := Print(&b, rows)
		_ = rows.Close()
		if err != nil || ok != c.ok || !strings.Contains(b.String(), c.said) {
			t.Errorf("%s: %v %v\n%s", what, ok, err, &b)
		}
	}
	if ok, _ := Print(&strings.Builder{}, strings.NewReader("")); ok {
		t.Error("a table without a row is well")
	}
}
