package listen

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/private/internal/audio/audiotest"
	"murmur/internal/private/internal/audio/wav"
)

func TestOtherFormatsAreReadByFFmpeg(t *testing.T) {
	t.Parallel()
	name := audiotest.Shared(t, "voice", "speech", "jfk.flac")
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("NOT TESTED: no ffmpeg to read FLAC")
	}
	s, err := measured(t.Context(), File(name))
	if err != nil {
		t.Fatal(err)
	}
	if s.Duration() != 11*time.Second || len(s.Levels) != 2 || len(s.Voice[0]) == 0 {
		t.Errorf("%v of %d legs, voice %v", s.Duration(), len(s.Levels), s.Voice)
	}
	in, err := File(name)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(in, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil { // ends ffmpeg long before the end
		t.Error(err)
	}
}

func TestFilesThatAreNoRecording(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for content, want := range map[string][]error{
		"":                      {wav.ErrNotWAV, ErrFormat, ErrNoDecoder},
		"hello":                 {ErrFormat, ErrNoDecoder},
		"RIFF....WAVEfmt ":      {wav.ErrNotWAV},
		"#EXTM3U\nhttp://x/y\n": {ErrFormat, ErrNoDecoder}, // a playlist leads nowhere
	} {
		name := filepath.Join(dir, "file")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := measured(t.Context(), File(name))
		ok := false
		for _, w := range want {
			ok = ok || errors.Is(err, w)
		}
		if !ok {
			t.Errorf("%q: %v", content, err)
		}
	}
}
