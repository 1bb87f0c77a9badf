package private

import (
	"context"

	"murmur/internal/private/anon"
	"murmur/internal/redact"
	"murmur/internal/workspace"
)

// MaskAll masks texts that an owner typed, one by one, as the pipeline would for the workspace. One that cannot be verified clean
// gives an invalid Text.
func (z *Zone) MaskAll(ctx context.Context, ws workspace.ID, texts []string) ([]anon.Text, error) {
	p, err := z.store.Policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	d, err := z.masker(p)
	if err != nil {
		return nil, err
	}
	out := make([]anon.Text, len(texts))
	for i, t := range texts {
		if r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(t)}); err == nil { // what is too large stays invalid
			out[i] = anon.Of(r)
		}
	}
	return out, nil
}

// MaskName masks a name that an owner gives to something of the business.
func (z *Zone) MaskName(name string) anon.Text { return anon.Of(z.detector.Label(name)) }
