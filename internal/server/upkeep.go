package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"murmur/internal/datadir"
	"murmur/internal/job"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/workspace"
)

// releaseEvery is how often a server looks whether new facts are in the lake.
const releaseEvery = 2 * time.Second

// startUpkeep starts what a server does by itself: figures as facts come, and the daily work as durable jobs.
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
	n.running.Go(func() { n.keepReleasing(ctx) })
	n.running.Go(func() { n.keepCalls(ctx) })
	return nil
}

// keepReleasing computes figures whenever the lake has grown. While facts keep coming it rests four times as long as it
// worked: counting takes a fifth of the time at most.
func (n *Node) keepReleasing(ctx context.Context) {
	tick := time.NewTicker(releaseEvery)
	defer tick.Stop()
	last, rest := int64(-1), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pos, _, err := n.crowd.Position(ctx)
		if err != nil || pos == last || time.Now().Before(rest) {
			continue
		}
		began := time.Now()
		err = n.releaseAll(ctx)
		rest = time.Now().Add(4 * time.Since(began))
		if err != nil {
			if ctx.Err() == nil {
				n.log.Error("figures could not be computed", "kind", errorKind(err))
			}
			continue
		}
		last = pos
	}
}

func (n *Node) releaseAll(ctx context.Context) error {
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		if err := n.release(ctx, ws, false); err != nil {
			return err
		}
	}
	return nil
}

// rotateArgs is the job of every five minutes: raw bytes die.
type rotateArgs struct{}

func (rotateArgs) Kind() string { return "rotate-epochs" }

type rotateWorker struct {
	river.WorkerDefaults[rotateArgs]
	n *Node
}

func (w *rotateWorker) Work(ctx context.Context, _ *river.Job[rotateArgs]) error {
	return w.n.Rotate(ctx)
}

// tidyArgs is the daily job: old words go, rows of one person cannot be linked any more, files are merged.
type tidyArgs struct{}

func (tidyArgs) Kind() string { return "tidy" }

type tidyWorker struct {
	river.WorkerDefaults[tidyArgs]
	n *Node
}

func (w *tidyWorker) Work(ctx context.Context, _ *river.Job[tidyArgs]) error { return w.n.Tidy(ctx) }

func (n *Node) openJobs(ctx context.Context) (*job.Queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &rotateWorker{n: n})
	river.AddWorker(workers, &tidyWorker{n: n})
	river.AddWorker(workers, &pollWorker{n: n})
	river.AddWorker(workers, &pollAllWorker{n: n})
	river.AddWorker(workers, &guardWorker{n: n})
	river.AddWorker(workers, &fetchWorker{n: n})
	river.AddWorker(workers, &fetchAllWorker{n: n})
	river.AddWorker(workers, &hearWorker{n: n})
	river.AddWorker(workers, &hearAllWorker{n: n})
	n.closing, n.close = context.WithCancel(context.WithoutCancel(ctx))
	return job.Open(ctx, n.dir.Jobs(), job.Config{
		Workers: workers, Log: slog.New(warnings{n.log.Handler()}), Queues: map[string]int{guardQueue: guardParallel, pollQueue: pollParallel, hearQueue: hearParallel, fetchQueue: fetchParallel}, Rescue: hearFor + time.Hour,
		Periodic: []*river.PeriodicJob{
			job.Every(5*time.Minute, rotateArgs{}),
			job.Every(24*time.Hour, tidyArgs{}),
			job.Every(pollEvery, pollAllArgs{}),
			job.Every(fetchEvery, fetchAllArgs{}),
			job.Every(hearEvery, hearAllArgs{}),
		},
	})
}

