package cli

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"murmur/internal/crowd/provable"
	"murmur/internal/rpc"
)

// explain prints what a specification of differentially private figures gives and costs.
func (c *figuresCmd) explain(r *run) error {
	args := rpc.ExplainArgs{Workspace: c.Workspace}
	if c.Explain != "default" {
		text, err := os.ReadFile(c.Explain)
		if err != nil {
			return usage{fmt.Errorf("read the specification: %w", err)}
		}
		if len(text) == 0 {
			return usage{fmt.Errorf("the specification is empty")}
		}
		args.Spec = string(text)
	}
	var e provable.Explanation
	if err := r.do("figures-explain", args, &e); err != nil {
		return err
	}
	return r.print(e, func(w io.Writer) { printExplanation(w, e) })
}

func printExplanation(w io.Writer, e provable.Explanation) {
	fmt.Fprintf(w, "Unit: %s. Of one contact at most %d days of a month are looked at.\n", e.Unit, e.Days)
	fmt.Fprintf(w, "A release is (%g, %g)-differentially private; twelve months together are (%.2f, %g).\n", e.Epsilon, e.Delta, e.Yearly, e.Delta)
	if e.Contacts > 0 {
		fmt.Fprintf(w, "Expected, for %g contacts a month, by noise alone (95 %%):\n\n", e.Contacts)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MEASURE\tGRAIN\tCELLS\tROWS OF A CONTACT\tSENSITIVITY\tSIGMA\tRHO\tROWS\tOF ALL\tERROR")
	for _, m := range e.Metrics {
		rows := fmt.Sprintf("%d, %d a day", m.Month, m.Day)
		if m.Once != "" {
			rows += ", once a cell and " + m.Once
		}
		for _, g := range m.Grains {
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%.4g\t%.4g\t%s\t%.0f\t%.0f %%\t%.3g %s\n", m.Measure, g.Grain, m.Cells, rows, g.Sensitivity, g.Sigma, rho(g.NanoRho), g.Rows, 100*m.Kept, g.Error, g.Unit)
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w)
	for _, m := range e.Metrics {
		for _, c := range m.Coarser {
			fmt.Fprintf(w, "%s: %s\n", m.Measure, coarserText(c))
		}
	}
	for _, l := range e.Lost {
		fmt.Fprintf(w, "%s cannot be had: %s. It costs nothing.\n", l.Measure, errorText(l.Coarser))
	}
	fmt.Fprintf(w, "Cost: rho %s of the %s that a month has.\n", rho(e.Requested), rho(e.Budget))
	for _, m := range e.Months {
		fmt.Fprintf(w, "%s: %s\n", m.Month, monthText(m))
	}
	if len(e.Months) == 0 {
		fmt.Fprintln(w, "No month is due: a month is released from two days after its end until its first day can no longer be linked (link-days).")
	}
}

// coarserText says what was given up, and why.
func coarserText(c provable.Coarser) string {
	if c.What == "cells" {
		return fmt.Sprintf("%d cells were merged: %s.", c.Cells, errorText(c))
	}
	return fmt.Sprintf("not by %s: %s.", c.What, errorText(c))
}

func errorText(c provable.Coarser) string {
	return fmt.Sprintf("the error would be %.3g %s, at most %.3g are usable", c.Error, c.Unit, c.Most)
}

func monthText(m provable.MonthExplanation) string {
	left := "rho " + rho(m.Left) + " is left"
	switch m.State {
	case "released":
		return "was released; " + left
	case "spent":
		return "its budget was spent and nothing came of it; " + left
	case "short":
		return left + ", rho " + rho(m.Missing) + " is missing"
	}
	return "is due; " + left
}

// rho prints units of 1e-9.
func rho(nano int64) string { return fmt.Sprintf("%.9f", float64(nano)/1e9) }
