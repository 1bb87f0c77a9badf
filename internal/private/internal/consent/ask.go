package consent

import (
	"context"

	"murmur/internal/fact"
	"murmur/internal/private/internal/identity"
	"murmur/internal/workspace"
)

// Ask asks about one use for everybody who takes part in a call: the strictest answer holds, in whatever order they stand.
// An address that nobody can read may be that of somebody who refused: what was said there waits.
func (r *Register) Ask(ctx context.Context, ws workspace.ID, p workspace.Policy, use Use, call fact.ID, people ...identity.Person) (Verdict, fact.Why, error) {
	verdict, why := Allow, fact.WhyNone
	if use == 0 {
		return verdict, why, nil
	}
	for _, who := range people {
		known, err := r.Known(ctx, ws, call, who.All()...)
		if err != nil {
			return Unknown, fact.WhyNone, err
		}
		v, w := Decide(p.In(CountryOf(p, who)), use, known)
		if who.Unreadable && v == Allow && use != Writing {
			v, w = Unknown, fact.WhyContact
		}
		if Stricter(v, verdict) {
			verdict, why = v, w
		}
	}
	return verdict, why, nil
}

// CountryOf is where a person is from, "" where that is not known, or where no policy asks.
func CountryOf(p workspace.Policy, who identity.Person) string {
	if p.OptInCountries == "" {
		return ""
	}
	return who.Country()
}
