package recording

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestFramesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]Frame{
		"a third leg": {Leg: 2, Payload: speech}, "another codec": {Codec: 3, Payload: speech}, "nothing": {}, "too much": {Payload: make([]byte, MaxFrame+1)},
	} {
		if _, err := f.append(nil); !errors.Is(err, ErrFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzFrames: whatever the bytes are, reading ends with EOF or ErrFrame, and what was read is written the same.
func FuzzFrames(f *testing.F) {
	one, err := Frame{Leg: 1, Codec: PCMA, At: 160, Payload: speech}.append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(one)
	f.Add(append(one, one[:20]...))
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		frames := NewFrames(bytes.NewReader(b))
		for {
			frame, err := frames.Next()
			if errors.Is(err, io.EOF) || errors.Is(err, ErrFrame) {
				break
			}
			if err == nil {
				again, err = frame.append(again)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(b, again) {
			t.Error("frames changed")
		}
	})
}
