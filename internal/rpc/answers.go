// Package rpc is what the command line and a server say to each other over the server's socket: the arguments and answers of the
// verbs, as contracts.md fixes them, the errors as people get them, and the client.
//
// Zone: outside of all zones. Secrets are in it that are shown once (Connected, TenantMade, AlertMade), and what an operator types.
//
// It does not protect against another process of the same user: who may open the socket may carry out every verb.
package rpc

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"murmur/internal/insight"
	"murmur/internal/journal/relay"
	"murmur/internal/ledger"
	"murmur/internal/private"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// The arguments and answers of the verbs, as JSON carries them over the socket and as contracts.md fixes them.
type (
	WorkspaceArgs struct {
		Workspace string `json:"workspace"`
	}
	ConnectArgs struct {
		Workspace  string   `json:"workspace"`
		Kind       string   `json:"kind"`
		Name       string   `json:"name"`
		Secret     string   `json:"secret"`
		APIKey     string   `json:"api_key"`
		APIBase    string   `json:"api_base"`
		MediaHosts []string `json:"media_hosts"`
		PublicURL  string   `json:"public_url"`
		Mapping    string   `json:"mapping"`
		Then       string   `json:"then"`
		Language   string   `json:"language"`
	}
	LimitArgs struct {
		Workspace string           `json:"workspace"`
		Limits    workspace.Limits `json:"limits"`
	}
	// TenantMade is a new workspace; its owner's token is shown this once.
	TenantMade struct {
		workspace.Tenant
		Token string `json:"token"`
	}
	SourceArgs struct {
		Workspace string `json:"workspace"`
		Name      string `json:"name"`
		Secret    string `json:"secret"`
		APIKey    string `json:"api_key"`
	}
	ImportArgs struct {
		Workspace string `json:"workspace"`
		Kind      string `json:"kind"`
		Map       string `json:"map"`
		Key       string `json:"key"` // opens encrypted vCons
		Source    string `json:"source"`
		DryRun    bool   `json:"dry_run"`
		ID        string `json:"id"` // under which import-progress is asked; the caller's choice, empty: nobody asks
	}
	ProgressArgs struct {
		ID string `json:"id"`
	}
	ExportArgs struct {
		Workspace string `json:"workspace"`
		Call      string `json:"call"`
	}
	PolicyArgs struct {
		Workspace string     `json:"workspace"`
		Set       []KeyValue `json:"set"`
		Reason    string     `json:"reason"`
		Author    string     `json:"author"`
	}
	FiguresArgs struct {
		Workspace string `json:"workspace"`
		Insight   string `json:"insight"`
		Refresh   bool   `json:"refresh"`
		As        string `json:"as,omitempty"` // owner, viewer, outside; empty: owner
	}
	ExplainArgs struct {
		Workspace string `json:"workspace"`
		Spec      string `json:"spec"` // YAML; empty: the default
	}
	EraseArgs struct {
		Workspace string `json:"workspace"`
		Contact   string `json:"contact"`
		Wait      bool   `json:"wait,omitempty"` // until the rows are gone; the command line alone asks for it
	}
	ReplayArgs struct {
		Workspace string   `json:"workspace"`
		States    []string `json:"states"`
	}
	DoctorArgs struct {
		Workspace string `json:"workspace"`
		Event     string `json:"event"`
	}
	TokenArgs struct {
		Workspace string `json:"workspace"`
		Role      string `json:"role"`
		Days      int    `json:"days,omitempty"` // until it ends; 0: 90
	}
	RevokeArgs struct {
		Workspace string `json:"workspace"`
		ID        string `json:"id"`
	}
)

// Connected is the answer of connect: path and secret are shown only there.
type Connected struct {
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	Kind      string `json:"kind"`
	Path      string `json:"path,omitempty"`
	Secret    string `json:"secret"`
	Reads     string `json:"reads,omitempty"` // address of a stream
	Paste     string `json:"paste,omitempty"` // what to set up at the vendor, line by line

	// With an API key: what the vendor gives to it, whether its webhook was registered, and whether a server runs that
	// polls at once.
	Gives   []Given `json:"gives,omitempty"`
	Webhook string  `json:"webhook,omitempty"` // registered, by hand
	Serving bool    `json:"serving,omitempty"`
}

// Removed is the answer of connect remove.
type Removed struct {
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	State     string `json:"state"`
}

