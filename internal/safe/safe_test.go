package safe

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

type coded int

func (c coded) Error() string { return "constraint failed: ann@example.com (13)" }
func (c coded) Code() int     { return int(c) }

var errKnown = errors.New("keyring: the key is damaged")

func TestDescribe(t *testing.T) {
	t.Parallel()
	const person = "ann@example.com"
	for want, err := range map[string]error{
		"store facts at 12 > store names: database error 13": At("store facts", "12", fmt.Errorf("for %s: %w", person, Wrap("store names", coded(13)))),
		"open: no such file or directory":                    fmt.Errorf("read %s: %w", person, &fs.PathError{Op: "open", Path: "/calls/" + person, Err: syscall.ENOENT}),
		"dial tcp > connect: connection refused":             &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		"seal: keyring: the key is damaged":                  Wrap("seal", fmt.Errorf("keys of %s: %w", person, errKnown)),
		"*errors.errorString":                                errors.New(person),
		"erase: *errors.errorString":                         Wrap("erase", fmt.Errorf("%s: %w", person, errors.New(person))),
		"database error 13; no space left on device":         errors.Join(coded(13), syscall.ENOSPC),
		"read at 3 bytes: *errors.errorString":               At("read", "ann", errors.New(person)),
		"":                                                   nil,
	} {
		got := Describe(err, errKnown)
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if strings.Contains(got, "ann") {
			t.Errorf("a person is in %q", got)
		}
	}
	if Wrap("nothing", nil) != nil {
		t.Error("an error was made of nothing")
	}
}
