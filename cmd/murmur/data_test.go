package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeVersion writes VERSION as docs/format/datadir.md describes it.
func writeVersion(data string, n int) error {
	s := fmt.Sprintf("murmur data %d", n)
	sum := sha256.Sum256([]byte(s))
	return os.WriteFile(filepath.Join(data, "VERSION"), fmt.Appendf(nil, "%s %x\n", s, sum[:4]), 0o600)
}

// someCalls is an export of calls of twelve people, two weeks ago.
func someCalls() string {
	day := time.Now().UTC().AddDate(0, 0, -14).Format(time.DateOnly)
	var b strings.Builder
	b.WriteString("Call ID,Date/Time,Direction,From,To,Status,Duration (s)\n")
	for i := range 12 {
		status, talk := "answered", 60
		if i%3 == 0 {
			status, talk = "missed", 0
		}
		fmt.Fprintf(&b, "c%d,%s 10:%02d:00,inbound,+1212555%04d,+12125550000,%s,%d\n", i, day, i, 100+i, status, talk)
	}
	return b.String()
}

// filled makes a data directory with a bit of everything in it.
func filled(t *testing.T) string {
	data := filepath.Join(t.TempDir(), "data")
	must(t, "", "connect", "native", "--data", data)
	must(t, someCalls(), "import", "-", "--data", data)
	must(t, "", "policy", "set", "recordings=notice", "--reason", "played on every call", "--data", data)
	must(t, "", "erase", "+12125550103", "--data", data)
	must(t, "", "figures", "--refresh", "--data", data)
	return data
}

func TestVerifyNamesEveryChangedFile(t *testing.T) {
	t.Parallel()
	data := filled(t)
	must(t, "", "verify", "--data", data)
	var files []string
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name, _ := filepath.Rel(data, path)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for what, changed := range changes(whole) {
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, _ := murmur(t, "", "verify", "--json", "--data", data)
			var v struct {
				Breaches []struct{ File, What string }
			}
			if err := json.Unmarshal([]byte(out), &v); err != nil || code != 3 {
				t.Errorf("%s, %s: exit code %d, %q", name, what, code, out)
			}
			named := false
			for _, b := range v.Breaches {
				named = named || b.File == filepath.ToSlash(name)
			}
			if !named {
				t.Errorf("%s, %s: not named in %q", name, what, out)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "", "verify", "--data", data)
}

// changes are what a disk or a hand may do to one byte.
func changes(whole []byte) map[string][]byte {
	longer := append(append([]byte{}, whole...), 'x')
	if len(whole) == 0 {
		return map[string][]byte{"one byte more": longer}
	}
	middle := append([]byte{}, whole...)
	middle[len(middle)/2] ^= 1
	last := append([]byte{}, whole...)
	last[len(last)-1] ^= 0x80
	return map[string][]byte{"one bit in the middle": middle, "one bit of the last byte": last, "one byte more": longer}
}

func TestLockedDirectoryIsExitFour(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	must(t, "", "policy", "set", "region=US", "--data", data)
	f, err := os.OpenFile(filepath.Join(data, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for _, verb := range [][]string{{"status"}, {"verify"}, {"connect", "quo"}, {"erase", "+12125550100"}, {"serve", "--listen", "127.0.0.1:0"}} {
		code, _, said := murmur(t, "", append(verb, "--data", data)...)
		if code != 4 || !complaint.MatchString(said) {
			t.Errorf("%s: exit code %d, %q", verb[0], code, said)
		}
	}
}

// tmpfs mounts a small file system, or skips loudly.
func tmpfs(t *testing.T, size string) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Skipf("NOT TESTED: full and read-only disks, because mounting needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestFullDiskSaysSo(t *testing.T) {
	t.Parallel()
	disk := tmpfs(t, "2m")
	data := filepath.Join(disk, "data")
	code, _, said := murmur(t, "", "policy", "set", "region=US", "--data", data)
	if code != 1 || !complaint.MatchString(said) || !strings.Contains(said, "the disk is full") {
		t.Fatalf("exit code %d, %q", code, said)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	must(t, "", "policy", "set", "region=US", "--data", data) // what a full disk left half-made is finished
	must(t, "", "verify", "--data", data)
}

func TestReadOnlyDiskSaysSo(t *testing.T) {
	t.Parallel()
	disk := tmpfs(t, "64m")
	data := filepath.Join(disk, "data")
	must(t, "", "policy", "set", "region=US", "--data", data)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	code, _, said := murmur(t, "", "status", "--data", data)
	if code != 1 || !complaint.MatchString(said) || !strings.Contains(said, "cannot be written") {
		t.Errorf("exit code %d, %q", code, said)
	}
}

func TestRestoredBackupIsEqual(t *testing.T) {
	t.Parallel()
	data := filled(t)
	file, again := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "again")
	must(t, "", "backup", "-o", file, "--data", data)
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the backup, which holds the root key: %v, %v", st.Mode(), err)
	}
	must(t, "", "restore", file, "--data", again)
	for _, verb := range []string{"figures", "status", "policy"} {
		if a, b := must(t, "", verb, "--json", "--data", data), must(t, "", verb, "--json", "--data", again); a != b || a == "" {
			t.Errorf("%s differ:\n%s\n%s", verb, a, b)
		}
	}
	must(t, "", "verify", "--attack", "--data", again)
	code, _, said := murmur(t, "", "restore", file, "--data", again)
	if code != 2 || !complaint.MatchString(said) {
		t.Errorf("restore over data: exit code %d, %q", code, said)
	}
	// Somebody who was erased stays erased.
	var s struct {
		Workspaces map[string]struct{ Erased, In int }
	}
	if err := json.Unmarshal([]byte(must(t, "", "status", "--json", "--data", again)), &s); err != nil || s.Workspaces["default"].Erased != 1 {
		t.Errorf("erased %d, %v", s.Workspaces["default"].Erased, err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := changes(whole)
	delete(damaged, "one byte more") // behind the end of the archive it is no part of it
	damaged["its half"] = whole[:len(whole)/2]
	for what, b := range damaged {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		into := filepath.Join(t.TempDir(), "damaged")
		if code, _, said := murmur(t, "", "restore", file, "--data", into); code != 2 || !complaint.MatchString(said) {
			t.Errorf("backup with %s: exit code %d, %q", what, code, said)
		}
		if entries, _ := os.ReadDir(into); len(entries) > 0 {
			t.Errorf("backup with %s: %d files are left behind", what, len(entries))
		}
	}
}

func TestDemoLearnsSomething(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("NOT TESTED: the demo, in -short")
	}
	data := filepath.Join(t.TempDir(), "data")
	var a struct {
		Workspaces map[string]struct{ In, Published int }
		Insights   []string
		Seconds    float64
	}
	out := must(t, "", "demo", "--exit", "--json", "--days", "14", "--data", data)
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Insights) < 3 || a.Seconds <= 0 || a.Workspaces["default"].Published == 0 {
		t.Errorf("%+v", a)
	}
	if code, _, said := murmur(t, "", "demo", "--exit", "--data", data); code != 2 || !complaint.MatchString(said) {
		t.Errorf("demo over data: exit code %d, %q", code, said)
	}
}
