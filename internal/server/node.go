// Package server wires murmur: it opens a data directory, starts and stops everything in order, carries out the
// verbs of the command line, and serves deliveries, pages, the API and the numbers an operator watches.
//
// Order of start: directory, keys, metadata, ledger, journal, zones, pipeline, upkeep, listeners. Stop is the
// reverse (Node.Close); every goroutine is started and waited for here.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"murmur/internal/admission"
	"murmur/internal/crowd"
	"murmur/internal/crowd/release"
	"murmur/internal/datadir"
	"murmur/internal/deliveries"
	"murmur/internal/explain"
	"murmur/internal/insight"
	"murmur/internal/job"
	"murmur/internal/journal"
	"murmur/internal/journal/relay"
	"murmur/internal/journal/sqlite"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/mail"
	"murmur/internal/meta"
	"murmur/internal/pipeline"
	"murmur/internal/private"
	"murmur/internal/signin"
	"murmur/internal/workspace"
)

// Config opens a node.
type Config struct {
	Data string
	Dial string // of the redactor; empty: strict
	// Listener is the transcriber that hears recordings, a command; empty: the installed one, if there is one.
	Listener string
	// AllowHosts are HOST:PORT that the APIs and media of every workspace may be on, private and loopback ones too.
	AllowHosts []string
	// InsteadOf is the directory that a restore replaces: what was refused and erased there holds. Empty: there is none.
	InsteadOf string
	// Queue is where facts go on their way to the lake: kafka://HOST:PORT[,HOST:PORT..][/PREFIX], relay.None or relay.Lost.
	// Empty: what the directory remembers, at first nothing.
	Queue string
	// QueuePassword is the password of the address's user; empty: the one that the directory remembers.
	QueuePassword string
	// Lake is where the lake's files are: s3://BUCKET/PREFIX.. (bucket.Parse), or LakeFiles. Empty: where they were, at first in
	// the directory.
	Lake string
	// LakeKey is ID:SECRET of the bucket; empty: the one that the directory remembers, or what the environment says.
	LakeKey string
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: nothing is logged
}

// GCPercent is how much garbage the program lets lie, in percent of what is live (runtime/debug.SetGCPercent): less than Go does
// by itself, since an import and a count make much of it, and memory is what a small machine lacks. A million events that come in
// over HTTP leave 525 MiB resident with it and 633 with Go's 100 (MURMUR_FULL=1 go test -run 'TestMemory$' ./internal/e2e).
const GCPercent = 50

// journalPoll is how often an idle server looks for messages that another process appended. Its own wake it at once, and there is no
// other process while it has the directory.
const journalPoll = 2 * time.Second

// Node is an open data directory with everything that works on it. One process has it at a time.
type Node struct {
	dir             *datadir.Dir
	ring            *keyring.Ring
	db              *meta.DB
	ledger          *ledger.Ledger
	store           *workspace.Store
	journal         deliveries.Engine
	relay           *relay.Relay // nil: facts do not leave the machine
	zone            *private.Zone
	crowd           *crowd.Crowd
	way             *pipeline.Pipeline
	imports         sync.Map // those under way: *importing by ImportArgs.ID
	jobs            *job.Queue
	pace            pace
	mail            *mail.Server     // takes the weekly letters; nil: they are not mailed
	public          string           // where readers of letters reach the pages; may be empty
	signIn          *signin.Provider // nil: one-time links alone let owners in
	leaveRecordings bool             // they wait for another server
	sip             string           // where the recorder listens; empty: there is none
	closing         context.Context  // ends when the node closes: polls under way stop
	close           context.CancelFunc
	now             func() time.Time
	log             *slog.Logger

	admission admission.Turns
	tenancy   tenancy
	crowded   atomic.Int64 // connections that found no place
	started   atomic.Bool  // the pipeline runs until Close
	stopping  atomic.Bool  // nothing new is taken in
	late      time.Time    // when a stopping node must have ended

	stop      context.CancelFunc // of the pipeline
	stalls    stalls
	streams   streams
	erasing   erasing
	running   sync.WaitGroup
	mu        sync.Mutex
	failed    error // why the pipeline stopped by itself
	releasing sync.Mutex
}

