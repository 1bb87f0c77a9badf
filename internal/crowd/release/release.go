// Package release counts rows of many people and makes the only tables that may be shown.
//
// There are two audiences. The *owner* sees every call in the phone system anyway: tables of activity (calls, texts, menus)
// are exact and follow the rows. *Others*, and the owner too for what comes from words, surveys and consent, get tables in
// which every count has noise (package noise); what is shown of a week changes when it is over (Turns).
//
// Zone: the door of AMBER. A Query is a public grid over bounded integers. A Table is its answer after
// groups under the minimum were merged along the split's public tree; it has unexported fields and is made
// here only. Insights, pages, the API and the mail see Tables and Figures, never rows. All tables of one
// period are made from one snapshot and shown together: a Set.
//
// Words. The *population* of a query is the set of rows that fall in one of its bins. A *group* is a set of
// leaves of the split. A *region* is what is left of a wider query's population beside a narrower one's.
//
// Promises of tier Guarded, each with a test:
//   - the groups of a table partition the leaves, and a shown group has at least K distinct contacts (with noise: the
//     noised number is at least K);
//   - with noise, every count that a figure is made of has its own, which one person more draws anew; the same rows give the
//     same tables; what is shown of a period changes at its turns, from rows up to a midnight, and its span, hours and
//     minimum groups never;
//   - exact, a group's regions are empty or have at least K contacts, so that no difference of the row counts of
//     shown groups, within a table, between tables of nested populations or between weeks and blocks, is
//     about fewer;
//   - tables of one split and period that share rows are coarsenings of each other, so that no linear
//     system over their row counts pins a leaf under K;
//   - a closed period never changes, and no bytes but those sealed here decode to a Table.
//
// It does not protect against: the owner, who compares exact tables of activity with what the phone system shows, or
// two refreshes; someone who knows everybody else and reads many figures about one person (docs/privacy.md has the measured
// accuracy). It is a threshold and noise, not a proof.
package release

import (
	"slices"
	"time"

	"murmur/internal/crowd/internal/noise"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Derived names a number that is computed over rows when it is counted.
type Derived int64

const (
	FromColumn Derived = iota // Value.Column itself

	// Missed is 1 for an inbound call that was missed, 0 for one that was answered, handled by an AI agent
	// or forwarded. Calls given up before Settings.ShortAbandonS and calls without a result have no value.
	Missed

	// MissReason is the fact.Reason of a missed inbound call, short abandons included: the first that
	// applies of ShortAbandoned (ring under the setting), OutOfHours, the stored reason; 0 when unknown.
	MissReason

	// AnswerSeconds is the ringing of an inbound call that a member answered.
	AnswerSeconds

	// ReplySeconds is the time from a contact's first unanswered incoming text to the next outgoing text to
	// that contact. Automatic texts neither answer nor ask. Texts up to Horizon before and after the period
	// are looked at; without a reply, and after de-linking, there is no value.
	ReplySeconds

	// ReturnedIn24h is, for a call of Missed 1, 1 when within 24 hours a call or a text (not automatic) went
	// to the contact or a call of the contact was not missed, else 0. After de-linking there is no value.
	ReturnedIn24h

	Nothing // no value: count rows

	// The values below look at what else a contact did. *In touch* is an inbound call, or an incoming text that is not
	// automatic; what comes within SameTalk of the one before belongs to that one and has no value. After de-linking
	// there is none either.

	// Again is 2 when the contact had been in touch within the 24 hours before, 1 within the 7 days before, else 0.
	Again

	// CalledBack is, for a call of Missed 1 after which a call went to the contact within 24 hours, 1 when that call
	// reached it, else 0.
	CalledBack

	// Contained is, for a call that an AI agent handled, 1 unless the contact was in touch within the 24 hours after.
	Contained

	// SoonAgain is, for a call of Missed 1 and for a text, 1 when the contact was in touch within SameTalk after.
	SoonAgain

	// ScoreAfterContact is the score of an answer in percent of its scale when there was a call or a text with the
	// contact within the 7 days before.
	ScoreAfterContact
)

// SameTalk is how soon after another a call or text belongs to it.
const SameTalk = 30 * time.Minute

// Before is how far before a period values look for calls: 7 days, and a day more to know which of those came again.
const Before = 8 * 24 * time.Hour

// LongWait is from how much ringing on an answered call was a long wait: eight in ten within 20 seconds is the usual aim.
const LongWait = 20 * time.Second

// Horizon is how far beside a period ReplySeconds looks for the texts of a conversation.
const Horizon = 28 * 24 * time.Hour

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
	ByKind       // medium: call, text
	ByTurn       // of those who were in touch within a day before: from which medium > to which
	ByDelay      // of CalledBack: how long until the call
	ByAutoReply  // of SoonAgain: whether a text that a rule sent went to the contact within 2 minutes > medium and hours
	ByMissed     // the drivers of ScoreAfterContact, of the 7 days before: a missed call
	ByLongWait   // an answered call that rang for LongWait or longer
	ByReturn     // Again 2
	ByAgent      // a call that an AI agent handled
	ByReply      // texts by what they say: those that many got by themselves
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
	// Repeats marks a block's query that counts rows which weeks count too, split the same way. Exact, the block minus its weeks
	// would be about few people, so that its table is made with noise alone, for both audiences; and only when the block is
	// over, so that nobody is counted in it five times.
	Repeats bool `json:",omitempty"`
}

