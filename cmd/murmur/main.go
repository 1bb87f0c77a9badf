// Command murmur turns calls, texts, transcripts, workflow events and survey answers of a business phone system
// into insights about the crowd in which no person can be heard.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"murmur/internal/cli"
	"murmur/internal/server"
)

func main() {
	syscall.Umask(0o077) // whatever is written is its owner's alone
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(server.GCPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
