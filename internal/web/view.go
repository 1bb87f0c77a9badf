package web

import (
	"context"
	"io"
	"time"

	"murmur/internal/insight"
	"murmur/internal/receipt"
	"murmur/internal/workspace"
)

// Figures answers what has been released.
type Figures interface {
	// Figures lists the workspace's released figures of one insight, or of all when slug is empty, oldest
	// period first, as the role may see them: an owner's are exact and live where they are about activity, everybody
	// else's have noise and change when a week is over.
	Figures(ctx context.Context, ws workspace.ID, slug string, as Role) ([]insight.Figure, error)
}

// Marks remembers which suggestions were applied. What was advised, on what evidence and what changed since is
// read out of the figures.
type Marks interface {
	// Applied answers when each suggestion was marked, by its id.
	Applied(ctx context.Context, ws workspace.ID) (map[string]time.Time, error)
	// Mark records that a suggestion was applied, or takes that back. Unknown ids are no error.
	Mark(ctx context.Context, ws workspace.ID, id string, applied bool) error
}

// Counts is how many deliveries are in each state; In is counted by itself and must equal their sum.
type Counts struct {
	In          int64 `json:"in" doc:"accepted deliveries"`
	Pending     int64 `json:"pending"`
	Held        int64 `json:"held" doc:"waits for consent"`
	Published   int64 `json:"published" doc:"produced facts"`
	Duplicate   int64 `json:"duplicate" doc:"its delivery id was accepted before"`
	Ignored     int64 `json:"ignored" doc:"a known kind with nothing to say"`
	Refused     int64 `json:"refused" doc:"consent"`
	Quarantined int64 `json:"quarantined" doc:"could not be read or verified clean; kept sealed"`
	Erased      int64 `json:"erased"`
}

// Sum adds up the states.
func (c Counts) Sum() int64 {
	return c.Pending + c.Held + c.Published + c.Duplicate + c.Ignored + c.Refused + c.Quarantined + c.Erased
}

// WorkspaceStatus is a workspace's counts, in all and by source.
type WorkspaceStatus struct {
	Counts
	BySource map[string]Counts `json:"by_source"`
	// Control is how far the calls of each connected source can be controlled, as Source.Level.
	Control map[string]string `json:"control"`
	// Recordings is nil where there are none.
	Recordings *Recorded `json:"recordings,omitempty"`
	// ReaderOff says that the policy keeps the second reader of context from its texts.
	ReaderOff bool `json:"reader_off,omitempty"`
	// Stalled names what is not done for this workspace, and why.
	Stalled []string `json:"stalled,omitempty"`
}

// Quarantine is how many deliveries are kept sealed for one reason.
type Quarantine struct {
	Reason     string // machine word, replayed by it
	Words      string // what it means and what to do
	Deliveries int64
	Oldest     time.Time
}

// Lag is how far processing is behind.
type Lag struct {
	Waiting int64         // deliveries
	Oldest  time.Duration // age of the oldest of them
}

// Pipeline answers what became of deliveries.
type Pipeline interface {
	Status(ctx context.Context, ws workspace.ID) (WorkspaceStatus, error)
	Lag(ctx context.Context, ws workspace.ID) (Lag, error)
	Quarantine(ctx context.Context, ws workspace.ID) ([]Quarantine, error)
	// Replay processes the quarantined deliveries of one reason again and answers how many there are.
	Replay(ctx context.Context, ws workspace.ID, reason string) (int64, error)
}

// CallEvent is one event of a live call's control.
type CallEvent struct {
	Kind    string // began, notice_started, notice_ended, key, opted_in, opted_out, suspended, resumed, hangup
	At      time.Time
	Key     string     // for key: 0-9, *, #
	Via     string     // for opted_in and opted_out
	Contact string     // for began
	Notice  CallNotice // for notice_started
}

// CallNotice is what is played before anything is recorded.
type CallNotice struct {
	ID       string  `json:"id,omitempty" maxLength:"32" pattern:"^[a-z0-9-]*$" doc:"your name of it"`
	Language string  `json:"language,omitempty" maxLength:"12" pattern:"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})?)?$" doc:"BCP 47"`
	SHA256   string  `json:"sha256,omitempty" maxLength:"64" pattern:"^([0-9a-f]{64})?$" doc:"of its audio"`
	Seconds  float64 `json:"seconds,omitempty" minimum:"0" maximum:"120" doc:"length of its audio: one that ended sooner was not played to its end"`
}

