package recording

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/personal"
	"murmur/internal/workspace"
)

// TestNoKeyAndNoWordIsOnTheDisk looks through the whole data directory in every state.
func TestNoKeyAndNoWordIsOnTheDisk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	look := func(when string) {
		t.Helper()
		if found := holds(t, h.dir.Path(), append(slices.Clone(h.keys.given), speech[:16])...); len(found) > 0 {
			t.Errorf("%s: %s", when, found)
		}
	}
	take := h.holding("call-1", "+12125550142")
	h.spoken(take)
	look("holding")
	h.step(take, consent.Suspended)
	look("paused")
	h.step(take, consent.Resumed)
	h.spoken(take)
	h.step(take, consent.HungUp)
	look("released")
	if b := h.breaches(); len(b) > 0 {
		t.Errorf("found %s", b)
	}

	// Released: the sealed key is in the database, and the file is there. After a refusal neither is anywhere.
	rows, err := h.rows(t.Context(), `1 = 1`)
	if err != nil || len(rows) != 1 || len(holds(t, h.dir.Path(), rows[0].sealed)) == 0 {
		t.Fatalf("%d rows, %v: the search does not find what is there", len(rows), err)
	}
	if err := h.Refuse(t.Context(), workspace.Default, consent.Subject{Call: take.call}, fact.ViaAgent); err != nil {
		t.Fatal(err)
	}
	if found := holds(t, h.dir.Path(), rows[0].sealed); len(found) > 0 {
		t.Errorf("the sealed key after a refusal: %s", found)
	}
	if _, err := h.Book.Open(t.Context(), workspace.Default, take.ID()); !errors.Is(err, ErrGone) || len(h.files()) != 0 {
		t.Errorf("after a refusal: %v, files %v", err, h.files())
	}
	if b := h.breaches(); len(b) > 0 {
		t.Errorf("found %s", b)
	}
}

// TestEveryEndBeforeReleaseLeavesNothing: whatever ends a call before its hang-up, and a call that nobody ends.
func TestEveryEndBeforeReleaseLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*house, *Take) error{
		"unheard of": func(h *house, k *Take) error {
			_, err := k.Step(t.Context(), consent.Event{Kind: consent.Unheard, At: h.clock()})
			return err
		},
		"clock back": func(h *house, k *Take) error {
			_, err := k.Step(t.Context(), consent.Event{Kind: consent.HungUp, At: h.clock().Add(-time.Minute)})
			return err
		},
		"left alone": func(h *house, _ *Take) error { h.after(5 * time.Hour); return h.Expire(t.Context()) },
		"closed":     func(_ *house, k *Take) error { return k.Close(t.Context()) },
		"full disk": func(h *house, k *Take) error {
			h.mu.Lock()
			h.full = true
			h.mu.Unlock()
			for range 2000 {
				if err := k.Write(t.Context(), Frame{Payload: speech}); err != nil {
					return nil
				}
			}
			return errors.New("nobody noticed")
		},
		"too long": func(h *house, k *Take) error {
			for range 10_000 {
				if err := k.Write(t.Context(), Frame{Payload: speech}); err != nil {
					return nil
				}
			}
			return errors.New("nobody noticed")
		},
		"full disk at the end": func(h *house, k *Take) error {
			h.mu.Lock()
			h.full = true
			h.mu.Unlock()
			if _, err := k.Step(t.Context(), consent.Event{Kind: consent.HungUp, At: h.after(time.Second)}); err == nil {
				return errors.New("nobody noticed")
			}
			return nil
		},
		"no ledger": func(h *house, k *Take) error {
			h.exec(`CREATE TRIGGER broken BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'broken'); END`)
			if _, err := k.Step(t.Context(), consent.Event{Kind: consent.HungUp, At: h.after(time.Second)}); err == nil {
				return errors.New("nobody noticed")
			}
			h.exec(`DROP TRIGGER broken`)
			return h.Expire(t.Context()) // what is owed to the ledger is written now
		},
		"no place for the key": func(h *house, k *Take) error {
			h.exec(`CREATE TRIGGER broken BEFORE INSERT ON recordings BEGIN SELECT RAISE(ABORT, 'broken'); END`)
			if _, err := k.Step(t.Context(), consent.Event{Kind: consent.HungUp, At: h.after(time.Second)}); err == nil {
				return errors.New("nobody noticed")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			h.c.Bytes = 1 << 20
			take := h.holding("call-1", "+12125550142")
			h.spoken(take)
			if err := end(h, take); err != nil {
				t.Fatal(err)
			}
			if s := take.State(); s != consent.Shredded {
				t.Errorf("state %s", s)
			}
			if err := take.Write(t.Context(), Frame{Payload: speech}); !errors.Is(err, ErrStopped) {
				t.Errorf("a frame after the end: %v", err)
			}
			rows, err := h.rows(t.Context(), `1 = 1`)
			if err != nil || len(rows) > 0 || len(h.files()) > 0 || take.key != nil {
				t.Errorf("%d keys, %d files: %v", len(rows), len(h.files()), err)
			}
			if b := h.breaches(); len(b) > 0 {
				t.Errorf("found %s", b)
			}
			told, err := h.stories(t.Context())
			if s := told[take.ID().String()]; err != nil || s == nil || s.state != "shredded" {
				t.Errorf("the ledger does not tell how it ended: %+v, %v", s, err)
			}
		})
	}
}

