package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"murmur/internal/datadir"
	"murmur/internal/journal"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// calls are murmur.v1 lines of calls from-to of a few synthetic people.
func someCalls(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"schema":"murmur.v1","type":"call","delivery_id":"c%d","source_id":"c%d","occurred_at":"2026-11-03T12:%02d:00Z","direction":"in","outcome":"missed","party":{"phone":"+1212555%04d"}}`+"\n",
			i, i, i%60, 100+i%7)
	}
	return b.String()
}

// house is a node with a verb to carry out.
type house struct {
	*Node
	t *testing.T
}

func open(t *testing.T, data string) house {
	h := house{start(t, data), t}
	return h
}

func (h house) do(verb string, args any, in string) string {
	h.t.Helper()
	var out bytes.Buffer
	if err := h.Do(h.t.Context(), verb, args, strings.NewReader(in), &out); err != nil {
		h.t.Fatalf("%s: %v", verb, err)
	}
	return out.String()
}

func (h house) counts() rpc.Counts {
	h.t.Helper()
	var s rpc.Status
	if err := json.Unmarshal([]byte(h.do("status", nil, "")), &s); err != nil {
		h.t.Fatal(err)
	}
	return s.Workspaces["default"].Counts
}

// TestABackupKeepsStatesAndNoRawByte: what waits for consent keeps its state, and no payload is in the archive.
func TestABackupKeepsStatesAndNoRawByte(t *testing.T) {
	t.Parallel()
	h := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	h.do("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "opt-in"}}, Reason: "test", Author: "test"}, "")
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 40)+recorded)
	was := h.counts()
	if was.Held != 1 || was.Published != 40 {
		t.Fatalf("%+v", was)
	}
	data := filepath.Join(t.TempDir(), "restored")
	if err := Restore(t.Context(), strings.NewReader(h.do("backup", nil, "")), nil, Config{Data: data}); err != nil {
		t.Fatal(err)
	}
	r := open(t, data)
	defer stop(t, r.Node)
	if got := r.counts(); got != was {
		t.Errorf("restored: %+v, was %+v", got, was)
	}
	if err := r.journal.Sealed(t.Context(), func(m journal.Message) error { return errors.New("a payload") }); err != nil {
		t.Error(err)
	}
}

// TestABackupThatCannotBeMadeSaysWhy: a lake file is gone. The answer is an error that names it, not an archive, and the
// house goes on.
func TestABackupThatCannotBeMadeSaysWhy(t *testing.T) {
	t.Parallel()
	h := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 40))
	var rows string
	err := filepath.WalkDir(h.dir.Lake(), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".parquet") {
			rows = path
		}
		return err
	})
	if err != nil || rows == "" {
		t.Fatal(rows, err)
	}
	if err := os.Rename(rows, rows+".away"); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	socketHandler(h.Node).ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/backup", nil))
	var p rpc.Problem
	if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || answer.Code == http.StatusOK || !strings.Contains(p.Message, filepath.Base(rows)) {
		t.Errorf("%d %+v, %v", answer.Code, p, err)
	}
	if left, err := os.ReadDir(h.dir.Tmp()); err != nil || strings.Contains(fmt.Sprint(left), "backup") {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.Rename(rows+".away", rows); err != nil {
		t.Fatal(err)
	}
	if b := h.do("backup", nil, ""); datadir.CheckBackup(t.Context(), strings.NewReader(b)) != nil {
		t.Error("the next backup is not whole")
	}
}

// TestRestoreIntoTheDirectoryOfARunningServer is refused, and the server does not notice.
func TestRestoreIntoTheDirectoryOfARunningServer(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	h := open(t, data)
	defer stop(t, h.Node)
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 10))
	b := h.do("backup", nil, "")
	if err := Restore(t.Context(), strings.NewReader(b), nil, Config{Data: data}); !errors.Is(err, datadir.ErrNotEmpty) {
		t.Errorf("%v, want ErrNotEmpty", err)
	}
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(10, 20))
	if c := h.counts(); c.Published != 20 {
		t.Errorf("%+v", c)
	}
}

// TestTheReplacedDirectoryHasItsSay: who refused or was erased after the backup stays so, by the register of the directory
// that the restore replaces; one of other keys is no such directory.
func TestTheReplacedDirectoryHasItsSay(t *testing.T) {
	t.Parallel()
	old := filepath.Join(t.TempDir(), "data")
	h := open(t, old)
	h.do("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "notice"}}, Reason: "test", Author: "test"}, "")
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 70))
	b := h.do("backup", nil, "")
	h.do("erase", rpc.EraseArgs{Contact: "+12125550103"}, "")
	if _, err := h.zone.OptOutContact(t.Context(), workspace.Default, "+12125550104", "agent"); err != nil {
		t.Fatal(err)
	}
	stop(t, h.Node)
	strange := filepath.Join(t.TempDir(), "data")
	stop(t, open(t, strange).Node)
	if err := Restore(t.Context(), strings.NewReader(b), nil, Config{Data: filepath.Join(t.TempDir(), "data"), InsteadOf: strange}); !errors.Is(err, private.ErrOtherKeys) {
		t.Errorf("a directory of other keys: %v", err)
	}
	data := filepath.Join(t.TempDir(), "restored")
	if err := Restore(t.Context(), strings.NewReader(b), nil, Config{Data: data, InsteadOf: old}); err != nil {
		t.Fatal(err)
	}
	r := open(t, data)
	defer stop(t, r.Node)
	if c := r.counts(); c.Erased != 10 {
		t.Errorf("%d deliveries are erased, want 10", c.Erased)
	}
	_, refused, err := r.zone.Refused(t.Context(), workspace.Default, r.now())
	if err != nil || len(refused) != 1 {
		t.Errorf("%d people refused, want 1: %v", len(refused), err)
	}
	if breaches, err := r.ledger.Verify(t.Context()); err != nil || len(breaches) > 0 {
		t.Errorf("ledger: %v, %v", breaches, err)
	}
}

// TestWhoWasErasedAfterTheBackupStaysErased: the list that comes with restore is carried out before anything appears.
func TestWhoWasErasedAfterTheBackupStaysErased(t *testing.T) {
	t.Parallel()
	h := open(t, filepath.Join(t.TempDir(), "data"))
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 70))
	h.do("erase", rpc.EraseArgs{Contact: "+12125550101"}, "") // the backup knows this one
	b := h.do("backup", nil, "")
	h.do("erase", rpc.EraseArgs{Contact: "+12125550103"}, "")
	was := h.counts()
	stop(t, h.Node)
	if was.Erased != 20 {
		t.Fatalf("%+v", was)
	}
	parent := t.TempDir()
	data := filepath.Join(parent, "restored")
	bad := "\n+12125550103\nNOT A WORKSPACE\t+12125550104\n"
	if err := Restore(t.Context(), strings.NewReader(b), strings.NewReader(bad), Config{Data: data}); err == nil || !strings.Contains(err.Error(), "line 3") || strings.Contains(err.Error(), "0104") {
		t.Errorf("a bad line: %v", err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	list := "# since the backup\ndefault\t+1 212 555 0103\n"
	if err := Restore(t.Context(), strings.NewReader(b), strings.NewReader(list), Config{Data: data}); err != nil {
		t.Fatal(err)
	}
	r := open(t, data)
	defer stop(t, r.Node)
	if got := r.counts(); got != was {
		t.Errorf("restored: %+v, was %+v", got, was)
	}
}

// TestABackupWhoseLakeIsAheadGoesOn: the first release copied the journal before the lake, so that under load the lake
// of a backup knew positions which its journal never gave out.
func TestABackupWhoseLakeIsAheadGoesOn(t *testing.T) {
	t.Parallel()
	h := open(t, filepath.Join(t.TempDir(), "data"))
	tmp := t.TempDir()
	in := func(path string) string { return filepath.Join(tmp, filepath.Base(path)) }
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 10))
	steps := []func() error{
		func() error { return h.db.Backup(t.Context(), in(h.dir.Meta())) },
		func() error { return h.backupCheckpoints(t.Context(), tmp) },
		func() error { return h.journal.Backup(t.Context(), in(h.dir.Journal())) },
		func() error { h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(10, 60)); return nil },
		func() error { return h.crowd.Backup(t.Context(), in(h.dir.Lake()), in(h.dir.Catalog())) },
		func() error { return h.ring.Copy(tmp, false) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := h.backupFiles(tmp)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := h.dir.Backup(t.Context(), &b, files...); err != nil {
		t.Fatal(err)
	}
	stop(t, h.Node)
	data := filepath.Join(t.TempDir(), "restored")
	if err := Restore(t.Context(), &b, nil, Config{Data: data}); err != nil {
		t.Fatal(err)
	}
	r := open(t, data)
	defer stop(t, r.Node)
	r.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 60))
	if c := r.counts(); c.Published != 60 || c.Pending != 0 {
		t.Errorf("%+v", c)
	}
}

// TestBackupOnAFullDisk: where the archive has no room it is refused before the first byte, nothing is left, and deliveries
// are taken on; a restore that has no room leaves nothing.
func TestBackupOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "160m")
	h := open(t, filepath.Join(disk, "data"))
	defer stop(t, h.Node)
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 40))
	b := h.do("backup", nil, "")
	space, err := h.dir.Space()
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, space.Free-backupReserve), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.Do(t.Context(), "backup", nil, nil, &bytes.Buffer{}); !errors.Is(err, datadir.ErrFull) {
		t.Errorf("backup: %v, want ErrFull", err)
	}
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(40, 50))
	small := smallDisk(t, "200k")
	if err := Restore(t.Context(), strings.NewReader(b), nil, Config{Data: filepath.Join(small, "data")}); !errors.Is(err, datadir.ErrFull) {
		t.Errorf("restore: %v, want ErrFull", err)
	}
	if left, err := os.ReadDir(small); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	h.do("backup", nil, "")
}

// smallDisk is a file system in memory of a few megabytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=700,size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: a full disk (mount: %s)", strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	return dir
}

// TestABackupWithoutKeysIsRefused: without the keys of a workspace nobody would be found in its rows.
func TestABackupWithoutKeysIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	h.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 4))
	tmp := t.TempDir()
	if err := h.copyInto(t.Context(), tmp); err != nil {
		t.Fatal(err)
	}
	files, err := h.backupFiles(tmp)
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(s datadir.Source) bool { return s.Name == "keys/default.keys" })
	var b bytes.Buffer
	if err := h.dir.Backup(t.Context(), &b, files...); err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	if err := Restore(t.Context(), &b, nil, Config{Data: filepath.Join(parent, "data")}); !errors.Is(err, datadir.ErrBackup) || !strings.Contains(err.Error(), "default") {
		t.Error(err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
