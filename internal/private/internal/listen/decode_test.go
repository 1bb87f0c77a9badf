package listen

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/wav"
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

// sounds are files of half a second, made by ffmpeg, as telephone systems and browsers give them.
var sounds = map[string][]string{
	"gsm.wav": {"-ar", "8000", "-c:a", "libgsm_ms"}, "adpcm.wav": {"-c:a", "adpcm_ima_wav"}, "a.mp3": {"-c:a", "libmp3lame"}, "bare.mp3": {"-c:a", "libmp3lame", "-id3v2_version", "0"},
	"vorbis.ogg": {"-c:a", "libvorbis"}, "opus.ogg": {"-c:a", "libopus"}, "opus.webm": {"-c:a", "libopus"}, "a.flac": {"-c:a", "flac"},
	"a.m4a": {"-c:a", "aac", "-movflags", "+faststart"}, "a.aac": {"-c:a", "aac"}, "alac.mp4": {"-c:a", "alac", "-movflags", "+faststart"},
}

func TestEveryFormatIsRead(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("NOT TESTED: no ffmpeg")
	}
	dir := t.TempDir()
	for name, codec := range sounds {
		file := filepath.Join(dir, name)
		args := append([]string{"-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=0.5"}, append(codec, file)...)
		if out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
			t.Logf("NOT TESTED: %s: this ffmpeg does not write it: %s", name, out)
			continue
		}
		s, err := measured(t.Context(), File(file))
		if err != nil || s.Duration() < 400*time.Millisecond || s.Duration() > 700*time.Millisecond {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lists name other files. %s is a recording that lies on this machine.
var lists = map[string]string{
	"dash": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT1.0S" minBufferTime="PT2.0S">` +
		`<Period id="0" start="PT0.0S"><AdaptationSet id="0" contentType="audio" mimeType="audio/mp4"><Representation id="0" bandwidth="69000"><BaseURL>file://%s</BaseURL></Representation></AdaptationSet></Period></MPD>`,
	"hls":      "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://%s\n#EXT-X-ENDLIST\n",
	"concat":   "ffconcat version 1.0\nfile 'file:%s'\n",
	"sdp":      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=%s\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
	"behind":   "ID3\x04\x00\x00\x00\x00\x00\x00#EXTM3U\n#EXTINF:1,\nfile://%s\n#EXT-X-ENDLIST\n",
	"in a wav": "RIFF\x24\x00\x00\x00WAVE#EXTM3U\n#EXTINF:1,\nfile://%s\n",
}

// localFile is a second of sound that lies on this machine, as a manifest may name it.
func localFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "local.mp4")
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=1",
		"-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", name).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("NOT TESTED: no ffmpeg")
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return name
}

// TestAListOfFilesOpensNone: whatever a file says, no other file becomes sound.
func TestAListOfFilesOpensNone(t *testing.T) {
	t.Parallel()
	local := localFile(t)
	for name, list := range lists {
		file := filepath.Join(t.TempDir(), "recording")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(list, "%s", local)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := measured(t.Context(), File(file))
		if err == nil && s.Frames > 0 {
			t.Errorf("%s: %v of sound", name, s.Duration())
		}
	}
}

// TestTheDecoderOpensNothing asks ffmpeg itself, past the look at the file's beginning: neither what it may read nor
// its confinement lets it follow a list.
func TestTheDecoderOpensNothing(t *testing.T) {
	t.Parallel()
	local := localFile(t)
	for name, list := range lists {
		for _, demuxer := range []string{"wav", "mov", "dash", "hls", "concat"} {
			in := io.NopCloser(strings.NewReader(strings.ReplaceAll(list, "%s", local)))
			out := decode(t.Context(), in, demuxer)
			b, err := io.ReadAll(out)
			if closed := out.Close(); err == nil && len(b) > 100 {
				t.Errorf("%s by %s: %d bytes of sound, %v", name, demuxer, len(b), closed)
			}
		}
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
