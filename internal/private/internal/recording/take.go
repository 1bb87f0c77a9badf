package recording

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/workspace"
)

// Take is one live call: its consent machine, and the file while there is one. It is safe for concurrent use: one
// goroutine may write frames while another says that the person refused.
type Take struct {
	book    *Book
	head    Head
	call    fact.ID
	who     anon.Contact      // invalid: withheld
	country string            // of who, ISO 3166; empty: not known
	people  []identity.Person // all outside parties; who is the first
	kind    Kind
	id      ID

	turn  sync.Mutex // one Step at a time; held while disks are waited for
	mu    sync.Mutex // over what follows; never held while anything is waited for
	m     consent.Call
	basis string   // on what ground, as the ledger spells it
	key   *callKey // nil: none yet, or zeroed
	tape  *tape    // nil: no file
	kept  bool     // the key is stored
	buf   []byte   // of Write
	told  int      // moves of the trace that the ledger has

	// Held by turn.
	owed     []func(context.Context) error // what could not be done yet
	reported map[fact.Act]bool             // as facts
}

func (t *Take) ref() callRef { return callRef{t.head.Workspace, t.call} }

// State is the state of the call.
func (t *Take) State() consent.State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.m.State()
}

// ID is the recording's id; there is a recording once the state is Released.
func (t *Take) ID() ID { return t.id }

// Step tells the machine what happened and does what follows: when it returns, the state and its effects are durable. A
// refusal stops Write and zeroes the key before anything is waited for. An error means that a part of murmur failed; the
// recording is then being destroyed, and the next Step, Expire or Close repeats what could not be written.
func (t *Take) Step(ctx context.Context, e consent.Event) (consent.State, error) {
	ctx = context.WithoutCancel(ctx) // effects of an event are all done or none
	t.halt(e)
	t.turn.Lock()
	defer t.turn.Unlock()
	err := errors.Join(t.settle(ctx), t.step(ctx, e))
	return t.State(), err
}

// halt stops frames at once for an event that ends the recording, even while another Step waits for the disk.
func (t *Take) halt(e consent.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m.Destroys(e) {
		t.blind()
	}
}

// blind zeroes the key and prevents further writes to the file. t.mu is held.
func (t *Take) blind() {
	if t.key != nil {
		t.key.zero()
		t.key = nil
	}
	if t.tape != nil {
		t.tape.cut.Store(true)
	}
	clear(t.buf)
}

func (t *Take) step(ctx context.Context, e consent.Event) error {
	t.mu.Lock()
	effects := t.advance(e)
	if slices.Contains(effects, consent.Destroy) {
		t.blind()
	}
	if e.Kind == consent.Attested && t.basis == string(workspace.Notice) {
		t.basis = basisStated
	}
	t.mu.Unlock()
	var errs []error
	for i, effect := range effects {
		err := t.do(ctx, effect, effects[i+1:])
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("%s: %w", effect, err))
		if slices.Contains(effects, consent.Destroy) || !slices.Contains(effects, consent.Start) && !slices.Contains(effects, consent.Keep) {
			t.owe(func(ctx context.Context) error { return t.do(ctx, effect, nil) })
			continue
		}
		errs = append(errs, t.step(ctx, consent.Event{Kind: consent.Failed, At: e.At}))
		break
	}
	return errors.Join(errs...)
}

func (t *Take) owe(f func(context.Context) error) { t.owed = append(t.owed, f) }

