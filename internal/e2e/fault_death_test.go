package e2e

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// TestKill9: a server that is killed at any moment loses nothing that it acknowledged, every delivery has one state,
// and when the senders have said everything the figures are those of a server that never died.
func TestKill9(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "kill -9, whole house")
	s := newSenders(t)
	random := rand.New(rand.NewPCG(9, 1))
	data := newData(t)
	h := spawn(t, data)
	h.townPolicy()
	source := h.connect("native")
	rounds := faulttest.Rounds(3, 20, 50)
	share := len(s.events) / (rounds + 1)
	for range rounds {
		s.rush(h, source, 1+random.IntN(share), h.kill)
		<-h.done
		h = spawn(t, data)
		h.counts() // checks the sum
		row.Rounds++
	}
	s.finish(h, source, row)
	h.stopWell()
	s.forget()
	row.Planted(s.killedOnce(t, answersFirst) > 0)
}

// killedOnce kills a house with a mistake in it and gives how many acknowledged deliveries are lost.
func (s *senders) killedOnce(t *testing.T, mistake string) int64 {
	data := newData(t)
	h := spawnWith(t, mistake, data)
	source := h.connect("native")
	s.rush(h, source, len(s.events)/2, h.kill)
	<-h.done
	h = spawn(t, data)
	lost, _ := s.lost(h, source)
	h.stopWell()
	return lost
}

// TestPowerCut: what was acknowledged before the power went is on the disk, in every file of the data directory
// together, and the house goes on from there.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "power cut, whole house")
	random := rand.New(rand.NewPCG(9, 2))
	s := newSenders(t)
	rounds := faulttest.Rounds(1, 4, 30)
	for round := range rounds {
		disk := newDisk(t, row)
		s.forget()
		h, source := s.cut(t, disk, honest, 1+random.IntN(len(s.events)*3/4))
		s.finish(h, source, row)
		h.stopWell()
		disk.unmount()
		row.Rounds++
		t.Logf("cut %d of %d", round+1, rounds)
	}
	if !faulttest.Asked() {
		return
	}
	lost := int64(0)
	for range 6 { // one is nearly always enough
		disk := newDisk(t, row)
		s.forget()
		h, source := s.cut(t, disk, neverSyncs, len(s.events)/2)
		if h == nil {
			lost++ // it does not even open
		} else {
			n, _ := s.lost(h, source)
			lost += n
			h.stop()
		}
		disk.unmount()
		if lost > 0 {
			break
		}
	}
	row.Planted(lost > 0)
}

// cut takes the power from a house under load and gives the house that opens the same disk afterwards, nil when a house
// with a mistake cannot be opened.
func (s *senders) cut(t *testing.T, d *disk, mistake string, after int) (*house, rpc.Connected) {
	data := filepath.Join(d.dir, "data")
	h := spawnWith(t, mistake, data)
	h.townPolicy()
	source := h.connect("native")
	s.rush(h, source, after, func() {
		s.late.Store(true)
		d.cut()
		h.kill()
	})
	<-h.done
	d.remount()
	if mistake != honest && !opens(data) {
		return nil, source
	}
	h = spawn(t, data)
	h.counts()
	return h, source
}

// opens reports whether a server can open a directory.
func opens(data string) bool {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childArgs+"="+strings.Join([]string{"status", "--data", data}, "\n"))
	return cmd.Run() == nil
}

// disk is an ext4 file system in a file.
type disk struct {
	t          testing.TB
	image, dir string
	mounted    bool
}

func newDisk(t *testing.T, row *faulttest.Row) *disk {
	t.Helper()
	if os.Geteuid() != 0 {
		row.Skip("not root")
	}
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
	if out, err := exec.Command("mkfs.ext4", "-q", d.image).CombinedOutput(); err != nil {
		row.Skip("mkfs.ext4: " + string(out))
	}
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		row.Skip("no loop devices: " + strings.TrimSpace(string(out)))
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
	// A program that another test confines has a copy of all mounts while it runs, and mounting the image again would give
	// the one that was shut down.
	for range 600 {
		if out, err := exec.Command("losetup", "-j", d.image).Output(); err != nil || len(out) == 0 {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	d.t.Error("somebody else has the disk mounted")
}
