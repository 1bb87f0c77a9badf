package consent

import (
	"context"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/identity"
	"murmur/internal/workspace"
)

// Ask asks about one use for everybody who takes part in a call: the strictest answer holds, in whatever order they stand.
// An unreadable address may belong to somebody who refused: the words wait.
func (r *Register) Ask(ctx context.Context, ws workspace.ID, p workspace.Policy, use Use, call fact.ID, people ...identity.Person) (Verdict, fact.Why, error) {
	verdict, why := Allow, fact.WhyNone
	if use == 0 {
		return verdict, why, nil
	}
	for _, who := range people {
		known, err := r.known(ctx, ws, call, who)
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

// known is what the register knows about a call and a person by all of their addresses. Agreements under another address
// than the first are not counted, because anybody can write a second address beside somebody's.
func (r *Register) known(ctx context.Context, ws workspace.ID, call fact.ID, who identity.Person) (Known, error) {
	k, err := r.Known(ctx, ws, call, who.All()...)
	if err != nil {
		return Known{}, err
	}
	s, err := r.of(ctx, ws)
	if err != nil {
		return Known{}, err
	}
	for _, c := range who.Also {
		if err := r.recall(ws, s, c.Bytes()); err != nil {
			return Known{}, err
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, c := range who.Also {
		n := name{c.Bytes(), false}
		k.Contact.Out, k.CallsOut = k.Contact.Out|s.contacts[n].Out, k.CallsOut || s.unrecorded[n]
	}
	return k, nil
}

// Gone gives the moment up to which everything about a person was erased, by whichever of their addresses; zero when nothing
// was.
func (r *Register) Gone(ctx context.Context, ws workspace.ID, who identity.Person) (last time.Time, err error) {
	if last, err = r.Erased(ctx, ws, who.All()...); err != nil {
		return last, err
	}
	s, err := r.of(ctx, ws)
	if err != nil {
		return last, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, c := range who.Also {
		if at := s.erased[name{c.Bytes(), false}]; at.After(last) {
			last = at
		}
	}
	return last, nil
}

// CountryOf is where a person is from, "" where that is not known, or where no policy asks.
func CountryOf(p workspace.Policy, who identity.Person) string {
	if p.OptInCountries == "" {
		return ""
	}
	if who.Country == nil {
		return ""
	}
	return who.Country()
}