// TestFiftyCallsRefuseAtOnce: frames come from one goroutine a call while another one refuses. After the refusal has
// returned nothing is kept of any; the race detector watches.
func TestFiftyCallsRefuseAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	var calls sync.WaitGroup
	for i := range 50 {
		take := h.holding("call-"+strings.Repeat("x", i), "")
		started := make(chan struct{})
		calls.Go(func() {
			for n := 0; take.Write(t.Context(), Frame{Payload: speech}) == nil; n++ {
				if n == 100 {
					close(started)
				}
			}
		})
		calls.Go(func() {
			<-started
			s, err := take.Step(t.Context(), consent.Event{Kind: consent.Pressed, Key: '9', At: h.after(time.Millisecond)})
			if s != consent.Shredded || err != nil {
				t.Errorf("state %s: %v", s, err)
			}
		})
	}
	calls.Wait()
	if len(h.files()) != 0 {
		t.Errorf("%d files are left", len(h.files()))
	}
	if b := h.breaches(); len(b) > 0 {
		t.Errorf("found %s", b)
	}
	if countOf(h.said, fact.OptedOut) != 50 || countOf(h.said, fact.Noticed) != 50 {
		t.Errorf("reported %v", h.said)
	}
}

func countOf(all []fact.Act, a fact.Act) (n int) {
	for _, x := range all {
		if x == a {
			n++
		}
	}
	return n
}

// TestRawHours: a recording younger than raw-hours is carried into the next day; an older one dies with its file; one
// whose key died first is swept as well.
func TestRawHours(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	h.after(11 * time.Hour) // 23:00
	take := h.holding("call-1", "")
	h.spoken(take)
	h.step(take, consent.HungUp)
	midnight := func() {
		t.Helper()
		if err := h.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ring.Destroy(workspace.Default, h.ring.Today()); err != nil {
			t.Fatal(err)
		}
	}
	h.after(90 * time.Minute)
	midnight()
	a, err := h.Book.Open(t.Context(), workspace.Default, take.ID())
	if err != nil {
		t.Fatalf("an hour old, after midnight: %v", err)
	}
	_ = a.Close()
	h.after(23 * time.Hour)
	midnight()
	if _, err := h.Book.Open(t.Context(), workspace.Default, take.ID()); !errors.Is(err, ErrGone) || len(h.files()) != 0 {
		t.Errorf("a day old: %v, %d files", err, len(h.files()))
	}
	late := h.holding("call-2", "")
	h.step(late, consent.HungUp)
	h.after(48 * time.Hour)
	if _, err := h.ring.Destroy(workspace.Default, h.ring.Today()); err != nil { // the server was down at midnight
		t.Fatal(err)
	}
	if _, err := h.Book.Open(t.Context(), workspace.Default, late.ID()); !errors.Is(err, ErrGone) {
		t.Errorf("its day is over: %v", err)
	}
	midnight()
	if b := h.breaches(); len(b) > 0 || len(h.files()) != 0 {
		t.Errorf("found %s, %d files", b, len(h.files()))
	}
}

