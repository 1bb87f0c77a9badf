package datadir

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"murmur/internal/keyring"
)

// backedUp is a backup of a filled directory.
func backedUp(t testing.TB) []byte {
	t.Helper()
	path := filled(t)
	d := opened(t, path, Server)
	var files []Source
	for _, n := range allFiles(t, path) {
		if checkName(n) == nil && n != versionFile {
			files = append(files, Source{n, filepath.Join(path, n)})
		}
	}
	var b bytes.Buffer
	if err := d.Backup(t.Context(), &b, files...); err != nil {
		t.Fatal(err)
	}
	closed(t, d)
	return b.Bytes()
}

func TestABackupComesBackWhole(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	parent := t.TempDir()
	path := filepath.Join(parent, "new", "data")
	if err := Restore(t.Context(), bytes.NewReader(b), path); err != nil {
		t.Fatal(err)
	}
	if found := verified(t, path); len(found) != 0 {
		t.Error(found)
	}
	if got, err := os.ReadFile(filepath.Join(path, "lake/facts/day=2026-11-24/a b.parquet")); err != nil || string(got) != "rows" {
		t.Errorf("%q: %v", got, err)
	}
	d := opened(t, path, Server)
	if !d.Clean() {
		t.Error("not clean")
	}
	closed(t, d)
	if err := Restore(t.Context(), bytes.NewReader(b), path); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("%v, want ErrNotEmpty", err)
	}
	empty := t.TempDir()
	if err := Restore(t.Context(), bytes.NewReader(b), empty); err != nil {
		t.Errorf("into an empty directory: %v", err)
	}
	closed(t, opened(t, empty, Server))
}

// Whatever is changed or cut, Restore says so and leaves nothing behind.
func TestAChangedBackupIsRefusedWhole(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	parent := t.TempDir()
	refused := func(what string, b []byte) {
		t.Helper()
		if err := Restore(t.Context(), bytes.NewReader(b), filepath.Join(parent, "data")); !errors.Is(err, ErrBackup) {
			t.Errorf("%s: %v, want ErrBackup", what, err)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
			t.Fatalf("%s: something was left behind: %v", what, err)
		}
	}
	for i := 0; i < len(b)-1024; i += max(len(b)/40, 1) { // the last kilobyte is tar's padding
		refused("cut", b[:i])
	}
	// Every member's first content byte.
	r := bytes.NewReader(b)
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err != nil {
			break
		}
		if h.Size == 0 {
			continue
		}
		bad := slices.Clone(b)
		bad[len(b)-r.Len()] ^= 1
		refused("changed "+h.Name, bad)
	}
	refused("empty", nil)
	refused("more", appendMember(t, b))
}

// appendMember smuggles a file in after the hashes.
func appendMember(t *testing.T, b []byte) []byte {
	var more bytes.Buffer
	w := tar.NewWriter(&more)
	if err := errors.Join(addBytes(w, "extra", []byte("x")), w.Close()); err != nil {
		t.Fatal(err)
	}
	return append(slices.Clone(b[:len(b)-1024]), more.Bytes()...)
}

func TestHostileMembersAreRefused(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]tar.Header{
		"up":         {Name: "../evil", Typeflag: tar.TypeReg},
		"up inside":  {Name: "lake/../../evil", Typeflag: tar.TypeReg},
		"absolute":   {Name: "/tmp/evil", Typeflag: tar.TypeReg},
		"not clean":  {Name: "lake//x", Typeflag: tar.TypeReg},
		"manifest":   {Name: manifestFile, Typeflag: tar.TypeReg},
		"lock":       {Name: lockFile, Typeflag: tar.TypeReg},
		"link":       {Name: "lake", Linkname: "/tmp", Typeflag: tar.TypeSymlink},
		"hard link":  {Name: "x", Linkname: "/etc/passwd", Typeflag: tar.TypeLink},
		"device":     {Name: "x", Typeflag: tar.TypeChar},
		"folder":     {Name: "lake/", Typeflag: tar.TypeDir},
		"no VERSION": {Name: "x", Typeflag: tar.TypeReg},
		"first":      {Name: backupFirst, Typeflag: tar.TypeReg},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		err := errors.Join(addBytes(w, backupFirst, []byte(backupMagic)), w.WriteHeader(&h),
			addBytes(w, backupLast, []byte("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 x\n")), w.Close())
		if err != nil {
			t.Fatal(err)
		}
		parent := t.TempDir()
		if err := Restore(t.Context(), &b, filepath.Join(parent, "data")); !errors.Is(err, ErrBackup) {
			t.Errorf("%s: %v, want ErrBackup", name, err)
		}
		if left := allFiles(t, parent); len(left) != 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range [][2]string{{backupFirst, backupMagic}, {"x", "1"}, {"x", "2"}} {
		if err := addBytes(w, m[0], []byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := Restore(t.Context(), &b, filepath.Join(t.TempDir(), "data")); !errors.Is(err, ErrBackup) {
		t.Errorf("a name twice: %v", err)
	}
}

func TestABackupOfANewerVersionIsNamed(t *testing.T) {
	t.Parallel()
	path := filled(t)
	d := opened(t, path, Server)
	put(t, filepath.Join(path, versionFile), string(encodeVersion(Format+1)))
	var b bytes.Buffer
	err := d.Backup(t.Context(), &b, Source{keyring.RootFile, filepath.Join(path, keyring.RootFile)})
	if err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), &b, filepath.Join(t.TempDir(), "data")); !errors.Is(err, ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
}

func TestABackupRefusesWhatIsNoFileOfTheDirectory(t *testing.T) {
	t.Parallel()
	path := filled(t)
	d := opened(t, path, Server)
	for _, s := range []Source{{"../x", d.Meta()}, {"lake", d.Lake()}, {"gone", filepath.Join(path, "gone")}, {manifestFile, d.Meta()}} {
		if err := d.Backup(t.Context(), &bytes.Buffer{}, s); err == nil {
			t.Errorf("%s was taken", s.Name)
		}
	}
	if err := d.Backup(t.Context(), &bytes.Buffer{}, Source{"gone", filepath.Join(path, "gone")}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte("not a tar"))
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(addBytes(w, backupFirst, []byte(backupMagic)), addBytes(w, "lake/x", []byte("1")), addBytes(w, backupLast, nil), w.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := Restore(t.Context(), bytes.NewReader(b), filepath.Join(dir, "data")); err == nil {
			return
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Error("a refused backup left something behind")
		}
	})
}
