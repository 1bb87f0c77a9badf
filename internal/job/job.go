// Package job runs slow and periodic work durably: the change of epoch each hour, each day the lake's upkeep
// (old words, de-linking, compaction, expiry). A job survives a restart, is unique where its arguments say so, is
// retried with back-off, and is rescued when its worker died.
//
// It wraps River (riverqueue/river, MPL-2.0) on a SQLite file of its own: workers, arguments
// and options are River's own types, declared by the caller. Arguments are stored in plain text in the file
// and printed by River: give them ids, days and numbers, never content or a person (P5).
//
// A job runs at least once: a process that dies between the effect and its record runs it again, so effects
// must be idempotent. A job that fails for good is kept as discarded for seven days and counted by Failed.
// It does not protect a job from one that never returns: see Config.Timeout.
package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	_ "modernc.org/sqlite" // the driver
)

// Config says what a queue runs.
type Config struct {
	// Workers do the jobs, by kind: river.NewWorkers and river.AddWorker. nil: the queue only inserts.
	Workers *river.Workers
	// Periodic jobs are inserted on schedule while the queue runs; see Every.
	Periodic []*river.PeriodicJob
	// Parallel is how many jobs run at once; 0 means 2.
	Parallel int
	// Queues are further queues by name, and how many of their jobs run at once: for jobs that must not make
	// others wait. A job names its queue in its options.
	Queues map[string]int
	// Timeout ends a job's context; 0 means 10 min. A worker's own Timeout method wins.
	Timeout time.Duration
	// Rescue is the time after which a job that still counts as running is given to another worker,
	// because its process must have died. 0 means Timeout and an hour. It must be longer than any job may
	// take.
	Rescue time.Duration
	// Poll is how often the file is looked at for jobs whose time has come, and for those of other processes; 0 means 5 s. Jobs of
	// this process begin at once.
	Poll time.Duration
	// Retry decides when a failed job is tried again; nil means River's attempt^4 seconds.
	Retry river.ClientRetryPolicy
	// Log gets kinds, ids, attempts and errors, no arguments and no panic's value; nil: nothing is logged.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Parallel == 0 {
		c.Parallel = 2
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
	}
	if c.Rescue == 0 {
		c.Rescue = c.Timeout + time.Hour
	}
	if c.Poll == 0 {
		c.Poll = 5 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Queue is a durable job queue in one file. River is its client, for everything this package does not add:
// Insert, InsertMany, Subscribe, JobList.
type Queue struct {
	River *river.Client[*sql.Tx]
	db    *sql.DB
}

// Open opens the queue at path and creates it (0600) if there is none. Jobs run after Start.
func Open(ctx context.Context, path string, c Config) (*Queue, error) {
	q, err := open(ctx, path, c.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open job queue: %w", err)
	}
	return q, nil
}

func open(ctx context.Context, path string, c Config) (_ *Queue, err error) {
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	driver := riversqlite.New(db)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: c.Log})
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db, migrator); err != nil {
		return nil, err
	}
	// Without PollOnly River looks for notices twenty times a second, which costs an idle server more than all else.
	rc := &river.Config{PollOnly: true, Logger: c.Log, JobTimeout: c.Timeout, RescueStuckJobsAfter: c.Rescue, RetryPolicy: c.Retry,
		FetchPollInterval: c.Poll, FetchCooldown: min(c.Poll, 100*time.Millisecond),
		Middleware: []rivertype.Middleware{river.WorkerMiddlewareFunc(c.contain)}}
	if c.Workers != nil {
		rc.Workers, rc.PeriodicJobs = c.Workers, c.Periodic
		rc.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: c.Parallel}}
		for name, parallel := range c.Queues {
			rc.Queues[name] = river.QueueConfig{MaxWorkers: parallel}
		}
	}
	client, err := river.NewClient(driver, rc)
	if err != nil {
		return nil, err
	}
	return &Queue{River: client, db: db}, nil
}

// ErrNewer is returned by Open for a queue that a newer version wrote.
var ErrNewer = errors.New("job: the queue is newer than this version")

