package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"murmur/internal/server"
)

// senders is what the senders know of their deliveries: each is a native event, told by its own delivery id.
type senders struct {
	events [][]byte
	mu     sync.Mutex
	acked  []bool
}

// nativeEvents gives the days of the town as single events with delivery ids, shuffled.
func nativeEvents(t testing.TB, random *rand.Rand) (*senders, fold) {
	t.Helper()
	b, truth := town(t, 150)
	var all bytes.Buffer
	for _, d := range truth.days {
		if err := b.Native(&all, d); err != nil {
			t.Fatal(err)
		}
	}
	s := &senders{}
	for i, l := range bytes.Split(bytes.TrimSpace(all.Bytes()), []byte("\n")) {
		s.events = append(s.events, append(fmt.Appendf(nil, `{"delivery_id":"d%d",`, i), l[1:]...))
	}
	random.Shuffle(len(s.events), func(i, j int) { s.events[i], s.events[j] = s.events[j], s.events[i] })
	s.acked = make([]bool, len(s.events))
	return s, truth
}

// load sends what was not acknowledged yet from a few connections, as a vendor does that tries again, and calls fault
// once when `after` more were acknowledged. It ends when a sender has no answer any more, or when all is sent.
func (s *senders) load(h *house, source server.Connected, after int, fault func()) {
	var next, done atomic.Int64
	var gone atomic.Bool
	var once sync.Once
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			for i := int(next.Add(1) - 1); i < len(s.events) && !gone.Load(); i = int(next.Add(1) - 1) {
				s.mu.Lock()
				sent := s.acked[i]
				s.mu.Unlock()
				if sent {
					continue
				}
				a, err := h.send(http.MethodPost, source.Path, s.events[i], bearer(source.Secret))
				switch {
				case err != nil:
					gone.Store(true)
				case a.status == 200:
					s.mu.Lock()
					s.acked[i] = true
					s.mu.Unlock()
					if done.Add(1) == int64(after) {
						once.Do(fault)
					}
				case a.status != http.StatusServiceUnavailable && a.status != http.StatusTooManyRequests:
					h.t.Errorf("answered %d: %s", a.status, a.body)
				default:
					gone.Store(true)
				}
			}
		})
	}
	wait.Wait()
}

// lost sends every acknowledged delivery once more: the house must know each.
func (s *senders) lost(h *house, source server.Connected) (lost, acked int64) {
	h.t.Helper()
	var g errgroup.Group
	var fresh atomic.Int64
	g.SetLimit(16)
	for i := range s.events {
		if !s.acked[i] {
			continue
		}
		acked++
		g.Go(func() error {
			var said struct{ New int64 }
			a := h.post(source.Path, s.events[i], bearer(source.Secret), 200)
			err := json.Unmarshal(a.body, &said)
			fresh.Add(said.New)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		h.t.Fatal(err)
	}
	return fresh.Load(), acked
}

// TestKill9: a server that is killed at any moment loses nothing that it acknowledged, every delivery has one state,
// and when the senders have said everything the figures are those of a server that never died.
func TestKill9(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 1))
	s, truth := nativeEvents(t, random)
	data := newData(t)
	h := spawn(t, data)
	h.townPolicy()
	source := h.connect("native")
	n := rounds(5, 50)
	share := len(s.events) / (n + 1)
	for range n {
		s.load(h, source, 1+random.IntN(share), h.kill)
		<-h.done
		h = spawn(t, data)
		h.counts() // checks the sum
	}
	lost, acked := s.lost(h, source)
	if lost > 0 || acked == 0 {
		t.Errorf("%d of %d acknowledged deliveries are lost", lost, acked)
	}
	s.load(h, source, len(s.events), func() {})
	got := h.figures()
	if c := h.counts(); c.Published != int64(len(s.events)) || c.Pending+c.Held+c.Quarantined > 0 {
		t.Errorf("%d events: %+v", len(s.events), c)
	}
	t.Logf("killed %d times: %d acknowledged before the end, %d lost", n, acked, lost)
	s.asInCalm(t, truth, got)
	if err := h.stop(); err != nil {
		t.Errorf("stop: %v\n%s", err, h.log.Bytes())
	}
}