// TestWhoMayBeRecorded: the policy, and what people said before, decide how a call begins.
func TestWhoMayBeRecorded(t *testing.T) {
	t.Parallel()
	for basis, want := range map[workspace.Basis]consent.State{
		workspace.Deny: consent.Refused, workspace.Notice: consent.Noticing, workspace.OptIn: consent.Asking, workspace.OneParty: consent.Holding,
	} {
		h := newHouse(t, basis)
		if s := h.begin("call-1", "+12125550142").State(); s != want {
			t.Errorf("%s: %s, want %s", basis, s, want)
		}
		who, err := h.c.Persons.Of(t.Context(), workspace.Default, personal.New("+12125550199"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.c.Register.Say(t.Context(), workspace.Default, consent.Subject{Contact: who.Contact}, fact.OptedOut, consent.Everything, fact.ViaSMS); err != nil {
			t.Fatal(err)
		}
		refused := h.begin("call-2", "+1 (212) 555-0199")
		if s := h.step(refused, consent.Attested); s != consent.Refused {
			t.Errorf("%s: a person who refused is %s", basis, s)
		}
	}
	strict := newHouse(t, workspace.Notice)
	_, err := strict.c.Store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "opt-in-countries", Value: "EU"}}, "a test", "a test")
	if err != nil {
		t.Fatal(err)
	}
	for contact, want := range map[string]consent.State{"+4930901820": consent.Asking, "": consent.Asking, "+12125550142": consent.Noticing} {
		if s := strict.begin("call-"+contact, contact).State(); s != want {
			t.Errorf("%q: %s, want %s", contact, s, want)
		}
	}
	h := newHouse(t, workspace.OptIn)
	take := h.begin("call-3", "+12125550143")
	h.step(take, consent.NoticeStarted)
	if s := h.step(take, consent.NoticeEnded); s != consent.OptInWait {
		t.Fatalf("asked: %s", s)
	}
	if err := take.Write(t.Context(), Frame{Payload: speech}); !errors.Is(err, ErrStopped) {
		t.Errorf("a frame before the yes: %v", err)
	}
	if s, err := take.Step(t.Context(), consent.Event{Kind: consent.Pressed, Key: '1', By: fact.SideContact, At: h.after(time.Second)}); s != consent.Holding || err != nil {
		t.Fatalf("after the yes: %s, %v", s, err)
	}
	h.step(take, consent.HungUp)
	if known, err := h.c.Register.Known(t.Context(), workspace.Default, take.call, take.who); err != nil || known.Call.In != consent.Heard {
		t.Errorf("the yes is not in the register: %+v, %v", known, err)
	}
}

// TestWhoseRefusal: what the contact refuses holds for their later calls, though not for what they write; what the member
// refuses holds for that call.
func TestWhoseRefusal(t *testing.T) {
	t.Parallel()
	for by, next := range map[fact.Side]consent.State{fact.SideContact: consent.Refused, 0: consent.Refused, fact.SideMember: consent.Noticing} {
		h := newHouse(t, workspace.Notice)
		take := h.holding("call-1", "+12125550142")
		h.spoken(take)
		s, err := take.Step(t.Context(), consent.Event{Kind: consent.Pressed, Key: '9', By: by, At: h.after(time.Second)})
		if err != nil || s != consent.Shredded || len(h.files()) != 0 {
			t.Errorf("side %d: %s, %d files: %v", by, s, len(h.files()), err)
		}
		if s := h.begin("call-2", "+12125550142").State(); s != next {
			t.Errorf("side %d: the next call is %s, want %s", by, s, next)
		}
		known, err := h.c.Register.Known(t.Context(), workspace.Default, take.call, take.who)
		if err != nil || known.Call.Out != consent.Everything || known.Contact.Out != 0 || known.CallsOut != (next == consent.Refused) {
			t.Errorf("side %d: the register has %+v: %v", by, known, err)
		}
		again := consent.NewRegister(h.db, h.log, h.ring.Slow, h.clock) // as after a restart
		if stored, err := again.Known(t.Context(), workspace.Default, take.call, take.who); err != nil || stored != known {
			t.Errorf("side %d: stored is %+v: %v", by, stored, err)
		}
	}
}

