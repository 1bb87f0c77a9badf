package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"murmur/internal/crowd"
	"murmur/internal/datadir"
	"murmur/internal/explain"
	"murmur/internal/job"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/private"
	"murmur/internal/workspace"
)

// releaseEvery is how often a server looks whether new facts are in the lake.
const releaseEvery = 2 * time.Second

// startUpkeep starts what a server does by itself: erasures, figures as facts come, and the daily work as durable jobs.
func (n *Node) startUpkeep(ctx context.Context) error {
	q, err := n.openJobs(ctx)
	if err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	n.jobs = q
	if _, err := q.Reclaim(ctx); err != nil {
		return err
	}
	if err := q.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := n.stop
	n.stop = func() { cancel(); stop() }
	n.erasing.running = true
	if err := n.resumeAgain(ctx); err != nil {
		return err
	}
	n.running.Go(func() { n.keepErasing(ctx) })
	n.running.Go(func() { n.keepDeleting(ctx) })
	n.running.Go(func() { n.keepReleasing(ctx) })
	n.running.Go(func() { n.keepCalls(ctx) })
	n.running.Go(func() { n.keepStreams(ctx) })
	return nil
}

// keepReleasing computes figures where something changed. While facts keep coming it pauses four times as long as
// it counted, so that counting takes at most a fifth of the time.
func (n *Node) keepReleasing(ctx context.Context) {
	tick := time.NewTicker(releaseEvery)
	defer tick.Stop()
	rest := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		if began.Before(rest) {
			continue
		}
		if err := n.releaseDue(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("figures could not be computed; it is tried again", "error", err)
		}
		rest = time.Now().Add(4 * time.Since(began))
	}
}

