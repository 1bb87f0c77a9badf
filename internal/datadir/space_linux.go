package datadir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Names of file systems and how they overwrite, by their magic number (statfs(2)).
var fileSystems = map[uint32]struct {
	name  string
	moves bool // overwriting writes elsewhere
}{
	0xEF53: {"ext4", false}, 0x58465342: {"xfs", false}, 0x01021994: {"tmpfs", false},
	0x9123683E: {"btrfs", true}, 0x2FC12FC1: {"zfs", true}, 0xF2F52010: {"f2fs", true},
	0x794C7630: {"overlay", false}, 0x6969: {"nfs", false}, 0x65735546: {"fuse", false},
}

func space(path string) (Space, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return Space{}, fmt.Errorf("look at the disk: %w", err)
	}
	s := Space{
		Free:  int64(st.Bavail) * int64(st.Bsize), //nolint:gosec // sizes of real disks fit
		Total: int64(st.Blocks) * int64(st.Bsize), //nolint:gosec // sizes of real disks fit
		FS:    "unknown",
	}
	if fs, ok := fileSystems[uint32(st.Type)]; ok { //nolint:gosec // the magic number is 32 bits
		s.FS, s.Moves = fs.name, fs.moves
	}
	s.Encrypted = encrypted(path)
	return s, nil
}

// encrypted follows the block device below path down to a dm-crypt one.
func encrypted(path string) Answer {
	info, err := os.Stat(path)
	if err != nil {
		return Unknown
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Unknown
	}
	// makedev(3): the usual split of a 64-bit device number.
	major := st.Dev>>8&0xfff | st.Dev>>32&^0xfff
	minor := st.Dev&0xff | st.Dev>>12&^0xff
	return crypt(fmt.Sprintf("/sys/dev/block/%d:%d", major, minor), 8)
}

func crypt(dev string, depth int) Answer {
	if _, err := os.Stat(dev); err != nil || depth == 0 {
		return Unknown // no block device: a network, memory or layered file system
	}
	if id, err := os.ReadFile(filepath.Join(dev, "dm/uuid")); err == nil && strings.HasPrefix(string(id), "CRYPT-") {
		return Yes
	}
	below, err := os.ReadDir(filepath.Join(dev, "slaves"))
	if err != nil {
		return No // a partition of a plain disk has no such folder
	}
	answer := No
	for i, e := range below {
		a := crypt(filepath.Join("/sys/class/block", e.Name()), depth-1)
		if i == 0 || a != Yes {
			answer = a
		}
		if a != Yes {
			break
		}
	}
	return answer
}
