package kafka

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver of the store of effects

	"murmur/internal/journal"
)

// A worker is a process of its own that consumes a topic and has an effect outside the queue, as the lake writer has: the
// position is compared and set in the effect's own transaction. Mistakes are planted in it, one at a time.
const (
	workerServers = "MURMUR_KAFKA_WORKER" // servers; the process is a worker
	workerPrefix  = "MURMUR_KAFKA_PREFIX"
	workerStore   = "MURMUR_KAFKA_STORE"   // path of the store of effects
	workerMistake = "MURMUR_KAFKA_MISTAKE" // what is planted
	workerFault   = "MURMUR_KAFKA_FAULT"   // die: at the named places, now and then; wait: at the first, for a line
)

const (
	honest     = ""
	forgets    = "forgets"    // takes the group's cursor for its own position
	commits    = "commits"    // moves the cursor before the effect
	asksAgain  = "asks-again" // compares with what is stored now, not with what it saw when it began
	batchLimit = 20           // messages, so that there are many places to die at
	patience   = 2 * time.Minute
)

func TestMain(m *testing.M) {
	if servers := os.Getenv(workerServers); servers != "" {
		if err := work(strings.Split(servers, ",")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// startWorker starts this test binary as a worker.
func startWorker(t *testing.T, servers []string, prefix, store, mistake, fault string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerServers+"="+strings.Join(servers, ","), workerPrefix+"="+prefix,
		workerStore+"="+store, workerMistake+"="+mistake, workerFault+"="+fault)
	cmd.Stderr = os.Stderr
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	return cmd
}

// died is the exit code of a worker that ended at a named place.
const died = 86

// fault is what happens at the named places of a worker.
func fault(kind string) func(string) {
	in, waited := bufio.NewReader(os.Stdin), false
	return func(place string) {
		switch {
		case (kind == "die" || kind == "die late" && place == "between effect and commit") && rand.IntN(6) == 0:
			os.Exit(died)
		case kind == "wait" && !waited && place == "before the effect":
			waited = true
			fmt.Println("there")
			_, _ = in.ReadString('\n')
		}
	}
}

func work(servers []string) error {
	s, err := openStore(os.Getenv(workerStore))
	if err != nil {
		return err
	}
	mistake := os.Getenv(workerMistake)
	q, err := Open(Config{Servers: servers, Prefix: os.Getenv(workerPrefix), Session: 6 * time.Second, fault: fault(os.Getenv(workerFault))})
	if err != nil {
		return err
	}
	for {
		seen := map[int32]journal.Position{}
		r := journal.Reader{Topic: journal.Facts, Group: "lake", Limit: func() int { return batchLimit }}
		r.Resume = func(_ context.Context, p int32) (journal.Position, error) {
			seen[p] = s.position(p)
			if mistake == forgets || mistake == commits {
				return "", nil
			}
			return seen[p], nil
		}
		err := q.Transform(context.Background(), r, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
			last := in[len(in)-1]
			from := seen[last.Partition]
			if mistake != honest {
				from = s.position(last.Partition)
			}
			if err := s.apply(in, from); err != nil {
				return nil, err
			}
			seen[last.Partition] = last.Position
			return nil, nil
		})
		if !errors.Is(err, errMoved) {
			return err
		}
	}
}

// store is the store of effects: how often each message was applied, and the position of each partition.
type store struct{ db *sql.DB }

var errMoved = errors.New("another consumer was there")

func openStore(path string) (*store, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	_, err = db.Exec(`create table if not exists effect (id blob primary key, n int);
		create table if not exists place (partition int primary key, pos text);
		create table if not exists refused (at int)`)
	return &store{db}, err
}

func (s *store) position(partition int32) (p journal.Position) {
	_ = s.db.QueryRow(`select pos from place where partition = ?`, partition).Scan(&p)
	return p
}

// apply applies a batch where the partition is at from, in one transaction.
func (s *store) apply(in []journal.Message, from journal.Position) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	last := in[len(in)-1]
	var at journal.Position
	if err := tx.QueryRow(`select pos from place where partition = ?`, last.Partition).Scan(&at); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if at != from {
		if _, err := s.refuse(tx); err != nil {
			return err
		}
		return errMoved
	}
	for _, m := range in {
		if _, err := tx.Exec(`insert into effect values (?, 1) on conflict do update set n = n + 1`, m.ID[:]); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`insert into place values (?, ?) on conflict do update set pos = excluded.pos`, last.Partition, string(last.Position)); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *store) refuse(tx *sql.Tx) (sql.Result, error) {
	if _, err := tx.Exec(`insert into refused values (1)`); err != nil {
		return nil, err
	}
	return nil, tx.Commit()
}

// count tells how many messages had their effect, how many more than once, and how often a late one was refused.
func (s *store) count(t *testing.T) (applied, doubled, refused int64) {
	t.Helper()
	must(t, s.db.QueryRow(`select count(*), count(*) filter (where n > 1), (select count(*) from refused) from effect`).Scan(&applied, &doubled, &refused))
	return applied, doubled, refused
}
