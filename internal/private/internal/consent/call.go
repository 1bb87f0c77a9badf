package consent

import (
	"slices"
	"time"

	"murmur/internal/fact"
)

// State is the state of a live call. The names are those of docs/consent.md and of receipts.
type State int8

const (
	New       State = iota // announced, nobody was asked
	Screening              // the register and the policy are being asked
	Noticing               // the notice is due, or being sent
	Asking                 // the same, and the notice is a question: the policy requires an agreement
	OptInWait              // the question was sent to its end, the answer is awaited
	Holding                // frames are kept under a key that is in memory alone
	Paused                 // no frame is kept until a person resumes (card numbers)
	Released               // the call is over and its key is stored
	Refused                // nothing was or will be recorded
	OptedOut               // a person refused: what was kept is being destroyed
	Aborted                // something failed: what was kept is being destroyed
	Shredded               // no key, no file
)

var stateNames = [...]string{"new", "screening", "noticing", "asking", "opt_in_wait", "holding", "paused", "released", "refused", "opted_out", "aborted", "shredded"}

func (s State) String() string { return nameOf(stateNames[:], int(s)) }

// Over reports whether nothing will be recorded any more.
func (s State) Over() bool { return s >= Released }

// EventKind is what happened to a call.
type EventKind int8

const (
	Unheard       EventKind = iota // an event that this version does not know; the recording is destroyed
	Began                          // the call was announced
	Cleared                        // register and policy: a notice suffices
	MustAsk                        // register and policy: only with an agreement
	Denied                         // register or policy: no
	NoticeStarted                  // the first frame of the notice was sent
	NoticeEnded                    // the last one was sent, and nobody hung up before
	Attested                       // no notice of ours: the policy states the platform's own, or that one party suffices
	Pressed                        // a key; Event.Key
	SaidYes                        // the person agreed
	SaidNo                         // the person refused
	Suspended                      // no recording for now
	Resumed                        // a person goes on with it
	HungUp                         // the call is over
	Merged                         // with another call, in the state Event.Other; here: with one that may be recorded too
	TimedOut                       // a state lasted too long
	Failed                         // the ledger, the disk or the clock failed
	Expired                        // raw-hours are over, or the person was erased
	Destroyed                      // key and file are gone
)

var eventNames = [...]string{"unknown", "began", "cleared", "must_ask", "denied", "notice_started", "notice_ended", "attested", "key", "opted_in", "opted_out",
	"suspended", "resumed", "hangup", "merged", "timed_out", "failed", "expired", "destroyed"}

func (k EventKind) String() string { return nameOf(eventNames[:], int(k)) }

// Effect is what the owner of a call must do, in the order given. When Start, Account or Keep fails before the call is
// over, the rest are not done and the event Failed follows; when the recording is being destroyed, every effect is
// tried, and tried again.
type Effect int8

const (
	Start    Effect = iota + 1 // keep frames from here on, under a key in memory
	Stop                       // keep no frame from here on
	Destroy                    // zero the key, cut and remove the file; then say Destroyed
	Remember                   // the refusal goes into the register, for this call and, if it is the contact's, later ones
	Account                    // the call's trace goes into the ledger
	Keep                       // the key is sealed and stored; always after Account
)

var effectNames = [...]string{"", "start", "stop", "destroy", "remember", "account", "keep"}

func (e Effect) String() string { return nameOf(effectNames[:], int(e)) }

func nameOf(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return "unknown"
	}
	return names[i]
}

// rest is the row for every event that a state does not name.
const rest EventKind = -1

type move struct {
	in   State
	on   EventKind
	to   State
	must []Effect
}

var (
	shred = []Effect{Stop, Destroy, Account}
	erase = []Effect{Stop, Destroy, Remember, Account}
)

