package keyring

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestAFileThatIsCutShort: the keys before the cut work and are destroyed in time; what was behind it is lost and named.
func TestAFileThatIsCutShort(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, slotSize, factsSlot * slotSize, firstEpoch * slotSize, (firstEpoch + 1) * slotSize, (firstEpoch+1)*slotSize + 20, fileSize - 1} {
		c := newClock()
		r := newRing(t, t.TempDir(), c)
		e, inbox := seal(t, r, TopicInbox, "raw")
		if err := os.Truncate(r.path(shop), size); err != nil {
			t.Fatal(err)
		}
		if found, err := r.Check(); err != nil || len(found) == 0 {
			t.Errorf("%d bytes: not named, %v", size, err)
		}
		c.add(2 * time.Second) // look again
		_, err := r.Open(shop, TopicInbox, id1, 1, e, inbox)
		if whole := size >= (firstEpoch+1)*slotSize; whole != (err == nil) {
			t.Errorf("%d bytes: open: %v", size, err)
		}
		if _, err := r.Pseudonym(shop); size >= firstEpoch*slotSize && err != nil || size < factsSlot*slotSize && !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: pseudonym: %v", size, err)
		}
		c.add(24 * time.Hour)
		_, err = r.Destroy(shop, r.Today())
		if nothing := size <= slotSize; nothing != (err != nil) {
			t.Errorf("%d bytes: destroy: %v", size, err)
		}
		b, err := os.ReadFile(r.path(shop))
		if err != nil || len(b) > firstEpoch*slotSize && !zero(b[firstEpoch*slotSize:]) {
			t.Errorf("%d bytes: a key of yesterday is on the disk, %v", size, err)
		}
	}
}
