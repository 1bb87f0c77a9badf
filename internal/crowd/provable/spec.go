package provable

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// Default is the specification that is used where nobody gave one.
//
//go:embed default.yaml
var Default []byte

// Spec is a specification as it is written (docs/provable.md).
type Spec struct {
	Version int    `yaml:"version"`
	Unit    string `yaml:"unit"` // contact-month
	Budget  struct {
		Epsilon float64 `yaml:"epsilon"`
		Delta   float64 `yaml:"delta"`
	} `yaml:"budget"`
	Bounds struct {
		Days int64 `yaml:"days"` // on which one contact is looked at, of a month
	} `yaml:"bounds"`
	Expect struct {
		Contacts float64 `yaml:"contacts"` // of a month, to plan with; 0: nothing is planned, and nothing coarsened
	} `yaml:"expect"`
	Grains  *SpecGrains  `yaml:"grains"` // nil: a third of each metric's budget for each
	Metrics []SpecMetric `yaml:"metrics"`
}

// SpecGrains are shares of each metric's budget, per mille. Without a share there is no such grain.
type SpecGrains struct {
	Day   int64 `yaml:"day"`
	Week  int64 `yaml:"week"`
	Month int64 `yaml:"month"` // at least 1
}

// SpecMetric is one measure of a specification.
type SpecMetric struct {
	Measure string  `yaml:"measure"`
	Share   int64   `yaml:"share"`  // of the budget, per mille
	Month   int64   `yaml:"month"`  // rows of one contact in a month
	Day     int64   `yaml:"day"`    // rows of one contact on a day; 0: as many as in a month
	Once    string  `yaml:"once"`   // OnceMonth, OncePeriod; empty: every row counts
	Expect  float64 `yaml:"expect"` // rows of a contact in a month, to plan with
}

// What a contact counts once in.
const (
	OnceMonth  = "month"  // in each cell of a month, on one of its days
	OncePeriod = "period" // in each cell of each day, of each week and of the month
)

// maxSpec is the most bytes of a specification.
const maxSpec = 64 << 10

// ParseSpec reads a specification. Every field must be known.
func ParseSpec(text []byte) (s Spec, err error) {
	if len(text) > maxSpec {
		return s, fmt.Errorf("%w: %d bytes are more than %d", ErrSpec, len(text), maxSpec)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("%w: %w", ErrSpec, err)
	}
	if err := d.Decode(new(Spec)); !errors.Is(err, io.EOF) {
		return s, fmt.Errorf("%w: it has a second document", ErrSpec)
	}
	return s, nil
}
