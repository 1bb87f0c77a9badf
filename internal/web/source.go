package web

import (
	"context"
	"time"

	"murmur/internal/workspace"
)

// SourceKind is a kind of source one can connect.
type SourceKind struct {
	Name  string // "quo"
	Title string // "Quo (OpenPhone)"
	Help  string // where its key and webhook settings are
}

// Source is a connected source. No secret of it is ever answered.
type Source struct {
	Name string `json:"source"`
	Kind string `json:"kind"`
	Path string `json:"path" doc:"where its webhooks go; the last part is secret"`
	// State is one of SourceStates.
	State string    `json:"state" enum:"webhook,waiting,history,live,paused,stopped" doc:"webhook: it delivers by itself; the others are polled: waiting to begin, history comes in, live, paused by you, stopped until you act"`
	Last  time.Time `json:"last" doc:"when its last new delivery came; the zero time when none is kept"`
	// Level is how far its calls can be controlled.
	Level   string   `json:"control" enum:"L0,L1,L2,L3" doc:"L0 import only; L1 refused before anything is fetched; L2 stopped over its API; L3 murmur records itself"`
	Secrets int      `json:"live_secrets" doc:"signing secrets that are taken: two while one is rotated"`
	Polling *Polling `json:"polling,omitempty" doc:"of a source with an API key"`
}

// SourceStates are the values of Source.State.
var SourceStates = []string{"webhook", "waiting", "history", "live", "paused", "stopped"}

// Polling is how far the vendor of a source has been asked.
type Polling struct {
	Done    float64   `json:"done" doc:"part of the history that is here, 0 to 1"`
	Items   int64     `json:"items" doc:"new objects so far"`
	Left    float64   `json:"left_seconds" doc:"until the history is here, at the pace of this run; -1: not known"`
	Looked  time.Time `json:"looked" doc:"the last look that found everything; the zero time: none yet"`
	Trouble string    `json:"trouble,omitempty" doc:"what is wrong: key, forbidden, account, request, cursor, missing, busy, unavailable, cut, html, too-large, redirect, host"`
	Said    string    `json:"said,omitempty" doc:"the trouble in words"`
	Missing []string  `json:"not_given" nullable:"false" doc:"lists that the key or the plan does not give: calls, messages, words, deliveries"`
}

// NewSource asks for a source.
type NewSource struct {
	Kind, Name, Secret, APIKey, APIBase, PublicURL string
	MediaHosts                                     []string
}

// Given is one thing that a vendor's API gives to a key, or not.
type Given struct {
	What string `json:"what" doc:"calls, messages, transcripts, recordings, webhooks"`
	Has  bool   `json:"given"`
	Note string `json:"note,omitempty"`
}

// Connected is a new source with its secret, shown once.
type Connected struct {
	Workspace workspace.ID `json:"workspace"`
	Source    string       `json:"source"`
	Kind      string       `json:"kind"`
	Path      string       `json:"path"`
	Secret    string       `json:"secret" doc:"shown once; empty when it is a part of the API key"`
	Paste     string       `json:"paste,omitempty" doc:"what to set up at the vendor, line by line"`
	Gives     []Given      `json:"gives,omitempty" doc:"with an API key: what it gives, tried just now"`
	Webhook   string       `json:"webhook,omitempty" enum:"registered,by hand" doc:"with an API key: whether the vendor has been told the path"`
}

// Refusal is an ErrInput of a source with its reason as a word of a closed set, so that a page can say what to do and
// mark the field.
type Refusal struct {
	Why  string // a trouble as in Polling, or name, api-base, not-allowed, no-api, public-url, input
	Said string // in words; no values
}

func (r *Refusal) Error() string { return r.Said }

func (r *Refusal) Unwrap() error { return ErrInput }

// Sources lists and changes sources. Those that take a name answer ErrNotFound for one that is not connected.
type Sources interface {
	Sources(ctx context.Context, ws workspace.ID) ([]Source, error)
	// Connect tries the API key, when there is one, before it stores anything. It answers a Refusal.
	Connect(ctx context.Context, ws workspace.ID, s NewSource) (Connected, error)
	// Pause keeps a source from being polled, or lets it go on from where it stood.
	Pause(ctx context.Context, ws workspace.ID, name string, paused bool) error
	// Rekey tries another API key of the same account and takes it. It answers a Refusal.
	Rekey(ctx context.Context, ws workspace.ID, name, key string) error
	// Rotate adds a signing secret beside the last one; an empty one is made up.
	Rotate(ctx context.Context, ws workspace.ID, name, secret string) (live string, err error)
	// Remove ends a source; what it delivered stays.
	Remove(ctx context.Context, ws workspace.ID, name string) error
}
