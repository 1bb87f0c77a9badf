package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
)

var began = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// letter is an event of the alphabet that orders are made of.
type letter struct {
	name  string
	after time.Duration // since the event before
	e     Event
}

// played is how long the notice of these tests is.
const played = 10 * time.Second

var alphabet = []letter{
	{"began", time.Second, Event{Kind: Began}},
	{"cleared", time.Second, Event{Kind: Cleared}},
	{"must ask", time.Second, Event{Kind: MustAsk}},
	{"denied", time.Second, Event{Kind: Denied}},
	{"notice started", time.Second, Event{Kind: NoticeStarted, Notice: Notice{ID: "usual", Length: played}}},
	{"notice ended", played, Event{Kind: NoticeEnded}},
	{"notice ended at once", 0, Event{Kind: NoticeEnded}},
	{"notice ended, the clock back", -time.Hour, Event{Kind: NoticeEnded}},
	{"hang-up, the clock back", -time.Hour, Event{Kind: HungUp}},
	{"attested", time.Second, Event{Kind: Attested}},
	{"key 9", time.Second, Event{Kind: Pressed, Key: '9'}},
	{"key 9, the clock back", -time.Hour, Event{Kind: Pressed, Key: '9'}},
	{"key 1", time.Second, Event{Kind: Pressed, Key: '1', By: fact.SideContact}},
	{"key 1 of the member", time.Second, Event{Kind: Pressed, Key: '1', By: fact.SideMember}},
	{"key 5", time.Second, Event{Kind: Pressed, Key: '5'}},
	{"yes", time.Second, Event{Kind: SaidYes, Via: fact.ViaAgent}},
	{"no", time.Second, Event{Kind: SaidNo, Via: fact.ViaSpeech}},
	{"no, a day later", 24 * time.Hour, Event{Kind: SaidNo, Via: fact.ViaSpeech}},
	{"suspended", time.Second, Event{Kind: Suspended}},
	{"resumed", time.Second, Event{Kind: Resumed}},
	{"hang-up", time.Second, Event{Kind: HungUp}},
	{"hang-up, a day later", 24 * time.Hour, Event{Kind: HungUp}},
	{"merged with holding", time.Second, Event{Kind: Merged, Other: Holding}},
	{"merged with noticing", time.Second, Event{Kind: Merged, Other: Noticing}},
	{"merged with paused", time.Second, Event{Kind: Merged, Other: Paused}},
	{"merged with opted out", time.Second, Event{Kind: Merged, Other: OptedOut}},
	{"timed out", time.Second, Event{Kind: TimedOut}},
	{"failed", time.Second, Event{Kind: Failed}},
	{"expired", time.Second, Event{Kind: Expired}},
	{"unheard of", time.Second, Event{Kind: Unheard}},
	{"of no kind", time.Second, Event{Kind: 99}},
}

// world is what the effects of a call have done, and what its events meant: it knows the promises and not the table.
type world struct {
	call Call
	now  time.Time
	promised
}

type promised struct {
	cleared, asked, yes bool          // by the register; the policy wants a yes; the person agreed
	no, remembered      bool          // the person refused; the register knows
	playing, heard      bool          // the notice has begun; was sent to its end, or attested
	since, inState      time.Duration // since the notice began; in this state
	keeping             bool          // frames are kept
	inMemory, file      bool
	accounted, stored   bool
	halted, hungUp      bool // a person suspended it; the call ended
	wrong, over         bool // something happened that must end the call; it was over before
}

// key is all that a world's future depends on.
func (w *world) key() string {
	p := w.promised
	p.since, p.inState = min(p.since, 2*played), min(p.inState, 5*time.Minute)
	return fmt.Sprint(w.call.state, w.call.began.IsZero(), w.call.notice.Length, p)
}

// take lets an event happen; broken makes the effects fail that can.
func (w *world) take(table []move, l letter, broken bool) error {
	e := l.e
	if e.At = w.now.Add(l.after); l.after > 0 {
		w.now = e.At
	}
	w.mean(l, e)
	if err := w.obey(table, e, broken); err != nil {
		return err
	}
	if err := w.keepsPromises(); err != nil {
		return fmt.Errorf("%w, after %s", err, l.name)
	}
	w.over = w.call.state.Over()
	return nil
}

// mean notes what the event says, whatever the machine makes of it.
func (w *world) mean(l letter, e Event) {
	before := w.call.state
	if l.after > 0 {
		w.since, w.inState = w.since+l.after, w.inState+l.after
	}
	switch {
	case e.Kind == SaidNo, e.Kind == Pressed && e.Key == '9':
		w.no = true
		return
	case before.Over():
		return
	case l.after < 0, before.Limit() > 0 && w.inState > before.Limit():
		w.wrong = true
		return
	}
	switch e.Kind {
	case Cleared:
		w.cleared = w.cleared || before == Screening
	case MustAsk:
		w.cleared, w.asked = w.cleared || before == Screening, true
	case SaidYes:
		w.yes = true
	case Pressed:
		w.yes = w.yes || e.Key == '1' && e.By == fact.SideContact
	case NoticeStarted:
		w.wrong = w.wrong || w.playing
		w.playing, w.since = true, 0
	case NoticeEnded:
		full := w.playing && w.since >= played-Skew
		w.heard, w.wrong = w.heard || full, w.wrong || !full
	case Attested:
		w.heard = true
	case HungUp:
		w.hungUp = true
	case Suspended:
		w.halted = true
	case Resumed:
		w.halted = false
	case Merged:
		w.halted = w.halted || e.Other == Paused
		w.no = w.no || e.Other == OptedOut
		w.wrong = w.wrong || e.Other == Noticing
	case TimedOut, Failed, Expired, Unheard, 99:
		w.wrong = true
	}
}