// Open opens a data directory and makes a new one where there is none.
func Open(ctx context.Context, c Config) (*Node, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{now: c.Now, log: c.Log, erasing: erasing{kick: make(chan struct{}, 1)}, tenancy: tenancy{kick: make(chan struct{}, 1)}, streams: streams{running: map[[32]byte]*streaming{}}, stop: func() {}}
	if err := n.open(ctx, c); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context, c Config) (err error) {
	// No core dumps: one would hold keys and opened deliveries.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("switch core dumps off: %w", err)
	}
	if n.dir, err = datadir.Open(c.Data, datadir.Server); err != nil {
		return err
	}
	private.Hide(n.dir.Path())
	if n.ring, err = keyring.Open(n.dir.Path(), keyring.Config{Clock: c.Now}); err != nil {
		return &partError{keyring.Folder, err}
	}
	if n.db, err = meta.Open(ctx, n.dir.Meta()); err != nil {
		return &partError{filepath.Base(n.dir.Meta()), err}
	}
	n.ledger, err = ledger.Open(ctx, ledger.Config{DB: n.db, File: n.dir.Checkpoints(), Key: n.ring.Root().Derive(ledger.Purpose), Clock: c.Now})
	if err != nil {
		return &partError{filepath.Base(n.dir.Meta()), err}
	}
	n.store = workspace.NewStore(n.db, n.ledger, n.ring, c.Now)
	opened, err := sqlite.Open(ctx, n.dir.Journal(), sqlite.Config{Now: c.Now, Poll: journalPoll})
	if err != nil {
		return &partError{filepath.Base(n.dir.Journal()), err}
	}
	n.journal = doorkeeper{opened, n}
	if err := n.unretire(ctx); err != nil {
		return &partError{filepath.Base(n.dir.Journal()), err}
	}
	if err := n.destroyKeysAgain(ctx); err != nil {
		return &partError{keyring.Folder, err}
	}
	n.relay, err = relay.Open(ctx, relay.Config{DB: n.db, Ring: n.ring, Engine: n.journal, Wanted: c.Queue, Password: c.QueuePassword, Log: n.log})
	if err != nil {
		return err
	}
	if n.relay != nil {
		n.journal = n.relay
	}
	n.zone, err = private.New(private.Config{Ring: n.ring, Store: n.store, DB: n.db, Ledger: n.ledger, Journal: n.journal, Audio: n.dir.Recordings(), Dial: c.Dial, Listener: c.Listener, AllowHosts: c.AllowHosts, Admit: n.admit, Now: c.Now})
	if err != nil {
		return err
	}
	n.store.Check = n.zone.CheckPolicy
	if _, err = n.zone.SweepRecordings(ctx); err != nil {
		return err
	}
	err = n.openLake(ctx, c.Lake, c.LakeKey, crowd.Config{
		Lake: n.dir.Lake(), Catalog: n.dir.Catalog(), Temp: n.dir.Tmp(), DB: n.db, Seal: n.ring, Queries: catalogueQueries(),
		ReleaseKey: n.ring.Root().Derive("murmur releases 1")[:], Policy: n.store.Policy, Erased: n.zone.Erased, Fetching: n.fetching, Now: c.Now,
		Ledger: n.ledger, Outside: planFor,
	})
	if err != nil {
		return err
	}
	n.way = &pipeline.Pipeline{Journal: n.journal, Private: n.zone, Crowd: n.crowd, Seal: n.ring, Now: n.now, Condition: n.store.Condition, House: failedWhole, SetAside: n.setAside}
	return n.createWorkspace(ctx, workspace.Default)
}

// partError is why a directory does not open, and at which of its files.
type partError struct {
	file string
	err  error
}

func (e *partError) Error() string { return e.err.Error() }
func (e *partError) Unwrap() error { return e.err }

// damaged tells a damaged file from one that cannot be opened now, or not by this version.
func (e *partError) damaged() bool {
	for _, no := range []error{fs.ErrPermission, syscall.ENOSPC, syscall.EMFILE, syscall.EROFS, journal.ErrFull, journal.ErrNewer, journal.ErrTaken, meta.ErrNewer, keyring.ErrMode, context.Canceled} {
		if errors.Is(e.err, no) {
			return false
		}
	}
	return true
}

