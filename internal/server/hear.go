package server

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"murmur/internal/job"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

const (
	// hearEvery is how often the server looks for recordings that are not transcribed: those that came while no
	// transcriber was installed, and those whose job was lost with its process. Recordings of the recorder are queued
	// at once.
	hearEvery = time.Minute
	// hearFor is how long the transcription of one recording may take; a transcriber ends by itself long before.
	hearFor = 2 * time.Hour
	// hearTries is how often a transcriber may fail on a recording.
	hearTries = 4
	// hearMost is how many recordings of a workspace are queued at once.
	hearMost = 100
	// hearQueue transcribes one recording at a time, because a transcriber uses a whole core.
	hearQueue, hearParallel = "hear", 1
)

// hearArgs is the job of one recording, once: ids alone.
type hearArgs struct {
	Workspace string `json:"workspace"`
	Recording string `json:"recording"`
}

func (hearArgs) Kind() string { return "hear" }

func (hearArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: hearQueue, UniqueOpts: job.Once(), MaxAttempts: hearTries}
}

type hearWorker struct {
	river.WorkerDefaults[hearArgs]
	n *Node
}

func (w *hearWorker) Timeout(*river.Job[hearArgs]) time.Duration { return hearFor }

func (w *hearWorker) Work(ctx context.Context, j *river.Job[hearArgs]) error {
	ws, err := workspace.Parse(j.Args.Workspace)
	id, ok := private.ParseRecordingID(j.Args.Recording)
	if err != nil || !ok {
		return river.JobCancel(rpc.ErrArgs)
	}
	if rests, err := w.n.rests(ctx, ws); err != nil || rests {
		return err // the minute after it works again finds what is still there
	}
	ctx, cancel := w.n.untilClosing(ctx)
	defer cancel()
	err = w.n.zone.Hear(ctx, ws, id, j.Attempt >= j.MaxAttempts)
	if w.n.closing.Err() != nil {
		return river.JobSnooze(0) // the next server transcribes it; this does not count as a try
	}
	if err != nil {
		w.n.log.Error("a recording could not be transcribed", "workspace", ws.String(), "recording", id.String(), "try", j.Attempt, "error", err)
	}
	return err
}

// hearAllArgs is the job of each minute: every recording that waits is queued, if there is a transcriber.
type hearAllArgs struct{}

func (hearAllArgs) Kind() string { return "hear-all" }

type hearAllWorker struct {
	river.WorkerDefaults[hearAllArgs]
	n *Node
}

func (w *hearAllWorker) Work(ctx context.Context, _ *river.Job[hearAllArgs]) error {
	if path, _ := w.n.zone.Listener(); path == "" || w.n.leaveRecordings {
		return nil
	}
	workspaces, err := w.n.store.Working(ctx)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		r, err := w.n.zone.Recordings(ctx, ws)
		if err != nil {
			return err
		}
		for _, id := range r.Waiting[:min(len(r.Waiting), hearMost)] {
			if _, err := w.n.jobs.Insert(ctx, hearArgs{ws.String(), id.String()}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// kickHear queues a recording for transcription now, if a transcriber is installed; otherwise the
// job of each minute finds it.
func (n *Node) kickHear(ctx context.Context, ws workspace.ID, id private.RecordingID) {
	if path, _ := n.zone.Listener(); path == "" || n.jobs == nil || n.leaveRecordings {
		return
	}
	if _, err := n.jobs.Insert(ctx, hearArgs{ws.String(), id.String()}, nil); err != nil {
		n.log.Warn("a recording was not queued; it is found again in a minute", "workspace", ws.String(), "error", err)
	}
}

// recorded counts the recordings of a workspace and says what they wait for; nil where there are
// none.
func (n *Node) recorded(ctx context.Context, ws workspace.ID) (*web.Recorded, error) {
	r, err := n.zone.Recordings(ctx, ws)
	if err != nil || r.Stored == 0 {
		return nil, err
	}
	w := &web.Recorded{Stored: int64(r.Stored), Heard: int64(r.Heard), Denied: int64(r.Denied), Waiting: int64(len(r.Waiting))}
	path, _ := n.zone.Listener()
	switch {
	case w.Waiting > 0 && path == "":
		w.Said = "no transcriber is installed: they wait until their keys are destroyed, raw-hours after the call"
	case w.Waiting > 0:
		w.Said = "they are transcribed one after the other"
	case w.Denied > 0:
		w.Said = "the policy for transcripts, or a person's refusal, forbids their transcription"
	default:
		w.Said = "all are transcribed"
	}
	return w, nil
}

// hearing tells doctor of the recordings of a workspace.
func (n *Node) hearing(ctx context.Context, name string, say func(name string, ok bool, hint, format string, args ...any)) error {
	ws, err := workspace.Parse(name)
	if err != nil {
		return err
	}
	r, err := n.recorded(ctx, ws)
	if err != nil || r == nil {
		return err
	}
	path, held := n.zone.Listener()
	by := ""
	switch {
	case path != "" && !held.Runs:
		by = "; the transcriber does not run, for this system cannot confine it: recordings go to quarantine"
	case path != "" && held.Lacks != "":
		by = "; this system does not give the transcriber " + held.Lacks
	}
	say("recordings of "+name, r.Waiting == 0 || path != "", "make voice installs a transcriber; murmur serve --listener PATH takes another one",
		"%d stored, %d heard, %d wait: %s", r.Stored, r.Heard, r.Waiting, r.Said+by)
	return nil
}
