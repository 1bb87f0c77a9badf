package private

import (
	"context"
	"errors"
	"fmt"
	"time"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// Erase records that everything about a contact up to now must be deleted, and gives the receipt. From then on murmur does
// not open, take in or count anything of theirs; it deletes their rows when the order is carried out (Orders). The answer,
// and the work for it, are the same for an unknown contact.
func (z *Zone) Erase(ctx context.Context, ws workspace.ID, contact string) (receipt string, err error) {
	who, err := z.who(ctx, ws, contact)
	if err != nil {
		return "", err
	}
	return z.register.Erase(ctx, ws, who.All()...)
}

// Orders are erasures of one workspace that were promised and are still to be carried out.
type Orders struct {
	// Contacts are the pseudonyms whose rows must go.
	Contacts []anon.Contact
	all      []consent.Order
}

// Orders gives the erasures of a workspace that are still to be carried out: of each person by all addresses.
func (z *Zone) Orders(ctx context.Context, ws workspace.ID) (o Orders, err error) {
	if o.all, err = z.register.Orders(ctx, ws); err != nil {
		return o, err
	}
	var who [][anon.ContactLen]byte
	for _, one := range o.all {
		who = append(who, one.Who...)
	}
	o.Contacts, err = z.stored(ws, who)
	return o, err
}

// WaitingOrders counts the erasures that are still to be carried out, and tells since when the oldest waits.
func (z *Zone) WaitingOrders(ctx context.Context) (n map[workspace.ID]int, oldest time.Time, err error) {
	return z.register.Waiting(ctx)
}

// Destroy carries out the part of orders that lies behind this door: recordings and their keys, and the words of the
// erased in calls that belong to somebody else. It is idempotent.
func (z *Zone) Destroy(ctx context.Context, ws workspace.ID, o Orders) (err error) {
	for _, c := range o.Contacts {
		err = errors.Join(err, z.book.Erase(ctx, ws, c))
	}
	calls, joined := z.register.Joined(ctx, ws, o.Contacts...)
	for _, call := range calls {
		joined = errors.Join(joined, z.silence(ctx, ws, call, consent.Heard, fact.ViaAPI))
	}
	return errors.Join(err, joined)
}

// Fulfilled ends orders that were carried out, in the ledger too. With unreadable, damaged files may still hold rows:
// the orders stay, and figures are made nevertheless.
func (z *Zone) Fulfilled(ctx context.Context, ws workspace.ID, o Orders, unreadable bool) error {
	if unreadable {
		return z.register.Unreadable(ctx, ws, o.all)
	}
	return z.register.Fulfil(ctx, ws, o.all)
}

// Vacate ends what there is of a workspace behind this door once its keys are destroyed: live calls, and recordings with their
// files.
func (z *Zone) Vacate(ctx context.Context, ws workspace.ID) error {
	return z.book.Vacate(ctx, ws)
}

// LapseErasures deletes tombstones from before a moment: rows of that time are no longer linked with a person.
func (z *Zone) LapseErasures(ctx context.Context, ws workspace.ID, before time.Time) error {
	return z.register.Lapse(ctx, ws, before)
}

// Erased gives the moment up to which everything about a contact was erased; zero when nothing was.
func (z *Zone) Erased(ctx context.Context, ws workspace.ID, c anon.Contact) (time.Time, error) {
	return z.register.Erased(ctx, ws, c)
}

// OrderAgain orders once more whatever was erased in a workspace: parts of a backup may be older than its register.
func (z *Zone) OrderAgain(ctx context.Context, ws workspace.ID) error {
	return z.register.OrderAgain(ctx, ws)
}

// ErrOtherKeys is returned for a directory whose pseudonyms are made with other keys, or whose keys cannot be read: its
// register does not match any person here.
var ErrOtherKeys = errors.New("the other directory has other keys, or keys that cannot be read")

// Adopt takes over what was refused, agreed to and erased in another directory, the one that a restore replaces. The two have
// the same keys. Nothing in the other one changes. ErrOtherKeys.
func (z *Zone) Adopt(ctx context.Context, ws workspace.ID, keys, register string) (err error) {
	ring, err := keyring.Open(keys, keyring.Config{Clock: z.now})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOtherKeys, err)
	}
	theirs, err := ring.Pseudonym(ws)
	if errors.Is(err, keyring.ErrUnknown) {
		return nil // made since
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOtherKeys, err)
	}
	ours, err := z.ring.Pseudonym(ws)
	if err != nil {
		return err
	}
	if !theirs.Same(ours) {
		return ErrOtherKeys
	}
	db, err := meta.Peek(register)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return z.register.Adopt(ctx, ws, db)
}
