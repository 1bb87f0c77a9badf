package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"murmur/internal/faulttest"
	"murmur/internal/kafkatest"
)

// queueOf is the address of a queue on servers.
func queueOf(c *kafkatest.Cluster) string { return "kafka://" + strings.Join(c.Servers, ",") }

// TestClusterFigures: a business whose facts go through three Kafka servers has the figures of one box, byte by byte, while
// murmur and the leading server are killed over and over; and no server ever has anything of a person in the clear.
func TestClusterFigures(t *testing.T) {
	c := kafkatest.Start(t, 3)
	row := faulttest.Begin(t, "Kafka: murmur and the leading server killed while a business lives")
	b, truth := town(t, 400)
	plain := open(t, newData(t))
	plain.townPolicy()
	plain.sendAll(plain.hooks(b, truth.days))
	want := plain.figures()
	plain.stopWell()

	data := newData(t)
	h := spawn(t, data, "--queue", queueOf(c))
	h.townPolicy()
	hooks := h.hooks(b, truth.days)
	rounds := faulttest.Rounds(4, 4, 50)
	for i := range rounds {
		part := hooks[len(hooks)*i/rounds : len(hooks)*(i+1)/rounds]
		h.sendAll(part)
		row.Acknowledged += int64(len(part))
		leader := c.Leader(h.topic())
		c.Kill(leader)
		h.kill()
		h = spawn(t, data) // the directory remembers its queue
		c.Run(leader)
		c.Await(len(c.Servers))
	}
	row.Rounds = rounds
	got := h.figures()
	row.Same(sameFigures(t, want, got))
	counts := h.counts()
	row.Lost, row.Note = row.Acknowledged-counts.In, fmt.Sprintf("%d bytes of figures", len(got))
	if counts.Pending > 0 || counts.Quarantined > 0 {
		t.Errorf("states: %+v", counts)
	}
	h.stopWell()
	private := faulttest.Begin(t, "Kafka: phone numbers in the clear on the servers' disks")
	phones := phonesOf(truth)
	found := inTheClear(t, c.Dir, phones)
	private.Rounds, private.Lost = 1, int64(found)
	if err := os.WriteFile(filepath.Join(c.Dir, "planted"), phones[0], 0o600); err != nil {
		t.Fatal(err)
	}
	private.Planted(inTheClear(t, c.Dir, phones) > 0)
}

// topic is the one of the house's queue.
func (h *house) topic() string {
	h.t.Helper()
	var s struct{ Queue struct{ Address string } }
	h.do("status", nil, &s)
	return s.Queue.Address[strings.LastIndex(s.Queue.Address, "/")+1:] + ".facts"
}

// phonesOf are the numbers of those who called.
func phonesOf(f fold) (all [][]byte) {
	seen := map[string]bool{}
	for _, d := range f.days {
		for _, c := range d.Calls {
			if !seen[c.Person.Phone] {
				seen[c.Person.Phone] = true
				all = append(all, []byte(c.Person.Phone))
			}
		}
	}
	return all
}

// inTheClear counts the files below a folder in which somebody's number stands.
func inTheClear(t *testing.T, dir string, phones [][]byte) (found int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if slices.ContainsFunc(phones, func(p []byte) bool { return bytes.Contains(content, p) }) {
			found++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
