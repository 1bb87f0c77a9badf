package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// keeping is a job that deletes what has reached its time, and how often it must run even where no server runs.
type keeping struct {
	name  string
	every time.Duration
	do    func(*Node, context.Context) error
}

var (
	rotating = keeping{"rotate", time.Hour, (*Node).Rotate}
	tidying  = keeping{"tidy", 24 * time.Hour, func(n *Node, ctx context.Context) error {
		return errors.Join(n.releaseDue(ctx), n.Tidy(ctx)) // what is due is counted before rows lose their links
	}}
)

// keep runs a job and stores when it was done. A job that failed for a workspace is overdue again at once.
func (n *Node) keep(ctx context.Context, k keeping) error {
	began := n.now()
	if err := k.do(n, ctx); err != nil {
		return err
	}
	return n.didAt(ctx, k.name, began)
}

// didAt remembers when something was last done in full.
func (n *Node) didAt(ctx context.Context, what string, at time.Time) error {
	err := n.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO upkeep(job, at) VALUES(?, ?) ON CONFLICT(job) DO UPDATE SET at = excluded.at`, what, at.UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("remember that %s was done: %w", what, err)
	}
	return nil
}

// lastDone is when something was; the zero time: never.
func (n *Node) lastDone(ctx context.Context, what string) (time.Time, error) {
	var us int64
	err := n.db.QueryRowContext(ctx, `SELECT at FROM upkeep WHERE job = ?`, what).Scan(&us)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look when %s was done: %w", what, err)
	}
	return time.UnixMicro(us).UTC(), nil
}

// catchUp runs overdue jobs. Every verb that opens the directory itself calls it first, so that erasures are carried out and
// raw bytes and links between rows end even for a user who never runs a server.
func (n *Node) catchUp(ctx context.Context) error {
	errs := []error{n.eraseDue(ctx), n.resumeAgain(ctx)}
	if n.relay == nil { // what is on servers comes back only while the pipeline runs
		errs = append(errs, n.deleteDue(ctx))
	}
	for _, k := range []keeping{rotating, tidying} {
		due, err := n.overdue(ctx, k)
		if err == nil && due {
			err = n.keep(ctx, k)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// overdue reports whether a job was not done for longer than it may wait, or on another UTC day: keys end with the day.
func (n *Node) overdue(ctx context.Context, k keeping) (bool, error) {
	last, err := n.lastDone(ctx, k.name)
	if err != nil || last.IsZero() {
		return true, err
	}
	now := n.now().UTC()
	return now.Sub(last) >= k.every || now.Before(last) || now.YearDay() != last.YearDay(), nil
}
