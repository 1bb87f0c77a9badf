package private

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/legs"
	"murmur/internal/private/internal/listen"
	"murmur/internal/private/internal/recording"
	"murmur/internal/workspace"
)

// RecordingID is a recording's own id.
type RecordingID [16]byte

func (i RecordingID) String() string { return hex.EncodeToString(i[:]) }

// ParseRecordingID reads one.
func ParseRecordingID(s string) (id RecordingID, ok bool) {
	r, ok := recording.ParseID(s)
	return RecordingID(r), ok
}

// Recordings counts what a workspace has stored.
type Recordings struct {
	Stored  int           // whose key lives
	Heard   int           // of them, whose words went on
	Denied  int           // of them, not to be transcribed now: the policy denies it, or an agreement is missing
	Waiting []RecordingID // the rest, oldest first
}

// Recordings counts what is stored, and lists what is to be transcribed.
func (z *Zone) Recordings(ctx context.Context, ws workspace.ID) (r Recordings, err error) {
	all, err := z.book.List(ctx, ws)
	if err != nil || len(all) == 0 {
		return r, err
	}
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return r, err
	}
	for _, s := range all {
		r.Stored++
		ok := false
		if !s.Heard {
			if ok, err = z.mayTranscribe(ctx, policy, s); err != nil {
				return r, err
			}
		}
		switch {
		case s.Heard:
			r.Heard++
		case ok:
			r.Waiting = append(r.Waiting, RecordingID(s.ID))
		default:
			r.Denied++
		}
	}
	return r, nil
}

// mayTranscribe asks for the verdict on the sound and the words of a recording.
func (z *Zone) mayTranscribe(ctx context.Context, p workspace.Policy, s recording.Stored) (bool, error) {
	if gone, err := z.register.Erased(ctx, s.Workspace, s.Contact); err != nil || !gone.IsZero() && !s.Began.After(gone) {
		return false, err // it is about to be destroyed
	}
	who := identity.Stranger(s.Contact, s.Country)
	sound, _, err := z.register.Ask(ctx, s.Workspace, p, consent.Recording, s.Call, who)
	if err != nil {
		return false, err
	}
	words, _, err := z.register.Ask(ctx, s.Workspace, p, consent.Transcript, s.Call, who)
	return sound != consent.Refuse && words == consent.Allow, err
}

// Listener is the transcriber that hears recordings and what holds it; path is empty if there is none.
func (z *Zone) Listener() (path string, c Confinement) { return Hearing(z.listener) }

// Hear transcribes a stored recording and journals the masked words as a delivery of its own: once, however often it is
// called. A recording that cannot be transcribed now (no transcriber, an agreement is missing) is left as it is; one
// that never can be goes to quarantine. An error means that another try may succeed; with last there is no other try,
// and the recording goes to quarantine too.
func (z *Zone) Hear(ctx context.Context, ws workspace.ID, id RecordingID, last bool) error {
	s, err := z.book.Stored(ctx, ws, recording.ID(id))
	if errors.Is(err, recording.ErrGone) || err == nil && s.Heard {
		return nil
	}
	if err != nil {
		return err
	}
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return err
	}
	if ok, err := z.mayTranscribe(ctx, policy, s); err != nil || !ok {
		return err
	}
	l, found := listen.Find(z.listener)
	if !found {
		return nil
	}
	r, err := z.hearer(policy, l)
	if err != nil {
		return err
	}
	line := ownLine{ID: "heard\x00" + id.String(), At: s.Began}
	line.about(s.Contact, s.Country)
	res, err := z.listenTo(ctx, ws, s.ID, r)
	switch {
	case err == nil && res.Redaction.Verified():
		line.Heard = heard(s, res)
	case err == nil:
		line.Failed = fact.WhyNotVerified
	case errors.Is(err, recording.ErrGone), errors.Is(err, recording.ErrRefused), errors.Is(err, listen.ErrNoDecoder), ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, listen.ErrSilent): // nothing to say
		return z.book.Heard(ctx, ws, s.ID)
	case errors.Is(err, ErrUnconfined), errors.Is(err, ErrListenerReads):
		line.Failed = fact.WhyUnconfined
	case last, BadRecording(err), errors.Is(err, recording.ErrFrame):
		line.Failed = fact.WhyUnheard
	default:
		return err
	}
	if err := z.own(ctx, ws, s.Source, line); err != nil {
		return err
	}
	return z.book.Heard(ctx, ws, s.ID)
}

// heard is what is kept of a recording: masked words, and numbers about its sound.
func heard(s recording.Stored, res *listen.Result) *ownHeard {
	h := &ownHeard{Call: hex.EncodeToString(s.Call[:]), Turns: []ownTurn{}, Member: fact.Absent, Silence: fact.Absent, Interruptions: fact.Absent}
	for i, words := range res.Redaction.MaskedTurns() {
		h.Turns = append(h.Turns, ownTurn{fact.Side(res.Turns[i].Side), words})
	}
	b, seconds := res.Balance, res.Duration.Seconds()
	var talk float64
	for _, share := range b.Talk {
		talk += share * seconds
	}
	h.Talk = round(talk)
	if len(b.Talk) != 2 { // one side alone, or both on one track
		return h
	}
	h.Member, h.Silence = min(h.Talk, round(b.Talk[member]*seconds)), round(100*b.Silence)
	h.Interruptions = round(float64(b.Interruptions[0]+b.Interruptions[1]) * (10 * time.Minute).Seconds() / max(1, seconds))
	return h
}

// member is the leg of the business: the contact's comes first.
const member = 1

func round(x float64) int64 { return int64(math.Round(x)) }

// hearer is the redactor of recordings that a policy wants.
func (z *Zone) hearer(p workspace.Policy, l *listen.Listener) (*listen.Redactor, error) {
	d, err := z.masker(p)
	if err != nil {
		return nil, err
	}
	return &listen.Redactor{Detector: d, Careful: read(z.careful, p.Reader), Listener: l}, nil
}

// listenTo opens the recording anew for each pass, and so asks for the verdict each time.
func (z *Zone) listenTo(ctx context.Context, ws workspace.ID, id recording.ID, r *listen.Redactor) (*listen.Result, error) {
	open := func(ctx context.Context) (io.ReadCloser, error) { return z.book.Open(ctx, ws, id) }
	a, err := z.book.Open(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if a.Kind == recording.Media {
		return r.Listen(ctx, listen.Stream(open))
	}
	shape, err := legs.Measure(a)
	if err != nil {
		return nil, err
	}
	return r.Listen(ctx, func(ctx context.Context) (io.ReadCloser, error) {
		in, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return written(func(w io.Writer) error { return errors.Join(legs.Write(w, in, shape), in.Close()) }), nil
	})
}

// writing is what a function writes, while it writes it.
type writing struct {
	*io.PipeReader
	done chan struct{}
}

func written(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	out := writing{r, make(chan struct{})}
	go func() {
		defer close(out.done)
		w.CloseWithError(write(w)) // nil is io.EOF
	}()
	return out
}

// Close ends the writer and waits for it.
func (w writing) Close() error {
	err := w.PipeReader.Close()
	<-w.done
	return err
}
