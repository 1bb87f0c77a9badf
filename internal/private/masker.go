package private

import (
	"errors"

	"murmur/internal/private/internal/detect"
	"murmur/internal/workspace"
)

// masking is what a policy says about masks.
type masking struct{ transforms, identifiers string }

// masker gives the detector that a policy wants.
func (z *Zone) masker(p workspace.Policy) (*detect.Detector, error) {
	m := masking{p.Transforms, p.Identifiers}
	if m == (masking{}) {
		return z.detector, nil
	}
	if d, ok := z.maskers.Load(m); ok {
		return d.(*detect.Detector), nil
	}
	d, err := m.over(z.detector)
	if err == nil {
		z.maskers.Store(m, d)
	}
	return d, err
}

// errLinked refuses pseudonyms in what is kept: they would link one person's texts for ever.
var errLinked = errors.New("a pseudonym is not for texts that are kept")

func (m masking) over(d *detect.Detector) (*detect.Detector, error) {
	x, err := detect.ParseTransforms(m.transforms)
	if err != nil {
		return nil, err
	}
	ids, err := detect.ParseIdentifiers(m.identifiers)
	if err != nil {
		return nil, err
	}
	d, err = d.With(x, nil, ids)
	if errors.Is(err, detect.ErrKey) {
		return nil, errLinked
	}
	return d, err
}

// CheckPolicy refuses a policy whose transforms or identifiers cannot be carried out.
func (z *Zone) CheckPolicy(p workspace.Policy) error {
	_, err := masking{p.Transforms, p.Identifiers}.over(z.detector)
	return err
}