// catalogueQueries are the questions behind all insights, each once.
func catalogueQueries() []release.Query {
	var out []release.Query
	seen := map[string]bool{}
	for _, in := range insight.All() {
		for _, q := range in.Queries() {
			if !seen[q.Name] {
				seen[q.Name] = true
				out = append(out, q)
			}
		}
	}
	return out
}

// createWorkspace adds a workspace and its keys; it is no error when it exists. workspace.ErrDeleting.
func (n *Node) createWorkspace(ctx context.Context, ws workspace.ID) error {
	n.tenancy.names.Lock()
	defer n.tenancy.names.Unlock()
	if c, err := n.store.Condition(ctx, ws); err != nil || c == workspace.Deleting {
		return cmp.Or(err, workspace.ErrDeleting)
	}
	if err := n.ring.Create(ws); err != nil {
		return fmt.Errorf("make the workspace's keys: %w", err)
	}
	return n.store.Create(ctx, ws)
}

// Start runs the pipeline until Close.
func (n *Node) Start(ctx context.Context) {
	ctx, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	n.started.Store(true)
	n.running.Go(func() {
		for ctx.Err() == nil {
			err := n.way.Run(ctx)
			n.setFailed(err)
			if err == nil { // stopped, or standing still for a moment
				continue
			}
			n.log.Error("the pipeline stopped and starts again", "error", err)
			select { // a full disk or a locked file passes; nothing was consumed
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			n.setFailed(nil) // reasons that the next run does not meet again are gone
		}
	})
}

// setAside logs that a message of a workspace could not be processed and is kept for an operator.
func (n *Node) setAside(m journal.Message, err error) {
	what := "a delivery went to quarantine"
	if m.Topic == journal.Facts {
		what = "facts were parked"
	}
	n.log.Error(what, "workspace", m.Workspace.String(), "error", err)
}

func (n *Node) setFailed(err error) {
	n.mu.Lock()
	n.failed = err
	n.mu.Unlock()
}

func (n *Node) failure() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.failed
}

// Drain waits until everything that was accepted has been processed and its facts are in the lake.
func (n *Node) Drain(ctx context.Context) error {
	return n.until(ctx, func() (bool, error) {
		b, err := n.journal.Backlog(ctx)
		return b.Pending == 0 && b.Facts == 0, err
	})
}

// queueStatus is nil where facts do not leave the machine.
func (n *Node) queueStatus(ctx context.Context) (*relay.Status, error) {
	if n.relay == nil {
		return nil, nil
	}
	s, away, err := n.relay.Status(ctx)
	if away != nil {
		s.Error = explain.Describe(away)
	}
	return &s, err
}

// emptyQueue waits until everything that left for servers is in the lake, and lets nothing more leave until it is released.
func (n *Node) emptyQueue(ctx context.Context) (release func(), err error) {
	if n.relay == nil {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return n.relay.Empty(ctx, n.until)
}

// until waits for something that the pipeline brings about.
func (n *Node) until(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if yes, err := done(); yes || err != nil {
			return err
		}
		if err := n.failure(); err != nil {
			return fmt.Errorf("process deliveries: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// halt ends everything that computes: the pipeline, releases, jobs. The next server repeats work that they had not
// committed. From now on the server accepts nothing new.
func (n *Node) halt() {
	if n.stopping.Swap(true) {
		return
	}
	n.late = time.Now().Add(stopTime) // of this machine's clock, whatever the node's says
	if n.close != nil {
		n.close()
	}
	n.stop()
}

// Close stops everything in the reverse order of Open. It can be called on a node that was opened in part.
func (n *Node) Close() error {
	var errs []error
	n.halt()
	if n.jobs != nil {
		ctx, cancel := context.WithTimeout(context.Background(), jobTime)
		errs = append(errs, n.jobs.Stop(ctx), n.jobs.Close())
		cancel()
	}
	n.running.Wait()
	if n.zone != nil {
		errs = append(errs, n.zone.Close(context.Background()))
	}
	if n.crowd != nil {
		errs = append(errs, n.crowd.Close())
	}
	if n.journal != nil {
		errs = append(errs, n.journal.Close())
	}
	if n.ledger != nil {
		errs = append(errs, n.ledger.Close(context.Background()))
	}
	if n.db != nil {
		errs = append(errs, n.db.Close())
	}
	if n.dir != nil {
		errs = append(errs, n.dir.CloseBefore(n.late))
	}
	return errors.Join(errs...)
}
