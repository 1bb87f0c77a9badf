package admission

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"murmur/internal/workspace"
)

func named(t *testing.T, name string) workspace.ID {
	t.Helper()
	ws, err := workspace.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

// TestNoWorkspaceStarvesAnother: while one workspace takes every place and waits for more, each other one enters at its
// turn, whatever the first one sends.
func TestNoWorkspaceStarvesAnother(t *testing.T) {
	t.Parallel()
	loud, quiet, third := named(t, "loud"), named(t, "quiet"), named(t, "third")
	synctest.Test(t, func(t *testing.T) {
		a := &Turns{}
		ctx, cancel := context.WithCancel(t.Context())
		var leave []func()
		for range admitted {
			l, err := a.Enter(ctx, loud)
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		entered := make(chan workspace.ID, waitingEach+2)
		wait := func(ws workspace.ID) {
			go func() {
				if _, err := a.Enter(ctx, ws); err == nil {
					entered <- ws
				}
			}()
			synctest.Wait()
		}
		for range waitingEach {
			wait(loud)
		}
		wait(quiet)
		wait(third)
		if _, err := a.Enter(ctx, loud); !errors.Is(err, ErrWorkspaceBusy) {
			t.Errorf("one more of the loud workspace: %v", err)
		}
		var order []workspace.ID
		for _, l := range leave[:6] {
			l()
			synctest.Wait()
			order = append(order, <-entered)
		}
		want := []workspace.ID{loud, quiet, third, loud, loud, loud}
		for i := range want {
			if order[i] != want[i] {
				t.Fatalf("they enter as %v, want %v", order, want)
			}
		}
		cancel()
		synctest.Wait()
		if len(a.turn) != 0 || len(a.waits) != 0 || a.taken != admitted {
			t.Errorf("afterwards %d wait, %d places are taken", len(a.turn), a.taken)
		}
		if a.Refused[0].Load() != 1 || a.Refused[1].Load() != 0 {
			t.Errorf("refused: %d, %d", a.Refused[0].Load(), a.Refused[1].Load())
		}
	})
}

// TestAWaitEnds: who waits too long is told that the house is busy, and takes no place later.
func TestAWaitEnds(t *testing.T) {
	t.Parallel()
	ws := named(t, "one")
	synctest.Test(t, func(t *testing.T) {
		a := &Turns{}
		var leave func()
		for range admitted {
			leave, _ = a.Enter(t.Context(), ws)
		}
		if _, err := a.Enter(t.Context(), ws); !errors.Is(err, ErrBusy) {
			t.Fatalf("it waited and got %v", err)
		}
		leave()
		if _, err := a.Enter(t.Context(), ws); err != nil {
			t.Errorf("a free place: %v", err)
		}
	})
}

// TestLargeBodiesAreBounded: together and for each workspace.
func TestLargeBodiesAreBounded(t *testing.T) {
	t.Parallel()
	a := &Turns{}
	var done func()
	for _, name := range []string{"a", "b", "c", "d"} {
		for range largeOfOne {
			var err error
			if done, err = a.Read(named(t, name), -1); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.Read(named(t, name), 1<<20); !errors.Is(err, ErrWorkspaceBusy) {
			t.Errorf("%s: one more: %v", name, err)
		}
	}
	if _, err := a.Read(named(t, "e"), 1<<20); !errors.Is(err, ErrBusy) {
		t.Errorf("all together: %v", err)
	}
	if _, err := a.Read(named(t, "a"), LargeBody); err != nil {
		t.Errorf("a small one: %v", err)
	}
	done()
	if _, err := a.Read(named(t, "e"), 1<<20); err != nil {
		t.Errorf("after one is stored: %v", err)
	}
}
