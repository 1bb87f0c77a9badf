package workspace

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Way is how an alert reaches its receiver.
type Way string

const (
	ByMail    Way = "mail"
	ByWebhook Way = "webhook" // signed, docs/alerts.md
	BySlack   Way = "slack"   // what chats take as Slack's incoming webhooks do
)

// Watch is the range in which a person expects the figures of one measure. Without both ends it is the usual range, in
// which 99 of 100 weeks like those before lie (package insight).
type Watch struct {
	Insight string   `json:"insight"`
	Measure string   `json:"measure"`
	Below   *float64 `json:"below,omitempty"` // a figure under this one is outside; in the figure's unit, a share from 0 to 1
	Above   *float64 `json:"above,omitempty"` // a figure over this one is outside
}

// Usual reports whether the range follows from earlier periods.
func (w Watch) Usual() bool { return w.Below == nil && w.Above == nil }

// Alert tells somebody when a figure leaves a range.
type Alert struct {
	ID      string     `json:"id"`
	Watch   Watch      `json:"watch"`
	Way     Way        `json:"way"`
	Role    Role       `json:"role"` // Owner or Viewer: whose figures
	Created time.Time  `json:"created"`
	Fired   string     `json:"fired,omitempty"`  // the Monday of the last week of which something was told
	Sent    *time.Time `json:"sent,omitempty"`   // when the last message was taken
	Failed  string     `json:"failed,omitempty"` // why the last try failed
	Ended   bool       `json:"ended,omitempty"`  // the receiver is gone: nothing more is sent

	Target Target `json:"-"`
	Looked string `json:"-"` // the last day on which the figures were looked at
}

// Target is where an alert goes. It is sealed and never printed.
type Target struct {
	To     string   `json:"to"`               // an e-mail address, or the receiver's
	Secret string   `json:"secret,omitempty"` // that signs a webhook
	Named  []string `json:"named,omitempty"`  // HOST:PORT that the operator named
	Ender  string   `json:"ender"`            // what ends it, as it stands in a mail
}

// String never shows the address.
func (Target) String() string { return "[target]" }

// GoString never shows the address.
func (Target) GoString() string { return "[target]" }

// MaxAlerts is how many alerts a workspace may have.
const MaxAlerts = 50

// ErrAlerts is returned when a workspace has MaxAlerts already.
var ErrAlerts = fmt.Errorf("a workspace has at most %d alerts", MaxAlerts)

const topicAlert = "alert"

// AddAlert stores an alert; its id, Target.Ender and time are made here.
func (s *Store) AddAlert(ctx context.Context, ws ID, a Alert) (Alert, error) {
	if a.Role != Owner && a.Role != Viewer {
		return Alert{}, fmt.Errorf("role: %w; use owner or viewer", ErrNotFound)
	}
	if !slices.Contains([]Way{ByMail, ByWebhook, BySlack}, a.Way) {
		return Alert{}, fmt.Errorf("way: %w; use mail, webhook or slack", ErrNotFound)
	}
	if err := s.Exists(ctx, ws); err != nil {
		return Alert{}, err
	}
	a.Target.Ender, a.Created = Secret(), s.now().UTC()
	h := hashOf(a.Target.Ender)
	a.ID = IDOf(h[:])
	watch, err := json.Marshal(a.Watch)
	if err != nil {
		return Alert{}, err
	}
	target, err := json.Marshal(a.Target)
	if err != nil {
		return Alert{}, err
	}
	if target, err = s.seal.SealLasting(ws, topicAlert, [16]byte(h[:16]), target); err != nil {
		return Alert{}, err
	}
	return a, s.db.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE workspace = ?`, ws.String()).Scan(&n); err != nil {
			return err
		}
		if n >= MaxAlerts {
			return ErrAlerts
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO alerts(id, workspace, role, way, watch, target, created_at) VALUES(?,?,?,?,?,?,?)`,
			h[:], ws.String(), string(a.Role), string(a.Way), string(watch), target, a.Created.UnixMicro())
		return err
	})
}

// Alerts lists the alerts of a workspace, oldest first.
func (s *Store) Alerts(ctx context.Context, ws ID) (all []Alert, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, role, way, watch, target, created_at, looked, fired, sent_at, failed, ended FROM alerts WHERE workspace = ? ORDER BY created_at, id`, ws.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a Alert
		var h, watch, target []byte
		var created, sent int64
		if err := rows.Scan(&h, &a.Role, &a.Way, &watch, &target, &created, &a.Looked, &a.Fired, &sent, &a.Failed, &a.Ended); err != nil {
			return nil, err
		}
		if target, err = s.seal.OpenLasting(ws, topicAlert, [16]byte(h[:16]), target); err != nil {
			return nil, err
		}
		if err := errors.Join(json.Unmarshal(watch, &a.Watch), json.Unmarshal(target, &a.Target)); err != nil {
			return nil, fmt.Errorf("read alert %s: %w", IDOf(h), err)
		}
		a.ID, a.Created = IDOf(h), time.UnixMicro(created).UTC()
		if sent > 0 {
			at := time.UnixMicro(sent).UTC()
			a.Sent = &at
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// Alert gives one alert of a workspace. ErrNotFound.
func (s *Store) Alert(ctx context.Context, ws ID, id string) (Alert, error) {
	all, err := s.Alerts(ctx, ws)
	if err != nil {
		return Alert{}, err
	}
	i := slices.IndexFunc(all, func(a Alert) bool { return a.ID == id })
	if i < 0 {
		return Alert{}, ErrNotFound
	}
	return all[i], nil
}

// Looked stores that the figures of an alert were checked on a day and, unless fired is empty, that a message about the
// week that begins on that Monday is due.
func (s *Store) Looked(ctx context.Context, a Alert, day, fired string) error {
	return s.onAlert(ctx, a, `looked = ?, fired = CASE ? WHEN '' THEN fired ELSE ? END`, day, fired, fired)
}

// Delivered stores that the receiver took a message of an alert at a time.
func (s *Store) Delivered(ctx context.Context, a Alert, at time.Time) error {
	return s.onAlert(ctx, a, `sent_at = ?, failed = ''`, at.UnixMicro())
}

// Undelivered stores why the receiver did not take one; ended: murmur sends no more.
func (s *Store) Undelivered(ctx context.Context, a Alert, why string, ended bool) error {
	return s.onAlert(ctx, a, `failed = ?, ended = max(ended, ?)`, why, ended)
}

func (s *Store) onAlert(ctx context.Context, a Alert, set string, args ...any) error {
	h := hashOf(a.Target.Ender)
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET `+set+` WHERE id = ?`, append(args, h[:])...)
		return err
	})
}

// EndAlert ends the alert of whoever holds its ender. ErrNotFound.
func (s *Store) EndAlert(ctx context.Context, ender [32]byte) error {
	return s.affect(ctx, `DELETE FROM alerts WHERE id = ?`, ender[:])
}

// RemoveAlert ends one of a workspace's alerts. ErrNotFound.
func (s *Store) RemoveAlert(ctx context.Context, ws ID, id string) error {
	return s.affect(ctx, `DELETE FROM alerts WHERE workspace = ? AND lower(substr(hex(id), 1, 12)) = ?`, ws.String(), id)
}
