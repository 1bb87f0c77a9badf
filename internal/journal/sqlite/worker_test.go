package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
	"murmur/internal/workspace"
)

// The fault tests run this test binary once more as a worker process, which they may kill, cut off from its
// disk or make fail. The worker appends from several callers, transforms, and stores the facts in a sink that
// keeps the position with the effect, as the lake does. It reports through a pipe what was acknowledged.

const (
	callers   = 16
	workerDir = "JOURNAL_WORKER_DIR"
	workerKey = "JOURNAL_WORKER_KEY" // of the first caller
	workerHow = "JOURNAL_WORKER_SYNC"
)

// A report is one kind byte, the key and the number of a delivery.
const (
	acknowledged = 'A'
	failed       = 'F'
	afterFailure = 'X' // accepted although an Append had failed before: forbidden
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerDir); dir != "" {
		if err := worker(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func worker(dir string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	first, err := strconv.ParseUint(os.Getenv(workerKey), 10, 64)
	if err != nil {
		return err
	}
	j, err := Open(ctx, filepath.Join(dir, "journal.db"), Config{synchronous: os.Getenv(workerHow)})
	if err != nil {
		return err
	}
	s, err := openSink(dir)
	if err != nil {
		return err
	}
	var stages, appends sync.WaitGroup
	stages.Go(func() { _ = process(ctx, j, nil) }) // storage that fails under it is what the tests are for
	stages.Go(func() { _ = s.consume(ctx, j, nil) })
	pipe := os.NewFile(3, "reports")
	for i := range uint64(callers) {
		appends.Go(func() { appendUntilFailure(ctx, j, first+i, pipe) })
	}
	appends.Wait()
	cancel()
	stages.Wait()
	return nil
}

// appendUntilFailure appends one after another, so that at most one is in doubt. After a failure it tries a
// little more: a journal must not accept anything after broken storage.
func appendUntilFailure(ctx context.Context, j *Journal, key uint64, reports io.Writer) {
	report := func(kind byte, n int) bool {
		b := binary.LittleEndian.AppendUint64([]byte{kind}, key)
		_, err := reports.Write(binary.LittleEndian.AppendUint64(b, uint64(n)))
		return err == nil
	}
	for n := 0; ; n++ {
		_, err := j.Accept(ctx, queuetest.Delivery(key, n))
		if err == nil {
			if !report(acknowledged, n) {
				return
			}
			continue
		}
		report(failed, n)
		for range 20 {
			if _, err := j.Accept(ctx, queuetest.Delivery(key, n)); err == nil {
				report(afterFailure, n)
			}
		}
		return
	}
}

// process is the worker's stage: a fact and a state for each delivery.
func process(ctx context.Context, j *Journal, seen func(int)) error {
	return j.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: "process"}, func(_ context.Context, in []journal.Message) (out []journal.Message, _ error) {
		for _, m := range in {
			facts := m
			facts.Topic = journal.Facts
			out = append(out, facts, state(m, fact.Published, 0, byte(m.Key)+1))
		}
		if seen != nil {
			seen(len(in))
		}
		return out, nil
	})
}

// sink stores effects with the position that made them.
type sink struct{ db *sql.DB }

func openSink(dir string) (*sink, error) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, "sink.db"), Config{}.withDefaults()))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`create table if not exists effect (key integer, n integer, times integer, at integer, primary key (key, n));
		create table if not exists place (only integer primary key, pos text)`)
	return &sink{db}, err
}

func (s *sink) resume(ctx context.Context, _ int32) (pos journal.Position, err error) {
	err = s.db.QueryRowContext(ctx, `select pos from place`).Scan(&pos)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return pos, err
}

func (s *sink) consume(ctx context.Context, j *Journal, seen func(int)) error {
	return j.Transform(ctx, journal.Reader{Topic: journal.Facts, Group: "lake", Resume: s.resume}, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
		tx, err := s.db.Begin()
		if err != nil {
			return nil, err
		}
		defer func() { _ = tx.Rollback() }()
		for _, m := range in {
			if _, err := tx.Exec(`insert into effect values (?, ?, 1, ?) on conflict do update set times = times + 1`,
				int64(m.Key), int64(binary.LittleEndian.Uint64(m.Payload[8:])), m.Position); err != nil {
				return nil, err
			}
		}
		if _, err := tx.Exec(`insert into place values (1, ?) on conflict do update set pos = excluded.pos`, in[len(in)-1].Position); err != nil {
			return nil, err
		}
		if err := tx.Commit(); err != nil {
			return nil, err
		}
		if seen != nil {
			seen(len(in))
		}
		return nil, nil
	})
}

