package cli

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestAnImportThatWaitsForItsFileEnds: a FIFO that nobody writes to does not outlast the command.
func TestAnImportThatWaitsForItsFileEnds(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := opened(ctx, fifo); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w, err := syscall.Open(fifo, syscall.O_WRONLY, 0) // whoever waits goes on
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Close(w)
}
