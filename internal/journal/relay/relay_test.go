package relay

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"murmur/internal/journal"
	"murmur/internal/journal/kafka"
	"murmur/internal/journal/queuetest"
	"murmur/internal/journal/sqlite"
	"murmur/internal/keyring"
	"murmur/internal/meta"
)

// with opens the relay of a directory, does something with it, and closes everything.
func with(t *testing.T, dir, wanted, password string, do func(Config, *Relay)) error {
	t.Helper()
	if err := keyring.CreateRoot(dir, keyring.Config{}); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	ring, err := keyring.Open(dir, keyring.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	db, err := meta.Open(t.Context(), filepath.Join(dir, "murmur.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	engine, err := sqlite.Open(t.Context(), filepath.Join(dir, "journal.db"), sqlite.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{DB: db, Ring: ring, Engine: engine, Wanted: wanted, Password: password, Log: slog.New(slog.DiscardHandler)}
	r, err := Open(t.Context(), c)
	if err == nil {
		do(c, r)
	}
	closed := engine.Close
	if r != nil {
		closed = r.Close
	}
	if err := closed(); err != nil {
		t.Fatal(err)
	}
	return err
}

// TestAQueueIsLeftEmpty: a directory does not leave facts on servers unless its operator says so, and does not mix up two
// queues.
func TestAQueueIsLeftEmpty(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	dir, address := t.TempDir(), "kafka://"+c.ListenAddrs()[0]
	err = with(t, dir, address+"/one", "", func(_ Config, r *Relay) {
		m := queuetest.Delivery(1, 0)
		m.Topic = journal.Facts
		if err := r.servers.Append(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{None, address + "/two"} {
		if err := with(t, dir, other, "", func(Config, *Relay) {}); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v, want ErrBusy", other, err)
		}
	}
	for i, next := range []struct {
		queue     string
		partition int32 // 0: facts go straight into the lake
	}{{Lost, 0}, {address + "/two", 3}, {None, 0}, {"", 0}} {
		err := with(t, dir, next.queue, "", func(_ Config, r *Relay) {
			if next.partition == 0 != (r == nil) || r != nil && r.box.Partition != next.partition {
				t.Errorf("%s: %+v", next.queue, r)
			}
		})
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	for _, bad := range []string{"nats://a:1", "kafka://127.0.0.1:9092 ", "kafka://a:x", "kafka://a:70000", "kafka://a:9092#b", "kafka://a:9092?password=hunter2"} {
		if err := with(t, dir, bad, "", func(Config, *Relay) {}); !errors.Is(err, kafka.ErrAddress) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
		if err := with(t, dir, "", "", func(_ Config, r *Relay) {
			if r != nil {
				t.Errorf("%s is remembered", bad)
			}
		}); err != nil {
			t.Errorf("after %s the directory does not open: %v", bad, err)
		}
	}
}

// TestThePasswordOfTheQueueIsSealed: it is remembered, and is in no file.
func TestThePasswordOfTheQueueIsSealed(t *testing.T) {
	t.Parallel()
	const password = "correct-horse-battery"
	dir := t.TempDir()
	for _, said := range []string{password, ""} {
		err := with(t, dir, "kafka+tls://murmur@127.0.0.1:1/p", said, func(c Config, r *Relay) {
			k, err := c.servers(t.Context(), r.address)
			if err != nil || k.Password != password || strings.Contains(r.address, password) {
				t.Errorf("said %q: %d bytes are remembered, %v", said, len(k.Password), err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte(password)) {
			t.Errorf("it is in %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
