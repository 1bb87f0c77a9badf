package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

// damages are what a disk does to a file: the bytes after it, nil where that would change nothing.
var damages = []struct {
	what string
	do   func(whole []byte, at int) []byte
}{
	{"one bit", func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1 << (at % 8)
		return b
	}},
	{"cut off", func(b []byte, at int) []byte { return b[:at] }},
	{"4 KiB of zeroes", func(b []byte, at int) []byte {
		at &^= 4095
		c := bytes.Clone(b)
		clear(c[at:min(at+4096, len(c))])
		if bytes.Equal(b, c) {
			return nil
		}
		return c
	}},
}

// TestDamageFault: a damaged file of a directory that was closed properly is always named, and where it held rows, their
// number is.
func TestDamageFault(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "a bit, a torn end, 4 KiB of zeroes in every kind of file, closed properly")
	data := everyKind(t, false)
	random := rand.New(rand.NewPCG(9, 6))
	all := kindsOf(t, data)
	each := faulttest.Rounds(2, 12, 1000)
	noticed, bySize, rows := 0, 0, int64(0)
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		n := each
		if kind == "rows of the lake" { // these are opened to count what is lost
			n = min(each, 60)
		}
		for range n {
			name := all[kind][random.IntN(len(all[kind]))]
			whole := read(t, data, name)
			d := damages[random.IntN(len(damages))]
			changed := d.do(whole, random.IntN(len(whole)))
			if changed == nil {
				continue
			}
			write(t, data, name, changed)
			v, err := server.Verify(t.Context(), data, rpc.VerifyArgs{})
			at := slices.IndexFunc(v.Breaches, func(b rpc.Breach) bool { return b.File == name })
			if err != nil || at < 0 {
				t.Errorf("%s, %s: %v, %+v", name, d.what, err, v.Breaches)
			} else if b := v.Breaches[at]; kind == "rows of the lake" && len(changed) == len(whole) {
				if b.Lost == 0 {
					t.Errorf("%s, %s: the loss is not counted: %+v", name, d.what, b)
				}
				rows += b.Lost
			}
			write(t, data, name, whole)
			row.Rounds++
			noticed++
			if len(changed) != len(whole) {
				bySize++
			}
		}
	}
	if v, err := server.Verify(t.Context(), data, rpc.VerifyArgs{}); err != nil || len(v.Breaches) > 0 {
		t.Errorf("put right again: %v %+v", err, v.Breaches)
	}
	row.Note = fmt.Sprintf("%d kinds of files, all named; %d rows counted as lost", len(all), rows)
	row.Planted(bySize < noticed) // a check that compares sizes, and not bytes, misses these
}

// TestDamageAfterACrashFault: where the house was killed there is nothing to compare with but the contents' own checks. A
// damaged file is then named, or refused, or nothing of it was in use: the figures and the states are those from before.
// There is no silent loss, but in a write-ahead log: SQLite reads one up to the first frame that does not fit, as it must
// after a torn write, and nothing tells a damaged end from that. The row counts those.
func TestDamageAfterACrashFault(t *testing.T) {
	t.Parallel()
	if !faulttest.Asked() {
		t.Skip("MURMUR_FAULTS asks for it: it takes minutes")
	}
	row := faulttest.Begin(t, "the same after kill -9: named, refused, or of no effect")
	template := everyKind(t, true)
	random := rand.New(rand.NewPCG(9, 7))
	all := kindsOf(t, template)
	want := ask(t, copied(t, template))
	kinds := slices.Sorted(maps.Keys(all))
	silent := map[string]int{}
	named := 0
	for i := range faulttest.Rounds(0, len(kinds), 60*len(kinds)) {
		kind := kinds[i%len(kinds)]
		name := all[kind][random.IntN(len(all[kind]))]
		data := copied(t, template)
		whole := read(t, data, name)
		d := damages[random.IntN(len(damages))]
		changed := d.do(whole, random.IntN(len(whole)))
		if changed == nil {
			continue
		}
		write(t, data, name, changed)
		row.Rounds++
		code, out := verb(data, "verify", "--json")
		switch {
		case code > 0 && code <= 5: // named, or refused
			named++
		case code != 0:
			t.Errorf("%s, %s: exit code %d\n%s", name, d.what, code, out)
		case ask(t, data) != want:
			silent[kind]++
			if !strings.HasSuffix(kind, "-wal") {
				t.Errorf("%s, %s: nothing is named, and the answers differ", name, d.what)
			}
		}
		_ = os.RemoveAll(filepath.Dir(data))
	}
	row.Note = fmt.Sprintf("%d of %d named or refused, silent: %v", named, row.Rounds, silent)
	row.Planted(named > 0) // whoever does not look passes these over
}

// answers are what a house says: its figures and states.
type answers struct{ figures, status string }

func ask(t *testing.T, data string) answers {
	t.Helper()
	_, figures := verb(data, "figures", "--refresh", "--json")
	_, status := verb(data, "status", "--json")
	return answers{string(asOf.ReplaceAll(figures, nil)), string(status)}
}

// verb runs the command on a directory.
func verb(data string, args ...string) (code int, out []byte) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childArgs+"="+strings.Join(append(args, "--data", data), "\n"))
	out, err := cmd.Output()
	if err == nil {
		return 0, out
	}
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode(), append(out, e.Stderr...)
	}
	return -1, []byte(err.Error())
}

// everyKind makes a directory in which every kind of file is, and something in each.
func everyKind(t *testing.T, killed bool) string {
	t.Helper()
	data := newData(t)
	h := spawn(t, data)
	h.townPolicy()
	source := h.connect("native")
	s := newSenders(t)
	h.importFile("native", bytes.NewReader(s.file))
	s.events = s.events[:100]
	s.send(h, source, len(s.events)+1, func() {})
	h.post(source.Path, []byte(`{"schema":"murmur.v1","type":"no such thing"}`), bearer(source.Secret), 200) // stays sealed
	h.do("erase", rpc.EraseArgs{Contact: "+12025550199"}, nil)
	h.figures()
	if killed {
		h.kill()
	} else {
		h.stopWell()
	}
	return data
}

// kindsOf lists the files of a directory by kind.
func kindsOf(t *testing.T, data string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(data, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		rel, err2 := filepath.Rel(data, p)
		if name := filepath.ToSlash(rel); err == nil && err2 == nil && info.Size() > 0 && !strings.HasSuffix(name, "-shm") {
			all[kindOf(name)] = append(all[kindOf(name)], name)
		}
		return err
	})
	if err != nil || len(all) < 8 {
		t.Fatalf("%d kinds of files, %v", len(all), err)
	}
	return all
}

func kindOf(name string) string {
	switch {
	case path.Ext(name) == ".parquet":
		return "rows of the lake"
	case strings.HasPrefix(name, "lake/"):
		return "lists of the lake"
	case strings.HasPrefix(name, "keys/"):
		return "keys"
	}
	return name
}

func read(t *testing.T, data, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write puts bytes into an existing file.
func write(t *testing.T, data, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(data, filepath.FromSlash(name)), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// copied is a copy of a directory that nobody has open.
func copied(t *testing.T, data string) string {
	t.Helper()
	to := newData(t)
	if out, err := exec.Command("cp", "-a", data, to).CombinedOutput(); err != nil {
		t.Fatalf("copy: %v\n%s", err, out)
	}
	return to
}
