package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"

	"murmur/internal/cli"
)

var update = flag.Bool("update", false, "write docs/cli.md anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"murmur": main})
}

// TestScripts runs testdata/*.txtar: a line is what a person or a script types, `exits N` the code that it must give.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "json": jsonIs, "keys": keysAre, "encode": encode, "newest": newer, "recording": recording,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("MURMUR_DATA", filepath.Join(e.WorkDir, "data"))
			return nil
		},
	})
}

// complaint is what stderr must end with when a run fails.
var complaint = regexp.MustCompile(`(?m)\Aerror: .+\nhint: .+\n\z`)

// exits runs a command and wants an exit code; a failure must come with an error and a hint, and nothing else.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("run: %v", err)
		}
		got = e.ExitCode()
	}
	said := ts.ReadFile("stderr")
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), said)
	}
	if got != 0 && (said != "" || got != 3) && !complaint.MatchString(said) {
		ts.Fatalf("stderr of a failure is not error: and hint: but %q", said)
	}
}

// at walks into a JSON value by a dotted path.
func at(ts *testscript.TestScript, path string) any {
	var v any
	if err := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout"))).Decode(&v); err != nil {
		ts.Fatalf("stdout is not JSON: %v", err)
	}
	if path == "" {
		return v
	}
	for part := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(in) {
				ts.Fatalf("%s: no element %s", path, part)
			}
			v = in[i]
		default:
			ts.Fatalf("%s: nothing below %s", path, part)
		}
	}
	return v
}

// jsonIs checks pairs of path and value in the first JSON value of stdout.
func jsonIs(ts *testscript.TestScript, _ bool, args []string) {
	for i := 0; i+1 < len(args); i += 2 {
		if got := fmt.Sprint(at(ts, args[i])); got != args[i+1] {
			ts.Fatalf("%s is %s, want %s\n%s", args[i], got, args[i+1], ts.ReadFile("stdout"))
		}
	}
}

// keysAre checks that the object at a path has exactly these keys; "-" is the whole value.
func keysAre(ts *testscript.TestScript, _ bool, args []string) {
	object, ok := at(ts, strings.Trim(args[0], "-")).(map[string]any)
	if got := slices.Sorted(maps.Keys(object)); !ok || !slices.Equal(got, slices.Sorted(slices.Values(args[1:]))) {
		ts.Fatalf("keys of %s are %v, want %v", args[0], got, args[1:])
	}
}

// encode writes a UTF-8 file again in another encoding.
func encode(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[1])
	var b []byte
	switch args[0] {
	case "utf-16":
		b = []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(text)) {
			b = append(b, byte(u), byte(u>>8))
		}
	case "windows-1252": // only for texts below U+0100
		for _, r := range text {
			b = append(b, byte(r))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b, 0o600))
}

// newer makes a data directory look as if the next version wrote it.
func newer(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(writeVersion(ts.MkAbs(args[0]), 2))
}

// murmur carries out one command line in this process.
func murmur(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = cli.Run(context.Background(), args, cli.IO{In: strings.NewReader(stdin), Out: &out, Err: &err})
	return code, out.String(), err.String()
}

// must is murmur for a command line that has to work.
func must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	code, out, err := murmur(t, stdin, args...)
	if code != 0 {
		t.Fatalf("murmur %s: exit code %d\n%s", strings.Join(args, " "), code, err)
	}
	return out
}
