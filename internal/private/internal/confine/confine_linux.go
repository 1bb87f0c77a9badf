package confine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// spec is what the stage is told, as JSON in its one argument.
type spec struct {
	Path    string   `json:"path"` // empty: say what holds on stdout, as Held, and end
	Args    []string `json:"args,omitempty"`
	Reads   []string `json:"reads,omitempty"`
	Memory  int64    `json:"memory,omitempty"`  // bytes
	Seconds int64    `json:"seconds,omitempty"` // of the processor
	Want    Held     `json:"want"`              // what has to hold; the stage ends where it does not
	Without Held     `json:"without,omitzero"`  // parts to leave out, as if the system did not allow them: for tests
}

const namespaces = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS

// ways are the namespaces to try, the strongest first: as anybody, as root where users may not be mapped, none.
var ways = []func() *syscall.SysProcAttr{
	func() *syscall.SysProcAttr {
		a := bare()
		a.Cloneflags = syscall.CLONE_NEWUSER | namespaces
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		return a
	},
	func() *syscall.SysProcAttr {
		a := bare()
		a.Cloneflags = namespaces
		return a
	},
	bare,
}

func bare() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// setting is the first of ways that this system allows, and what holds with it.
type setting struct {
	way  int
	held Held
}

var found = sync.OnceValue(func() setting { return find(0, Held{}) })

// State says how a program is confined on this system. It finds out once, by trying.
func State() Held { return found().held }

// find tries the ways from first on.
func find(first int, without Held) setting {
	for i := first; i < len(ways); i++ {
		cmd := stageCommand(context.Background(), i, spec{Without: without})
		var said bytes.Buffer
		cmd.Stdout = &said
		var h Held
		if cmd.Run() == nil && json.Unmarshal(said.Bytes(), &h) == nil {
			return setting{i, h}
		}
	}
	return setting{}
}

// stageCommand starts this program again, as the stage, in the namespaces of a way.
func stageCommand(ctx context.Context, way int, s spec) *exec.Cmd {
	arg, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{stageName, string(arg)}
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.SysProcAttr = ways[way]()
	return cmd
}

// process is a stage that becomes the program. Over report it says why it could not; a started program has closed
// it.
type process struct {
	cmd         *exec.Cmd
	report, end *os.File
	failed      bool
}

// prepare makes the process of a program, which Held must allow.
func prepare(ctx context.Context, h Held, s spec) (*process, error) {
	if !h.Enough() {
		return nil, ErrWeak
	}
	s.Want = h
	return prepareIn(ctx, found().way, s)
}

func prepareIn(ctx context.Context, way int, s spec) (*process, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	cmd := stageCommand(ctx, way, s)
	cmd.ExtraFiles = []*os.File{w} // reportFile of the stage
	cmd.Cancel = func() error { return end(cmd.Process.Pid) }
	return &process{cmd: cmd, report: r, end: w}, nil
}

// start starts the stage and waits until it has become the program, or could not.
func (p *process) start() error {
	err := p.cmd.Start()
	_ = p.end.Close()
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	said, _ := io.ReadAll(p.report)
	p.failed = len(said) > 0
	return nil
}

// weak reports whether the stage never became the program; known once the process has ended.
func (p *process) weak() bool { return p.failed }

func (p *process) close() {
	_ = p.report.Close()
	_ = p.end.Close()
}
