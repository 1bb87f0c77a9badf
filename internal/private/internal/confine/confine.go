// Package confine runs programs by other authors on personal data.
//
// Zone: RED. Transcribers and decoders are large programs that read bytes from strangers. Each run is a process of its
// own that reads a pipe and writes a pipe. On Linux it starts as murmur itself, gives up its rights and then becomes
// the program (stage), with
//
//   - calls: only the system calls of a program that computes; no socket of any family, no ptrace, no io_uring, no
//     mount, no namespace, no key, no signal to others (seccomp);
//   - files: the system's programs and libraries, its own folder and those that the file `reads` in it names, to read;
//     /dev/null to write; nothing else (Landlock, and a file system of its own where the system allows it);
//   - no network, no sight of other processes, no shared memory (namespaces, where the system allows them);
//   - no descriptor, environment, capability or terminal of ours;
//   - limits on memory, time, processes and output; whatever it started ends with it.
//
// It promises: calls and files are confined, or the program does not run (ErrWeak). The output on stderr is dropped,
// because it may repeat the input; an error names only the program's limit or exit code.
//
// What it does not protect against: a fault of the kernel; a program that reveals its input in its output, or by how
// long it runs. Namespaces may be missing in containers: State says so. Elsewhere than on Linux nothing runs.
package confine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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
	// ErrWeak says that a program did not run, because this system cannot confine it.
	ErrWeak = errors.New("this system cannot confine the program, so it does not run")
	// ErrReads says that a program did not run, because it could read what is named private.
	ErrReads = errors.New("the program could read murmur's data or the root key, so it does not run")
)

// Held says how a program is confined on this system.
type Held struct {
	Calls     bool `json:"calls"`     // a list of system calls: no sockets (seccomp)
	Landlock  int  `json:"landlock"`  // version of the kernel's file rules; 0: none
	Root      bool `json:"root"`      // a file system of its own
	Network   bool `json:"network"`   // a network of its own
	Processes bool `json:"processes"` // it sees no other process
}

// Enough reports whether programs run at all: their calls and their files are confined.
func (h Held) Enough() bool { return h.Calls && (h.Landlock > 0 || h.Root) }

// Lacks names in words what this system does not give; empty where it gives everything.
func (h Held) Lacks() string {
	var lacks []string
	for _, l := range []struct {
		held bool
		what string
	}{
		{h.Calls, "a list of system calls (seccomp)"}, {h.Landlock > 0, "file rules (Landlock)"},
		{h.Root, "a file system of its own"}, {h.Network, "a network of its own"}, {h.Processes, "processes of its own"},
	} {
		if !l.held {
			lacks = append(lacks, l.what)
		}
	}
	return strings.Join(lacks, ", ")
}

// grace is how long the pipes of a program may outlive it.
const grace = 2 * time.Second

// Run runs the program on in and copies what it prints to out. Run closes in, if it can, when the program ends, so
// that the copy to it does not wait for more. The errors are ErrMissing, ErrWeak, ErrReads, ErrLimit and ErrFailed,
// the context's, and those of in and out.
func (c Command) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	path, err := exec.LookPath(c.Path)
	if err != nil {
		return ErrMissing
	}
	reads := Reads(path)
	if reaches(reads) {
		return ErrReads
	}
	limited, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	sink := &sink{out: out, left: c.Output, full: cancel}
	p, err := prepare(limited, State(), spec{Path: path, Args: c.Args, Reads: reads, Memory: c.Memory, Seconds: int64(c.Time/time.Second) + 1})
	if err != nil {
		return err
	}
	defer p.close()
	p.cmd.Stdout, p.cmd.WaitDelay = sink, grace
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}

	runtime.LockOSThread() // a child may be bound to the thread that started it
	defer runtime.UnlockOSThread()
	if err := p.start(); err != nil {
		return err
	}
	fed := make(chan error, 1)
	go func() { fed <- copyIn(stdin, in) }()
	err = p.cmd.Wait()
	_ = end(p.cmd.Process.Pid) // what it left behind
	if c, ok := in.(io.Closer); ok {
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
	case p.weak():
		return ErrWeak
	case err != nil && inErr == nil:
		return failed(err)
	}
	return inErr
}

// Reads lists what a program may read beside the system's own programs and libraries: its folder, or itself alone where
// the folder holds something private, and the folders that a file named `reads` beside it lists, one a line.
func Reads(path string) (reads []string) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	for _, p := range []string{path, resolved(path)} {
		folder := filepath.Dir(p)
		if reaches([]string{folder}) {
			folder = p
		}
		if !slices.Contains(reads, folder) {
			reads = append(reads, folder)
		}
	}
	b, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "reads")) // most have none
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); filepath.IsAbs(line) {
			reads = append(reads, filepath.Clean(line))
		}
	}
	return reads
}

// system is what every program may read.
var system = []string{"/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/nix/store",
	"/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/sys/devices/system/cpu"}

// reaches reports whether one of the folders, or of the system's, holds something private.
func reaches(reads []string) bool {
	for _, secret := range private() {
		for _, folder := range slices.Concat(reads, system) {
			if within(secret, folder) || within(folder, secret) {
				return true
			}
		}
	}
	return false
}

// within reports whether a path lies in a folder, or is it; links are followed.
func within(path, folder string) bool {
	rel, err := filepath.Rel(resolved(folder), resolved(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return filepath.Clean(path)
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

// killed reports whether a signal ended the program, because it used up its processor time or another limit.
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
