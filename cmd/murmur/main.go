// Command murmur turns calls, texts, transcripts, workflow events and survey answers of a business phone system
// into insights about the crowd in which no person can be heard.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"murmur/internal/cli"
)

func main() {
	syscall.Umask(0o077) // whatever is written is its owner's alone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
