package connect

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"murmur/internal/private/internal/source"
)

func TestEveryKindIsAConnectorThatFailsClosed(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(Kinds()) {
		t.Error("kinds are not in alphabetical order")
	}
	for _, kind := range Kinds() {
		s, ok := For(kind)
		if !ok {
			t.Errorf("%s is listed and unknown", kind)
			continue
		}
		if _, err := s.Verify(http.Header{}, []byte(`{}`), nil, time.Now()); !errors.Is(err, source.ErrNoKey) {
			t.Errorf("%s without a secret: %v", kind, err)
		}
		if _, err := s.Verify(http.Header{}, []byte(`{}`), []string{"c3ludGhldGlj"}, time.Now()); !errors.Is(err, source.ErrSignature) {
			t.Errorf("%s without a signature: %v", kind, err)
		}
		var v *source.Verdict
		if events, err := s.Decode(source.Delivery{Body: []byte(`{}`)}); len(events) != 0 || !errors.As(err, &v) {
			t.Errorf("%s decodes an empty object: %v", kind, err)
		}
	}
	if _, ok := For("fax"); ok {
		t.Error("an unknown kind has a connector")
	}
}
