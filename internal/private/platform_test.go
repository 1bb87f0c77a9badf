package private

import (
	"testing"
	"time"

	"murmur/internal/workspace"
)

// TestNoAudioIsFetchedBeforeTheCallHasEndedWithConsent: a call that murmur had recorded at a platform.
func TestNoAudioIsFetchedBeforeTheCallHasEndedWithConsent(t *testing.T) {
	t.Parallel()
	h := newTourHouse(t)
	if _, err := h.zone.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "recordings", Value: "notice"}}, "a test", "a test"); err != nil {
		t.Fatal(err)
	}
	src := workspace.Source{Workspace: workspace.Default, Name: "twilio", Kind: "twilio", APIKey: "AC1:synthetic", Config: workspace.SourceConfig{Then: "+12125550100"}}
	const kept, refused = "CA00000000000000000000000000000001", "CA00000000000000000000000000000002"
	may := func(call string, want bool) {
		t.Helper()
		if got, err := h.zone.mayFetch(t.Context(), src, call); err != nil || got != want {
			t.Errorf("fetched: %t, %v", got, err)
		}
	}
	at := h.zone.now()
	step := func(call, kind, key string) {
		t.Helper()
		at = at.Add(time.Second)
		if _, err := h.zone.CallEvent(t.Context(), workspace.Default, call, CallEvent{Kind: kind, Key: key, At: at}); err != nil {
			t.Error(err)
		}
	}
	may(kept, false)
	for _, call := range []string{kept, refused} {
		for _, kind := range []string{"began", "notice_started", "notice_ended"} {
			step(call, kind, "")
		}
		may(call, false)
	}
	step(kept, "hangup", "")
	step(refused, "key", "9")
	step(refused, "hangup", "")
	may(kept, true)
	may(refused, false)
	may("AC1", true) // of another platform: not recorded by us
}
