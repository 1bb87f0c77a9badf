package private

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/wav"
	"murmur/internal/redact/command"
	"murmur/internal/workspace"
)

// clipOf is a WAV of one leg in which the lines are sounded.
func clipOf(t *testing.T, lines []line) []byte {
	t.Helper()
	var all []int16
	for _, l := range lines {
		for len(all) < int(l.Start*8000) {
			all = append(all, 0)
		}
		all = append(all, audiotest.Tones(8000, int((l.End-l.Start)*8000), 8000, 440, 950, 1710)...)
	}
	var out bytes.Buffer
	w, err := wav.NewWriter(&out, 8000, 1, len(all))
	must(t, err)
	must(t, errors.Join(w.Write(all), w.Close()))
	return out.Bytes()
}

// TestAClipIsMaskedAndKeptNowhere: a clip held in memory is masked as a file is, and nothing is written of it.
func TestAClipIsMaskedAndKeptNowhere(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	disk := filepath.Dir(temp) // all that is written in this test
	h := newCallHouse(t, "notice")
	var said []line
	for _, l := range conversation {
		l.Leg = 0
		said = append(said, l)
	}
	clip := clipOf(t, said)
	h.zone.listener = filepath.Join(disk, "no transcriber")
	if _, err := h.zone.RedactClip(t.Context(), workspace.Default, clip); !errors.Is(err, ErrNoListener) {
		t.Fatalf("without a transcriber: %v", err)
	}
	h.zone.listener = listener(t, said)
	rec, err := h.zone.RedactClip(t.Context(), workspace.Default, clip)
	if err != nil {
		t.Fatal(err)
	}
	piece, files := clip[len(clip)/2:len(clip)/2+256], 0
	must(t, filepath.WalkDir(disk, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if bytes.Contains(b, piece) {
			t.Errorf("%s has a piece of the clip", filepath.Base(path))
		}
		return err
	}))
	if files == 0 || len(h.inbox) != 0 {
		t.Errorf("%d files were looked at, %d deliveries made", files, len(h.inbox))
	}
	file := filepath.Join(t.TempDir(), "clip.wav")
	must(t, os.WriteFile(file, clip, 0o600))
	a, err := NewAudioRedactor(command.Config{}, h.zone.listener)
	must(t, err)
	want, err := a.Redact(t.Context(), file, nil)
	must(t, err)
	if got := texts(rec); got != texts(want) || !strings.Contains(got, "[PHONE]") || strings.Contains(got, canary) {
		t.Errorf("a clip reads %q, its file %q", got, texts(want))
	}
	if rec.Duration != want.Duration || rec.Withheld != want.Withheld || len(rec.Masked) == 0 || len(rec.Masked) != len(want.Masked) {
		t.Errorf("a clip gives %+v, its file %+v", rec, want)
	}
	covered := false
	for _, m := range rec.Masked {
		covered = covered || m.Start < 15 && m.End > 15
	}
	if !covered {
		t.Errorf("the number is not masked: %+v", rec.Masked)
	}
}

func texts(r *Recording) string {
	var b strings.Builder
	for _, w := range r.Words {
		b.WriteString(w.W + " ")
	}
	return b.String()
}

func TestClipsThatCannotBeHeard(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.zone.listener = listener(t, conversation)
	whole := clipOf(t, conversation)
	for name, clip := range map[string][]byte{"nothing": {}, "a header alone": whole[:20], "no sound": whole[:44]} {
		if _, err := h.zone.RedactClip(t.Context(), workspace.Default, clip); !BadRecording(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.zone.listener = listener(t, nil)
	if _, err := h.zone.RedactClip(t.Context(), workspace.Default, whole); err == nil || BadRecording(err) {
		t.Errorf("a transcriber that fails is no fault of the clip: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := h.zone.RedactClip(ctx, workspace.Default, whole); err == nil {
		t.Error("heard after its request ended")
	}
}