// releaseDue looks at the workspaces in which something changed.
func (n *Node) releaseDue(ctx context.Context) error {
	due, err := n.crowd.Due(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	when := crowd.Schedule
	if b, err := n.journal.Backlog(ctx); err != nil {
		return err
	} else if b.Pending == 0 && b.Facts == 0 {
		when = crowd.Quiet
	}
	return n.each(ctx, "release", due, func(ws workspace.ID) error {
		if rests, err := n.rests(ctx, ws); err != nil || rests {
			return err // it stays due
		}
		err := n.release(ctx, ws, when)
		if errors.Is(err, crowd.ErrErasing) {
			return nil // more are erased than can be waited for; it stays due, and doctor names an erasure that does not end
		}
		return err
	})
}

// rotateArgs is the job of every five minutes that ends raw bytes.
type rotateArgs struct{}

func (rotateArgs) Kind() string { return "rotate-epochs" }

// settleArgs is the job that follows what people said: keys under which the words of somebody who refused were sealed are
// destroyed within a minute, and words that waited for their call are decided again.
type settleArgs struct{}

func (settleArgs) Kind() string { return "settle" }

func (n *Node) followUp(ctx context.Context) error {
	return errors.Join(n.Shred(ctx), n.place(ctx))
}

const (
	settleEvery = 10 * time.Second
	// shredAfter is how long a refusal may take to reach what waits: then it is decided, and carried over to no key.
	shredAfter = 20 * time.Second
	// shredLatest is when a key ends although deliveries of before the refusal wait: they are carried over.
	shredLatest = 5 * time.Minute
)

// Shred destroys the keys in use where somebody refused. What is needed of others (pending, held, in quarantine, recordings)
// is sealed again under a new key; what was decided, or belongs to whoever refused, can be opened no more, wherever its bytes
// are left on the disk.
func (n *Node) Shred(ctx context.Context) error {
	orders, err := n.zone.Shreds(ctx)
	if err != nil || len(orders) == 0 {
		return err
	}
	backlog, err := n.journal.Backlog(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range orders {
		age := n.now().Sub(s.First)
		behind := backlog.Pending > 0 && !backlog.Oldest.After(s.Last)
		if age < shredAfter || behind && age < shredLatest {
			continue
		}
		if err := n.shred(ctx, s); err != nil {
			errs = append(errs, fmt.Errorf("destroy the key of %s: %w", s.Workspace, err))
		}
	}
	return errors.Join(errs...)
}

func (n *Node) shred(ctx context.Context, s private.Shred) error {
	began := n.now()
	epoch, err := n.ring.Renew(s.Workspace)
	if err != nil {
		return err
	}
	if err := n.zone.RotateRecordings(ctx); err != nil {
		n.log.Error("recordings could not be carried over", "error", err)
	}
	if err := n.rotate(ctx, s.Workspace, epoch); err != nil {
		return err
	}
	return n.zone.Shredded(ctx, s, began)
}

// place has words decided again that waited for a call that came since.
func (n *Node) place(ctx context.Context) error {
	began := n.now()
	words, err := n.zone.Placeable(ctx)
	if err != nil {
		return err
	}
	return n.each(ctx, "find calls", slices.Collect(maps.Keys(words)), func(ws workspace.ID) error {
		if rests, err := n.rests(ctx, ws); err != nil || rests {
			return err
		}
		if _, err := n.journal.ReplayHeld(ctx, ws, words[ws]); err != nil {
			return err
		}
		return n.zone.Placed(ctx, ws, words[ws], began)
	})
}

// tidyArgs is the daily job that deletes old words, unlinks rows of one person, and merges files.
type tidyArgs struct{}

func (tidyArgs) Kind() string { return "tidy" }

// periodic does a job until the node closes.
type periodic[A river.JobArgs] struct {
	river.WorkerDefaults[A]
	n  *Node
	do func(context.Context) error
}

func (w *periodic[A]) Work(ctx context.Context, _ *river.Job[A]) error {
	ctx, cancel := w.n.untilClosing(ctx)
	defer cancel()
	return w.do(ctx)
}

func (n *Node) openJobs(ctx context.Context) (*job.Queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &periodic[rotateArgs]{n: n, do: func(ctx context.Context) error { return n.keep(ctx, rotating) }})
	river.AddWorker(workers, &periodic[tidyArgs]{n: n, do: func(ctx context.Context) error { return n.keep(ctx, tidying) }})
	river.AddWorker(workers, &periodic[settleArgs]{n: n, do: n.followUp})
	river.AddWorker(workers, &pollWorker{n: n})
	river.AddWorker(workers, &pollAllWorker{n: n})
	river.AddWorker(workers, &guardWorker{n: n})
	river.AddWorker(workers, &fetchWorker{n: n})
	river.AddWorker(workers, &fetchAllWorker{n: n})
	river.AddWorker(workers, &hearWorker{n: n})
	river.AddWorker(workers, &hearAllWorker{n: n})
	river.AddWorker(workers, &periodic[digestArgs]{n: n, do: n.mailDigests})
	river.AddWorker(workers, &periodic[alertsArgs]{n: n, do: n.lookAtAlerts})
	river.AddWorker(workers, &alertWorker{n: n})
	n.closing, n.close = context.WithCancel(context.WithoutCancel(ctx))
	return job.Open(ctx, n.dir.Jobs(), job.Config{
		Workers: workers, Log: slog.New(explain.Warnings{Handler: n.log.Handler()}), Queues: map[string]int{guardQueue: guardParallel, pollQueue: pollParallel, hearQueue: hearParallel, fetchQueue: fetchParallel, alertQueue: alertParallel}, Rescue: hearFor + time.Hour,
		Periodic: []*river.PeriodicJob{
			job.Every(5*time.Minute, rotateArgs{}),
			job.Every(24*time.Hour, tidyArgs{}),
			job.Every(settleEvery, settleArgs{}),
			job.Every(pollEvery, pollAllArgs{}),
			job.Every(fetchEvery, fetchAllArgs{}),
			job.Every(hearEvery, hearAllArgs{}),
			job.Every(digestEvery, digestArgs{}),
			job.Every(digestEvery, alertsArgs{}),
		},
	})
}

// Rotate ends raw bytes: at the end of a UTC day everything of that day goes with its key. What is still needed (held,
// quarantined, not yet processed) is first sealed again under today's key.
func (n *Node) Rotate(ctx context.Context) error {
	if err := n.unretire(ctx); err != nil {
		return err
	}
	below := n.ring.Today()
	if err := n.zone.RotateRecordings(ctx); err != nil { // what it could not reseal becomes unreadable with its day's key
		n.log.Error("recordings could not be carried over", "error", err)
	}
	err := n.eachWorkspace(ctx, "rotate", func(ws workspace.ID) error { return n.rotate(ctx, ws, below) })
	if _, shrink := n.journal.Shrink(ctx); shrink != nil {
		err = errors.Join(err, shrink)
	}
	if refill := n.dir.RefillBallast(); refill != nil && !errors.Is(refill, datadir.ErrFull) {
		err = errors.Join(err, fmt.Errorf("refill the ballast: %w", refill))
	}
	return err
}

// unretire lets a house go on whose clock was ahead for a while: the days that it ended then have not begun.
func (n *Node) unretire(ctx context.Context) error {
	return n.journal.Unretire(ctx, n.ring.Today(), keyring.EpochOf(n.now().AddDate(0, 0, 1)))
}

// rotate ends the days of a workspace before below. A delivery that is just being accepted under an older key is refused
// from the first step on, and sealed again; a key that something still needs stays until the next time.
func (n *Node) rotate(ctx context.Context, ws workspace.ID, below uint32) error {
	if err := n.journal.Retire(ctx, ws, below); err != nil {
		return err
	}
	if err := n.destroy(ctx, ws, below); err != nil { // first, or eight days without rotation leave no room for today's key
		return err
	}
	if _, err := n.journal.Reseal(ctx, ws, below, n.reseal); err != nil {
		return err
	}
	return n.destroy(ctx, ws, below)
}

// destroy ends the keys before below that nothing needs any more.
func (n *Node) destroy(ctx context.Context, ws workspace.ID, below uint32) error {
	needed, err := n.journal.Epoch(ctx, ws)
	if err != nil {
		return err
	}
	if needed > 0 {
		below = min(below, needed)
	}
	if _, err := n.ring.Destroy(ws, below); err != nil && !errors.Is(err, keyring.ErrUnknown) {
		return err
	}
	return nil
}

// reseal carries a delivery over to today's key.
func (n *Node) reseal(m journal.Message) (journal.Message, error) {
	opened, err := n.ring.Open(m.Workspace, keyring.TopicInbox, m.ID, sealVersion, m.Epoch, m.Payload)
	if errors.Is(err, keyring.ErrSeal) || errors.Is(err, keyring.ErrDead) {
		m.Epoch, err = n.ring.Current(m.Workspace) // damaged, or its key is destroyed: it stays unreadable, and needs no key
		return m, err
	}
	if err != nil {
		return journal.Message{}, err
	}
	m.Epoch, m.Payload, err = n.ring.Reseal(opened)
	return m, err
}

// sealVersion is the version of a sealed delivery (private.Zone seals with it; docs/format/journal.md).
const sealVersion = 1

// optOutTime is how long an opt-out may take to reach what was published before.
const optOutTime = time.Minute

// audit looks for content that somebody refused more than a minute ago. There must be none; audit removes, counts and
// reports what it finds. It does not look while deliveries wait, because an opt-out may be among them.
func (n *Node) audit(ctx context.Context, ws workspace.ID) (found int, err error) {
	if b, err := n.journal.Backlog(ctx); err != nil || b.Pending > 0 || b.Facts > 0 {
		return 0, err
	}
	calls, contacts, err := n.zone.Refused(ctx, ws, n.now().Add(-optOutTime))
	if err != nil || len(calls)+len(contacts) == 0 {
		return 0, err
	}
	if found, err = n.crowd.Against(ctx, ws, calls, contacts); err != nil || found == 0 {
		return found, err
	}
	n.log.Error("content was found that somebody had refused", "workspace", ws.String(), "count", found)
	return found, n.zone.Violated(ctx, ws, found)
}

// Waiting deliveries have a last day: then a delivery held for consent is refused, and a quarantined one keeps its reason
// and loses its bytes.
const heldDays, quarantineDays = 7, 30

// tombstoneDays is how long murmur stores who was erased: until rows of the time before are no longer linked, and no
// waiting delivery can add any.
func tombstoneDays(p workspace.Policy) int { return max(p.LinkDays, quarantineDays+1) }

// Tidy does the daily work of the lake and the journal, and signs the ledger. A failed part does not stop the others.
func (n *Node) Tidy(ctx context.Context) error {
	linkDays := map[workspace.ID]int{}
	err := n.eachWorkspace(ctx, "tidy", func(ws workspace.ID) error {
		p, err := n.store.Policy(ctx, ws)
		if err != nil {
			return err
		}
		linkDays[ws] = p.LinkDays
		_, audit := n.audit(ctx, ws)
		_, unlink := n.journal.Unlink(ctx, ws, n.now().AddDate(0, 0, -p.LinkDays))
		rests, lapse := n.rests(ctx, ws)
		if !rests && lapse == nil { // what a workspace has that is suspended waits with it
			_, lapse = n.journal.Lapse(ctx, ws, n.now().AddDate(0, 0, -heldDays), n.now().AddDate(0, 0, -quarantineDays))
		}
		forget := n.zone.LapseErasures(ctx, ws, n.now().AddDate(0, 0, -tombstoneDays(p)))
		return errors.Join(audit, unlink, lapse, forget, n.zone.LetGo(ctx, ws, n.now().AddDate(0, 0, -p.LinkDays)))
	})
	lake := n.crowd.Tidy(ctx, linkDays)
	_, purge := n.journal.Purge(ctx)
	c, sign := n.ledger.Checkpoint(ctx)
	if sign == nil && c.Size > 0 {
		n.log.Info("the ledger's checkpoint of the day", "size", c.Size, "root", c.Root.String())
	}
	return errors.Join(err, lake, purge, sign)
}

// untilClosing is ctx until the server closes: a job that takes long is cut off then, and the next server does it. cancel
// must be called.
func (n *Node) untilClosing(ctx context.Context) (_ context.Context, cancel func()) {
	ctx, end := context.WithCancel(ctx)
	stop := context.AfterFunc(n.closing, end)
	return ctx, func() { stop(); end() }
}
