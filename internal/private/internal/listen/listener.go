package listen

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/confine"
)

// Listener is a transcriber: a command that reads a WAV of one leg on stdin and prints a JSON line for each word,
// {"w","start","end","conf"}, and for each stretch of speech, {"speech":[start,end]}, in seconds. A word with
// "second":true was heard by a second model: it masks and is never shown.
type Listener struct {
	Path string
	Args []string
}

// What a transcriber may use: a small model and its libraries, and ten times the length of the recording.
const (
	listenerMemory = 6 << 30
	listenerOutput = 64 << 20
	listenerStart  = 60 * time.Second
	listenerPace   = 10
)

// Installed is where `make voice` puts the transcriber: a folder of the user's, beside the default data directory.
func Installed() string {
	dir := os.Getenv("XDG_DATA_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(dir, "murmur-voice", "listen")
}

// Find gives the transcriber at path, or the installed one where path is empty. ok is false if there is none.
func Find(path string) (l *Listener, ok bool) {
	if path == "" {
		path = Installed()
	}
	if path != "" {
		if abs, err := filepath.Abs(path); err == nil { // it runs in another directory
			path = abs
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return nil, false
	}
	return &Listener{Path: path}, true
}

// hear has one leg recognised. write writes the leg as a WAV.
func (l *Listener) hear(ctx context.Context, leg int, duration time.Duration, write func(io.Writer) error) ([]Word, []audio.Interval, error) {
	in, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(write(w)) // nil is io.EOF
	}()
	var out bytes.Buffer
	c := confine.Command{Path: l.Path, Args: l.Args, Memory: listenerMemory, Time: listenerStart + listenerPace*duration, Output: listenerOutput}
	err := c.Run(ctx, in, &out)
	in.Close() // whatever still writes ends
	<-done
	if err != nil {
		return nil, nil, fmt.Errorf("the transcriber: %w", err)
	}
	return readLines(&out, leg)
}

// Listen has every leg of a recording recognised, with silence in the stretches given.
func (l *Listener) Listen(ctx context.Context, rec Recording, s *Sound, silence []audio.Interval) (Heard, error) {
	h := Heard{Speech: make([][]audio.Interval, len(s.Levels))}
	for leg := range s.Levels {
		words, speech, err := l.hear(ctx, leg, s.Duration(), func(w io.Writer) error {
			in, err := rec(ctx)
			if err != nil {
				return err
			}
			defer in.Close()
			r, err := wav.NewReader(in)
			if err != nil {
				return err
			}
			return audio.Extract(w, r, s.Frames, leg, silence)
		})
		if err != nil {
			return Heard{}, err
		}
		if speech == nil {
			speech = audio.Without(s.Voice[leg], silence)
		}
		h.Words = append(h.Words, words...)
		h.Speech[leg] = speech
	}
	sortWords(h.Words)
	return h, h.fit(s.Duration(), len(s.Levels))
}
