//go:build !linux

package confine

import "syscall"

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// Isolated reports whether programs run without network.
func Isolated() bool { return false }
