package confine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets this program be the hostile transcriber, and, as somebody else than root, the one that runs it.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "hostile":
		hostile(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "victim":
		if err := victim(); err != nil {
			fmt.Println("FAILED", err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// targets is what the hostile program is told of its victim: everything that an attacker could guess, and more.
type targets struct {
	Key, Out, Unix, Abstract, TCP, Env string
	Pid, Shm, File                     int
	Only                               []string // names of attacks; empty: all
}

// attacks are what the hostile program tries. An attack that gives nil has succeeded.
var attacks = map[string]func(t targets) error{
	"dial the control socket":        func(t targets) error { return dialled("unix", t.Unix) },
	"dial an abstract socket":        func(t targets) error { return dialled("unix", "@"+t.Abstract) },
	"dial loopback":                  func(t targets) error { return dialled("tcp", t.TCP) },
	"open a socket of any family":    func(targets) error { return anyFamily() },
	"open a pair of sockets":         func(targets) error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	"open a socket by the old call":  func(targets) error { return call(unix.SYS_SOCKET|0x40000000, unix.AF_UNIX, unix.SOCK_STREAM, 0) },
	"read the root key":              func(t targets) error { return read(t.Key) },
	"read it over /proc":             func(t targets) error { return read(fmt.Sprintf("/proc/%d/root%s", t.Pid, t.Key)) },
	"read it over its own root":      func(t targets) error { return read("/proc/self/root" + t.Key) },
	"read it up the tree":            func(t targets) error { return read("/usr/../../.." + t.Key) },
	"read the environment":           func(t targets) error { return holds(fmt.Sprintf("/proc/%d/environ", t.Pid), t.Env) },
	"read the memory":                func(t targets) error { return read(fmt.Sprintf("/proc/%d/mem", t.Pid)) },
	"read a process":                 func(t targets) error { return readProcess(t.Pid) },
	"trace a process":                func(t targets) error { return unix.PtraceAttach(t.Pid) },
	"see another process":            func(targets) error { return seeOthers() },
	"kill a process":                 func(t targets) error { return unix.Kill(t.Pid, 0) },
	"take a descriptor of a process": func(t targets) error { return call(unix.SYS_PIDFD_OPEN, uintptr(t.Pid), 0, 0) },
	"use a descriptor it was left":   func(t targets) error { return leftDescriptor(t.File) },
	"write a file":                   func(t targets) error { return os.WriteFile(t.Out, []byte("personal"), 0o600) },
	"write to /tmp":                  func(targets) error { return os.WriteFile("/tmp/leak", []byte("personal"), 0o600) },
	"write to shared memory":         func(targets) error { return os.WriteFile("/dev/shm/leak", []byte("personal"), 0o600) },
	"write beside itself":            func(targets) error { self, _ := os.Executable(); return os.WriteFile(self+".leak", []byte("x"), 0o600) },
	"make a file in memory":          func(targets) error { _, err := unix.MemfdCreate("leak", 0); return err },
	"attach shared memory":           func(t targets) error { return call(unix.SYS_SHMAT, uintptr(t.Shm), 0, unix.SHM_RDONLY) },
	"change a file's rights":         func(targets) error { self, _ := os.Executable(); return os.Chmod(self, 0o777) },
	"set up io_uring":                func(targets) error { return understood(call(unix.SYS_IO_URING_SETUP, 4, 0, 0)) },
	"load a program into the kernel": func(targets) error { return understood(call(unix.SYS_BPF, 0, 0, 0)) },
	"count the kernel's events":      func(targets) error { _, err := unix.PerfEventOpen(&unix.PerfEventAttr{}, 0, -1, -1, 0); return err },
	"make a user namespace":          func(targets) error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"clone into a namespace":         func(targets) error { return cloned() },
	"mount a file system":            func(targets) error { return unix.Mount("none", "/usr", "tmpfs", 0, "") },
	"undo a mount":                   func(targets) error { return unix.Unmount("/usr", unix.MNT_DETACH) },
	"change root":                    func(targets) error { return unix.Chroot("/usr") },
	"read a key of the kernel":       func(targets) error { _, err := unix.KeyctlGetKeyringID(-3, false); return err },
	"take a capability":              func(targets) error { return capable() },
	"leave its group":                func(targets) error { _, err := unix.Setsid(); return err },
	"outlive its parent":             func(targets) error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) },
	"dump its core":                  func(targets) error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1, Max: 1}) },
	"lift its limit of files":        func(targets) error { return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1, Max: 1}) },
	"type into a terminal":           func(targets) error { return read("/dev/tty") },
	"learn who lives here":           func(targets) error { return read("/etc/passwd") },
}

