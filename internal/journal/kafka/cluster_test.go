package kafka

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"murmur/internal/faulttest"
	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
	"murmur/internal/kafkatest"
)

// TestClusterContract holds a real server to the contract.
func TestClusterContract(t *testing.T) {
	servers := kafkatest.Start(t, 1).Servers
	queuetest.Run(t, func(t *testing.T, dir string) journal.Queue {
		return open(t, Config{Servers: servers, Prefix: prefixOf(dir), Session: 6 * time.Second})
	})
}

// facts are n messages for the topic Facts.
func facts(n int) []journal.Message {
	all := make([]journal.Message, n)
	for i := range all {
		all[i] = queuetest.Delivery(1, i)
		all[i].Topic = journal.Facts
	}
	return all
}

// TestClusterConsumerDies: a consumer with an effect of its own dies before the effect, and between effect and commit, over
// and over. Nothing is lost or doubled. A consumer that trusts the group's cursor doubles.
func TestClusterConsumerDies(t *testing.T) {
	c := kafkatest.Start(t, 1)
	deaths := faulttest.Rounds(8, 8, 50)
	row := faulttest.Begin(t, "Kafka: consumer killed before its effect, and between effect and commit")
	total := int64(1000)
	run := func(mistake, fault string, deaths int) (applied, doubled int64, died int) {
		prefix, path := prefixOf(t.Name()+mistake), filepath.Join(t.TempDir(), "effects.db")
		s, err := openStore(path)
		must(t, err)
		q := open(t, Config{Servers: c.Servers, Prefix: prefix})
		must(t, q.Append(t.Context(), facts(int(total))...))
		for died < deaths {
			// Until it has died often enough there is always something to do.
			if lag, err := q.Lag(t.Context(), journal.Facts, "lake"); err == nil && lag < 10*batchLimit {
				must(t, q.Append(t.Context(), more(&total)...))
			}
			err := startWorker(t, c.Servers, prefix, path, mistake, fault).Run()
			if !isDeath(err) {
				t.Fatalf("the worker ended otherwise: %v", err)
			}
			died++
		}
		last := startWorker(t, c.Servers, prefix, path, mistake, "")
		must(t, last.Start())
		awaitLag(t, q)
		_ = last.Process.Kill()
		_ = last.Wait()
		applied, doubled, _ = s.count(t)
		return applied, doubled, died
	}
	applied, doubled, died := run(honest, "die", deaths)
	row.Rounds, row.Acknowledged, row.Lost, row.Doubled = died, total, total-applied, doubled
	total = 1000
	_, doubled, _ = run(forgets, "die late", 4) // only a death behind the effect doubles
	row.Planted(doubled > 0)
}

// more are further messages.
func more(total *int64) []journal.Message {
	const n = 500
	all := facts(int(*total) + n)[*total:]
	*total += n
	return all
}

func isDeath(err error) bool {
	e, ok := errors.AsType[*exec.ExitError](err)
	return ok && e.ExitCode() == died
}

// awaitLag waits until the group has read everything.
func awaitLag(t *testing.T, q *Queue) {
	t.Helper()
	for began := time.Now(); ; <-time.After(50 * time.Millisecond) {
		lag, err := q.Lag(t.Context(), journal.Facts, "lake")
		if err == nil && lag == 0 {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%d messages wait: %v", lag, err)
		}
	}
}

// TestClusterConsumerStopped: a consumer is stopped just before its effect for longer than its session lasts; another takes
// over and finishes; then the first goes on. Its late effect is refused. Where the effect is not compared with what the
// consumer saw when it began, it is doubled.
func TestClusterConsumerStopped(t *testing.T) {
	c := kafkatest.Start(t, 1)
	row := faulttest.Begin(t, "Kafka: consumer stopped past its session, then let go on")
	const total = 200
	run := func(mistake string) (applied, doubled, refused int64) {
		prefix, path := prefixOf(t.Name()+mistake), filepath.Join(t.TempDir(), "effects.db")
		s, err := openStore(path)
		must(t, err)
		q := open(t, Config{Servers: c.Servers, Prefix: prefix})
		must(t, q.Append(t.Context(), facts(total)...))
		stopped := startWorker(t, c.Servers, prefix, path, mistake, "wait")
		in, out := pipes(t, stopped)
		must(t, stopped.Start())
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "there\n" {
			t.Fatalf("the worker says %q, %v", line, err)
		}
		must(t, stopped.Process.Signal(syscall.SIGSTOP))
		other := startWorker(t, c.Servers, prefix, path, mistake, "")
		must(t, other.Start())
		awaitLag(t, q) // after its session has ended
		must(t, stopped.Process.Signal(syscall.SIGCONT))
		_, err = io.WriteString(in, "\n")
		must(t, err)
		for began := time.Now(); doubled+refused == 0; <-time.After(20 * time.Millisecond) {
			if applied, doubled, refused = s.count(t); time.Since(began) > patience {
				t.Fatal("the late effect was neither applied nor refused")
			}
		}
		must(t, q.Append(t.Context(), more(new(int64(total)))...)) // the group goes on
		awaitLag(t, q)
		for _, w := range []*exec.Cmd{stopped, other} {
			_ = w.Process.Kill()
			_ = w.Wait()
		}
		applied, doubled, refused = s.count(t)
		return applied, doubled, refused
	}
	applied, doubled, refused := run(honest)
	row.Rounds, row.Acknowledged, row.Lost, row.Doubled = 1, total+500, total+500-applied, doubled
	row.Note = fmt.Sprintf("%d late effects refused", refused)
	_, doubled, _ = run(asksAgain)
	row.Planted(doubled > 0)
}

