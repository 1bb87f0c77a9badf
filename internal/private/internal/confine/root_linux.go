package confine

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ownRoot gives this process a file system of its own: the paths and a few devices, unchangeable, its own /proc, and
// nothing else. Links at the top, such as /lib, become links. An error leaves what was there before, or ends the stage.
func ownRoot(paths []string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	copies, err := copyTrees(paths)
	defer copies.close()
	if err != nil {
		return err
	}
	// Any folder does: it is this process's alone, and what it hides was copied.
	const root = "/usr"
	if err := unix.Mount("none", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=64k,mode=755"); err != nil {
		return err
	}
	err = copies.place(root)
	if err == nil {
		err = os.Chdir(root)
	}
	if err == nil {
		err = unix.PivotRoot(".", ".")
	}
	if err != nil {
		_ = unix.Unmount(root, unix.MNT_DETACH)
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return unix.Mount("none", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "")
}

// trees are copies of parts of the file system, not yet anywhere.
type trees struct {
	at    []string
	fds   []int
	links map[string]string
	dirs  map[string]bool
}

// copyTrees copies the paths, with what is mounted below them, and the devices.
func copyTrees(paths []string) (*trees, error) {
	t := &trees{links: map[string]string{"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1"}, dirs: map[string]bool{}}
	for i, p := range append(existing(devices), paths...) {
		if to, err := os.Readlink(p); err == nil && strings.Count(p, "/") == 1 {
			t.links[p] = to
			continue
		}
		if t.covered(p) {
			continue
		}
		fd, err := unix.OpenTree(unix.AT_FDCWD, p, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			return t, err
		}
		t.at, t.fds = append(t.at, p), append(t.fds, fd)
		info, err := os.Stat(p)
		if err != nil {
			return t, err
		}
		t.dirs[p] = info.IsDir()
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
		if i < len(devices) && strings.HasPrefix(p, "/dev/") {
			attr.Attr_set = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC
		}
		if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
			return t, err
		}
	}
	return t, nil
}

// covered reports whether a path lies in one that is there already.
func (t *trees) covered(path string) bool {
	for _, at := range t.at {
		if strings.HasPrefix(path, at+"/") {
			return true
		}
	}
	return false
}

// place puts the copies below root where they were, and a fresh /proc.
func (t *trees) place(root string) error {
	for i, p := range t.at {
		at := root + p
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if t.dirs[p] {
			if err := os.MkdirAll(at, 0o755); err != nil {
				return err
			}
		} else if err := os.WriteFile(at, nil, 0o444); err != nil {
			return err
		}
		if err := unix.MoveMount(t.fds[i], "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return err
		}
	}
	for p, to := range t.links {
		if err := os.Symlink(to, root+p); err != nil {
			return err
		}
	}
	if err := os.Mkdir(root+"/proc", 0o555); err != nil {
		return err
	}
	return unix.Mount("proc", root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

func (t *trees) close() {
	if t == nil {
		return
	}
	for _, fd := range t.fds {
		_ = unix.Close(fd)
	}
}
