package lake

import (
	"context"
	"errors"
	"slices"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Every operation that changes a count tells the days and kinds first; merging files tells nothing.
func TestChangesAreToldBeforeTheyAreMade(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	var told []Change
	var under int64
	refuse := false
	l := openTest(t, Config{Changing: func(_ context.Context, sequence int64, changes []Change) error {
		if refuse {
			return errCrash
		}
		told, under = changes, sequence
		return nil
	}})
	day, next := DayOf(noon), DayOf(noon)+1
	a, b := mk.Contact(1), mk.Contact(2)
	tomorrow, later := next.Start(), (next + 1).Start()
	calls, texts := Change{workspace.Default, day, fact.KindCall}, Change{workspace.Default, day, fact.KindMessage}
	moved := Change{workspace.Default, next, fact.KindCall}
	for _, step := range []struct {
		name string
		run  func() error
		want []Change
	}{
		{"append", func() error {
			return l.Append(ctx, []Row{call(1, noon, a, 1), call(2, noon, b, 1), message(3, noon, b, 1, mk.Text("words"))}, to(l, 1))
		}, []Change{calls, texts}},
		{"append again", func() error { return l.Append(ctx, []Row{call(9, noon, a, 1)}, to(l, 1)) }, nil},
		{"move an event", func() error { return l.Append(ctx, []Row{call(1, tomorrow, a, 2)}, to(l, 2)) }, []Change{moved}},
		{"drop the old version", func() error { return l.Compact(ctx) }, []Change{calls}},
		{"append more", func() error { return l.Append(ctx, []Row{call(2, noon, b, 2), call(5, noon, b, 1)}, to(l, 3)) }, []Change{calls}},
		{"merge", func() error { return l.Compact(ctx) }, nil},
		{"de-link a day", func() error { return l.Delink(ctx, olderThan(tomorrow)) }, []Change{calls, texts}},
		{"drop texts", func() error { return l.DropTexts(ctx, tomorrow) }, []Change{texts}},
		{"forget", func() error { return l.Forget(ctx, workspace.Default, []anon.Contact{a}) }, []Change{moved}},
		{"de-link nobody", func() error { return l.Delink(ctx, olderThan(later)) }, nil},
	} {
		told = nil
		before := sequence(t, l)
		must(t, step.run())
		after := sequence(t, l)
		if !slices.Equal(told, step.want) || told != nil && after != under || (after > before) != (told != nil) {
			t.Errorf("%s told %v, want %v; sequence %d after %d", step.name, told, step.want, after, before)
		}
	}
	refuse = true
	if err := l.Append(ctx, []Row{call(4, noon, a, 1)}, to(l, 4)); !errors.Is(err, errCrash) || len(latest(t, l, fact.Facts)) != 3 {
		t.Errorf("a change that nobody took note of was made: %v", err)
	}
}

func sequence(t *testing.T, l *Lake) int64 {
	t.Helper()
	snap, release, err := l.Pin(context.Background())
	must(t, err)
	defer release()
	return snap.Sequence()
}

// A snapshot names the files of a workspace alone, and says where an id can stand twice.
func TestWorkspaceFilesLeaveOthersOut(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	other := workspace.MustParse("another")
	if bucketOf(other) == bucketOf(workspace.Default) {
		t.Fatal("the two workspaces share a bucket")
	}
	foreign := call(2, noon, mk.Contact(1), 1)
	foreign.Workspace = other
	must(t, l.Append(ctx, []Row{call(1, noon, mk.Contact(1), 1), foreign}, to(l, 1)))
	must(t, l.Compact(ctx))
	must(t, l.Append(ctx, []Row{call(3, noon.AddDate(0, 0, 1), mk.Contact(1), 1)}, to(l, 2)))
	snap, release, err := l.Pin(ctx)
	must(t, err)
	defer release()
	day := DayOf(noon)
	var got []bool
	for _, f := range snap.WorkspaceFiles(fact.Facts, workspace.Default, day.Start(), (day + 2).Start()) {
		if f.From > day+1 || f.To < day {
			t.Errorf("a file of days %d to %d", f.From, f.To)
		}
		got = append(got, f.Fresh)
	}
	if !slices.Equal(got, []bool{false, true}) {
		t.Errorf("files are fresh: %v, want one that is not and one that is", got)
	}
	if n := len(snap.WorkspaceFiles(fact.Facts, workspace.Default, day.Start(), (day + 1).Start())); n != 1 {
		t.Errorf("%d files of the first day, want 1", n)
	}
}
