package keyring

import (
	"errors"
	"testing"
)

// TestSlowSumsHaveAKeyOfTheirOwn: a slow sum is the same in every process, another one in another workspace and for another
// message, and none is made where there are no keys.
func TestSlowSumsHaveAKeyOfTheirOwn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRing(t, dir, newClock())
	if err := r.Create(other); err != nil {
		t.Fatal(err)
	}
	a, err := r.Slow(shop, []byte("+12025550142"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := newRing(t, dir, newClock()).Slow(shop, []byte("+12025550142")); err != nil || again != a {
		t.Errorf("another process: %v", err)
	}
	elsewhere, err1 := r.Slow(other, []byte("+12025550142"))
	somebody, err2 := r.Slow(shop, []byte("+12025550143"))
	if err := errors.Join(err1, err2); err != nil || elsewhere == a || somebody == a || elsewhere == somebody {
		t.Errorf("sums of different things are one: %v", err)
	}
	if err := r.DestroyWorkspace(other); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Slow(other, []byte("+12025550142")); !errors.Is(err, ErrUnknown) {
		t.Errorf("without keys: %v", err)
	}
}

func BenchmarkSlow(b *testing.B) {
	r := newRing(b, b.TempDir(), newClock())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Slow(shop, []byte("+12025550142")); err != nil {
			b.Fatal(err)
		}
	}
}
