package datadir

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
		if checkName(n) == nil && n != versionFile && n != "jobs.db" {
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
	if err := Restore(t.Context(), bytes.NewReader(b), path, nil); err != nil {
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
	if err := Restore(t.Context(), bytes.NewReader(b), path, nil); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("%v, want ErrNotEmpty", err)
	}
	empty := t.TempDir()
	if err := Restore(t.Context(), bytes.NewReader(b), empty, nil); err != nil {
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
		if err := Restore(t.Context(), bytes.NewReader(b), filepath.Join(parent, "data"), nil); !errors.Is(err, ErrBackup) {
			t.Errorf("%s: %v, want ErrBackup", what, err)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
			t.Fatalf("%s: something was left behind: %v", what, err)
		}
	}
	for i := 0; i < len(b); i += 4096 {
		refused("cut", b[:i])
	}
	for i := len(b) - 1024; i < len(b); i += 64 { // the end that tar itself would not miss
		refused("cut at the end", b[:i])
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
		err = CheckBackup(t.Context(), bytes.NewReader(bad))
		if h.Name != backupFirst && h.Name != backupLast && !strings.Contains(err.Error(), h.Name+" is damaged") {
			t.Errorf("changed %s: %v", h.Name, err)
		}
	}
	refused("empty", nil)
	refused("more", appendMember(t, b))
	refused("zeroes after the end", append(slices.Clone(b), make([]byte, 512)...))
	if err := CheckBackup(t.Context(), bytes.NewReader(b)); err != nil {
		t.Error(err)
	}
}

// What is not in an archive, or was changed on the disk since it was written, is named.
func TestABackupNamesTheFileAtFault(t *testing.T) {
	t.Parallel()
	path := filled(t)
	d := opened(t, path, Server)
	closed(t, d)
	d = opened(t, path, Server)
	defer closed(t, d)
	const name = "lake/facts/day=2026-11-24/a b.parquet"
	file := filepath.Join(path, name)
	if err := d.Backup(t.Context(), io.Discard, Source{name, file + ".gone"}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name) {
		t.Errorf("missing: %v", err)
	}
	if err := os.WriteFile(file, []byte("rowz"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Backup(t.Context(), io.Discard, Source{name, file}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), name) {
		t.Errorf("damaged: %v", err)
	}
}

// TestABackupWithoutWhatProtectsPeopleIsRefused: one whose hashes are right, and which lacks a database, or has an empty one.
func TestABackupWithoutWhatProtectsPeopleIsRefused(t *testing.T) {
	t.Parallel()
	whole := backedUp(t)
	for _, name := range []string{metaFile, "journal.db", "catalog.db"} {
		for what, content := range map[string][]byte{"without": nil, "with an empty": {}} {
			parent := t.TempDir()
			err := Restore(t.Context(), bytes.NewReader(changed(t, whole, name, content)), filepath.Join(parent, "data"), nil)
			if !errors.Is(err, ErrBackup) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: %v", what, name, err)
			}
			if left := allFiles(t, parent); len(left) != 0 {
				t.Errorf("%s %s: left %v", what, name, left)
			}
		}
	}
}

// changed is a backup with another content of one file, nil: without it; its hashes are right.
func changed(t *testing.T, b []byte, name string, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var sums []byte
	w, r := tar.NewWriter(&out), tar.NewReader(bytes.NewReader(b))
	for {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		c, err := io.ReadAll(r)
		if h.Name == name {
			c = content
		}
		if h.Name == backupLast {
			c = sums
		}
		if h.Name != name || content != nil {
			err = errors.Join(err, addBytes(w, h.Name, c))
			if h.Name != backupFirst {
				sums = fmt.Appendf(sums, "%x %s\n", sha256.Sum256(c), h.Name)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == backupLast {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}
	}
}

// What prepare does not finish is nowhere.
func TestWhatIsNotPreparedDoesNotAppear(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	broken := errors.New("broken")
	err := Restore(t.Context(), bytes.NewReader(backedUp(t)), filepath.Join(parent, "data"), func(dir string) error {
		if _, err := os.Stat(filepath.Join(dir, versionFile)); err != nil {
			t.Error(err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
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
		"jobs":       {Name: "jobs.db", Typeflag: tar.TypeReg},
		"a link":     {Name: "open-link", Typeflag: tar.TypeReg},
		"a log":      {Name: "murmur.db-wal", Typeflag: tar.TypeReg},
		"audio":      {Name: "recordings/x", Typeflag: tar.TypeReg},
		"a key":      {Name: "keys/x", Typeflag: tar.TypeReg},
		"deep keys":  {Name: "keys/a/b.keys", Typeflag: tar.TypeReg},
		"long":       {Name: "lake/" + strings.Repeat("x", 300), Typeflag: tar.TypeReg},
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
		if err := Restore(t.Context(), &b, filepath.Join(parent, "data"), nil); !errors.Is(err, ErrBackup) {
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
	if err := Restore(t.Context(), &b, filepath.Join(t.TempDir(), "data"), nil); !errors.Is(err, ErrBackup) {
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
	if err := Restore(t.Context(), &b, filepath.Join(t.TempDir(), "data"), nil); !errors.Is(err, ErrNewer) {
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
		if err := Restore(t.Context(), bytes.NewReader(b), filepath.Join(dir, "data"), nil); err == nil {
			return
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Error("a refused backup left something behind")
		}
	})
}
