package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"murmur/internal/private/internal/audio/wav"
	"murmur/internal/private/internal/confine"
)

// ErrFormat says that a file is no recording that can be read.
var ErrFormat = errors.New("not a recording that can be read")

// ErrNoDecoder says that a recording's format needs ffmpeg, which is not installed.
var ErrNoDecoder = errors.New("this format is read by ffmpeg, which is not installed; WAV needs nothing")

// What ffmpeg may use, and what it is asked: sound alone of up to two legs, as a WAV, from the file on stdin.
const (
	decoderMemory = 2 << 30
	decoderTime   = 30 * time.Minute
)

var decoderArgs = []string{
	"-nostdin", "-hide_banner", "-loglevel", "quiet", "-protocol_whitelist", "file,pipe", "-threads", "1",
	"-i", "file:/dev/stdin", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map", "0:a:0", "-c:a", "pcm_s16le", "-f", "wav", "pipe:1",
}

// File is a recording in a file: WAV is read here, everything else by ffmpeg, confined.
func File(name string) Recording {
	return func(ctx context.Context) (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open the recording: %w", err)
		}
		_, err = wav.NewReader(f)
		if _, seek := f.Seek(0, io.SeekStart); seek != nil {
			err = seek
		}
		var head [4]byte
		_, _ = f.ReadAt(head[:], 0)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, wav.ErrUnsupported), errors.Is(err, wav.ErrNotWAV) && string(head[:]) != "RIFF":
			return decode(ctx, f), nil
		}
		f.Close()
		return nil, err
	}
}

// decoded is what ffmpeg makes of a file, while it makes it.
type decoded struct {
	*io.PipeReader
	stop context.CancelFunc
	done chan struct{}
}

func decode(ctx context.Context, f io.ReadCloser) io.ReadCloser {
	ctx, stop := context.WithCancel(ctx)
	r, w := io.Pipe()
	d := &decoded{r, stop, make(chan struct{})}
	go func() {
		defer close(d.done)
		defer f.Close()
		c := confine.Command{Path: "ffmpeg", Args: decoderArgs, Memory: decoderMemory, Time: decoderTime, Output: wav.MaxBytes}
		err := c.Run(ctx, f, w)
		switch {
		case errors.Is(err, confine.ErrMissing):
			err = ErrNoDecoder
		case errors.Is(err, confine.ErrFailed):
			err = ErrFormat
		}
		w.CloseWithError(err)
	}()
	return d
}

// Close ends ffmpeg and waits for it.
func (d *decoded) Close() error {
	d.stop()
	err := d.PipeReader.Close()
	<-d.done
	return err
}