func pipes(t *testing.T, c *exec.Cmd) (in io.Writer, out io.Reader) {
	t.Helper()
	in, err := c.StdinPipe()
	must(t, err)
	out, err = c.StdoutPipe()
	must(t, err)
	return in, out
}

// TestClusterServerKilled: of three servers the one that leads is killed under load, over and over, and comes back. What was
// acknowledged is there, and a consumer goes on by itself. A producer that is not told what the servers say loses.
func TestClusterServerKilled(t *testing.T) {
	c := kafkatest.Start(t, 3)
	row := faulttest.Begin(t, "Kafka: the leading server of three killed under load")
	rounds := faulttest.Rounds(2, 2, 10)
	q := open(t, Config{Servers: c.Servers, Prefix: "three", Replicas: 3})
	must(t, q.Check(t.Context(), journal.Facts))
	path := filepath.Join(t.TempDir(), "effects.db")
	s, err := openStore(path)
	must(t, err)
	consumer := startWorker(t, c.Servers, "three", path, honest, "")
	must(t, consumer.Start())
	var acked atomic.Int64
	for range rounds {
		leader := c.Leader("three.facts")
		load(t, func() {
			goOn(t, &acked)
			c.Kill(leader)
			goOn(t, &acked) // another leads
		}, func(ctx context.Context, n int) {
			m := queuetest.Delivery(1, n)
			m.Topic = journal.Facts
			for q.Append(ctx, m) != nil {
				if ctx.Err() != nil {
					return
				}
			}
			acked.Add(1)
		}, &next)
		c.Run(leader)
		c.Await(3)
	}
	awaitLag(t, q)
	_ = consumer.Process.Kill()
	_ = consumer.Wait()
	applied, doubled, _ := s.count(t)
	row.Rounds, row.Acknowledged = rounds, acked.Load()
	row.Lost, row.Note = max(0, acked.Load()-applied), fmt.Sprintf("%d records came twice with the same id, as retries do", doubled)
	row.Planted(loses(t, c))
}

// next numbers the messages under load.
var next atomic.Int64

// load has some callers send one message after another until f is done.
func load(t *testing.T, f func(), send func(ctx context.Context, n int), next *atomic.Int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	stop, ended := make(chan struct{}), make(chan struct{}, 16)
	for range cap(ended) {
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				case <-ctx.Done():
					return
				default:
					send(ctx, int(next.Add(1)))
				}
			}
		}()
	}
	f()
	close(stop)
	for range cap(ended) {
		<-ended
	}
	if ctx.Err() != nil {
		t.Error("senders still wait for servers")
	}
}

// goOn waits until a count has grown by a thousand.
func goOn(t *testing.T, count *atomic.Int64) {
	t.Helper()
	for began, first := time.Now(), count.Load(); count.Load() < first+1000; <-time.After(20 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("after a server died %d messages were acknowledged in %s", count.Load()-first, patience)
		}
	}
}

// loses is the negative control: a producer that asks for no acknowledgement takes what it sent for stored.
func loses(t *testing.T, c *kafkatest.Cluster) bool {
	t.Helper()
	q := open(t, Config{Servers: c.Servers, Prefix: "careless", Replicas: 3})
	must(t, q.Check(t.Context(), journal.Facts))
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Servers...), kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite(), kgo.RecordRetries(3))
	must(t, err)
	defer client.Close()
	var sent atomic.Int64
	leader := c.Leader("careless.facts")
	load(t, func() {
		goOn(t, &sent)
		c.Kill(leader)
		goOn(t, &sent)
	}, func(ctx context.Context, _ int) {
		r := &kgo.Record{Topic: "careless.facts", Value: []byte(strings.Repeat("x", 1000))}
		if client.ProduceSync(ctx, r).FirstErr() == nil {
			sent.Add(1)
		}
	}, &next)
	for began := time.Now(); ; <-time.After(50 * time.Millisecond) {
		stored, err := q.Lag(t.Context(), journal.Facts, "nobody")
		if err == nil {
			t.Logf("careless: %d sent, %d stored", sent.Load(), stored)
			return stored < sent.Load()
		}
		if time.Since(began) > patience {
			t.Fatal(err)
		}
	}
}
