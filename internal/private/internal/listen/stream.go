package listen

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"murmur/internal/audio/wav"
)

// headSize is how much of a file is looked at to tell what it is.
const headSize = 64 << 10

// Stream is a recording in something that is read from its beginning each time it is opened, and that no file may
// hold: WAV is read here, what else begins as recordings do by ffmpeg, confined, over a pipe. A format that must be read
// backwards is refused.
func Stream(open func(context.Context) (io.ReadCloser, error)) Recording {
	return func(ctx context.Context) (io.ReadCloser, error) {
		in, err := open(ctx)
		if err != nil {
			return nil, err
		}
		buffered := bufio.NewReaderSize(in, headSize)
		head, err := buffered.Peek(headSize)
		if err != nil && !errors.Is(err, io.EOF) {
			in.Close()
			return nil, err
		}
		s := stream{buffered, in}
		_, err = wav.NewReader(bytes.NewReader(head))
		if errors.Is(err, wav.ErrNotWAV) && !bytes.HasPrefix(head, []byte("RIFF")) || errors.Is(err, wav.ErrUnsupported) {
			kind := demuxer(head)
			if kind == "" {
				in.Close()
				return nil, ErrFormat
			}
			return decode(ctx, s, kind), nil
		}
		return s, nil
	}
}

type stream struct {
	io.Reader
	io.Closer
}
