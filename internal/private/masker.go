package private

import (
	"errors"

	"murmur/internal/private/internal/identity"
	"murmur/internal/redact"
	"murmur/internal/workspace"
)

// masking is what a policy says about masks.
type masking struct{ transforms, identifiers, reader string }

// masker gives the detector that a policy wants.
func (z *Zone) masker(p workspace.Policy) (*redact.Detector, error) {
	m := masking{p.Transforms, p.Identifiers, p.Reader}
	if m == (masking{reader: workspace.On}) {
		return z.detector, nil
	}
	if d, ok := z.maskers.Load(m); ok {
		return d.(*redact.Detector), nil
	}
	d, err := m.over(read(z.detector, p.Reader))
	if err == nil {
		z.maskers.Store(m, d)
	}
	return d, err
}

// errLinked refuses pseudonyms in stored texts, because they would link one person's texts for
// ever.
var errLinked = errors.New("a pseudonym is not for texts that are kept")

func (m masking) over(d *redact.Detector) (*redact.Detector, error) {
	x, err := redact.ParseTransforms(m.transforms)
	if err != nil {
		return nil, err
	}
	ids, err := redact.ParseIdentifiers(m.identifiers)
	if err != nil {
		return nil, err
	}
	d, err = d.With(x, nil, ids)
	if errors.Is(err, redact.ErrKey) {
		return nil, errLinked
	}
	return d, err
}

var errRegion = errors.New("region must be the two-letter code of a country that has phone numbers, such as GB")

// CheckPolicy refuses a policy whose region, transforms, identifiers cannot be carried out.
func (z *Zone) CheckPolicy(p workspace.Policy) error {
	if !identity.Region(p.Region) {
		return errRegion
	}
	_, err := masking{p.Transforms, p.Identifiers, p.Reader}.over(z.detector)
	return err
}
