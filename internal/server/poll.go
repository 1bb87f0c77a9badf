package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"murmur/internal/explain"
	"murmur/internal/job"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

const (
	// pollEvery is how often a source is polled.
	pollEvery = time.Minute
	// pollFor is how long one job polls; a history that takes longer goes on in the next one.
	pollFor = 20 * time.Minute
	// askAgain is how often murmur tries a source whose trouble only a person can end.
	askAgain = time.Hour
	// pollQueue keeps long histories from holding up the other jobs.
	pollQueue, pollParallel = "poll", 4
)

// pollArgs is the job of one source, one at a time.
type pollArgs struct {
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
}

func (pollArgs) Kind() string { return "poll" }

// InsertOpts: the queue does not retry a poll; the job of the next minute does.
func (pollArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: pollQueue, UniqueOpts: job.Once(), MaxAttempts: 1}
}

type pollWorker struct {
	river.WorkerDefaults[pollArgs]
	n *Node
}

func (w *pollWorker) Timeout(*river.Job[pollArgs]) time.Duration { return pollFor + time.Minute }

// Work polls until nothing is left. It succeeds whatever the vendor answers: the state of the source stores the
// trouble.
func (w *pollWorker) Work(ctx context.Context, j *river.Job[pollArgs]) error {
	ws, err := workspace.Parse(j.Args.Workspace)
	if err != nil {
		return err
	}
	src, err := w.n.store.Source(ctx, ws, j.Args.Source)
	if errors.Is(err, workspace.ErrNotFound) || err == nil && (src.Paused || src.APIKey == "") {
		return nil
	}
	if err != nil {
		return err
	}
	if rests, err := w.n.rests(ctx, ws); err != nil || rests {
		return err
	}
	if err := w.n.paceFrom(ctx, src); err != nil {
		return err
	}
	ctx, cancel := w.n.untilClosing(ctx) // a server that stops does not wait for a history
	defer cancel()
	ctx, late := context.WithTimeout(ctx, pollFor)
	defer late()
	before, err := w.n.store.State(ctx, src)
	if err != nil {
		return err
	}
	err = w.n.zone.Poll(ctx, src)
	if after, e := w.n.store.State(ctx, src); e == nil && before.Done < 1 && after.Done >= 1 {
		err = errors.Join(err, w.n.crowd.Landed(ctx, ws))
	}
	switch t, isTrouble := errors.AsType[workspace.Trouble](err); {
	case isTrouble:
		w.n.log.Warn("a source could not be polled", "workspace", ws.String(), "source", src.Name, "why", string(t))
	case errors.Is(err, workspace.ErrLimit), errors.Is(err, workspace.ErrSuspended):
		w.n.log.Warn("a source is polled later", "workspace", ws.String(), "source", src.Name, "why", explain.Describe(err))
	case err != nil && ctx.Err() == nil:
		w.n.log.Error("a source could not be polled", "workspace", ws.String(), "source", src.Name, "error", err)
		return err
	}
	return nil
}

// pollAllArgs is the job of each minute: every source that has a key is polled.
type pollAllArgs struct{}

func (pollAllArgs) Kind() string { return "poll-all" }

type pollAllWorker struct {
	river.WorkerDefaults[pollAllArgs]
	n *Node
}

func (w *pollAllWorker) Work(ctx context.Context, _ *river.Job[pollAllArgs]) error {
	return w.n.eachPolled(ctx, func(src workspace.Source, st workspace.SourceState) error {
		if src.Paused || private.Lasting(st.Trouble) && w.n.now().Sub(st.TroubleAt) < askAgain {
			return nil
		}
		return w.n.kickPoll(ctx, src)
	})
}

// kickPoll queues a poll of a source now; where no server runs, the next one polls it.
func (n *Node) kickPoll(ctx context.Context, src workspace.Source) error {
	if n.jobs == nil || src.APIKey == "" {
		return nil
	}
	_, err := n.jobs.Insert(ctx, pollArgs{src.Workspace.String(), src.Name}, nil)
	return err
}

