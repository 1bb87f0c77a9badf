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
// what it prints. Isolated says whether the network is away; elsewhere than on Linux only the limits on time and
// output hold.
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

// Run runs the program on in and copies what it prints to out. The errors are ErrMissing, ErrLimit and ErrFailed, the
// context's, and those of in and out.
func (c Command) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	path, err := exec.LookPath(c.Path)
	if err != nil {
		return ErrMissing
	}
	limited, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	cmd := exec.CommandContext(limited, path, c.Args...)
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.WaitDelay = grace
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return end(cmd.Process.Pid) }
	sink := &sink{out: out, left: c.Output, full: cancel}
	cmd.Stdout = sink
	source := &source{in: in}
	cmd.Stdin = source.reader()

	runtime.LockOSThread() // a child may be bound to the thread that started it
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	c.limit(cmd.Process.Pid)
	err = cmd.Wait()
	_ = end(cmd.Process.Pid) // what it left behind
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case sink.err != nil:
		return sink.err
	case source.err != nil:
		return source.err
	case limited.Err() != nil || killed(err):
		return ErrLimit
	case err != nil:
		return failed(err)
	}
	return nil
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

// source is stdin; it keeps the error of what it reads from apart from that of a program that stops reading.
type source struct {
	in  io.Reader
	err error
}

// reader is what the program gets: a file itself, so that it may seek in it.
func (s *source) reader() io.Reader {
	if f, ok := s.in.(*os.File); ok {
		return f
	}
	return s
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
