package release

import (
	"context"
	"time"

	"murmur/internal/fact"
)

// Snapshot names the files that one count reads: the lake's files of one moment, pinned by the caller.
// They must hold every version of a row whose At lies in the period or within Horizon of it.
type Snapshot struct {
	Files []File
	Own   []Own // the facts that topics of the workspace's own are about
}

// Version is one version of a fact.
type Version struct {
	Kind    fact.Kind
	ID      fact.ID
	Version int64
}

// Own says that a version of a fact is about a topic of the workspace's own, whatever its public topic is.
type Own struct {
	Version
	Topic int64 // the key that Dictionary.Topics names
}

// File is one Parquet file of the lake.
type File struct {
	Path string
	Span Span  // of its rows; zero: any
	Rows int64 // of all workspaces; 0: not known
	// Settled: a fact that is in settled files alone stands in one row. Others may stand in several, anywhere.
	Settled bool
}

// Span is a closed-open span of time.
type Span struct {
	Start, End time.Time
}

// Key is what a row is split by: the label or number, and the second one of ByMenu (node, choice) and
// BySurvey (survey, medium). Null is 0.
type Key [2]int64

// Question is a query made ready for counting.
type Question struct {
	Query Query
	Span  Span
	// Leaves are the public keys of the split; rows with another key are leaf len(Leaves).
	Leaves []Key
	// Weeks, when set, splits by time instead: leaf i holds the rows of span i.
	Weeks   []Span
	Regions []Region
}

// Region is the set of rows in Of's population and in none of Minus'.
type Region struct {
	Of    Query
	Minus []Query
}

// Cell is the count of one set of leaves. Distinct contacts do not add up over cells.
//
// A contact is *verified* in a span when one of its rows, of any kind, in the span or up to Horizon before, was not claimed
// (fact.Head): somebody other than its sender confirms the person. Only verified contacts count towards a minimum group.
type Cell struct {
	Contacts int64   // distinct contacts of the population; all rows without a contact are one
	Verified int64   // of them
	Bins     []int64 // rows a bin
	Keys     []Marks // of the rows of each bin
	Most     int64   // the most rows that one contact has; rows without a contact are nobody's
	Regions  []int64 // of each region, RegionOf its contacts
}

// RegionOf is the number of a region: its verified contacts, and at least 1 where anybody is there.
func RegionOf(contacts, verified int64) int64 {
	if contacts == 0 {
		return 0
	}
	return max(1, verified)
}

// Marks are the sums of both halves of the contacts' marks over rows. A mark is the first 56 bits of a pseudonym; rows
// without a contact have 1 in either half. They are equal for the same people with the same numbers of rows, without
// naming them: noise is drawn for them (package noise).
type Marks [2]int64

// MarkOf is the mark of a contact's rows: hexadecimal digits 1-7 and 8-14 of the pseudonym, padded with zeroes.
func MarkOf(contact []byte) Marks {
	if len(contact) == 0 {
		return Marks{1, 1}
	}
	var n int64
	for i := range 7 {
		n <<= 8
		if i < len(contact) {
			n |= int64(contact[i])
		}
	}
	return Marks{n >> 28, n & (1<<28 - 1)}
}

// Plus adds the marks of more rows.
func (m Marks) Plus(o Marks) Marks { return Marks{m[0] + o[0], m[1] + o[1]} }

// Minus takes marks of rows out again.
func (m Marks) Minus(o Marks) Marks { return Marks{m[0] - o[0], m[1] - o[1]} }

// Counter counts bounded integers; engines do nothing else. Implementations agree exactly (package
// counttest). Of the versions of one (kind, id) only the highest counts.
type Counter interface {
	// Open reads a snapshot once for all questions, of however many spans.
	Open(context.Context, Snapshot, Settings, []Question) (Counts, error)
}

// Counts answers questions about cells: sets of leaf numbers. Close it.
type Counts interface {
	Count(ctx context.Context, question int, cells [][]int) ([]Cell, error)
	Close() error
}
