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

// magic starts a stored release (docs/provable.md).
const magic = "murmur provable 1\n"

type stored struct {
	Start         time.Time `json:"start"`
	End           time.Time `json:"end"`
	Zone          string    `json:"zone"`
	OpenHours     [3]uint64 `json:"open_hours"`
	ShortAbandonS int64     `json:"short_abandon_s"`
	Plan          Plan      `json:"plan"`
	Values        [][]int64 `json:"values"`
}

func seal(key []byte, c Charge, r Release) ([]byte, error) {
	body, err := json.Marshal(stored{
		Start: r.month.Start.UTC(), End: r.month.End.UTC(), Zone: r.settings.Zone.String(), OpenHours: r.settings.OpenHours,
		ShortAbandonS: r.settings.ShortAbandonS, Plan: r.plan, Values: r.values,
	})
	if err != nil {
		return nil, fmt.Errorf("seal release: %w", err)
	}
	return append(append([]byte(magic), tag(key, c, body)...), body...), nil
}

// unseal is the reverse. zone is used where the stored one is not known on this machine.
func unseal(key []byte, c Charge, zone *time.Location, sealed []byte) (Release, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(magic))
	if !ok || len(rest) < sha256.Size || !hmac.Equal(rest[:sha256.Size], tag(key, c, rest[sha256.Size:])) {
		return Release{}, ErrSeal
	}
	var s stored
	if err := json.Unmarshal(rest[sha256.Size:], &s); err != nil || len(s.Values) != len(s.Plan.Metrics) {
		return Release{}, fmt.Errorf("open release of %d bytes: %w", len(sealed), ErrSeal)
	}
	if z, err := time.LoadLocation(s.Zone); err == nil {
		zone = z
	}
	r := Release{
		workspace: c.Workspace, month: Month{c.Month, s.Start.In(zone), s.End.In(zone)}, plan: s.Plan, values: s.Values, ok: true,
		settings: release.Settings{Workspace: c.Workspace, Zone: zone, OpenHours: s.OpenHours, ShortAbandonS: s.ShortAbandonS},
	}
	for i, m := range s.Plan.Metrics {
		if len(s.Values[i]) != len(m.Cells) {
			return Release{}, fmt.Errorf("open release of %d bytes: %w", len(sealed), ErrSeal)
		}
	}
	return r, nil
}

// tag authenticates a body for its workspace, month and plan: what was copied to another place does not open.
func tag(key []byte, c Charge, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s%s\x00%s\x00", magic, c.Workspace, c.Month)
	m.Write(c.Plan[:])
	m.Write(body)
	return m.Sum(nil)
}