// Listed is one source of connect list.
type Listed struct {
	Workspace string   `json:"workspace"`
	Source    string   `json:"source"`
	Kind      string   `json:"kind"`
	Secrets   int      `json:"live_secrets"`
	Polling   *Polling `json:"polling,omitempty"` // of a source with an API key
	Level     string   `json:"control"`           // L0 to L3, docs/consent.md
}

// KeyValue is one key of a policy.
type KeyValue struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Help   string `json:"help,omitempty"`
	Number bool   `json:"number,omitempty"`
}

// Counts has one number for each state of a delivery.
type Counts = web.Counts

// Add adds the counts of d, or takes them off where sign is -1.
func Add(c *Counts, d Counts, sign int64) {
	c.In += sign * d.In
	c.Pending += sign * d.Pending
	c.Held += sign * d.Held
	c.Published += sign * d.Published
	c.Duplicate += sign * d.Duplicate
	c.Ignored += sign * d.Ignored
	c.Refused += sign * d.Refused
	c.Quarantined += sign * d.Quarantined
	c.Erased += sign * d.Erased
}

// Status is the answer of status.
type Status struct {
	Workspaces map[string]web.WorkspaceStatus `json:"workspaces"`
	Calls      private.CallTally              `json:"calls"` // since the server started
	// Erasing counts the erasures whose rows are still to be taken out, of workspaces that have some.
	Erasing map[string]int `json:"erasing,omitempty"`
	// Queue is what waits between the pipeline and the lake, where facts leave the machine.
	Queue *relay.Status `json:"queue,omitempty"`
	// Lake is the bucket of the lake, where its files are in one.
	Lake *LakeStatus `json:"lake,omitempty"`
	// Streams are the operator's own that are connected.
	Streams []Stream `json:"streams,omitempty"`
}

// Stream is how far a connected stream is.
type Stream struct {
	Source     string  `json:"source"`
	Address    string  `json:"address"`
	State      string  `json:"state"`             // reading, joining, stopped (see Trouble), paused, idle (no server runs)
	Trouble    string  `json:"trouble,omitempty"` // why it is stopped
	Partitions int     `json:"partitions"`        // that this server reads
	Of         int     `json:"of"`                // that the topics have
	Behind     int64   `json:"behind"`            // records not read yet, as far as the servers have told
	Taken      int64   `json:"taken"`             // records since the server started
	Aside      []Aside `json:"aside"`
}

// Aside says how many records of a partition were put aside, why and where: nothing of what is in them.
type Aside struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Workspace string `json:"workspace,omitempty"` // empty: none that is known here
	Why       string `json:"why"`
	First     int64  `json:"first"` // offset
	Last      int64  `json:"last"`  // offset
	Records   int64  `json:"records"`
	At        string `json:"at"`    // when the last came
	Waits     bool   `json:"waits"` // they are read again by themselves
}

func (a Aside) String() string {
	where := fmt.Sprintf("offset %d", a.First)
	if a.Last > a.First {
		where = fmt.Sprintf("offsets %d to %d", a.First, a.Last)
	}
	of := ""
	if a.Workspace != "" {
		of = " of workspace " + a.Workspace
	}
	return fmt.Sprintf("%d of topic %s, partition %d, %s%s: %s", a.Records, a.Topic, a.Partition, where, of, a.Why)
}

// Count gives how many records were put aside for good, and how many wait.
func (s Stream) Count() (aside, waiting int64) {
	for _, a := range s.Aside {
		if a.Waits {
			waiting += a.Records
		} else {
			aside += a.Records
		}
	}
	return aside, waiting
}

func (s Stream) String() string {
	aside, waiting := s.Count()
	said := fmt.Sprintf("%s (%s): %s", s.Source, s.Address, s.State)
	if s.Trouble != "" {
		said += ": " + s.Trouble
	}
	if s.State == "reading" {
		said += fmt.Sprintf(", %d of %d partitions, %d records behind", s.Partitions, s.Of, s.Behind)
	}
	return said + fmt.Sprintf(", %d taken since the start, %d wait, %d put aside", s.Taken, waiting, aside)
}

// Names lists the workspaces in order.
func (s Status) Names() []string { return slices.Sorted(maps.Keys(s.Workspaces)) }

