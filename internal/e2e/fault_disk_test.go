package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// TestFullDisk: a full disk under the whole house loses nothing. Vendors are told to come again; an erasure and an
// opt-out get through all the same, and the erasure is carried out once there is space; and within five seconds of space deliveries are taken again, without a restart.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "full disk, whole house")
	disk := smallDisk(t, row)
	data := filepath.Join(disk, "data")
	h := spawn(t, data)
	h.townPolicy()
	source := h.connect("native")
	h.connectIn("other") // whose opt-outs are in no figure of the town
	var token string
	h.do("token", rpc.TokenArgs{Workspace: "other", Role: "owner"}, &token)
	for i := range 20 { // somebody to erase
		h.post(source.Path, call(fmt.Sprintf("gone%d", i), march, "+12025550199"), bearer(source.Secret), 200)
	}
	h.figures()
	s := newSenders(t)
	s.send(h, source, 200, func() { fill(t, disk) })
	refused := s.send(h, source, 0, func() {})
	for tries := 0; refused == 0 && tries < 100; tries++ { // what SQLite had in reserve is used up
		fill(t, disk)
		refused = s.send(h, source, 0, func() {})
	}
	if refused == 0 {
		t.Error("a full disk refuses nothing")
	}
	h.getsThrough(t, token)
	row.Rounds++

	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	room := time.Now()
	for {
		a, err := h.send(http.MethodPost, source.Path, call("again", march, "+12025550198"), bearer(source.Secret))
		if err == nil && a.status == 200 {
			break
		}
		if time.Since(room) > time.Minute {
			t.Fatalf("not taken again after a minute: %v %d", err, a.status)
		}
		<-time.After(50 * time.Millisecond)
	}
	again := time.Since(room)
	if again > 5*time.Second {
		t.Errorf("taken again after %s", again)
	}
	row.Note = fmt.Sprintf("taken again after %d ms", again.Milliseconds())
	for ready := h.get("/readyz"); ready.status != 200; ready = h.get("/readyz") {
		if time.Since(room) > time.Minute {
			t.Fatalf("not ready after a minute: %s", ready.body)
		}
		<-time.After(50 * time.Millisecond)
	}
	h.do("erase", rpc.EraseArgs{Contact: "+12025550198"}, nil)
	h.erased()
	if before := h.counts(); before.Erased < 20 {
		t.Errorf("20 deliveries of the erased person, %d are erased", before.Erased)
	}
	s.finish(h, source, row)
	h.stopWell()
	if faulttest.Asked() {
		row.Planted(!erasesWithoutBallast(t, row))
	}
}

// march is a day of the town.
var march = time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)

// getsThrough erases a person and records opt-outs on a full disk.
func (h *house) getsThrough(t *testing.T, token string) {
	t.Helper()
	var erased rpc.Erased
	if err := h.try("erase", rpc.EraseArgs{Contact: "+12025550199"}, nil, &erased); err != nil || erased.Receipt == "" {
		t.Errorf("erase on a full disk: %v\n%s", err, h.log.Bytes())
	}
	if a, err := h.send(http.MethodPost, "/v1/calls/AC9/opt-out", []byte(`{"via":"agent"}`), bearer(token)); err != nil || a.status != http.StatusNoContent {
		t.Errorf("the opt-out of a call on a full disk: %d %s (%v)", a.status, a.body, err)
	}
	if a, err := h.send(http.MethodPost, "/v1/contacts/opt-out", []byte(`{"contact":"+12025550197","via":"sms"}`), bearer(token)); err != nil || a.status != http.StatusNoContent {
		t.Errorf("the opt-out of a person on a full disk: %d %s (%v)", a.status, a.body, err)
	}
}

// erasesWithoutBallast is the control: on the same full disk without the ballast an erasure must fail.
func erasesWithoutBallast(t *testing.T, row *faulttest.Row) bool {
	t.Helper()
	disk := smallDisk(t, row)
	data := filepath.Join(disk, "data")
	h := spawn(t, data)
	source := h.connect("native")
	for i := range 20 {
		h.post(source.Path, call(fmt.Sprintf("gone%d", i), march, "+12025550199"), bearer(source.Secret), 200)
	}
	h.figures()
	if err := os.Remove(filepath.Join(data, "ballast")); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.stop() }()
	for i := range 2000 {
		fill(t, disk)
		if err := h.try("erase", rpc.EraseArgs{Contact: fmt.Sprintf("+1202555%04d", i)}, nil, nil); err != nil {
			return false
		}
	}
	return true
}

// smallDisk is a file system of 96 MiB in memory.
func smallDisk(t *testing.T, row *faulttest.Row) string {
	t.Helper()
	dir := filepath.Dir(newData(t))
	disk := filepath.Join(dir, "small")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "mode=0700,size=96m"); err != nil {
		row.Skip("mounting needs root: " + err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	return disk
}

// fill writes until there is no room for another byte.
func fill(t testing.TB, disk string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(disk, "filler"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	b := make([]byte, 1<<20)
	_, _ = rand.Read(b)
	for len(b) > 0 {
		n, err := f.Write(b)
		if errors.Is(err, syscall.ENOSPC) && n == 0 {
			b = b[:len(b)/2]
		} else if err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("fill the disk: %v", err)
			return
		}
	}
}