// obey carries out effects as their owner must.
func (w *world) obey(table []move, e Event, broken bool) error {
	before := w.call.state
	effects := w.call.step(table, e)
	if w.call.state != before {
		w.inState = 0
	}
	shredding := slices.Contains(effects, Destroy)
	for _, effect := range effects {
		fails := broken && (effect == Start || effect == Account || effect == Keep)
		if fails && !shredding && before != Screening {
			w.keeping, w.wrong = false, true
			return w.obey(table, Event{Kind: Failed, At: e.At}, false)
		}
		switch {
		case fails: // tried again later
		case effect == Start:
			w.keeping, w.inMemory, w.file = true, true, true
		case effect == Stop:
			w.keeping = false
		case effect == Destroy:
			w.inMemory, w.file, w.stored = false, false, false
			w.call.step(table, Event{Kind: Destroyed, At: e.At})
		case effect == Remember:
			w.remembered = true
		case effect == Account:
			w.accounted = true
		case effect == Keep && !w.accounted:
			return errors.New("a key is stored before the ledger was written")
		case effect == Keep:
			w.stored, w.inMemory = w.file, false
		}
	}
	return nil
}

// keepsPromises is the list of the invariants.
func (w *world) keepsPromises() error {
	s, agreed := w.call.state, w.heard && w.cleared && (!w.asked || w.yes)
	for _, p := range []struct {
		kept bool
		said string
	}{
		{!w.keeping || agreed, "frames are kept before the notice was sent to its end, or without the yes that is needed"},
		{!w.keeping || !w.no && !w.wrong, "frames are kept after a refusal or a fault"},
		{!w.keeping || s == Holding, "frames are kept in the state " + s.String()},
		{!w.keeping || !w.halted, "a recording that was suspended goes on without a person"},
		{!w.keeping || !w.hungUp, "frames are kept after the end"},
		{!w.stored || agreed && !w.no && !w.wrong && w.hungUp, "a key is stored without a whole notice, against a refusal, or before the end"},
		{w.stored == (s == Released), "a key is stored in another state than released, or is missing there"},
		{!w.no || s.Over() && s != Released, "a refusal leaves the call in the state " + s.String()},
		{!w.no || w.remembered, "a refusal is not remembered"},
		{!w.wrong || s.Over() && s != Released, "a fault leaves the call in the state " + s.String()},
		{!s.Over() || s == Released || !w.inMemory && !w.file && !w.stored, "something of the audio is left in the state " + s.String()},
		{!w.over || s.Over(), "a call that was over goes on"},
		{s != OptedOut && s != Aborted, "nothing was destroyed in the state " + s.String()},
	} {
		if !p.kept {
			return errors.New(p.said)
		}
	}
	return nil
}

// everyOrder walks all orders of events up to a length, each with a working and with a failing disk at every event.
// With merge, orders that lead to the same world are followed once: what can happen after them is the same.
func everyOrder(table []move, length int, merge bool) (worlds, steps int, err error) {
	type node struct {
		w    world
		path []string
	}
	level, seen := []node{{w: world{now: began}}}, map[string]bool{}
	for range length {
		var next []node
		for _, n := range level {
			for _, l := range alphabet {
				for _, broken := range []bool{false, true} {
					steps++
					w := n.w
					w.call.trace = slices.Clone(n.w.call.trace)
					path := append(slices.Clone(n.path), l.name)
					if err := w.take(table, l, broken); err != nil {
						return 0, steps, fmt.Errorf("%w: %s (disk fails: %v)", err, strings.Join(path, ", "), broken)
					}
					if k := w.key(); !merge || !seen[k] {
						seen[k] = true
						next = append(next, node{w, path})
					}
				}
			}
		}
		level = next
	}
	return len(seen), steps, nil
}

// TestEveryOrderOfEvents is the model check: 31 events, each with a working and a failing disk, in every order up to
// eight. A refusal, a fault or a lie about the notice at any place leaves nothing.
func TestEveryOrderOfEvents(t *testing.T) {
	t.Parallel()
	worlds, steps, err := everyOrder(moves, 8, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d different worlds, %d steps", worlds, steps)
	if worlds < 500 {
		t.Errorf("only %d worlds were reached", worlds)
	}
}

// TestMergedWorldsHideNothing walks every order up to three without merging, and finds the same worlds.
func TestMergedWorldsHideNothing(t *testing.T) {
	t.Parallel()
	merged, _, err1 := everyOrder(moves, 3, true)
	all, _, err2 := everyOrder(moves, 3, false)
	if err1 != nil || err2 != nil || merged != all {
		t.Errorf("%d worlds when merged (%v), %d when not (%v)", merged, err1, all, err2)
	}
}