// Imported counts what became of an import's rows.
type Imported struct {
	Counts
	Bad      []BadRow `json:"bad,omitempty"` // the first rows that could not be read
	Unlisted int64    `json:"unlisted,omitempty"`
	Unread   int64    `json:"contact_unreadable,omitempty"` // rows that are nobody's because their contact cannot be read
}

// Progress says how far an import is.
type Progress struct {
	Rows    int64 `json:"rows"`    // durable
	Known   int64 `json:"known"`   // of them known before
	Storing bool  `json:"storing"` // all rows are read; the last of them become files
}

// BadRow is a row that went to quarantine.
type BadRow struct {
	File string `json:"file,omitempty"` // where several were imported
	Line int    `json:"line"`
	Why  string `json:"why"`
}

// Add sums two imports.
func (i *Imported) Add(j Imported) {
	Add(&i.Counts, j.Counts, 1)
	i.Bad = append(i.Bad, j.Bad...)
	i.Unlisted += j.Unlisted
	i.Unread += j.Unread
}

// Preview is what an import would read.
type Preview struct {
	Kind    string          `json:"kind"`
	Mapping []MappedColumn  `json:"mapping"`
	Rows    [][]PreviewCell `json:"rows"`

	In       int64    `json:"in"`            // rows of the whole file
	Bad      []BadRow `json:"bad,omitempty"` // those that would be quarantined
	Unlisted int64    `json:"unlisted,omitempty"`
	Unread   int64    `json:"contact_unreadable,omitempty"`
}

// MappedColumn says where a column goes; an empty Field means that it is not used.
type MappedColumn struct {
	Header string `json:"header"`
	Field  string `json:"field"`
	Note   string `json:"note,omitempty"`
}

// PreviewCell is one value of a row, masked.
type PreviewCell struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Revoked is the answer of token revoke.
type Revoked struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// Erased is the answer of erase.
type Erased struct {
	Receipt string `json:"receipt"`
	State   string `json:"state"`
}

// Replayed counts the deliveries that are processed again.
type Replayed struct {
	Deliveries int `json:"deliveries"`
}

// Diagnosis is the answer of doctor.
type Diagnosis struct {
	Checks []Check `json:"checks"`
}

// Healthy reports whether every check is well.
func (d Diagnosis) Healthy() bool {
	return !slices.ContainsFunc(d.Checks, func(c Check) bool { return !c.OK })
}

// Advise adds a hint to the last check, which stays well.
func (d *Diagnosis) Advise(hint string) { d.Checks[len(d.Checks)-1].Hint = hint }

// Check is one line of a diagnosis. One that is OK and has a hint is advice.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Said string `json:"said"`
	Hint string `json:"hint,omitempty"`
}

// Version says what this binary is.
type Version struct {
	Version  string `json:"version"`
	Data     int    `json:"data_format"`
	Redactor int    `json:"redactor"`
}

// DigestArgs ask for the letter of the last week that is over.
type DigestArgs struct {
	Workspace string `json:"workspace"`
	As        string `json:"as,omitempty"` // owner, viewer; empty: owner
}

// SubscribeArgs are who gets the letter each week.
type SubscribeArgs struct {
	Workspace string         `json:"workspace"`
	Address   string         `json:"address"`
	Role      workspace.Role `json:"role"` // owner, viewer
}

// AlertArgs are a range and who is told when a figure leaves it.
type AlertArgs struct {
	Workspace string         `json:"workspace"`
	Insight   string         `json:"insight"`
	Measure   string         `json:"measure"` // empty: that of the insight's headline
	Below     string         `json:"below"`   // as insight.ParseWatch reads it; both empty: the usual range
	Above     string         `json:"above"`
	Way       workspace.Way  `json:"way"`
	To        string         `json:"to"`
	As        workspace.Role `json:"as"`
}

// AlertMade is a new alert; the secret that signs its webhooks is shown this once.
type AlertMade struct {
	AlertListed
	Secret string `json:"secret,omitempty"`
}

// AlertListed is an alert without what is secret of where it goes.
type AlertListed struct {
	workspace.Alert
	Host string `json:"host,omitempty"` // of a webhook or a chat
}

// CategoryArgs make a category of sentences, or give one other sentences. Nothing is kept of them before it is masked.
type CategoryArgs struct {
	Workspace string   `json:"workspace"`
	Name      string   `json:"name"`
	Like      []string `json:"like"`
	Unlike    []string `json:"unlike,omitempty"`
}