var errHeld = errors.New("held")

func call(number, a, b, c uintptr) error {
	if _, _, errno := unix.Syscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

// understood takes a refusal of the arguments for a success: the call itself was let through.
func understood(err error) error {
	if errors.Is(err, unix.EFAULT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

func dialled(network, address string) error {
	c, err := net.DialTimeout(network, address, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err
}

func anyFamily() error {
	for family := range 46 {
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_RAW, unix.SOCK_SEQPACKET} {
			if fd, err := unix.Socket(family, kind, 0); err == nil {
				_ = unix.Close(fd)
				return nil
			}
		}
	}
	return errHeld
}

func read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

func holds(path, secret string) error {
	b, err := os.ReadFile(path)
	if err == nil && !bytes.Contains(b, []byte(secret)) {
		return errHeld
	}
	return err
}

func readProcess(pid int) error {
	var b [8]byte
	local := []unix.Iovec{{Base: &b[0], Len: 8}}
	_, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}, 0)
	if errors.Is(err, unix.EFAULT) { // asked, and only the address was wrong
		return nil
	}
	return err
}

// seeOthers looks for a process that is neither this one nor its child.
func seeOthers() error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
			if read(fmt.Sprintf("/proc/%d/status", pid)) == nil {
				return nil
			}
		}
	}
	return errHeld
}

// leftDescriptor looks for an open file beyond stdin, stdout and stderr that has the size of the key.
func leftDescriptor(size int) error {
	for fd := 3; fd < 1024; fd++ {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Size == int64(size) && st.Mode&unix.S_IFMT == unix.S_IFREG {
			return nil
		}
	}
	return errHeld
}

func cloned() error {
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
	return cmd.Run()
}

func capable() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var now [2]unix.CapUserData
	if err := unix.Capget(&header, &now[0]); err != nil {
		b, err := os.ReadFile("/proc/self/status")
		if err != nil || strings.Contains(string(b), "CapEff:\t0000000000000000") {
			return errHeld
		}
		return nil
	}
	if now[0].Effective|now[0].Permitted|now[1].Effective|now[1].Permitted == 0 {
		return errHeld
	}
	return nil
}

// hostile tries everything and says of each attack whether it was held.
func hostile(arg string) {
	var t targets
	if err := json.Unmarshal([]byte(arg), &t); err != nil {
		fmt.Println("BROKEN arguments")
		return
	}
	for name, attack := range attacks {
		if len(t.Only) > 0 && !slices.Contains(t.Only, name) {
			continue
		}
		if err := attack(t); err != nil {
			fmt.Println("held", name)
		} else {
			fmt.Println("BROKEN", name)
		}
	}
}