// moves is the complete table of state changes: Holding follows only a notice that was sent to its end, or an
// attestation; Released follows only a hang-up after that. docs/consent.md prints this table.
var moves = []move{
	{New, Began, Screening, nil},
	{New, SaidNo, OptedOut, erase},
	{New, rest, Aborted, shred},

	{Screening, Cleared, Noticing, nil},
	{Screening, MustAsk, Asking, nil},
	{Screening, Denied, Refused, []Effect{Stop, Account}},
	{Screening, SaidNo, OptedOut, erase},
	{Screening, rest, Aborted, shred},

	{Noticing, NoticeStarted, Noticing, nil},
	{Noticing, Pressed, Noticing, nil},
	{Noticing, SaidYes, Noticing, nil},
	{Noticing, Merged, Noticing, nil},
	{Noticing, NoticeEnded, Holding, []Effect{Start}},
	{Noticing, Attested, Holding, []Effect{Start}},
	{Noticing, SaidNo, OptedOut, erase},
	{Noticing, rest, Aborted, shred},

	{Asking, NoticeStarted, Asking, nil},
	{Asking, Pressed, Asking, nil},
	{Asking, Merged, Asking, nil},
	{Asking, SaidYes, Noticing, nil},
	{Asking, NoticeEnded, OptInWait, nil},
	{Asking, SaidNo, OptedOut, erase},
	{Asking, rest, Aborted, shred},

	{OptInWait, Pressed, OptInWait, nil},
	{OptInWait, Merged, OptInWait, nil},
	{OptInWait, SaidYes, Holding, []Effect{Start}},
	{OptInWait, SaidNo, OptedOut, erase},
	{OptInWait, rest, Aborted, shred},

	{Holding, Pressed, Holding, nil},
	{Holding, SaidYes, Holding, nil},
	{Holding, Merged, Holding, nil},
	{Holding, Suspended, Paused, []Effect{Stop}},
	{Holding, HungUp, Released, []Effect{Stop, Account, Keep}},
	{Holding, SaidNo, OptedOut, erase},
	{Holding, rest, Aborted, shred},

	{Paused, Pressed, Paused, nil},
	{Paused, SaidYes, Paused, nil},
	{Paused, Merged, Paused, nil},
	{Paused, Suspended, Paused, nil},
	{Paused, Resumed, Holding, []Effect{Start}},
	{Paused, HungUp, Released, []Effect{Stop, Account, Keep}},
	{Paused, SaidNo, OptedOut, erase},
	{Paused, rest, Aborted, shred},

	{Released, Pressed, Released, nil},
	{Released, HungUp, Released, nil},
	{Released, Expired, Shredded, []Effect{Destroy, Account}},
	{Released, SaidNo, OptedOut, erase},
	{Released, rest, Aborted, shred},

	{Refused, SaidNo, Refused, []Effect{Remember}},
	{Refused, rest, Refused, nil},

	{OptedOut, Destroyed, Shredded, nil},
	{OptedOut, rest, OptedOut, nil},

	{Aborted, Destroyed, Shredded, nil},
	{Aborted, SaidNo, Aborted, []Effect{Remember}},
	{Aborted, rest, Aborted, nil},

	{Shredded, SaidNo, Shredded, []Effect{Remember}},
	{Shredded, rest, Shredded, nil},
}

// Limit is how long a call may stay in a state before the event TimedOut; 0: for ever.
func (s State) Limit() time.Duration {
	return [...]time.Duration{
		New: 30 * time.Second, Screening: 30 * time.Second, Noticing: 3 * time.Minute, Asking: 3 * time.Minute, OptInWait: time.Minute,
		Holding: 4 * time.Hour, Paused: 4 * time.Hour, Shredded: 0,
	}[s]
}

// Skew is how much earlier than its predecessor an event may be dated, because reports may arrive out of order.
const Skew = 2 * time.Second

// Rule is the version of this file's rule, named in every receipt.
const Rule = 1

// Notice is what a person was told before anything was recorded.
type Notice struct {
	ID       string        // the business's name of it: a-z, 0-9 and -
	Language string        // BCP 47: en, de, pt-BR
	Audio    [32]byte      // SHA-256 of the audio as sent; zero: not known
	Length   time.Duration // of the audio; 0: not known
}

// Event is one thing that happened. At is when; two events of one kind and time are one, reported twice.
type Event struct {
	Kind   EventKind
	At     time.Time
	Key    byte      // Pressed: 0-9, *, #
	By     fact.Side // Pressed, SaidNo: who; a member's refusal is about this call alone, and only the contact agrees by key
	Via    fact.Via  // SaidYes, SaidNo
	Notice Notice    // NoticeStarted
	Other  State     // Merged
}

// Move is a step of a call's trace: what was taken for the event, and the state after it.
type Move struct {
	On EventKind
	To State
	At time.Time
}

// Call is the machine of one call. It does nothing by itself: it has no clock and no memory beyond its fields, so the
// same events give the same effects. The zero value is New with the keys 9 (no) and 1 (yes). Not safe for concurrent use.
type Call struct {
	No, Yes byte // keys that refuse and agree; 0: '9', '1'

	state  State
	since  time.Time // of state
	last   time.Time // of the event before
	notice Notice
	began  time.Time // of the notice; zero: not begun
	ended  time.Time // zero: not sent to its end
	via    fact.Via  // of what the person said last that counted
	key    byte      // with which; 0: no key
	theirs bool      // a refusal was the contact's
	trace  []Move
}

// Ended is the machine of a call that is over: only a refusal or the end of raw-hours may still happen.
func Ended(s State, at time.Time) *Call { return &Call{state: s, since: at, last: at} }

// State is the state of the call.
func (c *Call) State() State { return c.state }

// Since is when the call came into its state; zero: it is New.
func (c *Call) Since() time.Time { return c.since }

