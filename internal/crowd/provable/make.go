package provable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"murmur/internal/crowd/internal/dp"
	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

// Reader reads the rows of a snapshot and calls f once for each contact, with all its rows in the questions' span that
// count somewhere; f must not keep them. Rows without a contact are left out. Of the versions of a fact only the highest counts.
type Reader interface {
	Contacts(ctx context.Context, s release.Snapshot, settings release.Settings, qs []release.Question, f func(unit Unit, rows []Row)) error
}

// Charge is what a release costs, and which it is.
type Charge struct {
	Workspace workspace.ID
	Month     string
	Zone      string   // of the month
	Plan      [32]byte // Plan.ID
	Cost, Cap Rho
	Delta     float64
}

// Account is what is known of a month's budget and of one plan's release.
type Account struct {
	Cap, Spent Rho
	Reserved   bool   // the plan's budget was reserved
	Released   bool   // and its release was stored
	Sealed     []byte // the release
}

// Store keeps budgets and releases. Each method is one durable transaction.
type Store interface {
	Account(ctx context.Context, c Charge) (Account, error)
	// Reserve spends the cost, unless the month would have spent more than the cap (ErrBudget) or the plan's release was
	// reserved before (ErrSpent).
	Reserve(ctx context.Context, c Charge) error
	// Commit stores what was reserved, once: it fails when there is a release already.
	Commit(ctx context.Context, c Charge, sealed []byte) error
}

// Releaser makes releases.
type Releaser struct {
	Reader Reader
	Store  Store
	Key    []byte    // seals releases and ranks rows; at least 32 bytes
	Random io.Reader // nil: crypto/rand
	Clock  func() time.Time
}

// Request is one release that is asked for.
type Request struct {
	Workspace workspace.ID
	Month     Month
	Plan      Plan
	LinkDays  int
	Settings  release.Settings
	Snapshot  release.Snapshot // of the rows of the month
}

// Release gives the release of a plan and month, and makes it when there is none. The order is the promise: the budget is
// reserved on disk, then rows are read, noise is drawn, the result is stored, and only what was stored is given. A
// release that fails in between has spent the budget. Callers must not ask for one workspace twice at the same time
// within a process: the second would find the budget reserved (ErrSpent).
func (r *Releaser) Release(ctx context.Context, q Request) (Release, error) {
	charge := q.charge()
	a, err := r.Store.Account(ctx, charge)
	switch {
	case err != nil:
		return Release{}, fmt.Errorf("account of %s: %w", q.Month.Name, err)
	case a.Released:
		return unseal(r.Key, charge, q.Settings.Zone, a.Sealed)
	case a.Reserved:
		return Release{}, fmt.Errorf("release %s: %w", q.Month.Name, ErrSpent)
	}
	now := r.Clock()
	if now.Before(q.Month.End.Add(Cutoff)) || !now.Before(q.Month.Start.AddDate(0, 0, q.LinkDays)) {
		return Release{}, fmt.Errorf("release %s: %w", q.Month.Name, ErrNotDue)
	}
	if err := r.Store.Reserve(ctx, charge); err != nil {
		return Release{}, fmt.Errorf("reserve the budget of %s: %w", q.Month.Name, err)
	}
	made, err := r.make(ctx, q)
	if err != nil {
		return Release{}, fmt.Errorf("release %s: %w", q.Month.Name, errors.Join(err, ErrSpent))
	}
	sealed, err := seal(r.Key, charge, made)
	if err == nil {
		err = r.Store.Commit(ctx, charge, sealed)
	}
	if err != nil {
		return Release{}, fmt.Errorf("store release %s: %w", q.Month.Name, err)
	}
	return unseal(r.Key, charge, q.Settings.Zone, sealed)
}

// Load opens a stored release.
func (r *Releaser) Load(w workspace.ID, zone *time.Location, month string, plan [32]byte, sealed []byte) (Release, error) {
	return unseal(r.Key, Charge{Workspace: w, Month: month, Plan: plan}, zone, sealed)
}

// ChargeOf is what the release of a plan and month costs.
func ChargeOf(w workspace.ID, m Month, p Plan) Charge {
	return Charge{Workspace: w, Month: m.Name, Zone: m.Start.Location().String(), Plan: p.ID(), Cost: p.Cost, Cap: MonthBudget(), Delta: Delta}
}

func (q Request) charge() Charge { return ChargeOf(q.Workspace, q.Month, q.Plan) }

// make reads, bounds, adds up and noises.
func (r *Releaser) make(ctx context.Context, q Request) (Release, error) {
	sums, err := r.sums(ctx, q)
	if err != nil {
		return Release{}, fmt.Errorf("count: %w", err)
	}
	values, err := noised(dp.NewSampler(r.Random), q.Plan, sums)
	if err != nil {
		return Release{}, err
	}
	return Release{workspace: q.Workspace, month: q.Month, settings: q.Settings, plan: q.Plan, values: values, ok: true}, nil
}

// noised gives sums with a draw on every cell of every period.
func noised(sampler *dp.Sampler, p Plan, sums [][][]int64) ([][][]int64, error) {
	values := make([][][]int64, len(sums))
	for i, m := range p.Metrics {
		values[i] = make([][]int64, len(m.Parts))
		for g, part := range m.Parts {
			values[i][g] = make([]int64, len(sums[i][g]))
			if err := sampler.Gaussian(values[i][g], part.Variance); err != nil {
				return nil, err
			}
			for j, exact := range sums[i][g] {
				values[i][g][j] += exact
			}
		}
	}
	return values, nil
}

// sums are the exact bounded sums. They never leave this package.
func (r *Releaser) sums(ctx context.Context, q Request) ([][][]int64, error) {
	return r.sumsOf(ctx, q, func(Unit, []Row) {})
}

// sumsOf are the exact bounded sums; look sees the rows of each contact that they are made of.
func (r *Releaser) sumsOf(ctx context.Context, q Request, look func(Unit, []Row)) ([][][]int64, error) {
	b := newBounded(q.Plan, q.Month, r.Key, q.Workspace)
	span := release.Span{Start: q.Month.Start.UTC(), End: q.Month.End.UTC()}
	err := r.Reader.Contacts(ctx, q.Snapshot, q.Settings, q.Plan.questions(span), func(unit Unit, rows []Row) {
		look(unit, rows)
		b.add(unit, rows)
	})
	if err != nil {
		return nil, err
	}
	return b.sums, nil
}
