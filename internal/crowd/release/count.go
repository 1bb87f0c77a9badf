package release

import (
	"context"
	"time"
)

// Snapshot names the files that one count reads: the lake's files of one moment, pinned by the caller.
// They must hold every version of a row whose At lies in the period or within Horizon of it.
type Snapshot struct {
	Files []File
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
type Cell struct {
	Contacts int64   // distinct contacts of the population; all rows without a contact are one
	Bins     []int64 // rows a bin
	Regions  []int64 // distinct contacts of each region
}

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
