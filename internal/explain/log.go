package explain

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"syscall"

	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/safe"
)

// logKeys are the attributes that may be logged as they are. Everything else is printed as its type and length:
// a log cannot hold personal data by accident.
var logKeys = map[string]bool{
	"kind": true, "state": true, "why": true, "workspace": true, "source": true, "count": true, "route": true, "status": true,
	"method": true, "took": true, "period": true, "job": true, "attempt": true, "address": true, "version": true, "root": true, "alert": true,
}

// NewLog makes the log of a server: JSON lines, attributes by allow-list, messages only from the program text. An error
// is printed as package safe describes it, never by its text. An attribute must not be called msg, as slog's message is.
func NewLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: clean}))
}

// Warnings passes on only warnings and errors, because the job queue logs a lot.
type Warnings struct{ slog.Handler }

func (h Warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h Warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return Warnings{h.Handler.WithAttrs(attrs)}
}

func (h Warnings) WithGroup(name string) slog.Handler { return Warnings{h.Handler.WithGroup(name)} }

// clean is slog's hook: it is asked for every attribute that is no group.
func clean(groups []string, a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	if err, ok := v.Any().(error); ok {
		return slog.String(a.Key, Describe(err))
	}
	builtin := len(groups) == 0 && (a.Key == slog.MessageKey || a.Key == slog.LevelKey)
	switch v.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindUint64, slog.KindTime:
		return slog.Attr{Key: a.Key, Value: v}
	case slog.KindString:
		if builtin || logKeys[a.Key] {
			return slog.Attr{Key: a.Key, Value: v}
		}
	}
	if _, ok := v.Any().(slog.Level); ok && builtin {
		return a
	}
	return slog.String(a.Key, "["+v.Kind().String()+" of "+strconv.Itoa(len(v.String()))+" bytes]")
}

// Describe says of an error what may be said.
func Describe(err error) string { return safe.Describe(err, sentinels()...) }

// sentinels are the errors whose text is the program's own.
var sentinels = sync.OnceValue(func() []error {
	known := []error{
		context.DeadlineExceeded, io.ErrUnexpectedEOF, keyring.ErrDead, keyring.ErrSeal, keyring.ErrUnknown, keyring.ErrToday,
		journal.ErrAhead, journal.ErrBroken, journal.ErrClosed, journal.ErrTooLarge,
	}
	for _, e := range explanations {
		if _, number := e.is.(syscall.Errno); !number { // it says itself what it is
			known = append(known, e.is)
		}
	}
	return known
})
