package web

import (
	"strings"
	"testing"

	"murmur/internal/insight"
)

func TestAPageSaysWhetherNoiseIsInIt(t *testing.T) {
	t.Parallel()
	exact, noised, hidden := insight.Figure{}, insight.Figure{Noise: 2}, insight.Figure{Hidden: "small-group"}
	for want, figures := range map[string][]insight.Figure{
		"are exact, as the owner": {exact, hidden}, "Every count has noise": {noised, noised}, "What comes from words": {exact, noised},
	} {
		if got := seenIn(figures); !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if got := seenIn([]insight.Figure{hidden}); got != "" {
		t.Errorf("of nothing it says %q", got)
	}
}
