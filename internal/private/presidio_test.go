package private

import (
	"slices"
	"testing"

	"murmur/internal/presidio"
	"murmur/internal/redact"
)

// TestEntitiesAreThoseOfTheRedactor: whatever the redactor finds may be asked for, and nothing else.
func TestEntitiesAreThoseOfTheRedactor(t *testing.T) {
	t.Parallel()
	var want []string
	for typ := redact.None + 1; typ.String() != redact.None.String(); typ++ {
		if e := presidio.Entity(typ.String()); !slices.Contains(want, e) {
			want = append(want, e)
		}
	}
	if got := presidio.Entities(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
