package recorder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/zaf/g711"

	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/recorder/sdp"
	"murmur/internal/private/internal/recorder/stream"
	"murmur/internal/workspace"
)

// ErrNotice is returned for a notice that cannot be played.
var ErrNotice = errors.New("recorder: a notice is a WAV file of 8,000 samples a second, one leg, 0.1 to 60 seconds")

// frameTime is how much sound one packet of ours carries.
const frameTime = 20 * time.Millisecond

const (
	frameLen  = 160
	maxNotice = 60 * stream.Rate
	minNotice = stream.Rate / 10
)

// Notice is what a caller hears before anything is recorded.
type Notice struct {
	consent.Notice
	ulaw []byte
}

// The standard notices were spoken by espeak-ng 1.51 (voice en) after a tone of 0.3 s, and written as G.711 by ffmpeg:
// "This call may be recorded, and turned into text, so that we can learn from many calls together. If you do not want
// that, press nine at any time." and "May we record this call, and turn it into text? Press one for yes. Press nine for
// no, at any time."
//
//go:embed notices/*.wav
var standard embed.FS

// NoticeOf finds the notice of a workspace in a folder: WORKSPACE.LANGUAGE.wav, and with question, for a workspace that
// wants a yes, WORKSPACE-question.LANGUAGE.wav. Where there is none the standard one is played, in English.
func NoticeOf(folder fs.FS, ws workspace.ID, question bool) (*Notice, error) {
	name, usual := ws.String(), "notice"
	if question {
		name, usual = name+"-question", "question"
	}
	found, err := fs.Glob(folder, name+".*.wav")
	if err != nil || len(found) > 1 {
		return nil, fmt.Errorf("%w: %d files for one workspace", ErrNotice, len(found))
	}
	file := path.Join("notices", usual+".en.wav")
	if len(found) == 1 {
		file, usual = found[0], name
	} else {
		folder = standard
	}
	b, err := fs.ReadFile(folder, file)
	if err != nil {
		return nil, fmt.Errorf("read notice: %w", err)
	}
	language := strings.TrimSuffix(strings.SplitN(path.Base(file), ".", 2)[1], ".wav")
	return ReadNotice(usual, language, b)
}

// ReadNotice reads a WAV file.
func ReadNotice(id, language string, file []byte) (*Notice, error) {
	r, err := wav.NewReader(bytes.NewReader(file))
	if err != nil || r.Rate != stream.Rate || r.Legs != 1 {
		return nil, ErrNotice
	}
	pcm := make([]int16, maxNotice+1)
	n, err := r.Read(pcm)
	if err != nil || n < minNotice || n > maxNotice {
		return nil, ErrNotice
	}
	ulaw := make([]byte, n)
	for i := range ulaw {
		ulaw[i] = g711.EncodeUlawFrame(pcm[i])
	}
	return &Notice{
		Notice: consent.Notice{ID: id, Language: language, Audio: sha256.Sum256(file), Length: time.Duration(n) * time.Second / stream.Rate},
		ulaw:   ulaw,
	}, nil
}

// in gives the notice in a codec, whole frames long; the last one is filled up with silence.
func (n *Notice) in(c sdp.Codec) []byte {
	out := append([]byte(nil), n.ulaw...)
	for len(out)%frameLen != 0 {
		out = append(out, 0xFF)
	}
	if c == sdp.PCMA {
		out = g711.Ulaw2Alaw(out)
	}
	return out
}

// play sends the notice as RTP, a frame every 20 ms, and reports when its first and its last frame were sent. It ends
// early, without that report, when send fails or ctx ends: a notice that was cut off was not played.
func play(ctx context.Context, n *Notice, c sdp.Codec, h rtp.Header, send func([]byte) error, now func() time.Time, report func(consent.EventKind)) {
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	began, sent := now(), 0
	h.Marker = true
	for sound := n.in(c); len(sound) > 0; {
		// The clock says how many are due: a tick that was late is made up for.
		for due := int(now().Sub(began)/frameTime) + 1; sent < due && len(sound) > 0; sent++ {
			b, err := (&rtp.Packet{Header: h, Payload: sound[:frameLen]}).Marshal()
			if err != nil || send(b) != nil {
				return
			}
			if sent == 0 {
				report(consent.NoticeStarted)
			}
			sound = sound[frameLen:]
			h.Marker, h.SequenceNumber, h.Timestamp = false, h.SequenceNumber+1, h.Timestamp+frameLen
		}
		select { // the last frame takes its time as well
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	report(consent.NoticeEnded)
}
