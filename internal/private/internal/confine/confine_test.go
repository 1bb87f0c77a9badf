package confine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell is a command with generous limits.
func shell(script string) Command {
	return Command{Path: "/bin/sh", Args: []string{"-c", script}, Memory: 1 << 30, Time: time.Minute, Output: 1 << 20}
}

func run(t *testing.T, c Command, in string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := c.Run(t.Context(), strings.NewReader(in), &out)
	return out.String(), err
}

func TestInBecomesOut(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "hello", strings.Repeat("x", 1<<20)} {
		if out, err := run(t, shell("cat"), in); err != nil || out != in {
			t.Errorf("%d bytes in: %d out, %v", len(in), len(out), err)
		}
	}
}

func TestNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("MURMUR_API_KEY", "secret")
	out, err := run(t, shell("/usr/bin/env; pwd"), "")
	if err != nil || strings.Contains(out, "secret") || strings.Contains(out, "HOME") || !strings.Contains(out, "/\n") {
		t.Errorf("%q, %v", out, err)
	}
}

// TestNoNetwork listens on loopback; the program must not reach it, and must see no interface but a dead loopback.
func TestNoNetwork(t *testing.T) {
	t.Parallel()
	if !State().Network {
		t.Skip("NOT TESTED: this system allows no namespaces; sockets are refused all the same")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("bash"); err == nil {
		c := shell("")
		c.Path, c.Args = "bash", []string{"-c", "echo > /dev/tcp/127.0.0.1/" + port + " && echo reached"}
		if out, err := run(t, c, ""); err == nil || strings.Contains(out, "reached") {
			t.Errorf("the program reached a socket of ours: %v", err)
		}
	}
	if !State().Root {
		t.Skip("NOT TESTED: no /proc of its own")
	}
	out, err := run(t, shell("cat /proc/self/net/dev"), "")
	if n := strings.Count(out, ":"); err != nil || n != 1 || !strings.Contains(out, "lo:") {
		t.Errorf("interfaces: %q, %v", out, err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "leak")
	for name, test := range map[string]struct {
		c    Command
		want error
	}{
		"time":         {Command{Path: "/bin/sh", Args: []string{"-c", "sleep 600"}, Memory: 1 << 30, Time: 50 * time.Millisecond, Output: 10}, ErrLimit},
		"output":       {Command{Path: "/bin/sh", Args: []string{"-c", "while :; do echo xxxxxxxxxxxxxxxx; done"}, Memory: 1 << 30, Time: time.Minute, Output: 1000}, ErrLimit},
		"memory":       {Command{Path: "/bin/sh", Args: []string{"-c", "dd if=/dev/zero of=/dev/null bs=900M count=1"}, Memory: 256 << 20, Time: time.Minute, Output: 10}, ErrFailed},
		"file":         {shell("echo personal > " + file), nil},
		"its children": {Command{Path: "/bin/sh", Args: []string{"-c", "sleep 600 & sleep 600"}, Memory: 1 << 30, Time: 50 * time.Millisecond, Output: 10}, ErrLimit},
		"fails":        {shell("echo Anna Berg >&2; exit 7"), ErrFailed},
		"absent":       {Command{Path: "/nowhere", Time: time.Second}, ErrMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, test.c, "")
			if test.want != nil && !errors.Is(err, test.want) || test.want == nil && err == nil {
				t.Errorf("error: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "Berg") {
				t.Error("the error repeats what the program said")
			}
		})
	}
	if b, err := os.ReadFile(file); err == nil && len(b) > 0 {
		t.Error("the program wrote a file")
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	in, w := io.Pipe()
	go func() {
		_, _ = w.Write([]byte("x")) // the program runs
		cancel()
	}()
	if err := shell("sleep 600").Run(ctx, in, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Read([]byte) (int, error)  { return 0, errors.New("disk on fire") }
func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestOurOwnErrorsComeBack(t *testing.T) {
	t.Parallel()
	if err := shell("cat").Run(t.Context(), brokenPipe{}, io.Discard); err == nil || err.Error() != "disk on fire" {
		t.Errorf("in: %v", err)
	}
	if err := shell("echo x").Run(t.Context(), strings.NewReader(""), brokenPipe{}); err == nil || err.Error() != "disk on fire" {
		t.Errorf("out: %v", err)
	}
}

// TestAProgramInTheDataDoesNotRun, nor one that names a folder around it; one that lies around it reads itself alone.
func TestAProgramInTheDataDoesNotRun(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	data := filepath.Join(home, "data")
	if err := os.MkdirAll(filepath.Join(home, "apart"), 0o700); err != nil {
		t.Fatal(err)
	}
	Private(data)
	for folder, want := range map[string]error{home: nil, data: ErrReads, filepath.Join(data, "tmp"): ErrReads, filepath.Join(home, "apart"): nil} {
		program := filepath.Join(folder, "program")
		if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(program, []byte("#!/bin/sh\necho ran\n"), 0o700)); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, Command{Path: program, Memory: 1 << 30, Time: time.Minute, Output: 100}, ""); !errors.Is(err, want) {
			t.Errorf("%s: %v", strings.TrimPrefix(folder, home), err)
		}
	}
	beside := Command{Path: filepath.Join(home, "program"), Memory: 1 << 30, Time: time.Minute, Output: 100}
	script := "#!/bin/sh\ncat " + filepath.Join(data, "tmp", "program")
	if err := os.WriteFile(beside.Path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, beside, ""); err == nil || out != "" {
		t.Errorf("beside the data: %q, %v", out, err)
	}
	if err := os.WriteFile(filepath.Join(home, "apart", "reads"), []byte(home+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, Command{Path: filepath.Join(home, "apart", "program"), Memory: 1 << 30, Time: time.Minute, Output: 100}, ""); !errors.Is(err, ErrReads) {
		t.Errorf("a folder named in reads: %v", err)
	}
}
