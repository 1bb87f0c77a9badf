package confine

import (
	"errors"
	"testing"
)

// TestWhatIsNotHeldDoesNotRun: a system that holds less than the calls and the files, or less than it did when it was
// asked, runs nothing.
func TestWhatIsNotHeldDoesNotRun(t *testing.T) {
	t.Parallel()
	for _, h := range []Held{{}, {Calls: true}, {Landlock: 7, Root: true, Network: true, Processes: true}} {
		if _, err := prepare(t.Context(), h, spec{Path: "/bin/true"}); !errors.Is(err, ErrWeak) {
			t.Errorf("%+v: %v", h, err)
		}
	}
	p, err := prepareIn(t.Context(), len(ways)-1, spec{Path: "/bin/true", Want: Held{Calls: true, Landlock: 99}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err == nil || !p.weak() {
		t.Errorf("%v, weak %v", err, p.weak())
	}
}
