package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"murmur/internal/private/internal/confine/landlock"
)

const (
	// stageName is the name under which this program starts when it must confine itself and become
	// another one.
	stageName = "murmur: confined"
	// reportFile is the descriptor over which a stage says why it could not.
	reportFile = 3
	// mostProcesses may a program have, threads counted, where its user is counted apart.
	mostProcesses = 1024
)

// init is the stage's main: what it does must be done by one thread, before anything else of this program runs.
func init() {
	if len(os.Args) != 2 || os.Args[0] != stageName {
		return
	}
	runtime.LockOSThread()
	if err := stage(os.Args[1]); err != nil {
		_, _ = fmt.Fprint(os.NewFile(reportFile, "report"), err)
		os.Exit(1)
	}
	os.Exit(0)
}

// stage confines this process and becomes the program, or reports how it is confined.
func stage(arg string) error {
	var s spec
	if err := json.Unmarshal([]byte(arg), &s); err != nil {
		return err
	}
	h, err := s.lock()
	if err != nil {
		return err
	}
	if s.Path == "" {
		return json.NewEncoder(os.Stdout).Encode(h)
	}
	if h != s.Want {
		return errors.New("less holds than before")
	}
	// The last limit: beyond it this program could not go on.
	if s.Memory > 0 {
		if err := limit(unix.RLIMIT_AS, uint64(s.Memory)); err != nil {
			return err
		}
	}
	return unix.Exec(s.Path, append([]string{s.Path}, s.Args...), []string{})
}

// lock does everything except become the program. No step can be undone.
func (s spec) lock() (h Held, err error) {
	if err := unix.CloseRange(reportFile, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return h, fmt.Errorf("descriptors: %w", err)
	}
	alone := os.Getpid() == 1
	h.Processes, h.Network = alone, alone // both or none: namespaces are asked for together
	reads := existing(slices.Concat(system, s.Reads))
	if alone && !s.Without.Root {
		h.Root = ownRoot(reads) == nil
	}
	if h.Root {
		reads = append(reads, "/proc")
	} else {
		reads = append(reads, existing([]string{"/proc/cpuinfo", "/proc/meminfo"})...)
	}
	if err := s.limits(alone); err != nil {
		return h, err
	}
	if err := dropCapabilities(); err != nil {
		return h, fmt.Errorf("capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return h, fmt.Errorf("privileges: %w", err)
	}
	if s.Without.Landlock == 0 {
		h.Landlock = landlock.Restrict(append(reads, devices...), devices[0])
	}
	h.Calls = restrictCalls(alone) == nil
	return h, nil
}

// limits sets what the program and its children may use, but for memory.
func (s spec) limits(counted bool) error {
	bounds := map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 0, unix.RLIMIT_NOFILE: 1024}
	if s.Seconds > 0 {
		bounds[unix.RLIMIT_CPU] = uint64(s.Seconds)
	}
	if counted {
		bounds[unix.RLIMIT_NPROC] = mostProcesses
	}
	for resource, most := range bounds {
		if err := limit(resource, most); err != nil {
			return fmt.Errorf("limits: %w", err)
		}
	}
	return nil
}

// limit sets a limit that cannot be raised again; a tighter one stays.
func limit(resource int, most uint64) error {
	var old unix.Rlimit
	if err := unix.Prlimit(0, resource, nil, &old); err != nil {
		return err
	}
	most = min(most, old.Max)
	return unix.Prlimit(0, resource, &unix.Rlimit{Cur: most, Max: most}, nil)
}

// dropCapabilities gives up everything that root may do beyond other users, now and after becoming another
// program.
func dropCapabilities() error {
	const locked = 0x2f // SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP, both locked, SECBIT_KEEP_CAPS locked off (capabilities(7))
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, locked, 0, 0, 0); err != nil && os.Geteuid() == 0 {
		return err
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0) // unknown to this kernel, or not ours to drop
	}
	_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}

// devices are the files below /dev that a program may use; the first may be written.
var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// existing leaves out what is not there.
func existing(paths []string) (there []string) {
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil && !slices.Contains(there, p) {
			there = append(there, p)
		}
	}
	return there
}