// victim sets out everything that may be stolen, runs the hostile program on every way and with every layer left out
// that may be missing, and prints what broke.
func victim() error {
	dir, err := os.MkdirTemp("", "victim")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	t := targets{Key: filepath.Join(dir, "root.key"), Out: filepath.Join(dir, "out"), Unix: filepath.Join(dir, "socket"), Abstract: "murmur-victim-" + filepath.Base(dir), Env: "victim-secret", Pid: os.Getpid(), File: 4711}
	if err := os.WriteFile(t.Key, make([]byte, t.File), 0o600); err != nil {
		return err
	}
	for _, l := range [][2]string{{"unix", t.Unix}, {"unix", "@" + t.Abstract}, {"tcp", "127.0.0.1:0"}} {
		listener, err := net.Listen(l[0], l[1])
		if err != nil {
			return err
		}
		defer listener.Close()
		t.TCP = listener.Addr().String()
	}
	if _, err := unix.Open(t.Key, unix.O_RDONLY, 0); err != nil { // not closed on exec: whoever is started inherits it
		return err
	}
	if t.Shm, err = unix.SysvShmGet(unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600); err != nil {
		return err
	}
	defer func() { _, _ = unix.SysvShmCtl(t.Shm, unix.IPC_RMID, nil) }()
	for way := range ways {
		for name, without := range map[string]Held{"": {}, " without Landlock": {Landlock: 1}, " without a root": {Root: true}} {
			if err := t.attackedOn(way, name, without); err != nil {
				return err
			}
		}
	}
	return nil
}

// attackedOn prints a line for each attack on one way.
func (t targets) attackedOn(way int, name string, without Held) error {
	s := find(way, without)
	label := fmt.Sprintf("way %d%s", way, name)
	if s.way != way || !s.held.Enough() {
		fmt.Println("NOT TESTED", label, "is not to be had here")
		return nil
	}
	arg, err := json.Marshal(t)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, err := prepareIn(ctx, way, spec{Path: self, Args: []string{"hostile", string(arg)}, Reads: Reads(self), Memory: 8 << 30, Seconds: 60, Want: s.held, Without: without})
	if err != nil {
		return err
	}
	defer p.close()
	var out bytes.Buffer
	p.cmd.Stdout, p.cmd.Stderr = &out, os.Stderr
	if err := p.start(); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil || p.weak() {
		return fmt.Errorf("%s: %w, weak %v\n%s", label, err, p.weak(), out.String())
	}
	for line := range strings.Lines(out.String()) {
		fmt.Printf("%s: %s", label, line)
	}
	return nil
}

// TestAHostileProgramGetsNothing runs the hostile program as root and as somebody else.
func TestAHostileProgramGetsNothing(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "confine") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	program := filepath.Join(folder, "program")
	if err := errors.Join(os.Chmod(folder, 0o755), copyFile(program, self)); err != nil {
		t.Fatal(err)
	}
	users := map[string]*syscall.Credential{"as it is": nil}
	if os.Geteuid() == 0 {
		users["as nobody"] = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	for name, user := range users {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), program, "victim")
			cmd.Env = append(os.Environ(), "SECRET=victim-secret")
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			judge(t, out)
		})
	}
}

// judge wants every attack held, on some way at least.
func judge(t *testing.T, out []byte) {
	held := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		_, name, ok := strings.Cut(line, ": held ")
		switch {
		case ok:
			held[name] = true
		case strings.HasPrefix(line, "NOT TESTED"):
			t.Log(line)
		default:
			t.Error(line)
		}
	}
	if len(held) != len(attacks) {
		t.Errorf("%d of %d attacks were tried", len(held), len(attacks))
	}
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// TestTheAttacksWorkWithoutConfinement: an attack that fails by itself would hold by itself. Only those are tried that
// do this machine no harm.
func TestTheAttacksWorkWithoutConfinement(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key := filepath.Join(dir, "root.key")
	if err := os.WriteFile(key, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	harmless := []string{"dial the control socket", "open a socket of any family", "open a pair of sockets", "read the root key", "read it over its own root",
		"read the environment", "see another process", "kill a process", "write a file", "make a file in memory", "learn who lives here"}
	arg, err := json.Marshal(targets{Key: key, Out: filepath.Join(dir, "out"), Unix: l.Addr().String(), Pid: os.Getpid(), Env: "PATH", Only: harmless})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), self, "hostile", string(arg)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(out), "BROKEN") != len(harmless) {
		t.Errorf("held without confinement:\n%s", out)
	}
}
