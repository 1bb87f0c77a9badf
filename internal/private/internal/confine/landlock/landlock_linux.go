// Package landlock takes access to files and network from this thread by the kernel's own rules (landlock(7)).
//
// Zone: RED, and none of its data: it sees paths. It is a package of its own because the three system calls have no
// maintained wrapper without cgo, so that only this package needs unsafe.
//
// What it does not protect against: asking whether a file exists, and what is done over descriptors that are open
// already.
package landlock

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights below a path, by Landlock (landlock(7)).
const (
	readRights  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
	writeRights = unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	netRights   = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
)

// fileRights are all rights that the kernel's version of the rules knows: a right that is not
// handled stays allowed.
func fileRights(version int) uint64 {
	rights := uint64(1)<<13 - 1
	for since, right := range map[int]uint64{2: unix.LANDLOCK_ACCESS_FS_REFER, 3: unix.LANDLOCK_ACCESS_FS_TRUNCATE, 5: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV} {
		if version >= since {
			rights |= right
		}
	}
	return rights
}

// Restrict lets this thread, and what it becomes, read the paths and write the one named, and nothing else. It gives the
// version of the kernel's rules, 0 where there are none or a path cannot be opened. It holds one thread: the caller's
// other threads must end, as they do when it becomes another program.
func Restrict(paths []string, write string) (version int) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if version = int(v); errno != 0 {
		return 0
	}
	rules := unix.LandlockRulesetAttr{Handled_access_fs: fileRights(version)}
	if version >= 4 {
		rules.Handled_access_net = netRights
	}
	if version >= 6 {
		rules.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)), unsafe.Sizeof(rules), 0)
	if errno != 0 {
		return 0
	}
	defer unix.Close(int(set))
	for _, p := range paths {
		if allow(int(set), p, version, p == write) != nil {
			return 0
		}
	}
	if _, _, errno = unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return 0
	}
	return version
}

// allow adds a rule to a set.
func allow(set int, path string, version int, write bool) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: readRights, Parent_fd: int32(fd)}
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		rule.Allowed_access |= unix.LANDLOCK_ACCESS_FS_READ_DIR
	case write:
		rule.Allowed_access |= writeRights | fileRights(version)&unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
