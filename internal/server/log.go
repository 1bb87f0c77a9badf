package server

import (
	"context"
	"io"
	"log/slog"
	"strconv"
)

// logKeys are the attributes that may be logged as they are. Everything else is printed as its type and length:
// a log cannot hold personal data by accident.
var logKeys = map[string]bool{
	"kind": true, "state": true, "why": true, "workspace": true, "source": true, "count": true, "route": true, "status": true,
	"method": true, "took": true, "period": true, "job": true, "attempt": true, "address": true, "version": true, "root": true,
}

// NewLog makes the log of a server: JSON lines, attributes by allow-list, messages only from the program text.
func NewLog(w io.Writer) *slog.Logger {
	return slog.New(&allow{slog.NewJSONHandler(w, nil)})
}

// warnings passes on what needs somebody's attention: the queue of jobs talks a lot.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }

// allow is a slog.Handler that lets only known attributes through.
type allow struct{ next slog.Handler }

func (h *allow) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h *allow) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, 0)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(clean(a))
		return true
	})
	return h.next.Handle(ctx, out)
}

func (h *allow) WithAttrs(attrs []slog.Attr) slog.Handler {
	cleaned := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		cleaned[i] = clean(a)
	}
	return &allow{h.next.WithAttrs(cleaned)}
}

func (h *allow) WithGroup(name string) slog.Handler { return &allow{h.next.WithGroup(name)} }

func clean(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindUint64, slog.KindTime:
		return slog.Attr{Key: a.Key, Value: v}
	}
	if logKeys[a.Key] && v.Kind() == slog.KindString {
		return slog.Attr{Key: a.Key, Value: v}
	}
	return slog.String(a.Key, "["+v.Kind().String()+" of "+strconv.Itoa(len(v.String()))+" bytes]")
}
