package web

import (
	"reflect"
	"testing"
	"time"

	"murmur/internal/workspace"
)

// From what viewers are told nobody sees that one person more was erased or refused: the numbers are bands, and stand for a day.
func TestViewersAreToldBandsOnceADay(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	c := &coarse{}
	counts := Counts{In: 1260, Published: 1234, Refused: 7, Erased: 19}
	exact := WorkspaceStatus{Counts: counts, BySource: map[string]Counts{"quo": counts}}
	first := c.status(workspace.Default, at, exact)
	if want := (Counts{In: 1015, Published: 1000, Refused: 5, Erased: 10}); first.Counts != want || first.BySource["quo"] != want {
		t.Errorf("told %+v", first)
	}
	exact.Erased, exact.In = 22, 1263
	if again := c.status(workspace.Default, at.Add(time.Hour), exact); !reflect.DeepEqual(again, first) {
		t.Errorf("an hour and three erasures later: %+v", again)
	}
	if next := c.status(workspace.Default, at.AddDate(0, 0, 1), exact); next.Erased != 20 || next.In != next.Sum() {
		t.Errorf("the next day: %+v", next)
	}
}
