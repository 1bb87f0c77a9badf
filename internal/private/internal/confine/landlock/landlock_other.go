//go:build !linux

package landlock
