package recording

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"murmur/internal/ledger"
	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// Trace reads the moves of ledger entries. consent.ErrTrace for a word that the rule does not have.
func Trace(all []ledger.Move) ([]consent.Move, error) {
	out := make([]consent.Move, len(all))
	for i, m := range all {
		on, ok1 := consent.ParseEvent(m.On)
		to, ok2 := consent.ParseState(m.To)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("move %d: %w", i+1, consent.ErrTrace)
		}
		out[i] = consent.Move{On: on, To: to, At: timeOf(m.At)}
	}
	return out, nil
}

// story is what the ledger tells of one recording.
type story struct {
	ws    workspace.ID
	trace []ledger.Move
	state string
	kept  bool
}

// released reports whether a recording's key must be stored; no story, no key.
func (s *story) released() bool { return s != nil && s.kept && s.state == consent.Released.String() }

// damage is something that is wrong, and where in the data directory.
type damage struct{ file, what string }

// Check replays what the ledger tells of every recording and compares it with the keys and files that there are: every
// file needs a key, every key a trace that ends in released, every released trace its key; and every file must open.
// What Sweep found and put right is told as well. breach is called with a place in the data directory and what is wrong.
func (b *Book) Check(ctx context.Context, breach func(file, what string)) error {
	for _, l := range b.lost {
		breach(l.file, l.what)
	}
	told, err := b.stories(ctx)
	if err != nil {
		return err
	}
	for id, s := range told {
		trace, err := Trace(s.trace)
		var end consent.State
		if err == nil {
			end, err = consent.Replay(trace)
		}
		if err == nil && end.String() != s.state {
			err = fmt.Errorf("it ends in %s, not in %s: %w", end, s.state, consent.ErrTrace)
		}
		if err != nil {
			breach("murmur.db", fmt.Sprintf("recording %s: %s", id, err))
		}
	}
	all, err := b.rows(ctx, `1 = 1`)
	if err != nil {
		return err
	}
	stored := map[string]bool{}
	for _, r := range all {
		name := r.id.String()
		stored[name] = true
		if s := told[name]; !s.released() || s.ws != r.ws {
			breach("murmur.db", fmt.Sprintf("recording %s: a key without a trace that ends in released", name))
		}
		if err := b.whole(ctx, r); err != nil {
			breach("recordings/"+name, err.Error())
		}
	}
	for id, s := range told {
		if s.released() && !stored[id] {
			breach("murmur.db", fmt.Sprintf("recording %s: released, and its key is missing", id))
		}
	}
	return b.strangers(stored, breach)
}

func (b *Book) stories(ctx context.Context) (map[string]*story, error) {
	workspaces, err := b.c.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	told := map[string]*story{}
	for _, ws := range workspaces {
		err := b.c.Ledger.Entries(ctx, ws.String(), ledger.Filter{Kind: "recording"}, func(r ledger.Record) error {
			e, ok := r.Entry.(ledger.Recording)
			if !ok {
				return nil
			}
			s := told[e.ID]
			if s == nil {
				s = &story{ws: ws}
				told[e.ID] = s
			}
			s.trace, s.state, s.kept = append(s.trace, e.Trace...), e.State, s.kept || e.Kept
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return told, nil
}

// whole reads a recording to its end: each block of the file is authenticated. A recording whose day's key is
// destroyed does not have to open.
func (b *Book) whole(ctx context.Context, r row) error {
	a, err := b.unseal(r)
	switch {
	case errors.Is(err, errDead):
		return nil
	case errors.Is(err, ErrGone):
		return errors.New("missing")
	case err != nil:
		return errors.New("does not open")
	}
	defer a.Close()
	if _, err := io.Copy(io.Discard, a); err != nil {
		return errors.New("changed")
	}
	return ctx.Err()
}

// strangers names files that belong to no key and to no live call.
func (b *Book) strangers(stored map[string]bool, breach func(file, what string)) error {
	entries, err := os.ReadDir(b.c.Dir)
	if err != nil {
		return fmt.Errorf("check recordings: %w", err)
	}
	for _, t := range b.takes(func(*Take) bool { return true }) {
		stored[t.ID().String()] = true
	}
	for _, e := range entries {
		if !stored[e.Name()] {
			breach("recordings/"+e.Name(), "a file without a key")
		}
	}
	return nil
}
