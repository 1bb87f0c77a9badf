package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"murmur/internal/job"
	"murmur/internal/private"
	"murmur/internal/workspace"
)

// A recording at a platform is guarded by a job from before it starts until the call has ended with consent, or until the
// platform says that nothing is left of it. The job is stored, so it outlives a crash; a refusal does not wait for it.
const (
	// guardLive is how often a live call is looked at.
	guardLive = 10 * time.Second
	// guardSettle is how long a recording may take to appear whose start was under way: so long after it, one looks again.
	guardSettle = time.Minute
	// guardMost is the longest pause between two tries at a platform that fails.
	guardMost = 5 * time.Minute
	// actFor bounds one try.
	actFor = 15 * time.Second
	// guardQueue keeps guards from waiting for other jobs.
	guardQueue, guardParallel = "platform", 8
)

// guardArgs is the guard of one call's recording.
type guardArgs struct {
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	Call      string `json:"call"`
}

func (guardArgs) Kind() string { return "platform-recording" }

func (guardArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: guardQueue, UniqueOpts: job.Once()}
}

type guardWorker struct {
	river.WorkerDefaults[guardArgs]
	n *Node
}

func (w *guardWorker) Timeout(*river.Job[guardArgs]) time.Duration { return time.Minute }

func (w *guardWorker) Work(ctx context.Context, j *river.Job[guardArgs]) error {
	again, err := w.n.guard(ctx, j.Args, w.n.now().Sub(j.CreatedAt))
	if err != nil {
		w.n.log.Error("a recording at the platform could not be deleted yet; it is tried again", "source", j.Args.Source, "error", err)
	}
	if again > 0 {
		return river.JobSnooze(again) // never given up: a snooze is no attempt
	}
	return err
}

// guard looks at a call and ends its recording if it must go. again is when to look next; 0: there is nothing left to do.
func (n *Node) guard(ctx context.Context, a guardArgs, age time.Duration) (again time.Duration, err error) {
	rest := min(max(time.Second, age/8), guardMost)
	ws, err := workspace.Parse(a.Workspace)
	if err != nil {
		return 0, err
	}
	src, err := n.store.Source(ctx, ws, a.Source)
	if errors.Is(err, workspace.ErrNotFound) || err == nil && !private.Controls(src, a.Call) {
		return 0, nil // disconnected: without its key murmur cannot ask the platform
	}
	if err != nil {
		return rest, err
	}
	standing, err := n.zone.Stands(ctx, ws, a.Call)
	switch {
	case err != nil:
		return rest, err
	case standing == private.IsLive:
		return guardLive, nil
	case standing == private.MayStay:
		return 0, nil
	}
	gone, err := n.zone.EndRecording(ctx, src, a.Call)
	switch {
	case err != nil:
		return rest, err
	case !gone:
		return time.Second, nil
	case age < guardSettle:
		return guardSettle - age, nil
	}
	return 0, nil
}

// endAtPlatform ends what a platform records of a call, at once and until it is confirmed. It does nothing for a call of no
// platform.
func (n *Node) endAtPlatform(ctx context.Context, ws workspace.ID, call string) {
	sources, err := n.store.Sources(ctx, ws)
	if err != nil {
		n.log.Error("the platform of a call could not be found", "error", err)
		return
	}
	for _, src := range sources {
		if !private.Controls(src, call) {
			continue
		}
		n.running.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actFor)
			defer cancel()
			_, _ = n.zone.EndRecording(ctx, src, call) // the guard repeats what failed
		})
		if err := n.setGuard(context.WithoutCancel(ctx), src, call); err != nil {
			n.log.Error("the guard of a recording could not be stored", "error", err)
		}
	}
}

// setGuard stores the guard of a recording.
func (n *Node) setGuard(ctx context.Context, src workspace.Source, call string) error {
	if n.jobs == nil {
		return errors.New("no jobs run in this process")
	}
	_, err := n.jobs.Insert(ctx, guardArgs{src.Workspace.String(), src.Name, call}, nil)
	return err
}

// obey carries out what a call's state asks for where a platform records it.
func (n *Node) obey(ctx context.Context, ws workspace.ID, call string, s private.CallState) {
	for _, m := range s.Must {
		if m == "delete" {
			n.endAtPlatform(ctx, ws, call)
		}
	}
}

// answerCall answers a platform that asks what to play in a call next. Once the request is verified, the call gets
// through, whatever fails.
func (n *Node) answerCall(w http.ResponseWriter, r *http.Request) {
	src, body, ok := n.receive(w, r)
	if !ok {
		return
	}
	again, _ := strconv.Atoi(r.URL.Query().Get("again"))
	a, err := n.zone.AnswerCall(r.Context(), src, r.PathValue("step"), again, r.Header, body, calledAt(src, r)...)
	if a.Body == nil {
		n.refuse(w, err)
		return
	}
	if err != nil {
		n.log.Error("a call goes on unrecorded because something failed", "error", err)
		a.Record = false
	}
	n.obey(r.Context(), src.Workspace, a.Call, a.State)
	if a.Record {
		n.record(r.Context(), src, a.Call)
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = w.Write(a.Body)
}

// record starts the recording of a call whose notice has ended. Its guard is stored first: a recording without one does not
// begin. When the call may not be recorded any more by the time that the platform has answered, it ends at once.
func (n *Node) record(ctx context.Context, src workspace.Source, call string) {
	if !private.Controls(src, call) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actFor)
	defer cancel()
	if err := n.setGuard(ctx, src, call); err != nil {
		n.log.Error("a call is not recorded: its guard could not be stored", "error", err)
		return
	}
	if err := n.zone.StartRecording(ctx, src, call); err != nil {
		n.log.Warn("the platform did not confirm that it records a call", "source", src.Name, "error", err)
	}
	if s, err := n.zone.Stands(ctx, src.Workspace, call); err != nil || s == private.MustGo {
		n.endAtPlatform(ctx, src.Workspace, call)
	}
}

// calledAt are the addresses at which the vendor may have called. With a public URL there is one. Without, it is the host
// that the request names, by https or http: murmur reads no forwarded header, because anybody can write one; behind a
// proxy that changes the host it therefore needs the public URL.
func calledAt(src workspace.Source, r *http.Request) []string {
	if !private.SignsAddress(src.Kind) {
		return nil
	}
	if u := src.Config.PublicURL; u != "" {
		return []string{strings.TrimRight(u, "/") + r.URL.RequestURI()}
	}
	return []string{"https://" + r.Host + r.URL.RequestURI(), "http://" + r.Host + r.URL.RequestURI()}
}

func isForm(contentType string) bool {
	contentType, _, _ = strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(contentType), "application/x-www-form-urlencoded")
}