// CallState is the state of a call and what its telephone system must do now.
type CallState struct {
	State string   `json:"state" doc:"as in docs/consent.md"`
	Must  []string `json:"must" nullable:"false" doc:"play-notice, record, pause, stop, delete"`
}

// Calls is the control any telephony can call.
type Calls interface {
	// OptOut refuses the call's content; a call not seen yet is remembered and the refusal wins.
	OptOut(ctx context.Context, ws workspace.ID, call, via string) error
	// Event drives the call's consent machine. An answer without an error is durable and must be obeyed.
	Event(ctx context.Context, ws workspace.ID, call string, e CallEvent) (CallState, error)
	Receipt(ctx context.Context, ws workspace.ID, call string) (receipt.Call, error)
}

// Receipt is the proof of an erasure. It has the same shape for a contact never seen.
type Receipt struct {
	ID    string    `json:"receipt"`
	State string    `json:"state" doc:"accepted, done"`
	At    time.Time `json:"at"`
}

// Contacts acts on one person. A contact is a telephone number or an e-mail address as typed; it is parsed
// behind this interface and ErrInput is answered when it is neither.
type Contacts interface {
	OptOut(ctx context.Context, ws workspace.ID, contact, via string) error
	Erase(ctx context.Context, ws workspace.ID, contact string) (Receipt, error)
}

// Kept is one line of the table of what is kept.
type Kept struct{ What, Where, HowLong, Guard string }

// LedgerCount is how many entries of one kind the ledger holds.
type LedgerCount struct {
	Kind    string
	Entries int64
}

// LedgerState is the state of the ledger.
type LedgerState struct {
	Counts  []LedgerCount
	Head    string // hash of the last entry
	Checked time.Time
	Broken  bool
}

// PolicyChange is one entry of the policy's history.
type PolicyChange struct {
	At            time.Time
	By            string // role and kind of access, not a person's name
	Key, From, To string
	Reason        string
}

// Holdings answers what is kept about people and whether the ledger is whole.
type Holdings interface {
	Kept(ctx context.Context, ws workspace.ID) ([]Kept, error)
	Ledger(ctx context.Context, ws workspace.ID) (LedgerState, error)
}

// Policies reads and changes a workspace's policy. Set writes the change, its author and its reason to the
// ledger before it takes effect; it answers an error that wraps workspace.ErrPolicy for a refused value.
type Policies interface {
	Policy(ctx context.Context, ws workspace.ID) (workspace.Policy, error)
	SetPolicy(ctx context.Context, by Access, set map[string]string, reason string) (workspace.Policy, error)
	History(ctx context.Context, ws workspace.ID) ([]PolicyChange, error)
}

// Workspaces is what an operator does with tenants. ErrNotFound for a name that there is not, ErrInput for what cannot be done
// to it now.
type Workspaces interface {
	Workspaces(ctx context.Context) ([]workspace.ID, error)
	// Create makes a workspace and answers an owner token for it, shown once. A name in use gives ErrInput.
	Create(ctx context.Context, ws workspace.ID) (token string, err error)
	Tenant(ctx context.Context, ws workspace.ID) (workspace.Tenant, error)
	SetLimits(ctx context.Context, ws workspace.ID, l workspace.Limits) error
	Suspend(ctx context.Context, ws workspace.ID) error
	Resume(ctx context.Context, ws workspace.ID) error
	// Delete ends a suspended workspace: when it answers, its keys are destroyed and nothing opens it. What is left goes behind
	// the answer; then Tenant has the receipt.
	Delete(ctx context.Context, ws workspace.ID) error
	// Export writes what its owner set and was shown, as JSON.
	Export(ctx context.Context, ws workspace.ID, out io.Writer) error
}

// Span is one masked place, in Unicode code points of the text, end exclusive.
type Span struct {
	Start int     `json:"start"`
	End   int     `json:"end"`
	Type  string  `json:"type"`
	Score float64 `json:"score"`
}

// Redactor masks a text with the same redactor as the pipeline and keeps nothing.
type Redactor interface {
	Redact(ctx context.Context, ws workspace.ID, text string) (masked string, spans []Span, err error)
	// RedactClip does the same to a recording. It answers ErrInput for one that cannot be read.
	RedactClip(ctx context.Context, ws workspace.ID, clip []byte) (Clip, error)
	// Hears reports whether there is a transcriber to hear a clip with.
	Hears() bool
}