// Step takes an event and says what must be done.
func (c *Call) Step(e Event) []Effect { return c.step(moves, e) }

func (c *Call) step(table []move, e Event) []Effect {
	if c.seen(e) {
		return nil
	}
	kind := c.judge(e)
	if !c.state.Over() {
		c.last = e.At
	}
	m := lookup(table, c.state, kind)
	c.note(kind, e, m)
	if m.to != c.state {
		c.state, c.since = m.to, e.At
	}
	return m.must
}

// Destroys reports whether an event would destroy what was kept; it changes nothing.
func (c *Call) Destroys(e Event) bool {
	probe := *c
	probe.trace = slices.Clone(c.trace)
	return slices.Contains(probe.Step(e), Destroy)
}

// seen reports whether an event was reported before.
func (c *Call) seen(e Event) bool {
	for _, m := range c.trace {
		if m.On == e.Kind && m.At.Equal(e.At) && e.Kind != Failed {
			return true
		}
	}
	return false
}

// lookup finds the row of the table.
func lookup(table []move, s State, k EventKind) move {
	for _, m := range table {
		if m.in == s && (m.on == k || m.on == rest) {
			return m
		}
	}
	return move{in: s, to: Aborted, must: shred} // no state of the table: nothing is kept
}

// judge says what an event is worth: what cannot be true is Failed, what comes too late TimedOut, a key what it means.
func (c *Call) judge(e Event) EventKind {
	switch {
	case e.Kind == Destroyed:
		return Destroyed // says nothing about the call
	case e.Kind == SaidNo:
		return SaidNo // a refusal holds whatever its clock says
	case e.Kind == Pressed && e.Key == c.no():
		return SaidNo
	case c.state.Over():
		return e.Kind
	case e.At.IsZero() || e.At.Before(c.last.Add(-Skew)):
		return Failed
	case c.late(e.At):
		return TimedOut
	}
	switch e.Kind {
	case Pressed:
		if e.Key == c.yes() && e.By == fact.SideContact {
			return SaidYes
		}
	case NoticeStarted:
		if !c.began.IsZero() {
			return Failed // one call, one notice: a second one means that the first did not reach its end
		}
	case NoticeEnded:
		if c.began.IsZero() || e.At.Sub(c.began) < c.notice.Length-Skew {
			return Failed // queued is not sent
		}
	case Merged:
		return merged(e.Other)
	}
	return e.Kind
}

// merged takes the stricter of two calls: what the other one is not ready for, this one may not go on with.
func merged(other State) EventKind {
	switch other {
	case Holding, Released:
		return Merged
	case Paused:
		return Suspended
	case OptedOut:
		return SaidNo
	}
	return Failed
}

func (c *Call) late(at time.Time) bool {
	limit := c.state.Limit()
	return limit > 0 && !c.since.IsZero() && at.Sub(c.since) > limit
}

// Overdue reports whether the call has been in its state for too long; its owner then says TimedOut.
func (c *Call) Overdue(now time.Time) bool { return c.late(now) }

func (c *Call) no() byte  { return orElse(c.No, '9') }
func (c *Call) yes() byte { return orElse(c.Yes, '1') }

func orElse(key, usual byte) byte {
	if key == 0 {
		return usual
	}
	return key
}

// note keeps what the receipt shows. Keys that mean nothing are not kept: they may be somebody's card.
func (c *Call) note(k EventKind, e Event, m move) {
	switch k {
	case NoticeStarted:
		c.began, c.notice = e.At, e.Notice
	case NoticeEnded:
		c.ended = e.At
	case SaidYes, SaidNo:
		c.via, c.key = e.Via, 0
		if e.Kind == Pressed {
			c.via, c.key = fact.ViaDTMF, e.Key
		}
		c.theirs = c.theirs || k == SaidNo && e.By != fact.SideMember
	}
	counts := m.to != c.state || k == NoticeStarted || k == SaidYes
	if counts && (len(c.trace) < maxTrace || m.to.Over()) && len(c.trace) < 2*maxTrace {
		c.trace = append(c.trace, Move{On: k, To: m.to, At: e.At})
	}
}

// maxTrace bounds what a caller who plays with keys can make a receipt hold. The end is always noted: it is a few moves.
const maxTrace = 40

// Evidence is what is written down about a call.
type Evidence struct {
	Notice Notice
	From   time.Time // of the notice; zero: it did not begin
	To     time.Time // zero: it was not sent to its end
	Via    fact.Via  // of the person's last word
	Key    byte      // 0: none
	Theirs bool      // a refusal was the contact's, or may have been
	Trace  []Move
}

// Evidence gives what the call's receipt shows so far.
func (c *Call) Evidence() Evidence {
	return Evidence{Notice: c.notice, From: c.began, To: c.ended, Via: c.via, Key: c.key, Theirs: c.theirs, Trace: append([]Move(nil), c.trace...)}
}
