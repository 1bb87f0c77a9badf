package explain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/meta"
	"murmur/internal/safe"
)

// TestTheLogHoldsNoContent logs a person every way there is.
func TestTheLogHoldsNoContent(t *testing.T) {
	t.Parallel()
	const person = "ann.example@example.com +12125550123"
	var out bytes.Buffer
	log := NewLog(&out)
	log.Info("a delivery", "body", person, "kind", "quo", "count", 3)
	log.With("contact", person).Warn("a delivery", slog.Group("party", "phone", person))
	log.WithGroup("g").Error("a delivery", "error", errors.New(person), "any", struct{ P string }{person})
	log.Error("a delivery", "error", fmt.Errorf("store %s: %w", person, safe.At("store facts", person, &fs.PathError{Op: "open", Path: person, Err: syscall.ENOSPC})))
	log.Error("a delivery", "why", errors.Join(errors.New(person), valued{person}), "who", valued{person}, "kind", []string{person})
	got := out.String()
	for piece := range strings.FieldsSeq(person) {
		if strings.Contains(got, piece) {
			t.Errorf("the log has it:\n%s", got)
		}
	}
	if !strings.Contains(got, `"error":"store facts at 36 bytes > open: no space left on device"`) {
		t.Errorf("the log does not say what failed:\n%s", got)
	}
	if !strings.Contains(got, `"kind":"quo"`) || !strings.Contains(got, `"count":3`) || !strings.Contains(got, "of 36 bytes") {
		t.Errorf("the log lost what it may say:\n%s", got)
	}
}

// valued is an error, and a value that slog asks for what to print.
type valued struct{ person string }

func (v valued) Error() string        { return v.person }
func (v valued) LogValue() slog.Value { return slog.StringValue(v.person) }

// TestTheLogSaysWhichPartFailed: the hints say that the log does, so it must name operation, sentinel and number.
func TestTheLogSaysWhichPartFailed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := NewLog(&out)
	_, err := meta.Open(t.Context(), t.TempDir()) // a directory where a file should be
	log.Error("no metadata", "error", safe.Wrap("open metadata", err))
	log.Error("no keys", "error", fmt.Errorf("rotate of workspace bob: %w", keyring.ErrDamaged))
	log.Error("no journal", "error", errors.Join(journal.ErrFull, context.DeadlineExceeded))
	for _, want := range []string{
		`"error":"open metadata: database error 14"`, `"error":"keyring: the key is damaged"`, `"error":"context deadline exceeded; journal: no space left"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}
