package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"murmur/internal/rpc"
)

// polled says what happens with a new source that has an API key, and on a terminal shows its history come
// in.
func (c *connectAddCmd) polled(r *run, a rpc.Connected) error {
	err := r.print(a, func(w io.Writer) {
		fmt.Fprintf(w, "Source %s (%s) is connected to workspace %s: the API key works.\n\n", a.Source, a.Kind, a.Workspace)
		for _, g := range a.Gives {
			said := map[bool]string{true: "yes", false: "no"}[g.Has]
			if g.Note != "" {
				said += ", " + g.Note
			}
			fmt.Fprintf(w, "  %-12s %s\n", g.What, said)
		}
		fmt.Fprintln(w)
		if a.Webhook == "registered" {
			fmt.Fprintln(w, "Its webhook is set up at the vendor: what happens from now on comes at once.")
		} else if a.Paste != "" {
			fmt.Fprintf(w, "%s\n", a.Paste)
		} else {
			if c.Secret != nil && *c.Secret != "" {
				a.Secret = given
			}
			fmt.Fprintf(w, "Optional, for what is new at once and for choices in a phone menu: add a webhook at the vendor,\n\n  path    %s\n  secret  %s\n\nboth shown once; murmur connect rotate %s --secret S takes the secret that the vendor shows.\n", a.Path, a.Secret, a.Source)
		}
		if !a.Serving {
			fmt.Fprintln(w, "\nThe history comes in as soon as `murmur serve` runs.")
		}
	})
	if err != nil || !a.Serving || r.JSON || !terminal(r.Err) {
		return err
	}
	return c.follow(r, a)
}

// follow shows the progress of the history until it is complete or the person stops the command; the server
// continues in both cases.
func (c *connectAddCmd) follow(r *run, a rpc.Connected) error {
	const whole = 1000
	p := mpb.NewWithContext(r.ctx, mpb.WithOutput(r.Err), mpb.WithWidth(48))
	var items int64
	bar := p.AddBar(whole,
		mpb.PrependDecorators(decor.Name("history "), decor.Percentage()),
		mpb.AppendDecorators(decor.AverageETA(decor.ET_STYLE_GO), decor.Any(func(decor.Statistics) string { return fmt.Sprintf("  %d calls, texts and transcripts", items) })))
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			bar.Abort(false)
			p.Wait()
			fmt.Fprintln(r.Err, "The server goes on with the history: murmur connect list shows how far it is.")
			return nil
		case <-tick.C:
		}
		l, err := pollingNow(r, a)
		if err != nil {
			bar.Abort(true)
			p.Wait()
			return err
		}
		items = l.Items
		bar.SetCurrent(int64(math.Floor(l.Done * whole)))
		if l.State == "live" || l.State == "stopped" || l.State == "paused" {
			bar.Abort(l.State != "live")
			p.Wait()
			fmt.Fprintf(r.Err, "%s.\n", strings.TrimSuffix(pollingLine(l), "."))
			return nil
		}
	}
}

// pollingNow asks how far a source is.
func pollingNow(r *run, a rpc.Connected) (*rpc.Polling, error) {
	var list []rpc.Listed
	if err := r.do("connect-list", rpc.WorkspaceArgs{Workspace: a.Workspace}, &list); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(l rpc.Listed) bool { return l.Source == a.Source })
	if i < 0 || list[i].Polling == nil {
		return &rpc.Polling{State: "stopped", Said: "the source was removed"}, nil
	}
	return list[i].Polling, nil
}

// pollingLine is the state of a polled source in a few words.
func pollingLine(p *rpc.Polling) string {
	if p == nil {
		return "no: webhooks alone"
	}
	var said string
	switch p.State {
	case "paused":
		said = "paused"
	case "stopped":
		said = "stopped: " + p.Said
	case "waiting":
		said = "waits for murmur serve"
	case "history":
		said = fmt.Sprintf("history %.0f %%, %d so far", 100*p.Done, p.Items)
	default:
		said = fmt.Sprintf("live, %d so far", p.Items)
		if p.Lag >= 0 {
			said += fmt.Sprintf(", looked %s ago", time.Duration(p.Lag)*time.Second)
		}
	}
	if p.Trouble != "" && p.State != "stopped" {
		said += "; " + p.Said
	}
	if len(p.Missing) > 0 {
		said += "; not in the plan: " + strings.Join(p.Missing, ", ")
	}
	return said
}

type connectPauseCmd struct {
	Name      string `arg:"" help:"Name of the source."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *connectPauseCmd) Run(r *run) error {
	return pause(r, "connect-pause", rpc.SourceArgs{Workspace: c.Workspace, Name: c.Name}, "Source %s is not polled until it is resumed; its webhooks are taken as before.\n")
}

type connectResumeCmd struct {
	Name      string `arg:"" help:"Name of the source."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *connectResumeCmd) Run(r *run) error {
	return pause(r, "connect-resume", rpc.SourceArgs{Workspace: c.Workspace, Name: c.Name}, "Source %s is polled again, from where it stood.\n")
}

func pause(r *run, verb string, args rpc.SourceArgs, said string) error {
	var a rpc.Removed
	if err := r.do(verb, args, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, said, a.Source) })
}
