package faulttest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Print reads rows and prints the table and a closing line. ok is false when a fault did harm, a negative control
// stayed green, or there is no row at all.
func Print(w io.Writer, rows io.Reader) (ok bool, err error) {
	var all []Row
	for d := json.NewDecoder(rows); d.More(); {
		var r Row
		if err := d.Decode(&r); err != nil {
			return false, fmt.Errorf("read the rows: %w", err)
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Row) int { return cmp.Compare(a.Fault, b.Fault) })
	fmt.Fprintln(w, "| fault | rounds | acknowledged | lost | doubled | figures | negative control | |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	failed, untested := 0, 0
	for _, r := range all {
		said := "ok"
		switch {
		case r.Failed || r.Control == "GREEN":
			failed++
			said = "FAILED"
		case r.NotTested != "":
			untested++
			said = "NOT TESTED: " + r.NotTested
		}
		if r.Note != "" {
			said += "; " + r.Note
		}
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %s | %s | %s |\n", r.Fault, r.Rounds, r.Acknowledged, r.Lost, r.Doubled, or(r.Figures), or(r.Control), said)
	}
	fmt.Fprintf(w, "\n%d faults, %d failed, %d NOT TESTED\n", len(all), failed, untested)
	return failed == 0 && len(all) > untested, nil
}
