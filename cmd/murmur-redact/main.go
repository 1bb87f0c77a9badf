// Command murmur-redact masks personal data in text: the verb `murmur redact` as a program of its own, without a data
// directory, a database or a network.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"murmur/internal/redact/command"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run gives the exit code: 0 done, 1 failed, 2 bad usage or input.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	var c struct {
		command.Command
		JSON bool `name:"json" help:"Answer a plain text as one JSON record."`
	}
	code, exited := 0, false
	parser, err := kong.New(&c, kong.Name("murmur-redact"), kong.Description("Mask personal data in text: stdin to stdout."),
		kong.Vars{"or_recording": ""}, kong.Writers(out, errs), kong.Exit(func(n int) { code, exited = n, true }))
	if err != nil {
		return complain(errs, command.Usage{Err: err})
	}
	_, err = parser.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		return complain(errs, command.Usage{Err: err})
	}
	return complain(errs, c.Run(command.Streams{In: in, Out: out, Err: errs, JSON: c.JSON}))
}

// complain prints an error and gives the exit code.
func complain(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	hint := command.Hint(err)
	fmt.Fprintf(w, "error: %v\n", err)
	code := 1
	if errors.As(err, new(command.Usage)) {
		code = 2
		if hint == "" {
			hint = "murmur-redact --help lists the commands and flags"
		}
	}
	if errors.Is(err, command.ErrLine) {
		code = 2
	}
	if hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
	return code
}