// CategoryNameArgs name a category, and what it is called from now on.
type CategoryNameArgs struct {
	Workspace string `json:"workspace"`
	Name      string `json:"name"`
	To        string `json:"to,omitempty"`
}

// ShareArgs are one page, and how long a link opens it.
type ShareArgs struct {
	Workspace string `json:"workspace"`
	Page      string `json:"page"`
	Days      int    `json:"days"`
}

// Shared is a new link; what opens it is shown this once.
type Shared struct {
	web.SharedLink
	URL string `json:"url,omitempty"` // where the server was told its own address
}

// NameArgs give something of the business another name on every page.
type NameArgs struct {
	Workspace string `json:"workspace"`
	Kind      string `json:"kind"` // line, flow, step, choice, survey
	From      string `json:"from"` // what it is called now, or by its platform
	To        string `json:"to"`
}

// NamedAnswer says how many things have the name now.
type NamedAnswer struct {
	Named int `json:"named"`
}

// FlowArgs are those of flow set, whose file is the input, and of flow show.
type FlowArgs struct {
	Workspace string `json:"workspace"`
	Name      string `json:"name"`
	Reason    string `json:"reason"`
	Author    string `json:"author"`
}

// FlowSet is a version of a flow.
type FlowSet struct {
	Flow    string    `json:"flow"`
	Version int       `json:"version"`
	Since   time.Time `json:"since"`
	SetAt   time.Time `json:"set_at"`
	Nodes   int       `json:"nodes"`
	Keys    int       `json:"keys"`
	Fresh   bool      `json:"fresh,omitempty"` // it was made just now
	YAML    string    `json:"yaml,omitempty"`  // of the newest version
}

// Polling is how far a source has been polled, in the words of connect list.
type Polling struct {
	State   string   `json:"state"` // paused, stopped, waiting, history, live
	Done    float64  `json:"done"`  // part of the history, 0 to 1
	Items   int64    `json:"items"`
	Lag     float64  `json:"lag_seconds"`         // since the last poll that found everything; -1: there was none
	Fresh   string   `json:"last_new,omitempty"`  // when the last new object came
	Trouble string   `json:"trouble,omitempty"`   // one of a closed set
	Said    string   `json:"said,omitempty"`      // the trouble in words
	Hint    string   `json:"hint,omitempty"`      // what to do about it
	Missing []string `json:"not_given,omitempty"` // what the key or the plan does not give
}

// Given is one thing that a vendor's API gives to a key, or not.
type Given struct {
	What string `json:"what"`
	Has  bool   `json:"given"`
	Note string `json:"note,omitempty"`
}

// Exported is a workspace as it is given away: what its owner set and was shown, and what was done with it. No row, no key, no
// secret and no address of a person is in it.
type Exported struct {
	Murmur    string              `json:"murmur"` // workspace.v1
	Workspace string              `json:"workspace"`
	At        time.Time           `json:"at"`
	Limits    workspace.Limits    `json:"limits"`
	Policy    map[string]string   `json:"policy"`
	Sources   []Listed            `json:"sources"`
	Flows     []FlowSet           `json:"flows"`
	Status    web.WorkspaceStatus `json:"status"`
	Figures   []insight.Figure    `json:"figures"`
	Outside   []insight.Figure    `json:"outside"`
	Ledger    []ExportedEntry     `json:"ledger"`
}

// ExportedEntry is an entry of the ledger about the workspace.
type ExportedEntry struct {
	Receipt string       `json:"receipt"`
	At      time.Time    `json:"at"`
	Kind    string       `json:"kind"`
	Entry   ledger.Entry `json:"entry"`
}

// LakeStatus is what is known of the lake's bucket without asking it.
type LakeStatus struct {
	Address string `json:"address"`
	Copies  int64  `json:"copies"`          // bytes of its files on this machine
	Kept    int    `json:"kept"`            // files that nothing needs and that it would not delete
	Error   string `json:"error,omitempty"` // why it did not serve the last time
}

func (s *LakeStatus) String() string {
	text := fmt.Sprintf("%s: %.1f GiB of copies here", s.Address, float64(s.Copies)/(1<<30))
	if s.Error != "" {
		text = s.Address + ": " + s.Error
	}
	if s.Kept > 0 {
		text += fmt.Sprintf("; %d files wait to be deleted", s.Kept)
	}
	return text
}
