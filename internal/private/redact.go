package private

import (
	"context"
	"fmt"

	"murmur/internal/redact"
	"murmur/internal/workspace"
)

// RedactorVersion changes whenever the redactor would mask something differently; every fact carries it.
const RedactorVersion = redact.Version

// Span is one masked place, in code points of the text, the end exclusive. Why is a reason from a closed set.
type Span struct {
	Start, End int
	Type       string
	Score      float64
	Why        string
	Turn       int
}

// Redact masks one plain text as the pipeline would for the workspace, and keeps nothing. Lines may begin with a
// speaker's label.
func (z *Zone) Redact(ctx context.Context, ws workspace.ID, text string) (masked string, spans []Span, err error) {
	p, err := z.store.Policy(ctx, ws)
	if err != nil {
		return "", nil, err
	}
	d, err := z.masker(p)
	if err != nil {
		return "", nil, err
	}
	done, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(text)})
	if err != nil {
		return "", nil, fmt.Errorf("redact: %w", err)
	}
	return done.Masked(), spansOf(done.Flat()), nil
}

func spansOf(found []redact.Span) []Span {
	spans := make([]Span, len(found))
	for i, s := range found {
		spans[i] = Span{Start: s.Start, End: s.End, Type: s.Type.String(), Score: s.Score, Why: s.Why.String(), Turn: s.Turn}
	}
	return spans
}

// read gives a detector with or without the reader, as a policy says.
func read(d *redact.Detector, reader string) *redact.Detector {
	if reader == workspace.Off {
		return d.WithoutReader()
	}
	return d
}