func TestMediaOfAPlatform(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	wav := bytes.Repeat([]byte("RIFF and so on "), 10_000)
	head := Head{Workspace: workspace.Default, Source: "quo", CallID: "AC1", Contact: personal.New("+12125550142")}
	id, err := h.Store(t.Context(), head, bytes.NewReader(wav))
	if err != nil {
		t.Fatal(err)
	}
	a, err := h.Book.Open(t.Context(), workspace.Default, id)
	if err != nil || a.Kind != Media {
		t.Fatalf("kind %d: %v", a.Kind, err)
	}
	if got, err := io.ReadAll(a); err != nil || !bytes.Equal(got, wav) {
		t.Errorf("%d bytes came back: %v", len(got), err)
	}
	_ = a.Close()
	told, err := h.stories(t.Context())
	if err != nil || told[id.String()].state != "released" || countOf(h.said, fact.Noticed) != 1 {
		t.Errorf("%+v, reported %v: %v", told[id.String()], h.said, err)
	}

	// The verdict is asked before every open: who refuses later is not heard, even before the key is destroyed.
	if _, err := h.c.Register.Say(t.Context(), workspace.Default, consent.Subject{Call: callOf(t, h, id)}, fact.OptedOut, consent.Everything, fact.ViaAPI); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Book.Open(t.Context(), workspace.Default, id); !errors.Is(err, ErrRefused) {
		t.Errorf("opened after a refusal: %v", err)
	}
	if _, err := h.Store(t.Context(), head, neverRead{t}); !errors.Is(err, ErrRefused) {
		t.Errorf("fetched after a refusal: %v", err)
	}
	head.CallID = "AC2"
	if _, err := h.Store(t.Context(), head, io.MultiReader(bytes.NewReader(wav), broken{})); err == nil || len(h.files()) != 1 {
		t.Errorf("a fetch that broke off left %d files: %v", len(h.files()), err)
	}
}

func callOf(t *testing.T, h *house, id ID) fact.ID {
	t.Helper()
	rows, err := h.rows(t.Context(), `id = ?`, id[:])
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	return rows[0].call
}

type neverRead struct{ t *testing.T }

func (r neverRead) Read([]byte) (int, error) {
	r.t.Error("a refused recording was read")
	return 0, io.EOF
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestCheckNamesWhatDoesNotFit plants each fault into a released recording.
func TestCheckNamesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		plant func(h *house, id ID)
		want  string
	}{
		"a changed byte":   {func(h *house, id ID) { flip(h, id, 100_000) }, "changed"},
		"a changed header": {func(h *house, id ID) { flip(h, id, 40) }, "does not open"},
		"a cut file": {func(h *house, id ID) {
			if err := os.Truncate(h.path(id), 70_000); err != nil {
				h.t.Fatal(err)
			}
		}, "changed"},
		"a lost file":     {func(h *house, id ID) { _ = os.Remove(h.path(id)) }, "missing"},
		"a lost key":      {func(h *house, _ ID) { h.exec(`DELETE FROM recordings`) }, "its key is missing"},
		"a changed key":   {func(h *house, _ ID) { h.exec(`UPDATE recordings SET key = zeroblob(length(key))`) }, "does not open"},
		"a strange file":  {func(h *house, _ ID) { h.stranger() }, "a file without a key"},
		"no trace at all": {func(h *house, _ ID) { h.exec(`UPDATE recordings SET id = randomblob(16)`) }, "a key without a trace"},
		"a trace without a notice": {func(h *house, id ID) {
			h.append(ledger.Recording{Workspace: "default", ID: id.String(), State: "shredded", Rule: 1, Trace: []ledger.Move{{On: "hangup", To: "shredded"}}})
		}, "leads to released"},
		"a word that nobody knows": {func(h *house, id ID) {
			h.append(ledger.Recording{Workspace: "default", ID: id.String(), State: "shredded", Rule: 1, Trace: []ledger.Move{{On: "laughed", To: "shredded"}}})
		}, "not one the rule allows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			take := h.holding("call-1", "")
			h.spoken(take)
			h.step(take, consent.HungUp)
			if b := h.breaches(); len(b) > 0 {
				t.Fatalf("found %s", b)
			}
			f.plant(h, take.ID())
			if b := strings.Join(h.breaches(), "; "); !strings.Contains(b, f.want) {
				t.Errorf("found %q, want %q", b, f.want)
			}
		})
	}
}

