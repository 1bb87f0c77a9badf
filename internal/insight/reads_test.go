package insight

import (
	"testing"

	"murmur/internal/crowd/release"
)

// Every table of the catalogue is read for something; of a rate, the base and the numerator and nothing else.
func TestReadsAreWhatFiguresDependOn(t *testing.T) {
	t.Parallel()
	reads := Reads()
	for _, in := range All() {
		for _, q := range in.Queries() {
			if r := reads[q.Name]; !r.Rows && len(r.Bins) == 0 {
				t.Errorf("no figure depends on %s", q.Name)
			}
		}
	}
	for name, want := range map[string]release.Read{
		"missed-call-rate/1": {Rows: true, Bins: []int{1}}, "missed-call-rate/1/number/block": {Rows: true, Bins: []int{1}}, "missed-not-returned/1": {Rows: true, Bins: []int{0}}, "contact-reasons/1": {Rows: true},
	} {
		if got := reads[name]; got.Rows != want.Rows || len(got.Bins) != len(want.Bins) || len(want.Bins) > 0 && got.Bins[0] != want.Bins[0] {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