// reports is what the parent knows of a worker.
type reports struct {
	acked map[uint64]int // by key: how many in a row
	// late are those of acked that were read after a power cut had begun. An fsync that the cut overtakes may
	// return success (ext4 has given its log up and finds nothing to wait for), and no machine would live to say
	// so: they may be lost.
	late   map[uint64]int
	failed int
	lied   int
	total  int
}

// runWorker starts a worker, calls cut when it has acknowledged after deliveries, and gives its reports when
// it is gone; a nil cut lets it end by itself. wrap is put before the command line.
func runWorker(t *testing.T, dir string, key uint64, synchronous string, after int, cut func(*os.Process), wrap ...string) reports {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	line := append(wrap, exe)
	cmd := exec.Command(line[0], line[1:]...)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{write}
	cmd.Env = append(os.Environ(), workerDir+"="+dir, workerKey+"="+strconv.FormatUint(key, 10), workerHow+"="+synchronous)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	r := reports{acked: map[uint64]int{}, late: map[uint64]int{}}
	in, record := bufio.NewReader(read), make([]byte, 17)
	for r.total < after || cut != nil {
		if _, err := io.ReadFull(in, record); err != nil {
			break // gone
		}
		switch record[0] {
		case acknowledged:
			key := binary.LittleEndian.Uint64(record[1:])
			r.acked[key]++
			if r.total >= after {
				r.late[key]++
			}
			if r.total++; r.total == after && cut != nil {
				cut(cmd.Process)
			}
		case failed:
			r.failed++
		case afterFailure:
			r.lied++
		}
	}
	_ = read.Close() // a worker that still lives ends when it cannot report
	_ = cmd.Wait()   // it was killed, or says on stderr why
	if r.total == 0 {
		t.Fatal("the worker acknowledged nothing")
	}
	return r
}

// finding is what a fault did to the journal.
type finding struct{ lost, phantom, doubled, missing, disordered int }

// inspect opens the journal after a fault, lets the stages finish, and compares it with what was acknowledged.
func inspect(t *testing.T, dir string, r reports) (f finding) {
	t.Helper()
	x := fixture{openIn(t, dir, Config{}), newClock()}
	defer func() { _ = x.Close() }()
	s, err := openSink(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.db.Close() }()
	present, lost := x.present(t, r)
	f.lost = lost
	drain(t, x, s)
	total := 0
	for key, n := range present {
		total += n
		var effects, doubled, disordered int
		if err := s.db.QueryRow(`select count(*), coalesce(sum(times <> 1), 0), coalesce(sum(exists (select 1 from effect b
			where b.key = a.key and b.n = a.n - 1 and b.at >= a.at)), 0) from effect a where key = ?`, int64(key)).
			Scan(&effects, &doubled, &disordered); err != nil {
			t.Fatal(err)
		}
		f.missing += n - effects
		f.doubled += doubled
		f.disordered += disordered
	}
	if counts := x.tally(t); counts.States[fact.Pending] != 0 {
		t.Errorf("%d deliveries are still pending", counts.States[fact.Pending])
	} else {
		f.phantom = int(counts.In) - total
	}
	return f
}

// lostOf is how many acknowledged deliveries are not in the journal.
func lostOf(t *testing.T, dir string, r reports) int {
	t.Helper()
	x := fixture{openIn(t, dir, Config{}), newClock()}
	defer func() { _ = x.Close() }()
	_, lost := x.present(t, r)
	return lost
}

// present counts by key the deliveries that may be in the journal and are, and those that must be and are not.
func (x fixture) present(t *testing.T, r reports) (present map[uint64]int, lost int) {
	t.Helper()
	present = map[uint64]int{}
	for key, acked := range r.acked {
		for n := range acked + 1 { // the one in doubt may be there
			_, err := x.Trace(t.Context(), workspace.Default, queuetest.Delivery(key, n).ID)
			switch {
			case err == nil:
				present[key]++
			case !errors.Is(err, deliveries.ErrUnknown):
				t.Fatal(err)
			case n < acked-r.late[key]:
				lost++
			}
		}
	}
	return present, lost
}

// drain lets both stages work until nothing waits.
func drain(t *testing.T, x fixture, s *sink) {
	t.Helper()
	for {
		b, err := x.Backlog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b.Pending == 0 && b.Facts == 0 {
			return
		}
		ctx, cancel := context.WithCancel(t.Context())
		stage := func(int) { cancel() } // one batch at a time
		if b.Pending > 0 {
			err = process(ctx, x.Journal, stage)
		} else {
			err = s.consume(ctx, x.Journal, stage)
		}
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// readApart reads a file in another process.
func readApart(t *testing.T, path string) []byte {
	t.Helper()
	b, err := exec.Command("cat", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