// Rotate ends raw bytes: those older than the policy's raw-hours, and at the end of a UTC day everything of that day
// with its key. What is still needed (held, quarantined, not yet processed) is first sealed again under today's key.
func (n *Node) Rotate(ctx context.Context) error {
	below := n.ring.Today()
	_, err := n.journal.Reseal(ctx, below, func(m journal.Message) (journal.Message, error) {
		if m.Topic == journal.Facts { // no person in them: their key lasts
			return m, nil
		}
		opened, err := n.ring.Open(m.Workspace, keyring.TopicInbox, m.ID, sealVersion, m.Epoch, m.Payload)
		if errors.Is(err, keyring.ErrSeal) || errors.Is(err, keyring.ErrDead) {
			return m, nil // damaged or dead already: it stays unreadable
		}
		if err != nil {
			return journal.Message{}, err
		}
		m.Epoch, m.Payload, err = n.ring.Reseal(opened)
		return m, err
	})
	if err != nil {
		return fmt.Errorf("re-seal what is still needed: %w", err)
	}
	if _, err := n.journal.DropPayloads(ctx, below); err != nil {
		return fmt.Errorf("drop sealed bytes: %w", err)
	}
	if err := n.zone.RotateRecordings(ctx); err != nil { // what it could not carry over dies with its day
		n.log.Error("recordings could not be carried over", "kind", errorKind(err))
	}
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		p, err := n.store.Policy(ctx, ws)
		if err != nil {
			return err
		}
		if _, err := n.journal.DropOlder(ctx, ws, n.now().Add(-time.Duration(p.RawHours)*time.Hour)); err != nil {
			return err
		}
		if _, err := n.ring.Destroy(ws, below); err != nil && !errors.Is(err, keyring.ErrUnknown) {
			return fmt.Errorf("destroy keys: %w", err)
		}
	}
	if err := n.dir.RefillBallast(); err != nil && !errors.Is(err, datadir.ErrFull) {
		return fmt.Errorf("refill the ballast: %w", err)
	}
	return nil
}

// sealVersion is the version of a sealed delivery (private.Zone seals with it; docs/format/journal.md).
const sealVersion = 1

// optOutTime is how long an opt-out may take to reach what was published before.
const optOutTime = time.Minute

// audit looks for content that somebody refused more than a minute ago. There must be none; what is found is taken out,
// counted and reported. While deliveries wait, an opt-out may be among them: it is not the time to look.
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

// What waits has a last day: a delivery held for consent is refused then, a quarantined one keeps its reason and
// loses its bytes.
const heldDays, quarantineDays = 7, 30

// Tidy does the daily work of the lake and the journal, and signs the ledger.
func (n *Node) Tidy(ctx context.Context) error {
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return err
	}
	link, own := 60, map[workspace.ID]int{}
	for _, ws := range workspaces {
		p, err := n.store.Policy(ctx, ws)
		if err != nil {
			return err
		}
		link, own[ws] = min(link, p.LinkDays), p.LinkDays
		if _, err := n.audit(ctx, ws); err != nil {
			return err
		}
	}
	if err := n.crowd.Tidy(ctx, own); err != nil {
		return err
	}
	if _, err := n.journal.Unlink(ctx, n.now().AddDate(0, 0, -link)); err != nil {
		return err
	}
	if _, err := n.journal.Lapse(ctx, n.now().AddDate(0, 0, -heldDays), n.now().AddDate(0, 0, -quarantineDays)); err != nil {
		return err
	}
	if _, err := n.journal.Purge(ctx); err != nil {
		return err
	}
	c, err := n.ledger.Checkpoint(ctx)
	if err == nil && c.Size > 0 {
		n.log.Info("the ledger's checkpoint of the day", "size", c.Size, "root", c.Root.String())
	}
	return err
}

// untilClosing is ctx until the server closes: a job that takes long is cut off then, and the next server does it. cancel
// must be called.
func (n *Node) untilClosing(ctx context.Context) (_ context.Context, cancel func()) {
	ctx, end := context.WithCancel(ctx)
	stop := context.AfterFunc(n.closing, end)
	return ctx, func() { stop(); end() }
}
