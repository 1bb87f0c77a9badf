// Package insight turns released tables into figures and sentences. It is pure: no clock, no storage, no
// randomness; the same tables give the same figures, which every page, the API, the mail and the command
// line print through one encoder.
//
// Zone: open. It sees release.Table and nothing else of the crowd.
package insight

import (
	"time"

	"murmur/internal/crowd/release"
)

// Figure is one published number. Its JSON form is fixed (docs/format/figures.md).
type Figure struct {
	Workspace string              `json:"workspace"`
	Insight   string              `json:"insight"`
	Measure   string              `json:"measure"`
	Grain     string              `json:"grain"` // week, hour_of_week
	Period    string              `json:"period"`
	Split     map[string][]string `json:"split,omitempty"`
	Value     *float64            `json:"value"` // null when hidden
	Low       *float64            `json:"low"`   // 95 % interval
	High      *float64            `json:"high"`
	Unit      string              `json:"unit"` // ratio, calls, s, points
	Base      int64               `json:"base"` // denominator; 0 when hidden
	Contacts  string              `json:"contacts,omitempty"`
	Tier      string              `json:"tier"`
	Hidden    string              `json:"hidden"` // "", small-group, no-data
	// Provisional is true while the period may still change.
	Provisional bool              `json:"provisional"`
	Definition  string            `json:"definition"`
	Settings    map[string]string `json:"settings,omitempty"`
	AsOf        time.Time         `json:"as_of"`
}

// Insight is one row of the catalogue.
type Insight struct {
	Slug     string
	Question string // in the owner's words
	Section  string // page: calls, messages, topics, flows, satisfaction, privacy
	Caveat   string
	Needs    []release.Query
	// Finish makes the figures of one period; tables come in the order of Needs.
	Finish func([]release.Table) []Figure
}
