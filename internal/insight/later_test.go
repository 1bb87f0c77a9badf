package insight

import (
	"testing"
	"time"

	"murmur/internal/crowd/release"
)

// An insight that some tables are missing for finishes the others and says of each measure that is left why.
func TestAMissingTableIsAFigureWithAReason(t *testing.T) {
	t.Parallel()
	for _, in := range All() {
		for missing := range in.Needs {
			answers := make([]answer, len(in.Needs))
			for i, q := range in.Needs {
				answers[i] = answer{ok: i != missing, query: q, period: release.Period{Grain: q.Grain, Name: "2026-W45", End: time.Now()}}
				if i == missing {
					answers[i] = answer{}
				}
			}
			made := in.figures(answers)
			later := in.Later(release.Table{}, made)
			said := map[string]bool{}
			for _, f := range append(made, later...) {
				said[f.Measure] = true
			}
			for _, f := range later {
				if f.Hidden != "no-data" || f.Reason == "" || f.Insight != in.Slug || f.Unit == "" || f.Definition == "" {
					t.Errorf("%s: %+v", in.Slug, f)
				}
			}
			for _, m := range in.Measures {
				if !said[m.Name] {
					t.Errorf("%s without table %d says nothing of %s", in.Slug, missing, m.Name)
				}
			}
		}
	}
}
