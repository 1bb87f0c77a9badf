package private

import (
	"context"
	"fmt"

	"murmur/internal/redact"
	"murmur/internal/redact/command"
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

// seconded gives the zone's detector with a second reader, "" for none. The weights are read once.
func (z *Zone) seconded(recognizer string) (*redact.Detector, error) {
	if recognizer == "" {
		return z.detector, nil
	}
	z.loading.Lock()
	defer z.loading.Unlock()
	if z.second == nil {
		d, err := command.Config{Dial: z.dial, Recognizer: recognizer, Models: z.models}.Detector()
		if err != nil {
			return nil, err
		}
		z.second = d
	}
	return z.second, nil
}

// CheckRecognizer reports whether the second reader of a policy can be used. command.ErrRecognizer, command.ErrNoModel.
func (z *Zone) CheckRecognizer(name string) error {
	_, err := z.seconded(name)
	return err
}
