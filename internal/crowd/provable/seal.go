package provable

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"murmur/internal/crowd/release"
)

// magic starts a stored release (docs/provable.md), magic1 one of the months alone.
const (
	magic  = "murmur provable 2\n"
	magic1 = "murmur provable 1\n"
)

type stored struct {
	Start         time.Time   `json:"start"`
	End           time.Time   `json:"end"`
	Zone          string      `json:"zone"`
	OpenHours     [3]uint64   `json:"open_hours"`
	ShortAbandonS int64       `json:"short_abandon_s"`
	Plan          Plan        `json:"plan"`
	Values        [][][]int64 `json:"values"`
}

func seal(key []byte, c Charge, r Release) ([]byte, error) {
	body, err := json.Marshal(stored{
		Start: r.month.Start.UTC(), End: r.month.End.UTC(), Zone: r.settings.Zone.String(), OpenHours: r.settings.OpenHours,
		ShortAbandonS: r.settings.ShortAbandonS, Plan: r.plan, Values: r.values,
	})
	if err != nil {
		return nil, fmt.Errorf("seal release: %w", err)
	}
	return append(append([]byte(magic), tag(key, magic, c, body)...), body...), nil
}

// unseal is the reverse. zone is used where the stored one is not known on this machine.
func unseal(key []byte, c Charge, zone *time.Location, sealed []byte) (Release, error) {
	form := magic
	if bytes.HasPrefix(sealed, []byte(magic1)) {
		form = magic1
	}
	rest, ok := bytes.CutPrefix(sealed, []byte(form))
	if !ok || len(rest) < sha256.Size || !hmac.Equal(rest[:sha256.Size], tag(key, form, c, rest[sha256.Size:])) {
		return Release{}, ErrSeal
	}
	s, err := read(form, rest[sha256.Size:])
	if err != nil || len(s.Values) != len(s.Plan.Metrics) {
		return Release{}, fmt.Errorf("open release of %d bytes: %w", len(sealed), ErrSeal)
	}
	if z, err := time.LoadLocation(s.Zone); err == nil {
		zone = z
	}
	r := Release{
		workspace: c.Workspace, month: Month{c.Month, s.Start.In(zone), s.End.In(zone)}, plan: s.Plan, values: s.Values, ok: true,
		settings: release.Settings{Workspace: c.Workspace, Zone: zone, OpenHours: s.OpenHours, ShortAbandonS: s.ShortAbandonS},
	}
	if !r.complete() {
		return Release{}, fmt.Errorf("open release of %d bytes: %w", len(sealed), ErrSeal)
	}
	return r, nil
}

// complete reports whether there is a value for every cell of every period.
func (r Release) complete() bool {
	for i, m := range r.plan.Metrics {
		if len(m.Parts) == 0 || len(r.values[i]) != len(m.Parts) {
			return false
		}
		for g, p := range m.Parts {
			if len(r.values[i][g]) != len(r.month.Periods(p.Grain))*len(m.Cells) {
				return false
			}
		}
	}
	return true
}

func read(form string, body []byte) (s stored, err error) {
	if form == magic1 {
		var old stored1
		err = json.Unmarshal(body, &old)
		return old.now(), err
	}
	return s, json.Unmarshal(body, &s)
}

// stored1 is what was stored of a month before there were other grains.
type stored1 struct {
	stored
	Plan struct {
		Plan
		Metrics []struct {
			Metric
			Cells []struct {
				Member release.Member
				Bin    int64
			}
			Squared  int64
			Variance uint64
		}
	} `json:"plan"`
	Values [][]int64 `json:"values"`
}

// now gives it the form of today, with one part, the month.
func (o stored1) now() stored {
	s := o.stored
	s.Plan = o.Plan.Plan
	for i, old := range o.Plan.Metrics {
		m := old.Metric
		m.Parts = []Part{{ByMonth, old.Squared, old.Variance, m.Cost}}
		for _, c := range old.Cells {
			cell := PublicCell{Bin: c.Bin}
			if c.Member.Dim != "" {
				cell.Members = []release.Member{c.Member}
			}
			m.Cells = append(m.Cells, cell)
		}
		s.Plan.Metrics = append(s.Plan.Metrics, m)
		if i < len(o.Values) {
			s.Values = append(s.Values, [][]int64{o.Values[i]})
		}
	}
	return s
}

// tag authenticates a body for its workspace, month and plan: what was copied to another place does not open.
func tag(key []byte, form string, c Charge, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s%s\x00%s\x00", form, c.Workspace, c.Month)
	m.Write(c.Plan[:])
	m.Write(body)
	return m.Sum(nil)
}