// calm keeps the figures of a house in which nothing happened to the same events.
var calm struct {
	sync.Mutex
	figures []byte
}

// asInCalm compares figures with those of a house to which the same events came as one file, and those with the fold.
func (s *senders) asInCalm(t testing.TB, truth fold, got []byte) {
	t.Helper()
	calm.Lock()
	defer calm.Unlock()
	if calm.figures == nil {
		h := open(t, newData(t))
		h.townPolicy()
		h.importFile("native", bytes.NewReader(bytes.Join(s.events, []byte("\n"))))
		calm.figures = h.figures()
		truth.native = true
		figures := parse(t, calm.figures)
		t.Logf("compared with the fold: %v", truth.check(t, figures, 5))
		truth.nobodyAlone(t, figures, 5)
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	}
	sameFigures(t, calm.figures, got)
}

// TestPowerCut: what was acknowledged before the power went is on the disk, in every file of the data directory
// together, and the house goes on from there.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		skip(t, "a cut of the power under a whole data directory", "not root")
	}
	random := rand.New(rand.NewPCG(9, 2))
	for round := range rounds(2, 12) {
		s, truth := nativeEvents(t, random)
		disk := newDisk(t)
		data := filepath.Join(disk.dir, "data")
		h := spawn(t, data)
		h.townPolicy()
		source := h.connect("native")
		s.load(h, source, 1+random.IntN(len(s.events)*3/4), func() {
			disk.cut()
			h.kill()
		})
		<-h.done
		disk.remount()
		h = spawn(t, data)
		h.counts()
		lost, acked := s.lost(h, source)
		if lost > 0 || acked == 0 {
			t.Errorf("round %d: %d of %d acknowledged deliveries are lost", round, lost, acked)
		}
		s.load(h, source, len(s.events), func() {})
		got := h.figures()
		if c := h.counts(); c.Published != int64(len(s.events)) || c.Pending+c.Held+c.Quarantined > 0 {
			t.Errorf("round %d: %d events: %+v", round, len(s.events), c)
		}
		t.Logf("round %d: %d acknowledged before the cut, %d lost", round, acked, lost)
		if round == 0 {
			s.asInCalm(t, truth, got)
		}
		if err := h.stop(); err != nil {
			t.Errorf("stop: %v\n%s", err, h.log.Bytes())
		}
		disk.unmount()
	}
}

// disk is an ext4 file system in a file.
type disk struct {
	t          testing.TB
	image, dir string
	mounted    bool
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	work := filepath.Dir(newData(t))
	d := &disk{t: t, image: filepath.Join(work, "disk.img"), dir: filepath.Join(work, "disk")}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 512<<20); err != nil {
		t.Fatal(err)
	}
	const what = "a cut of the power under a whole data directory"
	if out, err := exec.Command("mkfs.ext4", "-q", d.image).CombinedOutput(); err != nil {
		skip(t, what, "mkfs.ext4: "+string(out))
	}
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		skip(t, what, "no loop devices: "+string(out))
	}
	d.mounted = true
	t.Cleanup(d.unmount)
	return d
}

// cut is FS_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (linux/fs/ext4/ext4.h): what was not synced is gone.
func (d *disk) cut() {
	f, err := os.Open(d.dir)
	if err != nil {
		d.t.Errorf("cut the power: %v", err)
		return
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), 0x8004587d, 2); err != nil {
		d.t.Errorf("cut the power: %v", err)
	}
}

func (d *disk) remount() {
	d.t.Helper()
	d.unmount()
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		d.t.Fatalf("mount again: %s", out)
	}
	d.mounted = true
}

func (d *disk) unmount() {
	if !d.mounted {
		return
	}
	if out, err := exec.Command("umount", d.dir).CombinedOutput(); err != nil {
		d.t.Errorf("umount: %s", strings.TrimSpace(string(out)))
	}
	d.mounted = false
}
