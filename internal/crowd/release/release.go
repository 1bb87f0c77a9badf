// Package release asks questions about many people and makes the only tables that may be shown.
//
// Zone: the door of AMBER. A Query is a public grid over bounded integers. A Table is its answer after
// groups under the minimum were merged along the public tree; it has unexported fields and is made here
// only. Insights, pages, the API and the mail see Tables and Figures, never rows.
//
// Tier Guarded: exact numbers, at least K distinct contacts a group, no difference of published groups
// smaller than K. It is a threshold, not a proof: someone who knows everybody else in a group can subtract
// them.
package release

import (
	"time"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Derived names a number that is computed over rows when it is counted.
type Derived int64

const (
	FromColumn    Derived = iota // Value.Column itself
	Missed                       // call: 1 missed, 0 not
	MissReason                   // missed call: fact.Reason after the settings' precedence
	AnswerSeconds                // answered inbound call: ring seconds
	ReplySeconds                 // first unanswered incoming text: seconds to the next outgoing text
	ReturnedIn24h                // missed call: 1 when the contact was reached within 24 h, 0 not
	Nothing                      // no value: count rows
)

// Value is what is counted inside each group: one bin per row.
type Value struct {
	Derived Derived
	Column  fact.Column // for FromColumn
	// Bins are inclusive lower edges in rising order; bin i is [Bins[i], Bins[i+1]), the last one open. Rows
	// below Bins[0] or null fall out.
	Bins []int64
}

// Split is the one dimension a table is broken down by.
type Split int64

const (
	NoSplit Split = iota
	ByNumber
	ByReason     // fact.Reason, of missed calls
	ByTopic      // fact.Topic
	ByHourOfWeek // 0 = Monday 00:00 .. 167, workspace time
	ByMenu       // flow > node > choice
	BySurvey     // survey > medium
	ByAct        // fact.Act
)

// Grain is the length of a period. Weeks nest in blocks; months do not, so they are not offered: a month
// minus its weeks is a group of a few days.
type Grain int64

const (
	Week  Grain = iota + 1 // ISO 8601 week
	Block                  // four ISO weeks from week 1 on; the last block of a long year has five
)

// Filter narrows the rows by one column; rows match when the column is one of In.
type Filter struct {
	Column fact.Column
	In     []int64
}

// Query is one question: a kind of fact, filtered, split along one public tree, binned.
// It is plain data; its Name is stable and part of the definition ("missed-call-rate/1").
type Query struct {
	Name    string
	Kinds   []fact.Kind // usually one; contact-reasons counts texts and talks together
	Where   []Filter
	Open    bool // only inside the workspace's open hours
	Grain   Grain
	Split   Split
	Value   Value
	Content bool // derived from content: the larger minimum group applies
}

// Settings are the workspace's choices that change a count. They are frozen into each Table.
type Settings struct {
	Workspace     workspace.ID
	Zone          *time.Location
	OpenHours     Hours
	ShortAbandonS int64
	MinGroup      int64 // distinct contacts
	MinContent    int64
}

// Hours is the set of open hours of the week, bit h = Monday 00:00 + h. The zero value means always open.
type Hours [3]uint64

// Has reports whether hour h (0-167) is open.
func (h Hours) Has(hour int) bool {
	return h == (Hours{}) || h[hour/64]&(1<<(hour%64)) != 0
}

// Period is a closed-open span of time with its public name ("2026-W45", "2026-W45..2026-W48").
type Period struct {
	Grain      Grain
	Name       string
	Start, End time.Time
}

// Member is one leaf of a split: its dimension as figures print it ("number"), its key and its public name.
// A menu leaf has three (flow, node, choice) of the same key.
type Member struct {
	Dim  string
	Key  int64
	Name string
}

// Hidden says why a group shows no numbers.
type Hidden int64

const (
	Shown Hidden = iota
	SmallGroup
	NoData
)

// Group is one released group: the leaves merged into it, its distinct contacts and its counts, one a bin
// (one bin for Nothing). Hidden groups have no counts.
type Group struct {
	Members  []Member
	Contacts int64
	Bins     []int64
	Hidden   Hidden
}

// Total is the sum of the group's bins.
func (g Group) Total() (n int64) {
	for _, b := range g.Bins {
		n += b
	}
	return n
}

// Table is one released answer. The zero Table is invalid.
type Table struct {
	query    Query
	settings Settings
	period   Period
	groups   []Group
	asOf     time.Time
	closed   bool
	ok       bool
}

func (t Table) Valid() bool        { return t.ok }
func (t Table) Query() Query       { return t.query }
func (t Table) Settings() Settings { return t.settings }
func (t Table) Period() Period     { return t.period }
func (t Table) Groups() []Group    { return t.groups }
func (t Table) AsOf() time.Time    { return t.asOf }

// Closed reports whether the period is final: a closed table never changes again.
func (t Table) Closed() bool { return t.closed }
