package crowd

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// dictionary keeps what the workspace's labels are called. Names are masked and sealed at rest: a column that was
// mapped wrongly must not leave a person's name in the open.
//
// The first name of a label stays and orders the public trees, so that a new name never cuts groups in another way. Figures
// print the name of the newest event.
type dictionary struct {
	db   *meta.DB
	seal workspace.Sealer

	mu    sync.Mutex
	known map[workspace.ID]map[fact.Label]naming
}

// naming is what a label is called, and the version of an event that called it so.
type naming struct {
	name    string
	version int64
}

const topicName = "name"

// settled is how much newer, in microseconds, an event must be for its version to be kept when the name is the same.
const settled = int64(24 * time.Hour / time.Microsecond)

// news reports whether an event tells more about a label than is known.
func (n naming) news(now naming) bool {
	return now.version > n.version && now.name != n.name || now.version-settled > n.version
}

// entry is a label and what it is called.
type entry struct {
	label, parent fact.Label
	dim           fact.Dim
	naming
}

// add stores names that are new.
func (d *dictionary) add(ctx context.Context, ws workspace.ID, labels []fact.Named) error {
	all := make([]entry, len(labels))
	for i, n := range labels {
		all[i] = entry{n.Label, n.Parent, n.Dim, naming{n.Name.String(), n.Version}}
	}
	return d.put(ctx, ws, all)
}

// put stores entries that are new.
func (d *dictionary) put(ctx context.Context, ws workspace.ID, all []entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx, ws); err != nil {
		return err
	}
	fresh := slices.DeleteFunc(slices.Clone(all), func(e entry) bool {
		old, ok := d.known[ws][e.label]
		return ok && !old.news(e.naming)
	})
	if len(fresh) == 0 {
		return nil
	}
	now := map[fact.Label]naming{}
	err := d.db.Tx(ctx, func(tx *sql.Tx) error {
		clear(now)
		for _, e := range fresh {
			var err error
			if now[e.label], err = d.store(ctx, tx, ws, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	maps.Copy(d.known[ws], now)
	return nil
}

// store puts one name beside what is stored of its label, and gives what the label is called then.
func (d *dictionary) store(ctx context.Context, tx *sql.Tx, ws workspace.ID, e entry) (naming, error) {
	now := e.naming
	sealed, err := d.seal.SealLasting(ws, topicName, nameID(e.label), []byte(now.name))
	if err != nil {
		return now, err
	}
	var first, called []byte
	old := naming{}
	err = tx.QueryRowContext(ctx, `SELECT name, called, version FROM labels WHERE workspace = ? AND label = ?`, ws.String(), int64(e.label)).Scan(&first, &called, &old.version)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.ExecContext(ctx, `INSERT INTO labels(workspace, label, dim, parent, name, version) VALUES(?,?,?,?,?,?)`,
			ws.String(), int64(e.label), int64(e.dim), int64(e.parent), sealed, e.version)
		return now, err
	}
	if err != nil {
		return now, err
	}
	if called == nil {
		called = first
	}
	if old.name, err = d.open(ws, e.label, called); err != nil || !old.news(now) {
		return old, err
	}
	if now.name == old.name {
		_, err = tx.ExecContext(ctx, `UPDATE labels SET version = ? WHERE workspace = ? AND label = ?`, now.version, ws.String(), int64(e.label))
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE labels SET called = ?, version = ? WHERE workspace = ? AND label = ?`, sealed, now.version, ws.String(), int64(e.label))
	}
	return now, err
}

func (d *dictionary) open(ws workspace.ID, l fact.Label, sealed []byte) (string, error) {
	name, err := d.seal.OpenLasting(ws, topicName, nameID(l), sealed)
	return string(name), err
}

// renamed gives today's names of the labels that were called something else at first.
func (d *dictionary) renamed(ctx context.Context, ws workspace.ID) (map[int64]string, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT label, called FROM labels WHERE workspace = ? AND called IS NOT NULL`, ws.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]string{}
	for rows.Next() {
		var label int64
		var sealed []byte
		if err := rows.Scan(&label, &sealed); err != nil {
			return nil, err
		}
		if out[label], err = d.open(ws, fact.Label(label), sealed); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}

func nameID(l fact.Label) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:8], uint64(l))
	return id
}

// read gives the public side of a workspace's labels, with their first names.
func (d *dictionary) read(ctx context.Context, ws workspace.ID) (release.Dictionary, error) {
	out := release.Dictionary{}
	for _, t := range fact.Topics() {
		out.Topics = append(out.Topics, release.Name{Key: int64(t), Name: t.String()})
	}
	rows, err := d.db.QueryContext(ctx, `SELECT label, dim, parent, name FROM labels WHERE workspace = ? ORDER BY dim, label`, ws.String())
	if err != nil {
		return release.Dictionary{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var l release.Label
		var dim int64
		var sealed []byte
		if err := rows.Scan(&l.Key, &dim, &l.Parent, &sealed); err != nil {
			return release.Dictionary{}, err
		}
		if l.Name, err = d.open(ws, fact.Label(l.Key), sealed); err != nil {
			return release.Dictionary{}, err
		}
		l.Dim = fact.Dim(dim)
		out.Labels = append(out.Labels, l)
	}
	return out, rows.Err()
}

// has reports whether a label has a name.
func (d *dictionary) has(ctx context.Context, ws workspace.ID, l fact.Label) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx, ws); err != nil {
		return false, err
	}
	_, ok := d.known[ws][l]
	return ok, nil
}

// load reads what the labels of a workspace are called into known, once. mu is held.
func (d *dictionary) load(ctx context.Context, ws workspace.ID) error {
	if d.known[ws] != nil {
		return nil
	}
	rows, err := d.db.QueryContext(ctx, `SELECT label, coalesce(called, name), version FROM labels WHERE workspace = ?`, ws.String())
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	defer rows.Close()
	all := map[fact.Label]naming{}
	for rows.Next() {
		var l int64
		var sealed []byte
		var n naming
		if err := rows.Scan(&l, &sealed, &n.version); err != nil {
			return err
		}
		if n.name, err = d.open(ws, fact.Label(l), sealed); err != nil {
			return err
		}
		all[fact.Label(l)] = n
	}
	if d.known == nil {
		d.known = map[workspace.ID]map[fact.Label]naming{}
	}
	d.known[ws] = all
	return rows.Err()
}
