package job

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

type fetch struct {
	Recording int64 `json:"recording"`
}

func (fetch) Kind() string { return "fetch" }
func (fetch) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: Once(), MaxAttempts: 3}
}

// worker does what its function says and tells of each attempt.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	work func(context.Context, *river.Job[T]) error
}

func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error { return w.work(ctx, j) }

func workers[T river.JobArgs](work func(context.Context, *river.Job[T]) error) *river.Workers {
	w := river.NewWorkers()
	river.AddWorker(w, &worker[T]{work: work})
	return w
}

// soon retries at once.
type soon struct{}

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now() }

func run(t *testing.T, path string, c Config) *Queue {
	t.Helper()
	c.Poll, c.Retry = 20*time.Millisecond, soon{}
	q, err := Open(t.Context(), path, c)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func begin(t *testing.T, q *Queue) {
	t.Helper()
	if err := q.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, q *Queue) {
	t.Helper()
	if err := errors.Join(q.Stop(context.WithoutCancel(t.Context())), q.Close()); err != nil {
		t.Error(err)
	}
}

func insert(t *testing.T, q *Queue, recording int64, want bool) {
	t.Helper()
	fresh, err := q.Insert(t.Context(), fetch{recording}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fresh != want {
		t.Errorf("recording %d: fresh %t, want %t", recording, fresh, want)
	}
}

func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
	return v
}

func TestUniqueAndSurvivesRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.db")
	q := run(t, path, Config{}) // inserts only, like a command line beside the server
	insert(t, q, 1, true)
	insert(t, q, 1, false)
	insert(t, q, 2, true)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	done := make(chan int64, 10)
	q = run(t, path, Config{Workers: workers(func(_ context.Context, j *river.Job[fetch]) error {
		done <- j.Args.Recording
		return nil
	})})
	finished, stop := q.River.Subscribe(river.EventKindJobCompleted)
	defer stop()
	begin(t, q)
	if sum := receive(t, done) + receive(t, done); sum != 3 {
		t.Errorf("recordings sum to %d, want 3", sum)
	}
	receive(t, finished)
	receive(t, finished)
	insert(t, q, 1, true) // finished: may come again
	receive(t, done)
	end(t, q)
}

func TestRetriedThenGivenUp(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log bytes.Buffer
	tries := make(chan int, 10)
	q := run(t, filepath.Join(t.TempDir(), "jobs.db"), Config{
		Log: slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return log.Write(b)
		}), nil)),
		Workers: workers(func(_ context.Context, j *river.Job[fetch]) error {
			tries <- j.Attempt
			if j.Args.Recording == 77_777_777 {
				panic("canary of the panic")
			}
			return errors.New("no answer")
		})})
	failed, stop := q.River.Subscribe(river.EventKindJobFailed)
	defer stop()
	insert(t, q, 77_777_777, true)
	begin(t, q)
	for want := 1; want <= 3; want++ {
		if got := receive(t, tries); got != want {
			t.Errorf("attempt %d, want %d", got, want)
		}
		receive(t, failed)
	}
	if n, err := q.Failed(t.Context()); err != nil || n != 1 {
		t.Errorf("%d given up, %v", n, err)
	}
	insert(t, q, 88_888_888, true)
	receive(t, failed)
	end(t, q)
	mu.Lock()
	defer mu.Unlock()
	for _, canary := range []string{"77777777", "88888888", "canary of"} {
		if strings.Contains(log.String(), canary) {
			t.Errorf("the log holds %q", canary)
		}
	}
	if !strings.Contains(log.String(), "where=murmur/internal/job.TestRetriedThenGivenUp") {
		t.Error("the log does not tell where the job panicked")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

type sweep struct{}

func (sweep) Kind() string { return "sweep" }

func TestPeriodic(t *testing.T) {
	t.Parallel()
	ran := make(chan int64, 100)
	q := run(t, filepath.Join(t.TempDir(), "jobs.db"), Config{
		Periodic: []*river.PeriodicJob{Every(50*time.Millisecond, sweep{})},
		Workers: workers(func(_ context.Context, j *river.Job[sweep]) error {
			ran <- j.ID
			return nil
		})})
	begin(t, q)
	if a, b := receive(t, ran), receive(t, ran); a == b {
		t.Error("the same job ran twice")
	}
	end(t, q)
}

// TestCancelledJobRunsAgain: a stop that cannot wait cancels the job, which is not lost.
func TestCancelledJobRunsAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.db")
	running := make(chan int64, 10)
	var runs atomic.Int64
	work := workers(func(ctx context.Context, _ *river.Job[fetch]) error {
		run := runs.Add(1)
		running <- run
		if run == 1 {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	q := run(t, path, Config{Workers: work})
	insert(t, q, 1, true)
	begin(t, q)
	receive(t, running)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := errors.Join(q.Stop(ctx), q.Close()); err != nil {
		t.Fatal(err)
	}
	q = run(t, path, Config{Workers: work})
	begin(t, q)
	if run := receive(t, running); run != 2 {
		t.Errorf("run %d, want 2", run)
	}
	end(t, q)
}

// TestReclaimTakesOverFromTheDead: a job that a killed process was at runs again at once, and its attempt does not
// count.
func TestReclaimTakesOverFromTheDead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.db")
	q := run(t, path, Config{})
	insert(t, q, 1, true)
	if _, err := q.db.ExecContext(t.Context(), `update river_job set state = 'running', attempt = 3`); err != nil {
		t.Fatal(err)
	}
	insert(t, q, 1, false)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	attempts := make(chan int, 1)
	q = run(t, path, Config{Queues: map[string]int{"slow": 1}, Workers: workers(func(_ context.Context, j *river.Job[fetch]) error {
		attempts <- j.Attempt
		return nil
	})})
	if n, err := q.Reclaim(t.Context()); n != 1 || err != nil {
		t.Errorf("%d reclaimed, %v", n, err)
	}
	begin(t, q)
	if got := receive(t, attempts); got != 3 {
		t.Errorf("attempt %d", got)
	}
	end(t, q)
}
