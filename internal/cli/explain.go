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
	fmt.Fprintf(w, "Expected, for %g contacts a month, by noise alone (95 %%):\n\n", e.Contacts)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MEASURE\tCELLS\tROWS OF A CONTACT\tSENSITIVITY\tSIGMA\tRHO\tROWS\tOF ALL\tERROR")
	for _, m := range e.Metrics {
		rows := fmt.Sprintf("%d, %d a day", m.Month, m.Day)
		if m.Once {
			rows += ", once a cell"
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%.4g\t%.4g\t%s\t%.0f\t%.0f %%\t%.3g %s\n", m.Measure, m.Cells, rows, m.Sensitivity, m.Sigma, rho(m.NanoRho), m.Rows, 100*m.Kept, m.Error, m.Unit)
	}
	_ = t.Flush()
	fmt.Fprintf(w, "\nCost: rho %s of the %s that a month has.\n", rho(e.Requested), rho(e.Budget))
	for _, m := range e.Months {
		fmt.Fprintf(w, "%s: %s\n", m.Month, monthText(m))
	}
	if len(e.Months) == 0 {
		fmt.Fprintln(w, "No month is due: a month is released from two days after its end until its first day can no longer be linked (link-days).")
	}
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