// eachPolled visits every source that has an API key.
func (n *Node) eachPolled(ctx context.Context, f func(workspace.Source, workspace.SourceState) error) error {
	return n.eachWorking(ctx, "poll", func(ws workspace.ID) error {
		all, err := n.store.Sources(ctx, ws)
		errs := []error{err}
		for _, src := range all {
			if src.APIKey == "" {
				continue
			}
			st, err := n.store.State(ctx, src)
			if err == nil {
				err = f(src, st)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// pollingOf puts the state of a source into words; nil for one that is not polled.
// fetching reports whether the history of a source of the workspace is still being listed.
func (n *Node) fetching(ctx context.Context, ws workspace.ID) (bool, error) {
	all, err := n.store.Sources(ctx, ws)
	if err != nil {
		return false, err
	}
	for _, src := range all {
		p, err := n.pollingOf(ctx, src)
		if err != nil {
			return false, err
		}
		if p != nil && (p.State == "waiting" || p.State == "history") {
			return true, nil
		}
	}
	return false, nil
}

func (n *Node) pollingOf(ctx context.Context, src workspace.Source) (*rpc.Polling, error) {
	if src.APIKey == "" {
		return nil, nil
	}
	st, err := n.store.State(ctx, src)
	if err != nil {
		return nil, err
	}
	p := &rpc.Polling{State: "live", Done: st.Done, Items: st.Items, Lag: -1, Trouble: string(st.Trouble), Missing: st.Missing}
	if !st.PolledAt.IsZero() {
		p.Lag = math.Round(n.now().Sub(st.PolledAt).Seconds())
	}
	if !st.FreshAt.IsZero() {
		p.Fresh = st.FreshAt.UTC().Format(time.RFC3339)
	}
	if st.Trouble != "" {
		p.Said, p.Hint = saidOf(st.Trouble)
	}
	switch {
	case src.Paused:
		p.State = "paused"
	case private.Lasting(st.Trouble):
		p.State = "stopped"
	case st.Checkpoint == "":
		p.State = "waiting"
	case st.Done < 1:
		p.State = "history"
	}
	return p, nil
}

// troubles are the words for what a vendor's API does, and what to do about it.
var troubles = map[workspace.Trouble]struct{ said, hint string }{
	"key":         {"the vendor does not accept the API key", "make a new key at the vendor, then: murmur connect rotate NAME --api-key @FILE"},
	"forbidden":   {"the API key may not read calls", "use a key of an owner or administrator: murmur connect rotate NAME --api-key @FILE"},
	"account":     {"the API key is of another account than before", "connect that account under a name of its own: murmur connect KIND --name N --api-key @FILE"},
	"request":     {"the vendor does not understand the request", "is --api-base the address of this vendor's API? Otherwise a newer murmur may help"},
	"cursor":      {"the vendor no longer knows the place in its list", "the next poll continues where this one stopped"},
	"missing":     {"the vendor has nothing at that address", "is --api-base the address of this vendor's API?"},
	"busy":        {"the vendor answers that there are too many requests", "another program may use the same key: give murmur a key of its own"},
	"unavailable": {"the vendor's API cannot be reached", triedAgain + "; nothing is lost"},
	"cut":         {"the vendor's answers end in the middle", triedAgain + "; nothing is lost"},
	"html":        {"a web page came where the API should answer", "is --api-base the address of the API? A proxy or a log-in page may be in the way"},
	"too-large":   {"an answer of the vendor is larger than 8 MiB", "ask the vendor why; murmur read nothing beyond that"},
	"redirect":    {"the vendor points to another host", "murmur does not follow it, because the key belongs to the first host. Is --api-base right?"},
	"host":        {"the address of the API is private", "if that is intended, name it with --api-base"},
}

func saidOf(t workspace.Trouble) (said, hint string) {
	w, ok := troubles[t]
	if !ok {
		return "the vendor's API failed", ""
	}
	return w.said, w.hint
}

// refused makes a Problem of a vendor's refusal, and leaves other errors alone.
func refused(err error, name, kind string) error {
	t, ok := errors.AsType[workspace.Trouble](err)
	if !ok {
		return err
	}
	said, hint := saidOf(t)
	hint = strings.NewReplacer("NAME", name, "KIND", kind).Replace(hint)
	exit := 1
	if private.Lasting(t) || t == "host" {
		exit = 2
	}
	return &rpc.Problem{Message: said, Hint: hint, Exit: exit, Status: 422, Why: string(t)}
}

// notTaken is a refusal of a command that stored nothing: nobody tries again by themselves.
func notTaken(err error) error {
	if p, ok := errors.AsType[*rpc.Problem](err); ok && strings.HasPrefix(p.Hint, triedAgain) {
		p.Hint = "nothing was stored: is this machine on the network, and --api-base right? Then run the command again"
	}
	return err
}

// triedAgain is what is said where the polling of a connected source fails for a while.
const triedAgain = "it is tried again every minute"

// pollingChecks tells doctor of every polled source.
func (n *Node) pollingChecks(ctx context.Context, say func(name string, ok bool, hint, format string, args ...any)) error {
	return n.eachPolled(ctx, func(src workspace.Source, st workspace.SourceState) error {
		p, err := n.pollingOf(ctx, src)
		if err != nil {
			return err
		}
		said := fmt.Sprintf("%s, %d objects so far", p.State, p.Items)
		if p.Said != "" {
			said += ": " + p.Said
		}
		say("polling of "+src.Name+" in "+src.Workspace.String(), st.Trouble == "", p.Hint, "%s", said)
		return nil
	})
}

// pause keeps a source from being polled; its webhooks are taken as before.
func (n *Node) pause(ctx context.Context, a rpc.SourceArgs, paused bool) (rpc.Removed, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Removed{}, err
	}
	if err := n.store.Pause(ctx, ws, a.Name, paused); err != nil {
		return rpc.Removed{}, err
	}
	n.followStreams(ctx)
	state := map[bool]string{true: "paused", false: "resumed"}[paused]
	src, err := n.store.Source(ctx, ws, a.Name)
	if err == nil && !paused {
		err = n.kickPoll(ctx, src)
	}
	return rpc.Removed{Workspace: ws.String(), Source: a.Name, State: state}, err
}

// tried is what a test of a key found.
type tried struct {
	account string
	gives   []rpc.Given
}

// tryKey asks the vendor with the key of a source that is not connected yet.
func (n *Node) tryKey(ctx context.Context, src workspace.Source) (tried, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	account, all, err := n.zone.TestKey(ctx, src)
	if errors.Is(err, context.DeadlineExceeded) {
		err = workspace.Trouble("unavailable")
	}
	if err != nil {
		return tried{}, notTaken(refused(err, src.Name, src.Kind))
	}
	policy, err := n.store.Policy(ctx, src.Workspace)
	if err != nil {
		return tried{}, err
	}
	t := tried{account: account}
	for _, a := range all {
		g := rpc.Given{What: a.Name, Has: a.Has}
		switch {
		case a.Has && a.Name == "transcripts" && policy.Transcripts == workspace.Deny, a.Has && a.Name == "recordings" && policy.Recordings == workspace.Deny:
			g.Note = "not used: the policy says " + a.Name + "=deny"
		case a.Why == "forbidden":
			g.Note = "not in this plan, or not for this key; the rest works without"
		case !a.Has:
			g.Note, _ = saidOf(a.Why)
		}
		t.gives = append(t.gives, g)
	}
	return t, nil
}

// begin remembers the account of a new source, sets up its webhook when the server's own address is known, and has it
// polled.
func (n *Node) begin(ctx context.Context, src workspace.Source, t tried, publicURL, path string) (webhook, secret string, err error) {
	if err := n.store.SetState(ctx, src, workspace.SourceState{Account: t.account}); err != nil {
		return "", "", err
	}
	webhook, secret = "by hand", src.Secrets[0]
	if publicURL != "" && private.CanRegister(src.Kind) {
		secret, err = n.zone.Register(ctx, src, strings.TrimRight(publicURL, "/")+path)
		if err != nil {
			return "", "", fmt.Errorf("register the webhook: %w", refused(err, src.Name, src.Kind))
		}
		if err := n.store.SetSecret(ctx, src.Workspace, src.Name, secret); err != nil {
			return "", "", err
		}
		webhook = "registered"
	}
	return webhook, secret, n.kickPoll(ctx, src)
}

// rekey gives a source another API key, of the same account.
func (n *Node) rekey(ctx context.Context, src workspace.Source, key string) error {
	src.APIKey = key
	t, err := n.tryKey(ctx, src)
	if err != nil {
		return err
	}
	st, err := n.store.State(ctx, src)
	if err != nil {
		return err
	}
	if st.Account != "" && t.account != "" && st.Account != t.account {
		return refused(workspace.Trouble("account"), src.Name, src.Kind)
	}
	if err := n.store.SetAPIKey(ctx, src.Workspace, src.Name, key); err != nil {
		return err
	}
	st.Trouble = ""
	if st.Account == "" {
		st.Account = t.account
	}
	if err := n.store.SetState(ctx, src, st); err != nil {
		return err
	}
	return n.kickPoll(ctx, src)
}

// polls are the metrics of polled sources; names of sources are the operator's own.
type polls struct {
	node           *Node
	lag, done, bad *prometheus.Desc
}

func newPolls(n *Node) *polls {
	labels := []string{"workspace", "source"}
	return &polls{
		node: n,
		lag:  prometheus.NewDesc("murmur_poll_lag_seconds", "Time since the last poll that found everything.", labels, nil),
		done: prometheus.NewDesc("murmur_poll_history", "Part of the history that was listed.", labels, nil),
		bad:  prometheus.NewDesc("murmur_poll_trouble", "1 while a source cannot be polled, by reason.", append(labels, "why"), nil),
	}
}

func (p *polls) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(p, ch) }

func (p *polls) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = p.node.eachPolled(ctx, func(src workspace.Source, st workspace.SourceState) error {
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{src.Workspace.String(), src.Name}, labels...)...)
		}
		if !st.PolledAt.IsZero() {
			gauge(p.lag, p.node.now().Sub(st.PolledAt).Seconds())
		}
		gauge(p.done, st.Done)
		if st.Trouble != "" {
			gauge(p.bad, 1, string(st.Trouble))
		}
		return nil
	}) // what cannot be read now is missing from the answer
}
