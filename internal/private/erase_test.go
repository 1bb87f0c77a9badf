package private

import (
	"testing"
	"time"

	"murmur/internal/workspace"
)

// erase promises an erasure and carries out what lies behind this door.
func (h *callHouse) erase(contact string) error {
	ctx := h.t.Context()
	if _, err := h.zone.Erase(ctx, workspace.Default, contact); err != nil {
		return err
	}
	o, err := h.zone.Orders(ctx, workspace.Default)
	if err != nil {
		return err
	}
	if err := h.zone.Destroy(ctx, workspace.Default, o); err != nil {
		return err
	}
	return h.zone.Fulfilled(ctx, workspace.Default, o, false)
}

// TestATombstoneEnds: who was erased is forgotten after a while, but not before the order was carried out; and the register
// keeps no pseudonym then.
func TestATombstoneEnds(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	who, err := h.zone.who(t.Context(), workspace.Default, "+12125550142")
	must(t, err)
	_, err = h.zone.Erase(t.Context(), workspace.Default, "+12125550142")
	must(t, err)
	later := h.zone.now().Add(time.Hour)
	erased := func() bool {
		t.Helper()
		must(t, h.zone.LapseErasures(t.Context(), workspace.Default, later))
		at, err := h.zone.Erased(t.Context(), workspace.Default, who.Contact)
		must(t, err)
		return !at.IsZero()
	}
	if !erased() {
		t.Error("forgotten while its order waits")
	}
	must(t, h.erase("+12125550142"))
	if erased() {
		t.Error("the tombstone stays for ever")
	}
	ref := who.Contact.Bytes()
	var left int
	must(t, h.db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM erasures WHERE contact = ?1) + (SELECT count(*) FROM erasing WHERE contact = ?1)`, ref[:]).Scan(&left))
	if left > 0 {
		t.Errorf("%d rows of the register hold the pseudonym", left)
	}
}
