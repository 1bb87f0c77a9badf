// Package safe describes errors in words that may appear anywhere: in a log, a metric, a status.
//
// An error's text may contain anything, personal data too, so murmur never prints it. Describe prints instead, from
// closed sets: the operation, in words of the program (the compiler lets Wrap take only constants), a position, the
// sentinel that callers branch on, the system's or the database's number, and, where nothing else is known, the error's
// type.
//
// Zone: below both doors; a library that knows nothing of murmur.
//
// It does not protect against a sentinel whose own text holds a person: sentinels are package variables.
package safe

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// words are text of the program. The type has no name outside, so that only a constant can be given for it.
type words string

// Error is an error and what was being done.
type Error struct {
	op  words
	at  string // of what was read: a number, or how long it is; "": none
	err error
}

// Wrap adds the operation to an error. nil stays nil.
func Wrap(op words, err error) error { return At(op, "", err) }

// At is Wrap with the position in the input. A position that is not a number is replaced by its
// length.
func At[P ~string](op words, place P, err error) error {
	if err == nil {
		return nil
	}
	at := string(place)
	if strings.Trim(at, "0123456789") != "" || len(at) > 20 {
		at = strconv.Itoa(len(at)) + " bytes"
	}
	return &Error{op, at, err}
}

func (e *Error) doing() string {
	if e.at == "" {
		return string(e.op)
	}
	return string(e.op) + " at " + e.at
}

func (e *Error) Error() string { return e.doing() + ": " + e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

// Describe gives the printable description of an error, such as "store facts > store names: database error 13; the disk
// is full". known are the sentinels whose text may be printed.
func Describe(err error, known ...error) string {
	if err == nil {
		return ""
	}
	d := description{}
	d.walk(err)
	for _, k := range known {
		if errors.Is(err, k) {
			d.say(k.Error())
		}
	}
	if len(d.what) == 0 {
		d.say(d.leaf)
	}
	said := strings.Join(d.what, "; ")
	if len(d.doing) == 0 {
		return said
	}
	return strings.Join(d.doing, " > ") + ": " + said
}

// description is collected from the outside in.
type description struct {
	doing, what []string
	leaf        string // the type of the innermost error
}

func (d *description) say(what string) {
	if !slices.Contains(d.what, what) {
		d.what = append(d.what, what)
	}
}

func (d *description) walk(err error) {
	d.leaf = fmt.Sprintf("%T", err)
	switch e := err.(type) { // each link of the chain by itself
	case *Error:
		d.doing = append(d.doing, e.doing())
	case syscall.Errno:
		d.say(e.Error())
	case *fs.PathError:
		d.doing = append(d.doing, e.Op) // the system call; not the path
	case *os.SyscallError:
		d.doing = append(d.doing, e.Syscall)
	case *net.OpError:
		d.doing = append(d.doing, e.Op+" "+e.Net)
	case interface{ Code() int }: // SQLite's result code
		d.say("database error " + strconv.Itoa(e.Code()))
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			d.walk(inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			d.walk(inner)
		}
	}
}
