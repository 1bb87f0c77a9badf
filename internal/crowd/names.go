package crowd

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// dictionary stores the names of the workspace's labels. Names are masked and sealed at rest, so that a wrongly mapped
// column does not store a person's name in the clear.
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

// forget lets go of the names of a workspace.
func (d *dictionary) forget(ws workspace.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, ws)
}

// add stores names that are new.
func (d *dictionary) add(ctx context.Context, ws workspace.ID, labels []fact.Named) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = map[workspace.ID]map[fact.Label]naming{}
	}
	if d.known[ws] == nil {
		d.known[ws] = map[fact.Label]naming{}
	}
	fresh := slices.DeleteFunc(slices.Clone(labels), func(n fact.Named) bool {
		old, ok := d.known[ws][n.Label]
		return ok && !old.news(naming{n.Name.String(), n.Version})
	})
	if len(fresh) == 0 {
		return nil
	}
	now := map[fact.Label]naming{}
	err := d.db.Tx(ctx, func(tx *sql.Tx) error {
		clear(now)
		for _, n := range fresh {
			var err error
			if now[n.Label], err = d.store(ctx, tx, ws, n); err != nil {
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
func (d *dictionary) store(ctx context.Context, tx *sql.Tx, ws workspace.ID, n fact.Named) (naming, error) {
	now := naming{n.Name.String(), n.Version}
	sealed, err := d.seal.SealLasting(ws, topicName, nameID(n.Label), []byte(now.name))
	if err != nil {
		return now, err
	}
	var first, called []byte
	old := naming{}
	err = tx.QueryRowContext(ctx, `SELECT name, called, version FROM labels WHERE workspace = ? AND label = ?`, ws.String(), int64(n.Label)).Scan(&first, &called, &old.version)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.ExecContext(ctx, `INSERT INTO labels(workspace, label, dim, parent, name, version) VALUES(?,?,?,?,?,?)`,
			ws.String(), int64(n.Label), int64(n.Dim), int64(n.Parent), sealed, n.Version)
		return now, err
	}
	if err != nil {
		return now, err
	}
	if called == nil {
		called = first
	}
	if old.name, err = d.open(ws, n.Label, called); err != nil || !old.news(now) {
		return old, err
	}
	if now.name == old.name {
		_, err = tx.ExecContext(ctx, `UPDATE labels SET version = ? WHERE workspace = ? AND label = ?`, now.version, ws.String(), int64(n.Label))
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE labels SET called = ?, version = ? WHERE workspace = ? AND label = ?`, sealed, now.version, ws.String(), int64(n.Label))
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
