package recorder

import (
	"bytes"
	"testing"

	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/recording"
	"murmur/internal/workspace"
)

func joined(frames []recording.Frame) []byte {
	var b bytes.Buffer
	for _, f := range frames {
		b.Write(f.Payload)
	}
	return b.Bytes()
}

func TestCallIsKeptAfterTheNotice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	sent := p.legs[0].speak(50)
	p.bye()
	w.until(t, consent.Released)
	got := joined(h.kept()[0])
	if len(got) < len(sent)-640 || !bytes.HasPrefix(sent, got) {
		t.Errorf("kept %d bytes of %d, or others", len(got), len(sent))
	}
	if n := p.legs[0].heard.Load(); n != 5 {
		t.Errorf("the notice came in %d packets, want 5", n)
	}
}
