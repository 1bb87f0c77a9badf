package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"murmur/internal/demo"
	"murmur/internal/insight"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

type demoCmd struct {
	Days int    `default:"56" help:"Days of the business's life (7-365)."`
	Seed uint64 `default:"1" help:"The same seed gives the same business."`
	Exit bool   `help:"Stop after the first insights."`
	queueFlag
	lakeFlag
	Listen string `default:"127.0.0.1:0" help:"Address to listen on; 127.0.0.1 and a free port by default." placeholder:"HOST:PORT"`
}

// demoed is what `demo --exit --json` prints: the status and what was learnt.
type demoed struct {
	rpc.Status
	Sources  []string `json:"sources"`
	Insights []string `json:"insights"`
	Seconds  float64  `json:"seconds"`
}

func (c *demoCmd) Run(r *run) error {
	if c.Days < 7 || c.Days > 365 {
		return usage{errors.New("--days is from 7 to 365")}
	}
	if err := demoDir(r.Data); err != nil {
		return err
	}
	began := time.Now()
	out := io.Discard // "listening on" is for programs that start a server
	if !c.Exit {
		out = r.Out
	}
	password, err := c.queueFlag.password()
	if err != nil {
		return usage{err}
	}
	key, err := c.lakeFlag.key()
	if err != nil {
		return usage{err}
	}
	return server.Serve(r.ctx, server.ServeConfig{Data: r.Data, Listen: c.Listen, SIP: server.SIPConfig{Listen: "127.0.0.1:0"}, Queue: c.Queue, QueuePassword: password, Lake: c.Lake, LakeKey: key, LeaveRecordings: c.Exit, Out: out, Err: quietUnless(!c.Exit, r.Err),
		Ready: func(ctx context.Context, base string, n *server.Node) (bool, error) {
			if err := c.send(ctx, r, base, n, began); err != nil {
				return false, err
			}
			return c.Exit, nil
		}})
}

// demoDir refuses a directory that may hold real data: synthetic people must not mix with real ones.
func demoDir(data string) error {
	entries, err := os.ReadDir(data)
	if os.IsNotExist(err) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the data directory: %w", err)
	}
	return &rpc.Problem{
		Message: "the demo wants a data directory of its own, and " + filepath.Base(data) + " is in use",
		Hint:    "murmur demo --data DIR with a new directory; murmur serve --data DIR shows an older demo again", Exit: 2,
	}
}

func quietUnless(loud bool, w io.Writer) io.Writer {
	if loud {
		return w
	}
	return io.Discard
}

// send sends the events of the business, waits for its insights and prints them.
func (c *demoCmd) send(ctx context.Context, r *run, base string, n *server.Node, began time.Time) error {
	if !r.JSON {
		fmt.Fprintf(r.Err, "Sending %d days of an invented business: webhooks, files, opt-outs ..\n", c.Days)
	}
	_, err := demo.Run(ctx, demo.Config{Base: base, Recorder: n.SIP(), Do: n.Do, Days: c.Days, Seed: c.Seed, Now: time.Now, Progress: c.progress(r)})
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	if err := n.Do(ctx, "figures", rpc.FiguresArgs{Refresh: true}, nil, &lines); err != nil {
		return err
	}
	var figures []insight.Figure
	for d := json.NewDecoder(&lines); d.More(); {
		var f insight.Figure
		if err := d.Decode(&f); err != nil {
			return err
		}
		figures = append(figures, f)
	}
	a := demoed{Sources: demo.Sources, Insights: shown(figures), Seconds: time.Since(began).Seconds()}
	if a.Status, err = n.Status(ctx); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { c.tell(w, a, figures) })
}

func (c *demoCmd) progress(r *run) func(float64) {
	if r.JSON || !terminal(r.Err) {
		return nil
	}
	return func(done float64) { fmt.Fprintf(r.Err, "\r%3.0f %%", 100*done) }
}

// shown lists the insights that have a figure to show.
func shown(figures []insight.Figure) []string {
	var out []string
	for _, f := range figures {
		if f.Value != nil && !slices.Contains(out, f.Insight) {
			out = append(out, f.Insight)
		}
	}
	return out
}

// tell prints what the business would read first.
func (c *demoCmd) tell(w io.Writer, a demoed, figures []insight.Figure) {
	s := a.Workspaces["default"]
	fmt.Fprintf(w, "\r%d deliveries in %.1f s: %d published, %d refused by consent, %d with nothing to say, %d quarantined.\n\n",
		s.In, a.Seconds, s.Published, s.Refused, s.Ignored, s.Quarantined)
	week, advice := insight.LastWeek(figures), insight.Suggestions(figures)
	headlines := insight.Headlines(figures, week)
	if len(advice) > 0 {
		fmt.Fprintln(w, "What to do first:")
	}
	for _, a := range advice[:min(3, len(advice))] {
		fmt.Fprintf(w, "  %s. %s %s\n", a.Title, a.Because, a.Effect)
	}
	fmt.Fprintln(w, "\nThe last week that is over:")
	const most = 8
	for _, h := range headlines[:min(most, len(headlines))] {
		fmt.Fprintf(w, "  %s\n", h.Text)
	}
	fmt.Fprintf(w, "\nNo person can be recognised in these figures. murmur figures --json prints every number with its interval and group; murmur verify --attack attacks them.\n")
}
