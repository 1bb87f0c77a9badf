package keyring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/workspace"
)

var (
	shop  = workspace.MustParse("shop")
	other = workspace.MustParse("other")
	id1   = [16]byte{1}
	id2   = [16]byte{2}
)

// clock is a settable time.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time      { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) add(d time.Duration) { c.ns.Add(int64(d)) }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func newRing(t testing.TB, dir string, c *clock) *Ring {
	t.Helper()
	if err := CreateRoot(dir, Config{}); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	r, err := Open(dir, Config{Clock: c.now})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Create(shop); err != nil {
		t.Fatal(err)
	}
	return r
}

func seal(t testing.TB, r *Ring, topic string, plain string) (uint32, []byte) {
	t.Helper()
	e, b, err := r.Seal(shop, topic, id1, 1, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return e, b
}

func TestASealedRecordOpensOnlyAsWhatItWasSealedFor(t *testing.T) {
	t.Parallel()
	r := newRing(t, t.TempDir(), newClock())
	if err := r.Create(other); err != nil {
		t.Fatal(err)
	}
	for _, ws := range []workspace.ID{shop, other} { // every key is there: only the binding can refuse
		for _, topic := range []string{TopicInbox, TopicFacts} {
			if _, _, err := r.Seal(ws, topic, id2, 1, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, topic := range []string{TopicInbox, TopicFacts} {
		e, b := seal(t, r, topic, "hello")
		o, err := r.Open(shop, topic, id1, 1, e, b)
		if err != nil || string(o.Bytes()) != "hello" || o.Topic() != topic || o.Workspace() != shop {
			t.Fatalf("%s: does not open: %v", topic, err)
		}
		elsewhere := TopicFacts
		if topic == TopicFacts {
			elsewhere = TopicInbox
		}
		today := r.Today()
		for name, open := range map[string]func() (Opened, error){
			"workspace": func() (Opened, error) { return r.Open(other, topic, id1, 1, e, b) },
			"topic":     func() (Opened, error) { return r.Open(shop, elsewhere, id1, 1, today, b) },
			"id":        func() (Opened, error) { return r.Open(shop, topic, id2, 1, e, b) },
			"version":   func() (Opened, error) { return r.Open(shop, topic, id1, 2, e, b) },
			"short":     func() (Opened, error) { return r.Open(shop, topic, id1, 1, e, b[:Overhead-1]) },
		} {
			if _, err := open(); !errors.Is(err, ErrSeal) {
				t.Errorf("%s, other %s: %v, want ErrSeal", topic, name, err)
			}
		}
		for i := range b {
			bad := slices.Clone(b)
			bad[i] ^= 1
			if _, err := r.Open(shop, topic, id1, 1, e, bad); !errors.Is(err, ErrSeal) {
				t.Fatalf("%s, byte %d changed: %v, want ErrSeal", topic, i, err)
			}
		}
	}
	if _, _, err := r.Seal(shop, "elsewhere", id1, 1, nil); err == nil {
		t.Error("an unknown topic was sealed for")
	}
}

// The binding holds even where two topics share one key.
func TestLastingSecretsAreNoFacts(t *testing.T) {
	t.Parallel()
	r := newRing(t, t.TempDir(), newClock())
	b, err := r.SealLasting(shop, "secret", id1, []byte("s"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := r.OpenLasting(shop, "secret", id1, b); err != nil || string(p) != "s" {
		t.Fatalf("does not open: %v", err)
	}
	if _, err := r.OpenLasting(shop, "secrets", id1, b); !errors.Is(err, ErrSeal) {
		t.Errorf("other topic: %v", err)
	}
	if _, err := r.Open(shop, TopicFacts, id1, 0, 0, b); !errors.Is(err, ErrSeal) {
		t.Errorf("as facts: %v", err)
	}
	if _, err := r.SealLasting(shop, TopicFacts, id1, nil); err == nil {
		t.Error("facts can be made without Seal")
	}
}

func TestFactsOutliveEveryEpoch(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	r := newRing(t, dir, c)
	_, b := seal(t, r, TopicFacts, "fact")
	c.add(30 * 24 * time.Hour)
	if _, err := r.Destroy(shop, r.Today()); err != nil {
		t.Fatal(err)
	}
	again := newRing(t, dir, c)
	if _, err := again.Open(shop, TopicFacts, id1, 1, 0, b); err != nil {
		t.Fatal(err)
	}
}

func TestResealCarriesARecordIntoToday(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := newRing(t, t.TempDir(), c)
	e, b := seal(t, r, TopicInbox, "held")
	o, err := r.Open(shop, TopicInbox, id1, 1, e, b)
	if err != nil {
		t.Fatal(err)
	}
	c.add(24 * time.Hour)
	e2, b2, err := r.Reseal(o)
	if err != nil || e2 != e+epochsADay {
		t.Fatalf("resealed into epoch %d, want %d: %v", e2, e+epochsADay, err)
	}
	if _, err := r.Destroy(shop, e2); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(shop, TopicInbox, id1, 1, e, b); !errors.Is(err, ErrDead) {
		t.Errorf("the old record: %v, want ErrDead", err)
	}
	if o, err = r.Open(shop, TopicInbox, id1, 1, e2, b2); err != nil || string(o.Bytes()) != "held" {
		t.Errorf("the new record does not open: %v", err)
	}
	_, f := seal(t, r, TopicFacts, "fact")
	of, err := r.Open(shop, TopicFacts, id1, 1, 0, f)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Reseal(of); err == nil {
		t.Error("facts were resealed into the inbox")
	}
}

func TestEpochsAreDaysAndAtMostEightLive(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := newRing(t, t.TempDir(), c)
	first := r.Today()
	for range epochSlots {
		seal(t, r, TopicInbox, "x")
		c.add(24 * time.Hour)
	}
	if _, _, err := r.Seal(shop, TopicInbox, id1, 1, nil); !errors.Is(err, ErrFull) {
		t.Fatalf("ninth epoch: %v, want ErrFull", err)
	}
	if n, err := r.Destroy(shop, first+3*epochsADay); err != nil || n != 3 {
		t.Fatalf("destroyed %d, want 3: %v", n, err)
	}
	seal(t, r, TopicInbox, "x")
	got, err := r.Epochs(shop)
	var want []uint32
	for day := uint32(3); day <= epochSlots; day++ {
		want = append(want, first+day*epochsADay)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("alive %v, want %v: %v", got, want, err)
	}
	if _, err := r.Destroy(shop, r.Today()+1); !errors.Is(err, ErrToday) {
		t.Errorf("today's epoch: %v, want ErrToday", err)
	}
}

// A key can be ended within its day: what was sealed before opens no more, and everything goes on under the next.
func TestAKeyIsRenewedWithinItsDay(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	r := newRing(t, dir, c)
	e, b := seal(t, r, TopicInbox, "refused")
	if _, err := r.Destroy(shop, e+1); !errors.Is(err, ErrToday) {
		t.Fatalf("the key in use: %v, want ErrToday", err)
	}
	next, err := r.Renew(shop)
	if now, _ := r.Current(shop); err != nil || next != e+1 || now != next {
		t.Fatalf("renewed to %d, in use %d, want %d: %v", next, now, e+1, err)
	}
	e2, b2 := seal(t, r, TopicInbox, "after")
	if n, err := r.Destroy(shop, next); err != nil || n != 1 || e2 != next {
		t.Errorf("destroyed %d, sealed under %d: %v", n, e2, err)
	}
	again := newRing(t, dir, c)
	if _, err := again.Open(shop, TopicInbox, id1, 1, e, b); !errors.Is(err, ErrDead) {
		t.Errorf("what was sealed before: %v, want ErrDead", err)
	}
	if _, err := again.Open(shop, TopicInbox, id1, 1, e2, b2); err != nil {
		t.Errorf("what was sealed after: %v", err)
	}
	c.add(24 * time.Hour)
	if now, err := r.Current(shop); err != nil || now != r.Today() || now <= next {
		t.Errorf("the next day's is %d: %v", now, err)
	}
}

func TestTwoRingsOnOneDirectoryAgree(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	rings := []*Ring{newRing(t, dir, c), newRing(t, dir, c), newRing(t, dir, c)}
	type sealed struct {
		epoch uint32
		b     []byte
	}
	for range 5 { // five days, each first sealed by whoever comes first
		var mu sync.Mutex
		var all []sealed
		var wg sync.WaitGroup
		for _, r := range rings {
			for range 4 {
				wg.Go(func() {
					e, b, err := r.Seal(shop, TopicInbox, id1, 1, []byte("x"))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					all = append(all, sealed{e, b})
					mu.Unlock()
				})
			}
		}
		wg.Wait()
		for _, r := range rings {
			for _, s := range all {
				if _, err := r.Open(shop, TopicInbox, id1, 1, s.epoch, s.b); err != nil {
					t.Fatalf("a record of another process does not open: %v", err)
				}
			}
		}
		c.add(24 * time.Hour)
	}
	e, b := seal(t, rings[0], TopicInbox, "x")
	if _, err := rings[1].Open(shop, TopicInbox, id1, 1, e, b); err != nil {
		t.Fatal(err)
	}
	c.add(24 * time.Hour)
	if _, err := rings[1].Epochs(shop); err != nil { // ring 1 looked a moment ago and holds the key
		t.Fatal(err)
	}
	if _, err := rings[0].Destroy(shop, e+1); err != nil {
		t.Fatal(err)
	}
	c.add(recheck)
	if _, err := rings[1].Open(shop, TopicInbox, id1, 1, e, b); !errors.Is(err, ErrDead) {
		t.Errorf("a second after another process destroyed the key: %v, want ErrDead", err)
	}
}

func TestAWorkspaceIsDestroyedForEveryProcess(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	r, beside := newRing(t, dir, c), newRing(t, dir, c)
	if _, err := beside.Pseudonym(shop); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.DestroyWorkspace(shop), r.DestroyWorkspace(shop)); err != nil {
		t.Fatal(err)
	}
	c.add(recheck)
	for _, r := range []*Ring{r, beside} {
		if _, err := r.Pseudonym(shop); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v, want ErrUnknown", err)
		}
		if _, _, err := r.Seal(shop, TopicInbox, id1, 1, nil); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v, want ErrUnknown", err)
		}
	}
}

func TestPseudonymKeysLastAndDiffer(t *testing.T) {
	t.Parallel()
	c := newClock()
	dir := t.TempDir()
	r := newRing(t, dir, c)
	if err := errors.Join(r.Create(other), r.Create(shop)); err != nil {
		t.Fatal(err)
	}
	a, err1 := r.Pseudonym(shop)
	b, err2 := r.Pseudonym(other)
	again, err3 := newRing(t, dir, c).Pseudonym(shop)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if a.Sum(nil) != again.Sum(nil) || a.Sum(nil) == b.Sum(nil) || (Pseudonym{}).Valid() {
		t.Error("a pseudonym key changed, is shared, or the zero value is valid")
	}
}

func TestNoKeyIsEverPrinted(t *testing.T) {
	t.Parallel()
	r := newRing(t, t.TempDir(), newClock())
	p, err := r.Pseudonym(shop)
	if err != nil {
		t.Fatal(err)
	}
	_, b := seal(t, r, TopicFacts, "canary-plaintext")
	o, err := r.Open(shop, TopicFacts, id1, 1, 0, b)
	if err != nil {
		t.Fatal(err)
	}
	nested := struct {
		p Pseudonym
		R *Ring
		O Opened
		o Opened
		r *Root
	}{p, r, o, o, r.root}
	secrets := []string{"canary-plaintext"}
	for _, k := range []*[32]byte{*p.k, *r.root.k} {
		secrets = append(secrets, string(k[:]), fmt.Sprintf("%x", k[:]), strings.Trim(fmt.Sprint(k[:]), "[]"), fmt.Sprintf("%q", k[:]))
	}
	for _, v := range []any{p, &p, r, r.root, *r.root, nested, &nested, []Pseudonym{p}} {
		js, _ := json.Marshal(v) // an error is fine: it prints nothing
		for _, out := range []string{fmt.Sprintf("%v %+v %#v %s %x %q", v, v, v, v, v, v), fmt.Sprint(v), string(js)} {
			for _, s := range secrets {
				if strings.Contains(out, s) {
					t.Errorf("%T printed a key or a plaintext", v)
				}
			}
		}
	}
}

func TestTheRootKeyIsGuarded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := LoadRoot(dir); !errors.Is(err, ErrRoot) {
		t.Errorf("no file: %v, want ErrRoot", err)
	}
	if err := CreateRoot(dir, Config{}); err != nil {
		t.Fatal(err)
	}
	if err := CreateRoot(dir, Config{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a root key was replaced: %v", err)
	}
	path := filepath.Join(dir, RootFile)
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadRoot(dir); !errors.Is(err, ErrMode) {
			t.Errorf("mode %o: %v, want ErrMode", mode, err)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		bad := slices.Clone(b)
		bad[i] ^= 0x10
		if _, err := decodeRoot(bad); !errors.Is(err, ErrRoot) {
			t.Fatalf("byte %d changed: %v, want ErrRoot", i, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := CreateRoot(dir, Config{}); err != nil {
		t.Fatal(err)
	}
}

// Workspaces differ by their keys already; the binding must hold without that.
func TestTheBindingNamesEverything(t *testing.T) {
	t.Parallel()
	all := [][]byte{
		recordAAD(shop, TopicInbox, id1, 1), recordAAD(other, TopicInbox, id1, 1), recordAAD(shop, TopicFacts, id1, 1),
		recordAAD(shop, TopicInbox, id2, 1), recordAAD(shop, TopicInbox, id1, 2), recordAAD(shop, TopicInbox+"\x01", [16]byte{}, 1),
		slotAAD(shop, 3, epochKey, 1), slotAAD(other, 3, epochKey, 1), slotAAD(shop, 4, epochKey, 1),
		slotAAD(shop, 3, destroyed, 1), slotAAD(shop, 3, epochKey, 2),
	}
	for i := range all {
		for j := range i {
			if bytes.Equal(all[i], all[j]) {
				t.Errorf("%d and %d are bound to the same", i, j)
			}
		}
	}
}
