package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"murmur/internal/private"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// Hears and RedactClip are the part of web.Redactor for recordings.
func (r redactor) Hears() bool {
	path, _ := r.zone.Listener()
	return path != ""
}

func (r redactor) RedactClip(ctx context.Context, ws workspace.ID, clip []byte) (web.Clip, error) {
	rec, err := r.zone.RedactClip(ctx, ws, clip)
	switch {
	case private.BadRecording(err), errors.Is(err, private.ErrNoListener):
		return web.Clip{}, fmt.Errorf("%w: %w", web.ErrInput, err)
	case ctx.Err() != nil:
		return web.Clip{}, ctx.Err()
	case err != nil:
		return web.Clip{}, err
	}
	at := func(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
	out := web.Clip{Duration: at(rec.Duration), Withheld: rec.Why}
	for _, m := range rec.Masked {
		out.Masked = append(out.Masked, web.ClipMask{Start: at(m.Start), End: at(m.End), Why: m.Why})
	}
	for _, w := range rec.Words {
		out.Words = append(out.Words, web.ClipWord{Text: w.W, Start: at(w.Start), End: at(w.End), Leg: w.Leg})
	}
	return out, nil
}
