package confine

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
)

const namespaces = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC

// ways are the attributes to try, the strongest first: as anybody, as root where users may not be mapped, without.
var ways = []func() *syscall.SysProcAttr{
	func() *syscall.SysProcAttr {
		a := bare()
		a.Cloneflags = syscall.CLONE_NEWUSER | namespaces
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
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

// way is the first of ways that this system allows.
var way = sync.OnceValue(func() int {
	for i, w := range ways {
		cmd := exec.Command("/bin/true")
		cmd.SysProcAttr = w()
		if cmd.Run() == nil {
			return i
		}
	}
	return len(ways) - 1
})

func attributes() *syscall.SysProcAttr { return ways[way()]() }

// Isolated reports whether programs run without network.
func Isolated() bool { return way() < len(ways)-1 }
