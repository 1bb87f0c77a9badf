package private

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/confine"
	"murmur/internal/private/internal/listen"
	"murmur/internal/redact"
	"murmur/internal/redact/command"
	"murmur/internal/workspace"
)

// ErrFill is returned for an unknown filling of masks.
var ErrFill = errors.New("masks are filled with silence or tone")

// AudioRedactor masks recordings for the command line: it needs no data directory and keeps nothing.
type AudioRedactor struct{ r listen.Redactor }

// NewAudioRedactor makes a redactor that uses the transcriber at path, or the installed one where path is empty;
// without a transcriber the caller must give the words.
func NewAudioRedactor(c command.Config, path string) (*AudioRedactor, error) {
	d, err := c.Detector()
	if err != nil {
		return nil, err
	}
	c.Dial = redact.Paranoid.String()
	careful, err := c.Detector()
	if err != nil {
		return nil, err
	}
	r := listen.Redactor{Detector: d, Careful: careful}
	found := false
	if r.Listener, found = listen.Find(path); !found && path != "" {
		return nil, errors.New("there is no transcriber at the given path")
	}
	return &AudioRedactor{r}, nil
}

// Recording is a masked recording, times in seconds.
type Recording struct {
	Masked   []MaskedSound `json:"masked"`
	Duration float64       `json:"duration"`
	Withheld bool          `json:"withheld"`
	Why      string        `json:"why,omitempty"` // it is withheld
	Words    []MaskedWord  `json:"words"`

	file string
	res  *listen.Result
}

// MaskedSound is a stretch that is masked on every leg. Why is a type of personal data, or KEYS, DIGITS, ANSWER,
// AGAIN, UNHEARD.
type MaskedSound struct {
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Why   string  `json:"why"`
}

// MaskedWord is a word, or the type of one that is masked.
type MaskedWord struct {
	W     string  `json:"w"`
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Leg   int     `json:"leg"`
	Conf  float64 `json:"conf"`
}

// Redact masks the recording in a file by words (a JSON array of {"w","start","end","leg","conf"}), or, where words
// is nil, by what the transcriber hears.
func (a *AudioRedactor) Redact(ctx context.Context, file string, words io.Reader) (*Recording, error) {
	rec := listen.File(file)
	var res *listen.Result
	var err error
	if words != nil {
		var h listen.Heard
		var timed bool
		if h, timed, err = listen.ReadWords(words); err == nil {
			res, err = a.r.Words(ctx, rec, h, timed)
		}
	} else {
		res, err = a.r.Listen(ctx, rec)
	}
	if err != nil {
		return nil, err
	}
	out := recordingOf(res)
	out.file = file
	return out, nil
}

// RedactClip masks a recording held in memory, as the pipeline would for the workspace, and keeps nothing.
// ErrNoListener; BadRecording tells a fault of the clip from a fault of this machine.
func (z *Zone) RedactClip(ctx context.Context, ws workspace.ID, clip []byte) (*Recording, error) {
	p, err := z.store.Policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	l, found := listen.Find(z.listener)
	if !found {
		return nil, ErrNoListener
	}
	r, err := z.hearer(p, l)
	if err != nil {
		return nil, err
	}
	res, err := r.Listen(ctx, listen.Stream(func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(clip)), nil
	}))
	if err != nil {
		return nil, err
	}
	return recordingOf(res), nil
}

func recordingOf(res *listen.Result) *Recording {
	out := &Recording{
		Masked: []MaskedSound{}, Duration: inSeconds(res.Duration), Withheld: res.Withheld != "", Why: string(res.Withheld),
		Words: []MaskedWord{}, res: res,
	}
	for _, m := range res.Masks {
		out.Masked = append(out.Masked, MaskedSound{inSeconds(m.Start), inSeconds(m.End), string(m.Why)})
	}
	for _, w := range res.Words {
		out.Words = append(out.Words, MaskedWord{w.Text, inSeconds(w.Start), inSeconds(w.End), w.Leg, w.Conf})
	}
	return out
}

// inSeconds is a time to the millisecond.
func inSeconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// Write writes the masked recording as a WAV, its masks filled with silence or tone. It is refused for one that is
// withheld.
func (r *Recording) Write(ctx context.Context, out io.Writer, fill string) error {
	f, ok := audio.ParseFill(fill)
	if !ok {
		return ErrFill
	}
	return r.res.Write(ctx, listen.File(r.file), out, f)
}

// IsRecording reports whether a file begins as recordings do: WAV, FLAC, Ogg, MP3, AAC, AMR, MP4, Matroska.
func IsRecording(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 16)
	n, _ := io.ReadFull(f, head)
	return listen.IsRecording(head[:n])
}

// BadRecording reports whether an error is about what was given, not about this machine.
func BadRecording(err error) bool {
	for _, bad := range []error{wav.ErrNotWAV, wav.ErrUnsupported, wav.ErrTruncated, wav.ErrTooLong, listen.ErrSilent,
		listen.ErrFormat, listen.ErrNoDecoder, listen.ErrWords, listen.ErrTimes} {
		if errors.Is(err, bad) {
			return true
		}
	}
	return false
}

// ErrNoListener says that a recording cannot be heard: there is no transcriber, and no words were given.
var ErrNoListener = listen.ErrNoListener

// Hide names a file or folder that no transcriber and no decoder may be able to read, such as the data directory.
func Hide(path string) { confine.Private(path) }

// ErrUnconfined says that a recording was not opened, because this system cannot confine a transcriber or a decoder.
var ErrUnconfined = confine.ErrWeak

// ErrListenerReads says that the transcriber's folder holds the data or the root key, or lies in it.
var ErrListenerReads = confine.ErrReads

// Confinement says how this system confines a transcriber.
type Confinement struct {
	Runs  bool   // the confinement is sufficient: the transcriber runs
	Lacks string // what this system does not give, in words; empty: nothing
}

// Hearing says which transcriber is used and how it is confined; path is empty if there is none.
func Hearing(path string) (found string, c Confinement) {
	l, ok := listen.Find(path)
	if !ok {
		return "", Confinement{}
	}
	held := confine.State()
	return l.Path, Confinement{held.Enough(), held.Lacks()}
}
