package server

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"murmur/internal/job"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

const (
	// fetchEvery is how often calls are looked for whose recordings a platform has.
	fetchEvery = time.Minute
	// fetchFor is how long the recordings of one call may take, all segments together.
	fetchFor = time.Hour
	// fetchTries is how often a job tries; while the vendor keeps the recording the next minute makes another one.
	fetchTries = 6
	// fetchLater is when murmur asks again a vendor that still works on a recording.
	fetchLater = 5 * time.Minute
	// fetchMost is how many calls of a workspace are queued at once.
	fetchMost                 = 500
	fetchQueue, fetchParallel = "fetch", 2
)

// fetchArgs is the job of one call, once: ids alone, the call's keyed.
type fetchArgs struct {
	Workspace string `json:"workspace"`
	Call      string `json:"call"`
}

func (fetchArgs) Kind() string { return "fetch" }

func (fetchArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: fetchQueue, UniqueOpts: job.Once(), MaxAttempts: fetchTries}
}

type fetchWorker struct {
	river.WorkerDefaults[fetchArgs]
	n *Node
}

func (w *fetchWorker) Timeout(*river.Job[fetchArgs]) time.Duration { return fetchFor }

func (w *fetchWorker) Work(ctx context.Context, j *river.Job[fetchArgs]) error {
	ws, err := workspace.Parse(j.Args.Workspace)
	call, ok := private.ParseCallID(j.Args.Call)
	if err != nil || !ok {
		return river.JobCancel(rpc.ErrArgs)
	}
	if rests, err := w.n.rests(ctx, ws); err != nil || rests {
		return err // the minute after it works again finds what is still there
	}
	ctx, cancel := w.n.untilClosing(ctx)
	defer cancel()
	stored, err := w.n.zone.Fetch(ctx, ws, call)
	for _, id := range stored {
		w.n.kickHear(ctx, ws, id)
	}
	switch t, isTrouble := errors.AsType[workspace.Trouble](err); {
	case w.n.closing.Err() != nil:
		return river.JobSnooze(0) // the next server fetches it; this does not count as a try
	case errors.Is(err, private.ErrNotYet):
		return river.JobSnooze(fetchLater)
	case isTrouble:
		w.n.log.Warn("a recording could not be fetched", "workspace", ws.String(), "call", call.String(), "try", j.Attempt, "why", string(t))
	case err != nil:
		w.n.log.Error("a recording could not be fetched", "workspace", ws.String(), "call", call.String(), "try", j.Attempt, "error", err)
	}
	return err
}

// fetchAllArgs is the job of each minute: every call that was announced is queued.
type fetchAllArgs struct{}

func (fetchAllArgs) Kind() string { return "fetch-all" }

type fetchAllWorker struct {
	river.WorkerDefaults[fetchAllArgs]
	n *Node
}

func (w *fetchAllWorker) Work(ctx context.Context, _ *river.Job[fetchAllArgs]) error {
	workspaces, err := w.n.store.Working(ctx)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		calls, err := w.n.zone.Announced(ctx, ws)
		if err != nil {
			return err
		}
		for _, call := range calls[:min(len(calls), fetchMost)] {
			if _, err := w.n.jobs.Insert(ctx, fetchArgs{ws.String(), call.String()}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
