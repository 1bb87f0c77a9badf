// Package faulttest is the report of the fault tests: one row for each fault, one table for all packages.
//
// Zone: outside, tests only. A test begins a row, counts in it, and the row is written when the test ends, whatever
// became of it: passed, failed or not tested. Where MURMUR_FAULT_TABLE names a file the row is appended to it, and
// `go run ./internal/faulttest/table FILE` prints the table (scripts/faults does both); otherwise it is logged.
//
// A fault comes with a negative control where one can be made: the same test on a server with a planted mistake
// (it answers before it stores, it never syncs, it does not check). The control must fail. A control that passes
// shows that the test cannot fail, and counts as a failure.
package faulttest

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// How long the fault tests run: empty as a part of all tests, Cut in ten minutes, Long as often as promised.
const (
	Variable = "MURMUR_FAULTS"
	Cut      = "cut"
	Long     = "long"
)

// tableFile is the variable that names the file of rows.
const tableFile = "MURMUR_FAULT_TABLE"

// Asked reports whether the fault tests were asked for, in whatever length.
func Asked() bool { return os.Getenv(Variable) != "" }

// Rounds is how often a fault is tried.
func Rounds(short, cut, long int) int {
	switch os.Getenv(Variable) {
	case "":
		return short
	case Cut:
		return cut
	}
	return long
}

// Row is what one fault came to. Its owner counts in it from the test's goroutine.
type Row struct {
	Fault        string `json:"fault"`
	Rounds       int    `json:"rounds"`
	Acknowledged int64  `json:"acknowledged"` // deliveries answered 2xx before or between the faults
	Lost         int64  `json:"lost"`         // of them, unknown afterwards
	Doubled      int64  `json:"doubled"`      // counted more than once
	Figures      string `json:"figures"`      // equal, differ; empty: not compared
	Control      string `json:"control"`      // red, GREEN; empty: none
	Note         string `json:"note,omitempty"`
	NotTested    string `json:"not_tested,omitempty"` // why
	Failed       bool   `json:"failed"`

	t testing.TB
}

// Begin starts the row of a fault.
func Begin(t testing.TB, fault string) *Row {
	t.Helper()
	r := &Row{Fault: fault, t: t}
	t.Cleanup(r.end)
	return r
}

// Same notes whether figures are equal to those of a house without the fault.
func (r *Row) Same(equal bool) {
	switch {
	case !equal:
		r.Figures = "differ"
	case r.Figures == "":
		r.Figures = "equal"
	}
}

// Planted notes whether the test saw the planted mistake, and fails when it did not.
func (r *Row) Planted(seen bool) {
	r.t.Helper()
	r.Control = "red"
	if !seen {
		r.Control = "GREEN"
		r.t.Errorf("%s: the negative control stays green: this test cannot fail", r.Fault)
	}
}

// Skip ends the test and says aloud what is not tested.
func (r *Row) Skip(why string) {
	r.t.Helper()
	r.NotTested = why
	r.t.Skipf("NOT TESTED: %s (%s)", r.Fault, why)
}

func (r *Row) end() {
	r.Failed = r.t.Failed() || r.Lost > 0 || r.Doubled > 0 || r.Figures == "differ"
	if r.t.Skipped() && r.NotTested == "" {
		r.NotTested = "skipped"
	}
	name := os.Getenv(tableFile)
	if name == "" {
		r.t.Logf("%s: %d rounds, %d acknowledged, %d lost, %d doubled, figures %s, control %s %s",
			r.Fault, r.Rounds, r.Acknowledged, r.Lost, r.Doubled, or(r.Figures), or(r.Control), r.Note)
		return
	}
	if err := r.append(name); err != nil {
		r.t.Errorf("the row of %s: %v", r.Fault, err)
	}
}

// append writes one line in one write: rows of several processes do not mix.
func (r *Row) append(name string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f, "%s\n", b); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
