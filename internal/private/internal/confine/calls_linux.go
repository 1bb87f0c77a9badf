package confine

import (
	"os"
	"strings"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// calls are the system calls of a program that reads, computes and writes. Everything else is refused with EPERM: all
// of sockets, ptrace and what reads other processes, io_uring, mounts and namespaces, keys, bpf, message queues and
// shared memory, and whatever changes a file's name, owner, rights or times.
var calls = strings.Fields(`
	read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek sendfile splice tee copy_file_range
	open openat openat2 close close_range dup dup2 dup3 fcntl flock ioctl pipe pipe2 fadvise64 readahead
	stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getdents getdents64
	getcwd chdir fchdir umask fsync fdatasync sync_file_range
	mmap munmap mprotect mremap madvise brk msync mincore mlock munlock mlock2 membarrier pkey_alloc pkey_free pkey_mprotect
	mbind get_mempolicy set_mempolicy map_shadow_stack mseal
	poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
	timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4
	rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack pause alarm
	getitimer setitimer timer_create timer_settime timer_gettime timer_delete timer_getoverrun
	nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times
	futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list get_robust_list set_tid_address rseq restart_syscall arch_prctl
	fork vfork execve execveat exit exit_group wait4 waitid
	getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid
	getrlimit setrlimit getrusage getpriority setpriority uname sysinfo getcpu getrandom
	sched_yield sched_getaffinity sched_setaffinity sched_getscheduler sched_getparam sched_get_priority_max sched_get_priority_min sched_getattr`)

// What prctl may be asked: a thread's name, the name of memory, and questions.
var prctls = []uint64{unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_SET_VMA, unix.PR_GET_DUMPABLE, unix.PR_CAPBSET_READ, unix.PR_GET_NO_NEW_PRIVS}

// newNamespaces are the flags of clone that would make one.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// restrictCalls leaves this thread, and what it becomes, the calls above. A program that sees other processes may send
// signals to none but itself.
func restrictCalls(alone bool) error {
	info, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	one := func(name string, argument uint32, op seccomp.Operation, value uint64) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: op, Value: value}}}
	}
	names := known(info, calls)
	some := []seccomp.NameWithConditions{
		one("clone", 0, seccomp.BitsNotSet, newNamespaces),
		one("prlimit64", 0, seccomp.Equal, 0), // of itself
	}
	for _, p := range prctls {
		some = append(some, one("prctl", 0, seccomp.Equal, p))
	}
	if alone {
		names = append(names, "kill", "tkill", "tgkill")
	} else {
		some = append(some, one("kill", 0, seccomp.Equal, uint64(os.Getpid())), one("tgkill", 0, seccomp.Equal, uint64(os.Getpid())))
	}
	return seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Policy: seccomp.Policy{
		DefaultAction: seccomp.ActionErrno,
		Syscalls: []seccomp.SyscallGroup{
			{Names: names, NamesWithCondtions: some, Action: seccomp.ActionAllow},
			// What clone3 is asked cannot be seen from here: libraries then use clone.
			{Names: []string{"clone3"}, Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
		},
	}})
}

// known leaves out calls that a processor does not have.
func known(info *arch.Info, names []string) (there []string) {
	for _, n := range names {
		if _, ok := info.SyscallNames[n]; ok {
			there = append(there, n)
		}
	}
	return there
}
