package private

import (
	"context"
	"io/fs"
	"log/slog"
	"net/netip"

	"murmur/internal/private/internal/recorder"
	"murmur/internal/private/internal/recording"
	"murmur/internal/workspace"
)

// RecorderSource is the name under which calls of the recorder are known.
const RecorderSource = "recorder"

// RecorderConfig opens a recorder.
type RecorderConfig struct {
	Listen  string         // HOST:PORT for SIP over UDP and TCP
	Ports   [2]uint16      // first and last RTP port; 0: any
	Allow   []netip.Prefix // who may call; nil: this machine alone
	Notices fs.FS          // notices of workspaces (docs/consent.md); where there is none the standard one is played
	// Released, when set, is called for each recording that may be transcribed now. It must return quickly.
	Released func(ctx context.Context, ws workspace.ID, recording [16]byte)
	Log      *slog.Logger
}

// Recorder is the SIP recording server of the zone: docs/consent.md says what it does.
type Recorder struct{ r *recorder.Recorder }

// Recorder opens the ports of a recorder. Run it, once.
func (z *Zone) Recorder(c RecorderConfig) (*Recorder, error) {
	r, err := recorder.Listen(recorder.Config{
		Listen: c.Listen, Ports: c.Ports, Allow: c.Allow, Now: z.now, Log: c.Log,
		Workspace: func(ctx context.Context, name string) (workspace.ID, error) {
			ws, err := workspace.Parse(name)
			if err == nil {
				err = z.store.Exists(ctx, ws)
			}
			return ws, err
		},
		Begin: z.beginCall,
		Notice: func(ws workspace.ID, question bool) (*recorder.Notice, error) {
			return recorder.NoticeOf(c.Notices, ws, question)
		},
		Released: func(ctx context.Context, ws workspace.ID, id recording.ID) {
			if c.Released != nil {
				c.Released(ctx, ws, id)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return &Recorder{r}, nil
}

// Addr is where SIP is listened to.
func (r *Recorder) Addr() netip.AddrPort { return r.r.Addr() }

// Run takes calls until ctx ends; calls under way are then destroyed.
func (r *Recorder) Run(ctx context.Context) error { return r.r.Run(ctx) }

func (z *Zone) beginCall(ctx context.Context, c recorder.Call) (recorder.Take, error) {
	t, err := z.book.Begin(ctx, recording.Head{Workspace: c.Workspace, Source: RecorderSource, CallID: c.ID, Contact: c.Contact, Others: c.Others, At: c.At})
	if err != nil {
		return nil, err
	}
	return t, nil
}