func migrate(ctx context.Context, db *sql.DB, m *rivermigrate.Migrator[*sql.Tx]) error {
	var tables, version int
	err := db.QueryRowContext(ctx, `select count(*) from sqlite_master where name = 'river_migration'`).Scan(&tables)
	if err == nil && tables > 0 {
		err = db.QueryRowContext(ctx, `select coalesce(max(version), 0) from river_migration`).Scan(&version)
	}
	if err != nil {
		return err
	}
	if known := m.AllVersions(); version > known[len(known)-1].Version {
		return ErrNewer
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func openFile(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Only its owner may read it. An existing file is not opened here: closing it again would drop the
	// locks of another connection of this process.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Close()
	} else if errors.Is(err, os.ErrExist) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)", "secure_delete(1)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // River on SQLite: one writer
	return db, nil
}

// Reclaim puts jobs that count as running back into the queue and returns how many. Call it before Start, in a
// process that is the only one to run the jobs of this file. Without it the jobs of a killed process wait for
// Config.Rescue.
func (q *Queue) Reclaim(ctx context.Context) (n int64, err error) {
	r, err := q.db.ExecContext(ctx, `update river_job set state = ?, attempt = max(attempt - 1, 0) where state = ?`,
		string(rivertype.JobStateAvailable), string(rivertype.JobStateRunning))
	if err == nil {
		n, err = r.RowsAffected()
	}
	if err != nil {
		return 0, fmt.Errorf("reclaim jobs: %w", err)
	}
	return n, nil
}

// Start runs jobs until Stop. The context is not a deadline for it: when it ends, jobs are cancelled.
func (q *Queue) Start(ctx context.Context) error { return q.River.Start(ctx) }

// Stop takes no further job and waits for the running ones; when ctx ends first they are cancelled and
// waited for. A cancelled job runs again at the next start.
func (q *Queue) Stop(ctx context.Context) error {
	err := q.River.Stop(ctx)
	if err != nil && ctx.Err() != nil {
		return q.River.StopAndCancel(context.WithoutCancel(ctx))
	}
	return err
}

// Close closes the file. Stop first.
func (q *Queue) Close() error { return q.db.Close() }

// Insert stores a job and reports whether it is a new one: false means that the same one is already waiting
// or, for a period that its options name, done. opts may be nil.
func (q *Queue) Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (fresh bool, err error) {
	r, err := q.River.Insert(ctx, args, opts)
	if err != nil {
		return false, fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return !r.UniqueSkippedAsDuplicate, nil
}

// Forget deletes every job, done or not, whose arguments have a value under a name, so that they are in no file. ErrRead while
// somebody reads an older state: do it again.
func (q *Queue) Forget(ctx context.Context, name, value string) error {
	var busy, log, done int
	_, err := q.db.ExecContext(ctx, `delete from river_job where json_extract(args, '$.' || ?) = ?`, name, value)
	if err == nil {
		err = q.db.QueryRowContext(ctx, `pragma wal_checkpoint(truncate)`).Scan(&busy, &log, &done)
	}
	if err == nil && busy != 0 {
		err = ErrRead
	}
	if err != nil {
		return fmt.Errorf("forget jobs: %w", err)
	}
	return nil
}

// ErrRead is returned by Forget while somebody reads an older state.
var ErrRead = errors.New("job: an older state is being read")

// Failed is how many jobs were given up after their last attempt, for readiness and metrics.
func (q *Queue) Failed(ctx context.Context) (n int, err error) {
	err = q.db.QueryRowContext(ctx, `select count(*) from river_job where state = ?`, string(rivertype.JobStateDiscarded)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count failed jobs: %w", err)
	}
	return n, nil
}

// Every is a periodic job: args each interval, and once at the start of the queue. It is unique among the
// jobs not yet finished, so that a slow one does not pile up.
func Every(interval time.Duration, args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) {
		return args, &river.InsertOpts{UniqueOpts: Once()}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

// Once makes a job unique by kind and arguments until it has finished; then it may be inserted again.
func Once() river.UniqueOpts {
	return river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{rivertype.JobStateAvailable,
		rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled}}
}

// errPanic is recorded instead of a panic's value, which may hold anything.
var errPanic = errors.New("the job panicked")

// contain turns a panic into an error before River sees it, which would log and store its value.
func (c Config) contain(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.Log.ErrorContext(ctx, "job panicked", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt,
				"type", fmt.Sprintf("%T", r), "where", origin())
			err = errPanic
		}
	}()
	return work(ctx)
}

// origin is the line that panicked, for the deferred function that recovers.
func origin() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for panicked := false; ; {
		f, more := frames.Next()
		if panicked && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		panicked = panicked || f.Function == "runtime.gopanic"
		if !more {
			return ""
		}
	}
}