func flip(h *house, id ID, at int) {
	h.t.Helper()
	b, err := os.ReadFile(h.path(id))
	if err == nil {
		b[at] ^= 1
		err = os.WriteFile(h.path(id), b, 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) stranger() {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir.Recordings(), strings.Repeat("ab", 16)), speech, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) append(e ledger.Recording) {
	h.t.Helper()
	if err := h.Book.append(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
}

// TestSweep: a file without a key and a key without a file are gone after a sweep, and the ledger says so. What no crash
// leaves is told until the next start; what a released recording is made of stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	h.stranger()
	lost := h.holding("call-1", "")
	h.step(lost, consent.HungUp)
	whole := h.holding("call-2", "")
	h.step(whole, consent.HungUp)
	unkeyed := h.holding("call-3", "")
	h.step(unkeyed, consent.HungUp)
	if err := os.Remove(h.path(lost.ID())); err != nil {
		t.Fatal(err)
	}
	h.exec(fmt.Sprintf(`DELETE FROM recordings WHERE id = x'%s'`, unkeyed.ID()))
	if n, err := h.Sweep(t.Context()); err != nil || n != 2 {
		t.Errorf("removed %d: %v", n, err)
	}
	want := []string{"murmur.db: recording " + unkeyed.ID().String() + ": released, and its key was missing at the start", "recordings/" + lost.ID().String() + ": missing at the start"}
	if b := h.breaches(); !slices.Equal(b, want) {
		t.Errorf("found %s", b)
	}
	if f := h.files(); !slices.Equal(f, []string{whole.ID().String()}) {
		t.Errorf("%d files are left", len(f))
	}
	a, err := h.Book.Open(t.Context(), workspace.Default, whole.ID())
	if err != nil {
		t.Fatalf("what was released is lost: %v", err)
	}
	_ = a.Close()
	again, err := Open(h.c) // the next start
	if err != nil {
		t.Fatal(err)
	}
	if n, err := again.Sweep(t.Context()); err != nil || n != 0 || len(again.lost) != 0 {
		t.Errorf("a second sweep removed %d: %v", n, err)
	}
}

func TestTheBookIsBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	h.c.Most = 2
	first := h.begin("call-1", "")
	h.begin("call-2", "")
	head := Head{Workspace: workspace.Default, CallID: "call-3"}
	if _, err := h.Begin(t.Context(), head); !errors.Is(err, ErrBusy) {
		t.Errorf("a third call: %v", err)
	}
	h.step(first, consent.HungUp) // over, and only remembered
	if _, err := h.Begin(t.Context(), head); err != nil {
		t.Errorf("after one ended: %v", err)
	}
	if _, err := h.Begin(t.Context(), head); !errors.Is(err, ErrBusy) {
		t.Errorf("the same call twice: %v", err)
	}
}

// TestTally: each end is counted once, by what led to it.
func TestTally(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	h.stranger() // of a process that crashed
	if _, err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := h.holding("call-1", "")
	h.step(kept, consent.HungUp)
	h.step(kept, consent.HungUp) // told twice
	h.step(h.holding("call-2", "+12125550142"), consent.SaidNo)
	h.begin("call-3", "+12125550142") // refused
	h.step(h.holding("call-4", ""), consent.TimedOut)
	h.holding("call-5", "")
	if err := h.Refuse(t.Context(), workspace.Default, consent.Subject{Call: kept.call}, fact.ViaAPI); err != nil {
		t.Fatal(err)
	}
	got := h.Tally()
	want := map[End]int{
		{consent.Released, consent.HungUp}: 1, {consent.OptedOut, consent.SaidNo}: 2, {consent.Refused, consent.Denied}: 1,
		{consent.Aborted, consent.TimedOut}: 1, {consent.Aborted, consent.Failed}: 1, {consent.Shredded, consent.Destroyed}: 4,
	}
	if got.Live != 1 || !maps.Equal(got.Ends, want) {
		t.Errorf("%d live, %v", got.Live, got.Ends)
	}
}

// TestARefusalWaitsForNobody: while another step waits for a disk, a refusal stops frames and zeroes the key, and not even
// what the cipher holds can reach the file.
func TestARefusalWaitsForNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	take := h.holding("call-1", "")
	h.spoken(take)
	tape := take.tape
	take.turn.Lock() // somebody waits for a disk
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = take.Step(context.Background(), consent.Event{Kind: consent.Pressed, Key: '9', At: h.after(time.Second)})
	}()
	for i := 0; !errors.Is(take.Write(t.Context(), Frame{Payload: speech}), ErrStopped); i++ {
		if i == 1_000_000 { // seconds
			t.Error("frames are kept while a refusal waits")
			break
		}
	}
	if s := take.State(); s != consent.Holding {
		t.Errorf("the step did not wait: %s", s)
	}
	if err := tape.write(make([]byte, 200<<10)); !errors.Is(err, ErrStopped) {
		t.Errorf("the cipher still reaches the file: %v", err)
	}
	take.turn.Unlock()
	<-done
	if s := take.State(); s != consent.Shredded || len(h.files()) != 0 {
		t.Errorf("%s, %d files", s, len(h.files()))
	}
}
