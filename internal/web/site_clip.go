package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Clip is a masked recording.
type Clip struct {
	Duration time.Duration
	Masked   []ClipMask
	Words    []ClipWord
	Withheld string // why no audio of it may be given out; empty if it may
}

// ClipMask is a stretch that is masked. Why is a type of personal data, or a word that clipWhy knows.
type ClipMask struct {
	Start, End time.Duration
	Why        string
}

// ClipWord is a word of one leg, or [TYPE] where it is masked.
type ClipWord struct {
	Text       string
	Start, End time.Duration
	Leg        int
}

const (
	clipPath  = "/playground/clip"
	maxClip   = 20 << 20        // bytes of a clip
	clipFrame = 64 << 10        // bytes that a form has around it
	clipTime  = 5 * time.Minute // to send a clip and transcribe it
)

type clipView struct {
	Clip
	Turns []clipTurn
}

// clipTurn is what one leg says without a pause.
type clipTurn struct {
	Start time.Duration
	Leg   int
	Words []piece
}

// playClip masks a clip that is held in memory and forgotten with the request.
func (s *site) playClip(w http.ResponseWriter, r *http.Request, a Access) {
	v := playView{Sample: sample, Hears: s.Redactor.Hears()}
	status := http.StatusServiceUnavailable
	if v.Hears {
		clip, err := s.sent(r, a)
		if !errors.Is(err, errSending) && !s.hearing.TryLock() { // after it came: whoever sends slowly keeps nobody out
			err = errSending
		}
		if errors.Is(err, errSending) {
			s.message(w, r, status, "Another recording is being transcribed", "murmur transcribes one at a time.", "Go back and try again in a moment.")
			return
		}
		defer s.hearing.Unlock()
		var heard Clip
		if err == nil {
			heard, err = s.Redactor.RedactClip(r.Context(), a.Workspace, clip)
		}
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			s.message(w, r, status, "That took too long", "murmur stopped its transcription and kept nothing of it.", "Go back and send a shorter recording.")
			return
		case err != nil:
			s.fail(w, r, err)
			return
		}
		status, v.Clip = http.StatusOK, &clipView{heard, clipTurns(heard.Words)}
	}
	s.render(w, r, status, "playground", page{Path: "/playground", Access: a, Data: v})
}

// errSending: the workspace sends another clip.
var errSending = errors.New("another clip of the workspace comes in")

// sent reads the clip of a form; each workspace sends one at a time, because it is held in memory.
func (s *site) sent(r *http.Request, a Access) ([]byte, error) {
	if _, other := s.sending.LoadOrStore(a.Workspace, true); other {
		return nil, errSending
	}
	defer s.sending.Delete(a.Workspace)
	return clipOf(r)
}

// clipOf reads the file of the form part by part: package multipart's own reader of forms may write to disk.
func clipOf(r *http.Request) ([]byte, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("%w: the form could not be read", ErrInput)
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, badForm(err)
		}
		if part.FormName() != "clip" {
			continue
		}
		clip, err := io.ReadAll(io.LimitReader(part, maxClip+1))
		switch {
		case err != nil:
			return nil, badForm(err)
		case len(clip) > maxClip:
			return nil, &http.MaxBytesError{Limit: maxClip}
		case len(clip) == 0:
			return nil, fmt.Errorf("%w: choose a recording first", ErrInput)
		}
		return clip, nil
	}
}

// badForm keeps the errors that are answered in their own way.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: the form has no whole recording", ErrInput)
}

// clipTurns breaks words where the other leg speaks or nobody does for a second.
func clipTurns(words []ClipWord) (turns []clipTurn) {
	for i := 0; i < len(words); {
		t := clipTurn{Start: words[i].Start, Leg: words[i].Leg + 1}
		var said strings.Builder
		for first := i; i < len(words); i++ {
			if i > first && (words[i].Leg != words[i-1].Leg || words[i].Start-words[i-1].End > time.Second) {
				break
			}
			said.WriteString(words[i].Text + " ")
		}
		t.Words = pieces(strings.TrimSpace(said.String()))
		turns = append(turns, t)
	}
	return turns
}

// secondsText is a time within a clip.
func secondsText(d time.Duration) string { return fmt.Sprintf("%.2f\u00a0s", d.Seconds()) }

// clipWhy says why a stretch is masked; a type of personal data is shown as it is.
func clipWhy(why string) string {
	switch why {
	case "KEYS":
		return "keys of the telephone"
	case "DIGITS":
		return "four digits or more in a row"
	case "ANSWER":
		return "the answer to a question for personal data"
	case "UNHEARD":
		return "a voice that gave no words, or doubtful ones"
	case "AGAIN":
		return "found when listening a second time"
	}
	return why
}
