package release

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"murmur/internal/workspace"
)

// ErrSeal is returned for stored bytes that were not sealed here, under this key, for this workspace and
// period.
var ErrSeal = errors.New("stored release is not authentic")

// magic starts a stored set (docs/format/releases.md).
const (
	magic    = "murmur release 2\n"
	magicOne = "murmur release 1\n"
)

type storedSet struct {
	Settings storedSettings `json:"settings"`
	Period   storedPeriod   `json:"period"`
	AsOf     time.Time      `json:"as_of"`
	Closed   bool           `json:"closed"`
	Contacts int64          `json:"contacts"`
	Rows     int64          `json:"rows"`
	Tables   []storedTable  `json:"tables"`
}

type storedSettings struct {
	Zone          string    `json:"zone"`
	OpenHours     [3]uint64 `json:"open_hours"`
	ShortAbandonS int64     `json:"short_abandon_s"`
	MinGroup      int64     `json:"min_group"`
	MinContent    int64     `json:"min_content"`
	MinLabel      int64     `json:"min_label"`
	Noise         int64     `json:"noise"`
}

type storedPeriod struct {
	Grain Grain     `json:"grain"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type storedTable struct {
	Query  Query   `json:"query"`
	Groups []Group `json:"groups"`
	Behind *behind `json:"behind,omitempty"`
}

// seal encodes a set and authenticates it for its place.
func seal(key []byte, w workspace.ID, a Audience, period string, set Set) ([]byte, error) {
	if len(set.tables) == 0 {
		return nil, errors.New("seal release: a set without tables")
	}
	first := set.tables[0]
	s, p := first.settings, first.period
	stored := storedSet{
		Settings: storable(s),
		Period:   storedPeriod{p.Grain, p.Start.UTC(), p.End.UTC()},
		AsOf:     first.asOf.UTC(), Closed: first.closed, Contacts: set.contacts, Rows: set.rows,
	}
	for _, t := range set.tables {
		stored.Tables = append(stored.Tables, storedTable{t.query, t.groups, t.behind})
	}
	body, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("seal release: %w", err)
	}
	return append(append([]byte(magic), tag(key, magic, w, a, period, body)...), body...), nil
}

func storable(s Settings) storedSettings {
	return storedSettings{s.Zone.String(), s.OpenHours, s.ShortAbandonS, s.MinGroup, s.MinContent, s.MinLabel, s.Noise}
}

// open is the reverse of seal. Sets of the first format, which had one audience, are the owner's.
func open(key []byte, w workspace.ID, a Audience, period string, sealed []byte) (Set, error) {
	format := magic
	if bytes.HasPrefix(sealed, []byte(magicOne)) && a == Owner {
		format = magicOne
	}
	rest, ok := bytes.CutPrefix(sealed, []byte(format))
	if !ok || len(rest) < sha256.Size {
		return Set{}, ErrSeal
	}
	mac, body := rest[:sha256.Size], rest[sha256.Size:]
	if !hmac.Equal(mac, tag(key, format, w, a, period, body)) {
		return Set{}, ErrSeal
	}
	var stored storedSet
	if err := json.Unmarshal(body, &stored); err != nil {
		return Set{}, fmt.Errorf("open release of %d bytes: %w", len(sealed), ErrSeal)
	}
	zone, err := time.LoadLocation(stored.Settings.Zone)
	if err != nil {
		return Set{}, fmt.Errorf("open release: time zone of %d bytes is unknown", len(stored.Settings.Zone))
	}
	s := stored.Settings
	settings := Settings{
		Workspace: w, Zone: zone, OpenHours: s.OpenHours, ShortAbandonS: s.ShortAbandonS,
		MinGroup: s.MinGroup, MinContent: s.MinContent, MinLabel: s.MinLabel, Noise: s.Noise,
	}
	p := Period{stored.Period.Grain, period, stored.Period.Start.In(zone), stored.Period.End.In(zone)}
	set := Set{crowd: crowd{stored.Contacts, stored.Rows}}
	for _, t := range stored.Tables {
		if t.Behind != nil && len(t.Behind.Groups) != len(t.Groups) {
			return Set{}, fmt.Errorf("open release of %d bytes: %w", len(sealed), ErrSeal)
		}
		set.tables = append(set.tables, Table{
			query: t.Query, settings: settings, period: p, groups: t.Groups, behind: t.Behind, asOf: stored.AsOf, closed: stored.Closed, ok: true,
		})
	}
	return set, nil
}

// tag authenticates a body for one workspace, audience and period: a set copied to another place does not open.
// The names are free of NUL.
func tag(key []byte, format string, w workspace.ID, a Audience, period string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s%s\x00%s\x00", format, w.String(), period)
	if format != magicOne {
		fmt.Fprintf(m, "%s\x00", a)
	}
	m.Write(body)
	return m.Sum(nil)
}
