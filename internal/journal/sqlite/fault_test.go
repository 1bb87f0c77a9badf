package sqlite

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"murmur/internal/faulttest"
	"murmur/internal/journal"
)

// TestKill9: nothing acknowledged is lost, nothing appears that was not sent, each fact is applied once,
// however often the process dies. (Everything passes this that writes to a file at all; see the power cut.)
func TestKill9(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "kill -9, the journal alone")
	dir := t.TempDir()
	all := reports{acked: map[uint64]int{}}
	random := rand.New(rand.NewPCG(1, 9))
	for round := range faulttest.Rounds(10, 20, 50) {
		key := uint64(round * callers)
		r := runWorker(t, dir, key, "", 1+random.IntN(600), func(p *os.Process) { _ = p.Kill() })
		for i := range uint64(callers) { // a caller without an answer may have one in doubt too
			all.acked[key+i] = r.acked[key+i]
		}
		all.total += r.total
		if r.failed+r.lied > 0 {
			t.Errorf("round %d: %d appends failed", round, r.failed)
		}
		if round%10 == 9 {
			if f := inspect(t, dir, all); f != (finding{}) {
				t.Errorf("after round %d: %+v of %d acknowledged", round, f, all.total)
				enter(row, f)
			}
		}
		row.Rounds++
	}
	row.Acknowledged = int64(all.total)
}

// TestPowerCut: what was acknowledged before the power went is on the disk.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "power cut, the journal alone")
	for round := range faulttest.Rounds(2, 6, 30) {
		r, f := powerCut(t, row, "", uint64(round))
		row.Acknowledged += int64(r.total)
		row.Rounds++
		enter(row, f)
		if f != (finding{}) || r.lied > 0 {
			t.Errorf("round %d: %+v of %d acknowledged; %d accepted after a failure", round, f, r.total, r.lied)
		}
	}
	if !faulttest.Asked() {
		return
	}
	// With synchronous=NORMAL, which many recommend for WAL, acknowledged deliveries are lost.
	lost := 0
	for round := 0; round < 12 && lost == 0; round++ { // one or two are nearly always enough
		_, f := powerCut(t, row, "NORMAL", uint64(100+round))
		lost += f.lost
	}
	row.Planted(lost > 0)
}

// enter puts a finding into the row of its fault.
func enter(row *faulttest.Row, f finding) {
	row.Lost += int64(f.lost + f.missing)
	row.Doubled += int64(f.doubled + f.phantom)
}

// powerCut runs a worker on an ext4 file system in a file and takes the file system down under it, without
// flushing its log: what was not synced is gone, as when the power fails.
func powerCut(t *testing.T, row *faulttest.Row, synchronous string, seed uint64) (r reports, f finding) {
	t.Helper()
	work := t.TempDir()
	image, dir := filepath.Join(work, "disk.img"), filepath.Join(work, "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		row.Skip("not root")
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 256<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
		row.Skip("mkfs.ext4: " + string(out))
	}
	mount := func() error { return exec.Command("mount", "-o", "loop", image, dir).Run() }
	if err := mount(); err != nil {
		row.Skip("no loop devices")
	}
	mounted := true
	defer func() {
		if mounted {
			_ = exec.Command("umount", dir).Run()
		}
	}()
	random := rand.New(rand.NewPCG(seed, 2))
	r = runWorker(t, dir, 0, synchronous, 300+random.IntN(2000), func(p *os.Process) {
		if err := shutdown(dir); err != nil {
			_ = p.Kill()
			t.Errorf("shut the file system down: %v", err)
		}
	})
	if r.failed == 0 {
		t.Error("the worker did not notice that its disk is gone")
	}
	for i := range uint64(callers) {
		r.acked[i] += 0
	}
	if err := exec.Command("umount", dir).Run(); err != nil {
		mounted = false
		t.Fatalf("umount: %v", err)
	}
	detached(t, image)
	if err := mount(); err != nil {
		mounted = false
		t.Fatalf("mount again: %v", err)
	}
	if synchronous != "" { // the sink may be ahead of what is left of the journal: nothing to drain
		return r, finding{lost: lostOf(t, dir, r)}
	}
	return r, inspect(t, dir, r)
}

// detached waits until nobody has the disk of an image any more. A program that another test confines has a copy of all
// mounts while it runs, and mounting the image again would give the one that was shut down.
func detached(t *testing.T, image string) {
	t.Helper()
	for range 600 {
		if out, err := exec.Command("losetup", "-j", image).Output(); err != nil || len(out) == 0 {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Fatal("somebody else has the disk mounted")
}

// shutdown is FS_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (linux/fs/ext4/ext4.h).
func shutdown(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return unix.IoctlSetPointerInt(int(d.Fd()), 0x8004587d, 2)
}

// TestFullDisk: a full disk refuses, loses nothing, and accepts again as soon as there is space.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "full disk, the journal alone")
	if os.Geteuid() != 0 {
		row.Skip("not root")
	}
	dir := t.TempDir()
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir).Run(); err != nil {
		row.Skip("no tmpfs")
	}
	defer func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	}()
	ballast := func(n string) string { return filepath.Join(dir, "ballast"+n) }
	for _, n := range []string{"1", "2"} {
		if err := os.WriteFile(ballast(n), make([]byte, 2<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := fixture{openIn(t, dir, Config{}), newClock()}
	defer func() { _ = x.Close() }()
	accepted := 0
	fill := func() {
		t.Helper()
		for refused := 0; refused < 20 && accepted < 10_000; {
			m := x.delivery(accepted)
			m.Payload = append(m.Payload, make([]byte, 20_000)...)
			switch _, err := x.Accept(t.Context(), m); {
			case errors.Is(err, journal.ErrFull):
				refused++
			case err != nil:
				t.Fatal(err)
			default:
				accepted++
			}
		}
	}
	fill()
	before := accepted
	if before == 0 {
		t.Fatal("nothing was accepted")
	}
	if err := os.Remove(ballast("1")); err != nil {
		t.Fatal(err)
	}
	fill() // the same journal, at once
	if accepted == before {
		t.Error("nothing was accepted after space had returned")
	}
	if got := x.tally(t); got.In != int64(accepted) {
		t.Errorf("%d in the journal, %d accepted", got.In, accepted)
	}
	if err := os.Remove(ballast("2")); err != nil {
		t.Fatal(err)
	}
	x.read(t, "g", accepted)
	row.Rounds, row.Acknowledged = 2, int64(accepted)
}

// TestFailedSync: after one failed fsync nothing is accepted any more, although the next would succeed
// (a kernel reports a lost page once). What was acknowledged before is there.
func TestFailedSync(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "the Nth fsync fails, the journal alone")
	strace, err := exec.LookPath("strace")
	if err != nil {
		row.Skip("no strace; scripts/setup installs it")
	}
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		row.Skip("strace: " + string(out))
	}
	for _, when := range []string{"20", "47"} {
		dir := t.TempDir()
		r := runWorker(t, dir, 0, "", 5_000, nil, strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when="+when)
		if r.failed == 0 || r.lied > 0 {
			t.Errorf("%d appends failed, %d were accepted after a failure", r.failed, r.lied)
		}
		for i := range uint64(callers) {
			r.acked[i] += 0
		}
		if f := inspect(t, dir, r); f != (finding{}) {
			t.Errorf("%+v of %d acknowledged", f, r.total)
			enter(row, f)
		}
		row.Rounds++
		row.Acknowledged += int64(r.total)
	}
}
