package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"murmur/internal/keyring"
	"murmur/internal/workspace"
)

func opened(t testing.TB, path string, m Mode) *Dir {
	t.Helper()
	d, err := Open(path, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.unlock() })
	return d
}

func closed(t testing.TB, d *Dir) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// filled is a directory with a file of every kind, closed.
func filled(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	d := opened(t, path, Server)
	ring, err := keyring.Open(path, keyring.Config{})
	if err == nil {
		err = ring.Create(workspace.Default)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{d.Meta(), d.Journal(), d.Jobs(), d.Catalog(), d.Checkpoints()} {
		put(t, p, strings.Repeat(filepath.Base(p), 1000))
	}
	put(t, filepath.Join(d.Lake(), "facts", "day=2026-11-24", "a b.parquet"), "rows")
	put(t, filepath.Join(d.Tmp(), "spill", "x"), "temporary")
	closed(t, d)
	return path
}

func names(found []Breach) (all []string) {
	for _, b := range found {
		all = append(all, b.File)
	}
	slices.Sort(all)
	return all
}

func verified(t testing.TB, path string) []string {
	t.Helper()
	found, err := Verify(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return names(found)
}

func allFiles(t testing.TB, path string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			rel, _ := filepath.Rel(path, p)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryChangedByteOfEveryFileIsNamed(t *testing.T) {
	t.Parallel()
	path := filled(t)
	if found := verified(t, path); len(found) != 0 {
		t.Fatalf("untouched: %v", found)
	}
	all := allFiles(t, path)
	for _, want := range []string{"MANIFEST", "VERSION", "root.key", "murmur.db", "journal.db", "catalog.db", "ballast", "ledger.checkpoints", "keys/default.keys"} {
		if !slices.Contains(all, want) {
			t.Fatalf("no %s in %v", want, all)
		}
	}
	for _, name := range all {
		file := filepath.Join(path, name)
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range offsets(name, len(good)) {
			if _, err := f.WriteAt([]byte{good[i] ^ 1<<(i%8)}, int64(i)); err != nil {
				t.Fatal(err)
			}
			if found := verified(t, path); !slices.Equal(found, []string{name}) {
				t.Fatalf("byte %d of %s: named %v", i, name, found)
			}
			if !strings.HasPrefix(name, lakeFolder) { // those are compared by Verify alone; see the next test
				if _, err := Open(path, Server); !errors.Is(err, ErrDamaged) {
					t.Fatalf("byte %d of %s: opened for writing: %v, want ErrDamaged", i, name, err)
				}
			}
			if _, err := f.WriteAt([]byte{good[i]}, int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
	}
}

// offsets are a third of the bytes of what this package writes, and a few of what it only lists.
func offsets(name string, size int) (all []int) {
	if size == 0 {
		return nil
	}
	if name == manifestFile || name == versionFile || name == keyring.RootFile {
		for i := 0; i < size; i += 3 {
			all = append(all, i)
		}
	}
	return slices.Compact(append(all, 0, size/3, size-1))
}

func TestALakeFileKeepsItsFirstHash(t *testing.T) {
	t.Parallel()
	path := filled(t)
	name := "lake/facts/day=2026-11-24/a b.parquet"
	put(t, filepath.Join(path, name), "ROWS") // same size: Open does not read it
	d := opened(t, path, Server)
	put(t, filepath.Join(d.Lake(), "new.parquet"), "new")
	closed(t, d)
	if found := verified(t, path); !slices.Equal(found, []string{name}) {
		t.Errorf("after a clean close: %v", found)
	}
	d = opened(t, path, Server)
	d.unlock() // a crash
	found, err := Verify(t.Context(), path)
	if !errors.Is(err, ErrNoManifest) || !slices.Equal(names(found), []string{name}) {
		t.Errorf("after a crash: %v, %v", found, err)
	}
}

func TestMissingAndAddedFilesAreNamed(t *testing.T) {
	t.Parallel()
	path := filled(t)
	put(t, filepath.Join(path, "keys", "extra"), "x")
	if err := os.Remove(filepath.Join(path, "journal.db")); err != nil {
		t.Fatal(err)
	}
	if found := verified(t, path); !slices.Equal(found, []string{"journal.db", "keys/extra"}) {
		t.Error(found)
	}
	path = filled(t)
	if err := os.Remove(filepath.Join(path, manifestFile)); err != nil {
		t.Fatal(err)
	}
	if found := verified(t, path); !slices.Equal(found, []string{"MANIFEST"}) {
		t.Error(found)
	}
	if _, err := Open(path, Server); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
	path = filled(t)
	if err := os.Remove(filepath.Join(path, keyring.RootFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Server); !errors.Is(err, ErrDamaged) {
		t.Errorf("without a root key: %v, want ErrDamaged, never a new key", err)
	}
	if found := verified(t, path); !slices.Equal(found, []string{"root.key"}) {
		t.Error(found)
	}
}

func TestAcceptedDamageStaysListed(t *testing.T) {
	t.Parallel()
	path := filled(t)
	file := filepath.Join(path, "murmur.db")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, file, "other")
	d, err := OpenWith(path, Server, Config{Accept: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(d.Damaged()); !slices.Equal(got, []string{"murmur.db"}) {
		t.Error(got)
	}
	put(t, file, "other, changed again in the meantime")
	closed(t, d)
	if found := verified(t, path); !slices.Equal(found, []string{"murmur.db"}) {
		t.Errorf("after a close: %v", found)
	}
	put(t, file, string(good))
	if found := verified(t, path); len(found) != 0 {
		t.Errorf("after it was put back: %v", found)
	}
	closed(t, opened(t, path, Server))
	if found := verified(t, path); len(found) != 0 {
		t.Errorf("after it was put back and opened: %v", found)
	}
}

func TestACrashLeavesNoManifestAndIsNoDamage(t *testing.T) {
	t.Parallel()
	path := filled(t)
	d := opened(t, path, Server)
	if !d.Clean() {
		t.Error("closed properly, and not clean")
	}
	put(t, d.Meta(), "changed")
	d.unlock()
	if found, err := Verify(t.Context(), path); !errors.Is(err, ErrNoManifest) || len(found) != 0 {
		t.Errorf("%v, %v, want ErrNoManifest", found, err)
	}
	d = opened(t, path, Server)
	if d.Clean() {
		t.Error("clean after a crash")
	}
	closed(t, d)
	if found := verified(t, path); len(found) != 0 {
		t.Error(found)
	}
}

func TestOneServerAndManyBeside(t *testing.T) {
	t.Parallel()
	path := filled(t)
	server := opened(t, path, Server)
	if _, err := Open(path, Server); !errors.Is(err, ErrLocked) {
		t.Errorf("second server: %v, want ErrLocked", err)
	}
	beside := opened(t, path, Shared)
	if _, err := Verify(t.Context(), path); !errors.Is(err, ErrLocked) {
		t.Errorf("verify beside a server: %v, want ErrLocked", err)
	}
	put(t, server.Meta(), "written by the server")
	closed(t, server)
	if _, err := os.Stat(filepath.Join(path, manifestFile)); err == nil {
		t.Error("a manifest was written while somebody had the directory")
	}
	again := opened(t, path, Server)
	closed(t, beside)
	closed(t, again)
	if found := verified(t, path); len(found) != 0 {
		t.Error(found)
	}
}

func TestADirectoryThatOthersCanEnterIsRefused(t *testing.T) {
	t.Parallel()
	path := filled(t)
	for _, mode := range []fs.FileMode{0o750, 0o705, 0o701} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Shared); !errors.Is(err, ErrMode) {
			t.Errorf("mode %o: %v, want ErrMode", mode, err)
		}
	}
}

func TestNewerAndForeignDirectoriesAreLeftAlone(t *testing.T) {
	t.Parallel()
	path := filled(t)
	put(t, filepath.Join(path, versionFile), string(encodeVersion(Format+1)))
	before := fmt.Sprint(allFiles(t, path))
	if _, err := OpenWith(path, Server, Config{Accept: true}); !errors.Is(err, ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
	if after := fmt.Sprint(allFiles(t, path)); after != before {
		t.Error("a newer directory was changed")
	}
	home := t.TempDir()
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(home, "letters.txt"), "x")
	if _, err := Open(home, Server); !errors.Is(err, ErrForeign) {
		t.Errorf("%v, want ErrForeign", err)
	}
	if got := allFiles(t, home); len(got) != 1 {
		t.Errorf("files were left in a foreign directory: %v", got)
	}
}

// A crash at any point while the directory is made is finished by the next Open.
func TestMakingTheDirectoryIsRestartable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	d := opened(t, path, Server)
	key, err := os.ReadFile(filepath.Join(path, keyring.RootFile))
	if err != nil {
		t.Fatal(err)
	}
	d.unlock()
	if err := os.Remove(filepath.Join(path, versionFile)); err != nil {
		t.Fatal(err)
	}
	closed(t, opened(t, path, Server))
	if again, err := os.ReadFile(filepath.Join(path, keyring.RootFile)); err != nil || string(again) != string(key) {
		t.Error("the root key was replaced")
	}
	if found := verified(t, path); len(found) != 0 {
		t.Error(found)
	}
}

func TestTheBallastIsGivenAndTakenBack(t *testing.T) {
	t.Parallel()
	path := filled(t)
	d := opened(t, path, Server)
	if err := errors.Join(d.ReleaseBallast(), d.ReleaseBallast()); err != nil {
		t.Fatal(err)
	}
	if d.has(ballastFile) {
		t.Error("still there")
	}
	if err := d.RefillBallast(); err != nil || !d.has(ballastFile) {
		t.Errorf("not refilled: %v", err)
	}
	closed(t, d)
}

func TestLongPathsHaveAShortSocket(t *testing.T) {
	t.Parallel()
	if s := Socket("/data"); s != "/data/socket" {
		t.Error(s)
	}
	if s := Socket("/" + strings.Repeat("long/", 40)); len(s) > 104 {
		t.Errorf("%d bytes", len(s))
	}
	if Socket("/"+strings.Repeat("long/", 40)) == Socket("/"+strings.Repeat("lang/", 40)) {
		t.Error("two directories share a socket")
	}
}

// mountTmpfs mounts a memory file system of a size; it needs root.
func mountTmpfs(t *testing.T, size string) string {
	t.Helper()
	mnt := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=700,size="+size, "tmpfs", mnt).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: full and read-only disks (needs root to mount a tmpfs): %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", mnt).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return mnt
}

func TestFullAndReadOnlyDisksAreNamed(t *testing.T) {
	t.Parallel()
	if _, err := Open(mountTmpfs(t, "1m"), Server); !errors.Is(err, ErrFull) {
		t.Errorf("a disk too small: %v, want ErrFull", err)
	}
	mnt := mountTmpfs(t, "12m")
	d := opened(t, mnt, Server)
	closed(t, d)
	put(t, filepath.Join(mnt, "lake", "x"), "x")
	d, err := OpenWith(mnt, Server, Config{Accept: true})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(d.Lake(), "much"))
	if err := os.WriteFile(d.Meta(), make([]byte, 8192), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	if err := d.ReleaseBallast(); err != nil {
		t.Fatal(err)
	}
	put(t, d.Meta(), strings.Repeat("an opt-out", 1000))
	fill(t, filepath.Join(d.Lake(), "more"))
	if err := d.RefillBallast(); !errors.Is(err, ErrFull) {
		t.Errorf("%v, want ErrFull", err)
	}
	if err := d.Close(); !errors.Is(err, ErrFull) {
		t.Errorf("close: %v, want ErrFull", err)
	}
	if found, err := Verify(t.Context(), mnt); !errors.Is(err, ErrNoManifest) {
		t.Errorf("%v, %v, want ErrNoManifest", found, err)
	}
	d = opened(t, mnt, Server) // a full disk is no reason not to start
	d.unlock()
	if out, err := exec.Command("mount", "-o", "remount,ro", mnt).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if _, err := Open(mnt, Server); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v, want ErrReadOnly", err)
	}
}

// fill writes until the disk is full, to the last page.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		return // not even a name fits
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

func TestTheDiskIsDescribed(t *testing.T) {
	t.Parallel()
	s, err := opened(t, filled(t), Shared).Space()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("SKIPPED, NOT TESTED: what the disk is, on this operating system")
	}
	if err != nil || s.Free <= 0 || s.Total < s.Free || s.FS == "" || s.Encrypted.String() == "" {
		t.Errorf("%+v: %v", s, err)
	}
}

func FuzzDecodeManifest(f *testing.F) {
	path := filled(f)
	root, err := keyring.LoadRoot(path)
	if err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(path, manifestFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("murmur manifest 1 00\nmac 00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := decodeManifest(b, root); err == nil && string(b) != string(good) {
			t.Error("a manifest was forged")
		}
		_, _ = decodeManifest(b, nil)
		_, _ = decodeVersion(b)
	})
}

func BenchmarkOpenClose(b *testing.B) {
	path := filled(b)
	for b.Loop() {
		d, err := Open(path, Server)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