// settle tries again what could not be done.
func (t *Take) settle(ctx context.Context) error {
	var errs []error
	owed := t.owed
	t.owed = nil
	for _, f := range owed {
		if err := f(ctx); err != nil {
			t.owe(f)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (t *Take) do(ctx context.Context, effect consent.Effect, then []consent.Effect) error {
	switch effect {
	case consent.Start:
		return t.start()
	case consent.Destroy:
		return t.destroy(ctx)
	case consent.Remember:
		return t.remember(ctx)
	case consent.Account:
		return t.account(ctx, slices.Contains(then, consent.Keep))
	}
	return nil // Stop is what State says; Keep was done with Account
}

// start makes the key and the file, if the call is recorded here.
func (t *Take) start() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.head.Elsewhere || t.tape != nil {
		return nil
	}
	return t.load()
}

func (t *Take) load() error {
	k := &callKey{ws: t.head.Workspace, id: t.id}
	if _, err := io.ReadFull(t.book.c.Rand, k.key[:]); err != nil {
		return err
	}
	tape, err := newTape(t.book.c, k, t.kind)
	if err != nil {
		k.zero()
		return err
	}
	t.key, t.tape = k, tape
	return nil
}

// Write keeps a frame. ErrStopped while none may be kept; after any other error (a full disk) the recording is
// already being destroyed.
func (t *Take) Write(ctx context.Context, f Frame) error {
	err := t.write(f)
	if err == nil || errors.Is(err, ErrStopped) || errors.Is(err, ErrFrame) {
		return err
	}
	_, failed := t.Step(ctx, consent.Event{Kind: consent.Failed, At: t.book.c.Now()})
	return errors.Join(fmt.Errorf("keep frame: %w", err), failed)
}

func (t *Take) write(f Frame) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m.State() != consent.Holding || t.key == nil || t.tape == nil {
		return ErrStopped
	}
	var err error
	if t.buf, err = f.append(t.buf[:0]); err != nil {
		return err
	}
	if err = t.tape.write(t.buf); err != nil {
		t.blind()
	}
	return err
}

// destroy removes what was kept, and says so to the machine.
func (t *Take) destroy(ctx context.Context) error {
	t.mu.Lock()
	t.blind()
	tape, kept := t.tape, t.kept
	t.mu.Unlock()
	var err error
	if kept {
		err = t.book.forget(ctx, t.head.Workspace, t.id, nil)
	}
	if tape != nil {
		err = errors.Join(err, tape.shred())
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tape, t.kept = nil, false
	t.advance(consent.Event{Kind: consent.Destroyed, At: t.book.c.Now()})
	return nil
}

// advance takes the machine on. t.mu is held.
func (t *Take) advance(e consent.Event) []consent.Effect {
	before := len(t.m.Evidence().Trace)
	effects := t.m.Step(e)
	t.book.ends.add(&t.m, before)
	return effects
}

// remember writes the refusal into the register: for this call and, when the contact refused, for their later ones.
func (t *Take) remember(ctx context.Context) error {
	t.mu.Lock()
	ev := t.m.Evidence()
	t.mu.Unlock()
	about := []consent.Subject{{Call: t.call}}
	if t.who.Valid() && ev.Theirs {
		about = append(about, consent.Subject{Contact: t.who, Calls: true})
	}
	for _, s := range about {
		if _, err := t.book.c.Register.Say(ctx, t.head.Workspace, s, fact.OptedOut, consent.Everything, ev.Via); err != nil {
			return err
		}
	}
	return t.report(ctx, fact.OptedOut, ev.Via)
}

func (t *Take) report(ctx context.Context, a fact.Act, via fact.Via) error {
	if t.reported[a] {
		return nil
	}
	err := t.book.c.Report(ctx, t.head, a, via)
	if err == nil {
		t.reported[a] = true
	}
	return err
}

// account writes what the ledger does not have of the trace and, with keep, then the sealed key, in one transaction.
func (t *Take) account(ctx context.Context, keep bool) error {
	t.mu.Lock()
	ev, tape := t.m.Evidence(), t.tape
	entry := t.entry(ev)
	keep = keep && tape != nil
	entry.Kept = keep
	var key callKey
	gone := keep && t.key == nil
	if keep && !gone {
		key = *t.key
	}
	t.mu.Unlock()
	defer key.zero()
	if gone {
		return ErrStopped // refused this very moment
	}
	if len(entry.Trace) == 0 {
		return nil
	}
	if keep {
		if err := tape.finish(); err != nil {
			return err
		}
	}
	err := t.book.c.DB.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := t.book.c.Ledger.Append(ctx, tx, entry); err != nil || !keep {
			return err
		}
		return t.book.keep(ctx, tx, t, &key)
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	if t.told = len(ev.Trace); keep {
		t.blind()
		t.tape, t.kept = nil, true
	}
	t.mu.Unlock()
	t.tell(ctx, ev, entry.Basis)
	return nil
}

// tell makes facts of what was just written down: a notice that was sent to its end, or stated, and a yes. What fails is
// owed.
func (t *Take) tell(ctx context.Context, ev consent.Evidence, basis string) {
	released := t.State() == consent.Released
	also := func(f func(context.Context) error) {
		if f(ctx) != nil {
			t.owe(f)
		}
	}
	if !ev.To.IsZero() {
		also(func(ctx context.Context) error { return t.report(ctx, fact.Noticed, fact.ViaAPI) })
	} else if released && basis == basisStated {
		also(func(ctx context.Context) error { return t.report(ctx, fact.Noticed, fact.ViaPolicy) })
	}
	yes := slices.ContainsFunc(ev.Trace, func(m consent.Move) bool { return m.On == consent.SaidYes })
	if released && yes {
		also(func(ctx context.Context) error {
			_, err := t.book.c.Register.Say(ctx, t.head.Workspace, consent.Subject{Call: t.call}, fact.OptedIn, consent.Heard, ev.Via)
			return err
		})
	}
}

// settled reports whether the call is over and nothing of its end is owed.
func (t *Take) settled() bool {
	if !t.turn.TryLock() {
		return false
	}
	defer t.turn.Unlock()
	return len(t.owed) == 0 && t.State().Over()
}

// retry does what could not be done yet.
func (t *Take) retry(ctx context.Context) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	return t.settle(context.WithoutCancel(ctx))
}

// Close ends the call: one that is not over is aborted, which destroys what was kept. It is an error when something of
// the end could not be written; the book tries again.
func (t *Take) Close(ctx context.Context) error {
	var err error
	if !t.State().Over() {
		_, err = t.Step(ctx, consent.Event{Kind: consent.Failed, At: t.book.c.Now()})
	}
	if err = errors.Join(err, t.retry(ctx)); err == nil {
		t.book.drop(t)
	}
	return err
}
