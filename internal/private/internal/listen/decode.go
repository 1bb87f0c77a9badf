package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/confine"
)

// ErrFormat says that a file is no recording that can be read.
var ErrFormat = errors.New("not a recording that can be read: WAV, FLAC, Ogg, MP3, AAC, AMR, Matroska, or MP4 with its index first")

// ErrNoDecoder says that a recording's format needs ffmpeg, which is not installed.
var ErrNoDecoder = errors.New("this format is read by ffmpeg, which is not installed; WAV needs nothing")

// What ffmpeg may use.
const (
	decoderMemory = 2 << 30
	decoderTime   = 30 * time.Minute
)

// container is a format that ffmpeg reads: what its files begin with, at a place, and the name of its demuxer.
type container struct {
	magic   string
	at      int
	demuxer string
}

// containers hold sound themselves. A list of other files (a playlist, a manifest, a concatenation) is none: it would
// have ffmpeg open what it names.
var containers = []container{
	{"RIFF", 0, "wav"}, {"RIFX", 0, "wav"}, {"RF64", 0, "wav"}, {"fLaC", 0, "flac"}, {"OggS", 0, "ogg"}, {"ftyp", 4, "mov"},
	{"\x1aE\xdf\xa3", 0, "matroska"}, {"#!AMR", 0, "amr"}, {"ID3", 0, "mp3"},
	{"\xff\xfb", 0, "mp3"}, {"\xff\xfa", 0, "mp3"}, {"\xff\xf3", 0, "mp3"}, {"\xff\xf2", 0, "mp3"}, {"\xff\xf1", 0, "aac"}, {"\xff\xf9", 0, "aac"},
}

// demuxer names what reads a file that begins so; empty where nothing may.
func demuxer(head []byte) string {
	for _, c := range containers {
		if len(head) >= c.at+len(c.magic) && string(head[c.at:c.at+len(c.magic)]) == c.magic {
			return c.demuxer
		}
	}
	return ""
}

// IsRecording reports whether a file begins, in its first 16 bytes, as recordings do.
func IsRecording(head []byte) bool { return demuxer(head) != "" }

// decoders are the sounds that recordings of calls are made of.
const decoders = "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_u8,pcm_f32le,pcm_alaw,pcm_mulaw,adpcm_ima_wav,adpcm_ms,gsm_ms,gsm," +
	"g722,adpcm_g726,mp3float,mp3,aac,flac,vorbis,opus,libopus,alac,amrnb,amrwb,speex"

// decoderArgs ask ffmpeg for the sound alone, as a WAV: by the demuxer named and no other, from its stdin and nowhere
// else. A demuxer that is named so is not guessed, and may not call another one.
func decoderArgs(demuxer string) []string {
	return []string{
		"-nostdin", "-hide_banner", "-loglevel", "quiet", "-threads", "1",
		"-protocol_whitelist", "pipe", "-format_whitelist", whitelisted(demuxer), "-codec_whitelist", decoders, "-f", demuxer, "-i", "pipe:0",
		"-vn", "-sn", "-dn", "-map_metadata", "-1", "-map", "0:a:0", "-c:a", "pcm_s16le", "-f", "wav", "pipe:1",
	}
}

// whitelisted is what a demuxer calls itself.
func whitelisted(demuxer string) string {
	switch demuxer {
	case "mov":
		return "mov,mp4,m4a,3gp,3g2,mj2"
	case "matroska":
		return "matroska,webm"
	}
	return demuxer
}

// File is a recording in a file.
func File(name string) Recording {
	return Stream(func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open the recording: %w", err)
		}
		return f, nil
	})
}

// decoded is what ffmpeg makes of a file, while it makes it.
type decoded struct {
	*io.PipeReader
	stop context.CancelFunc
	done chan struct{}
}

func decode(ctx context.Context, f io.ReadCloser, demuxer string) io.ReadCloser {
	ctx, stop := context.WithCancel(ctx)
	r, w := io.Pipe()
	d := &decoded{r, stop, make(chan struct{})}
	go func() {
		defer close(d.done)
		defer f.Close()
		c := confine.Command{Path: "ffmpeg", Args: decoderArgs(demuxer), Memory: decoderMemory, Time: decoderTime, Output: wav.MaxBytes}
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