// Activity reports whether the query is about what the owner sees in the phone system anyway: calls, texts and menus, and
// nothing of what was said.
func (q Query) Activity() bool {
	return !q.Content && !slices.ContainsFunc(q.Kinds, func(k fact.Kind) bool {
		return k != fact.KindCall && k != fact.KindMessage && k != fact.KindStep
	})
}

// Audience is who a set is for.
type Audience int64

const (
	Owner  Audience = iota // activity, exact; with noise 0 everything
	Others                 // everything, with noise; where the noise is 0 nothing
)

// String names the audience in the store.
func (a Audience) String() string {
	if a == Others {
		return "others"
	}
	return "owner"
}

// Settings are the workspace's choices that change a count. They are frozen into each Table.
type Settings struct {
	Workspace     workspace.ID
	Zone          *time.Location
	OpenHours     Hours
	ShortAbandonS int64
	MinGroup      int64 // distinct contacts
	MinContent    int64
	MinLabel      int64 // distinct contacts that a label is named from; 0: always
	// Noise is the scale of the noise on every count, 1 to 4; 0: none. Of a table it says what the table has.
	Noise int64
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
	Verified int64 `json:",omitempty"` // of the contacts (Cell)
	Bins     []int64
	Hidden   Hidden
	// Of a table with noise: All is the number of rows with a noise of its own, Step the multiple in which noise was added to
	// it and to each bin.
	All  int64 `json:",omitempty"`
	Step int64 `json:",omitempty"`
}

// Total is the group's number of rows. With noise the bins need not add up to it.
func (g Group) Total() (n int64) {
	if g.Step > 0 {
		return g.All
	}
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
	behind   *behind // of a table with noise
	asOf     time.Time
	closed   bool
	ok       bool
}

// Valid reports whether the table was made by a release.
func (t Table) Valid() bool { return t.ok }

// Query gives the question that was answered.
func (t Table) Query() Query { return t.query }

// Settings gives the settings that the table was counted under.
func (t Table) Settings() Settings { return t.settings }

// Period gives the span of time the table is about.
func (t Table) Period() Period { return t.period }

// NoiseVariance is the variance of the noise on each count of a group; 0 where there is none.
func (t Table) NoiseVariance(g Group) float64 { return noise.Variance(g.Step, t.settings.Noise) }

// AsOf is when the rows were counted; with noise, the midnight up to which they were.
func (t Table) AsOf() time.Time { return t.asOf }

// Closed reports whether the period is final: a closed table never changes again.
func (t Table) Closed() bool { return t.closed }

// Groups gives the groups in the order of the public tree. They are the caller's to keep.
func (t Table) Groups() []Group {
	groups := slices.Clone(t.groups)
	for i := range groups {
		groups[i].Members = slices.Clone(groups[i].Members)
		groups[i].Bins = slices.Clone(groups[i].Bins)
	}
	return groups
}

// Set holds the tables of one period: made from one snapshot, stored and shown together. The zero Set has
// no tables.
type Set struct {
	tables []Table
	crowd  // behind the whole set; never shown
}

// crowd is how many contacts and rows there are.
type crowd struct {
	contacts, rows int64 // verified contacts
}

// Table gives the table of a query's name; it is invalid when the set has none.
func (s Set) Table(name string) Table {
	for _, t := range s.tables {
		if t.query.Name == name {
			return t
		}
	}
	return Table{}
}

// Tables gives every table, in the order of the catalogue.
func (s Set) Tables() []Table { return slices.Clone(s.tables) }

// Beside gives the set with the tables of another set of the same period whose queries it has not.
func (s Set) Beside(o Set) Set {
	all := Set{tables: slices.Clone(s.tables), crowd: s.crowd}
	for _, t := range o.tables {
		if !s.Table(t.query.Name).Valid() {
			all.tables = append(all.tables, t)
		}
	}
	return all
}

// labelled are the dimensions whose members are labels of the workspace.
var labelled = map[string]bool{"number": true, "flow": true, "node": true, "choice": true, "survey": true, "reply": true, "topic": true}

// Named gives the set with other names of labels. Who is in which group, and every number, stays as it was released.
func (s Set) Named(names map[int64]string) Set {
	if len(names) == 0 {
		return s
	}
	s.tables = slices.Clone(s.tables)
	for i, t := range s.tables {
		groups := t.Groups()
		for _, g := range groups {
			for j, m := range g.Members {
				if name, ok := names[m.Key]; ok && labelled[m.Dim] {
					g.Members[j].Name = name
				}
			}
		}
		s.tables[i].groups = groups
	}
	return s
}

// Period gives the span of time that the set is about.
func (s Set) Period() Period {
	if len(s.tables) == 0 {
		return Period{}
	}
	return s.tables[0].period
}

// Settings gives what the set was counted under.
func (s Set) Settings() Settings {
	if len(s.tables) == 0 {
		return Settings{}
	}
	return s.tables[0].settings
}

// AsOf is when the rows were counted; with noise, the midnight up to which they were.
func (s Set) AsOf() time.Time {
	if len(s.tables) == 0 {
		return time.Time{}
	}
	return s.tables[0].asOf
}

// Closed reports whether the set is final.
func (s Set) Closed() bool { return len(s.tables) > 0 && s.tables[0].closed }
