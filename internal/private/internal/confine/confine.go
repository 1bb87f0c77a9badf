// Package confine runs a program of somebody else's on personal data.
//
// Zone: RED. Recognisers and decoders are large programs that read bytes from strangers. Each run is a process of its
// own that gets its input on stdin and gives its output on stdout: nothing of our environment, no file of its own
// to write, limits on memory, time and output, and, on Linux where the system allows it, no network and no sight of
// other processes (user, network, process and IPC namespaces). Whatever it started ends with it.
//
// It promises: what a program prints on stderr is dropped, for it may repeat what it was given; an error names the
// program's limit or exit code and nothing else.
//
// What it does not protect against: a program that reads other files of the same user, or leaves what it was given in
// what it prints. Isolated says whether the network is away; elsewhere than on Linux it is not, and memory may not be limited.
package confine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Command is a program and what it may use.
type Command struct {
	Path   string
	Args   []string
	Memory int64         // bytes of address space
	Time   time.Duration // of the clock, and of the processor
	Output int64         // bytes on stdout
}

var (
	// ErrMissing says that there is no such program.
	ErrMissing = errors.New("the program is not installed")
	// ErrLimit says that a program used more time, memory or output than it may.
	ErrLimit = errors.New("the program went beyond its limits and was ended")
	// ErrFailed says that a program ended with an exit code other than 0.
	ErrFailed = errors.New("the program failed")
)

// grace is how long the pipes of a program may outlive it.
const grace = 2 * time.Second

// limits sets what the program and its children may use, and becomes the program: seconds of the processor, kilobytes
// of memory, no file to write, no core. A limit that cannot be set was tighter already, or the system has none.
const limits = `ulimit -c 0; ulimit -f 0; ulimit -t "$1"; ulimit -v "$2"; shift 2; exec "$@"`

// Run runs the program on in and copies what it prints to out. A file is given to the program itself, so that it may
// seek; anything else is closed, if it can be, when the program ends, for it may wait for more. The errors are
// ErrMissing, ErrLimit and ErrFailed, the context's, and those of in and out.
func (c Command) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	path, err := exec.LookPath(c.Path)
	if err != nil {
		return ErrMissing
	}
	limited, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	args := []string{"-c", limits, "sh", fmt.Sprint(int(c.Time/time.Second) + 1), fmt.Sprint(c.Memory >> 10), path}
	cmd := exec.CommandContext(limited, "/bin/sh", append(args, c.Args...)...)
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.WaitDelay = grace
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return end(cmd.Process.Pid) }
	sink := &sink{out: out, left: c.Output, full: cancel}
	cmd.Stdout = sink
	feed := func() error { return nil }
	file, direct := in.(*os.File)
	if direct {
		cmd.Stdin = file
	} else {
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return fmt.Errorf("start the program: %w", err)
		}
		feed = func() error { return copyIn(stdin, in) }
	}

	runtime.LockOSThread() // a child may be bound to the thread that started it
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	fed := make(chan error, 1)
	go func() { fed <- feed() }()
	err = cmd.Wait()
	_ = end(cmd.Process.Pid) // what it left behind
	if c, ok := in.(io.Closer); ok && !direct {
		_ = c.Close()
	}
	inErr := <-fed
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case sink.err != nil:
		return sink.err
	case limited.Err() != nil || killed(err):
		return ErrLimit
	case err != nil && inErr == nil:
		return failed(err)
	}
	return inErr
}

// copyIn gives the program its input. A program may stop reading; the error is that of in alone.
func copyIn(stdin io.WriteCloser, in io.Reader) error {
	defer stdin.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := in.Read(b)
		if _, wrote := stdin.Write(b[:n]); wrote != nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// failed keeps the exit code of a program.
func failed(err error) error {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return fmt.Errorf("%w: exit code %d", ErrFailed, e.ExitCode())
	}
	return ErrFailed
}

// killed reports whether a signal ended the program: it used up its time of the processor, or broke another limit.
func killed(err error) bool {
	var e *exec.ExitError
	if !errors.As(err, &e) {
		return false
	}
	s, ok := e.Sys().(syscall.WaitStatus)
	return ok && s.Signaled()
}

// end kills the program's process group.
func end(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// sink is stdout with a limit.
type sink struct {
	out  io.Writer
	left int64
	full func()
	err  error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.left -= int64(len(p)); s.left < 0 {
		s.err = ErrLimit
	} else {
		_, s.err = s.out.Write(p)
	}
	if s.err != nil {
		s.full()
		return 0, s.err
	}
	return len(p), nil
}
