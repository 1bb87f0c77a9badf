package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"murmur/internal/datadir"
	"murmur/internal/deliveries"
	"murmur/internal/explain"
	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// doctor looks at the health of the node, or at one delivery: states and times, no content.
func (n *Node) doctor(ctx context.Context, a rpc.DoctorArgs) (rpc.Diagnosis, error) {
	if a.Event != "" {
		return n.trace(ctx, a)
	}
	var d rpc.Diagnosis
	say := func(name string, ok bool, hint, format string, args ...any) {
		c := rpc.Check{Name: name, OK: ok, Said: fmt.Sprintf(format, args...)}
		if !ok {
			c.Hint = hint
		}
		d.Checks = append(d.Checks, c)
	}
	if s, err := n.dir.Space(); err == nil {
		say("disk space", s.Free > 512<<20, "free some space: deliveries are refused when the disk is full", "%.1f GiB free of %.1f", gib(s.Free), gib(s.Total))
		say("disk encryption", true, "", "encrypted: %s", s.Encrypted)
		if s.Encrypted == datadir.No {
			d.Advise("encrypt the volume: rows in the lake are pseudonymous, not sealed")
		}
	}
	n.rootKey(&d, say)
	b, err := n.journal.Backlog(ctx)
	if err != nil {
		return d, err
	}
	lag := time.Duration(0)
	if !b.Oldest.IsZero() {
		lag = n.now().Sub(b.Oldest).Round(time.Second)
	}
	say("pipeline", n.failure() == nil, "the log says which part failed; what was accepted is safe", "%d deliveries wait, the oldest for %s", b.Pending, lag)
	status, err := n.Status(ctx)
	if err != nil {
		return d, err
	}
	if q := status.Queue; q != nil {
		say("queue", q.Error == "", "docs/runbook/queue.md; deliveries are taken and processed meanwhile, their facts wait", "%s", q)
	}
	n.lakeCheck(ctx, say)
	for _, ws := range status.Names() {
		w := status.Workspaces[ws]
		say("workspace "+ws, w.In == w.Sum(), "the counters disagree: run murmur verify", "%d deliveries in, the sum of the states is %d", w.In, w.Sum())
		if p, err := n.policyOf(ctx, ws); err == nil { // without it the workspace is listed as stalled
			secondReader(ws, p, &d, say)
			placed(ws, p, &d, say)
		}
		if err := n.hearing(ctx, ws, say); err != nil {
			say("recordings of "+ws, false, "docs/runbook/workspace-stalled.md", "%s", explain.Describe(err))
		}
		if err := n.mailing(ctx, ws, say); err != nil {
			return d, err
		}
		if err := n.alerting(ctx, ws, say); err != nil {
			return d, err
		}
		say("quarantine of "+ws, true, "", "%d deliveries", w.Quarantined)
		if w.Quarantined > 0 {
			d.Advise("the pipeline page lists the reasons; murmur replay tries again")
		}
	}
	if k := n.zone.Unread(); k > 0 {
		say("contacts", true, "", "%d deliveries read since the start name a contact that cannot be read", k)
		d.Advise("they count as nobody's, and no erasure or opt-out finds them: have their source send one number or e-mail address")
	}
	parked, err := n.journal.Parked(ctx)
	if err != nil {
		return d, err
	}
	for ws, k := range parked {
		say("facts of "+ws.String(), false, "murmur verify names a damaged key; then murmur replay gives them to the lake again", "%d batches could not be stored, and are kept", k)
	}
	say("calls", status.Calls.Failed() == 0, "a disk or the ledger failed, a telephony reported what cannot be, or a notice was cut short: the log says which", "%s", status.Calls)
	if err := n.deletions(ctx, say); err != nil {
		return d, err
	}
	if err := n.erasures(ctx, say); err != nil {
		return d, err
	}
	n.streamChecks(status.Streams, say)
	_ = n.pollingChecks(ctx, say) // a workspace whose sources cannot be read is listed as stalled
	n.standing(say)
	damage, err := n.ring.Check()
	if err != nil {
		return d, err
	}
	for _, k := range damage {
		say(k.File, false, "docs/runbook/workspace-stalled.md: what is sealed under a damaged key cannot be read", "%s", k.What)
	}
	say("keys", len(damage) == 0, "the lines above name each", "%d damaged", len(damage))
	breaches, err := n.ledger.Verify(ctx)
	if err != nil {
		return d, err
	}
	say("ledger", len(breaches) == 0, "murmur verify names what changed", "%d breaches", len(breaches))
	d.Checks = append(d.Checks, transcriber())
	return d, nil
}

func (n *Node) policyOf(ctx context.Context, name string) (workspace.Policy, error) {
	ws, err := n.known(ctx, name)
	if err != nil {
		return workspace.Policy{}, err
	}
	return n.store.Policy(ctx, ws)
}

// secondReader says whether the second reader of context reads the texts of a workspace.
func secondReader(name string, p workspace.Policy, d *rpc.Diagnosis, say func(name string, ok bool, hint, format string, args ...any)) {
	say("second reader of "+name, true, "", "%s", p.Reader)
	if p.Reader == workspace.Off {
		d.Advise("murmur policy set reader=on: without it more names are left in texts (docs/models/reader.md)")
	}
}

func gib(n int64) float64 { return float64(n) / (1 << 30) }

// placed says where the business of a workspace is and when it answers.
func placed(name string, p workspace.Policy, d *rpc.Diagnosis, say func(name string, ok bool, hint, format string, args ...any)) {
	say("hours of "+name, true, "", "time zone %s, open %s, numbers without a country are read as in %s", p.Timezone, cmp.Or(p.OpenHours, "always"), p.Region)
	if p.Timezone == "UTC" && p.OpenHours == "" {
		d.Advise("murmur policy set timezone=.. region=.. open-hours=..: without them hours are those of UTC, and no call comes while you are closed")
	}
}

// trace finds a delivery by its vendor's id under every source of the workspace.
func (n *Node) trace(ctx context.Context, a rpc.DoctorArgs) (rpc.Diagnosis, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Diagnosis{}, err
	}
	names, err := n.store.SourceNames(ctx, ws)
	if err != nil {
		return rpc.Diagnosis{}, err
	}
	streams, err := n.streamNames(ctx)
	if err != nil {
		return rpc.Diagnosis{}, err
	}
	for _, source := range append(append(names, streams...), private.ImportSource, private.ControlSource, private.RecorderSource) {
		id, err := n.zone.EventID(ws, source, a.Event)
		if err != nil {
			return rpc.Diagnosis{}, err
		}
		t, err := n.journal.Trace(ctx, ws, id)
		if errors.Is(err, deliveries.ErrUnknown) {
			continue
		}
		if err != nil {
			return rpc.Diagnosis{}, err
		}
		c := func(name, said string) rpc.Check { return rpc.Check{Name: name, OK: true, Said: said} }
		d := rpc.Diagnosis{Checks: []rpc.Check{
			c("source", source),
			c("received", t.At.UTC().Format(time.RFC3339Nano)),
			c("state", t.State.String()),
			c("since", t.Since.UTC().Format(time.RFC3339Nano)),
			c("sealed bytes", map[bool]string{true: fmt.Sprintf("%d kept", t.Size), false: "gone"}[t.Size > 0]),
		}}
		if t.Why != fact.WhyNone {
			d.Checks = append(d.Checks, c("why", t.Why.String()))
		}
		if t.State == fact.Quarantined {
			d.Advise("murmur replay tries again, once the source or this version can do better")
		}
		return d, nil
	}
	return rpc.Diagnosis{}, &rpc.Problem{Message: "no delivery of that id was accepted in the last 30 days", Hint: "use the vendor's own id of the delivery (webhook-id, event_id)", Exit: 2, Status: 404}
}

// rootKey says where the root key lies, and what that means for a stolen directory.
func (n *Node) rootKey(d *rpc.Diagnosis, say func(name string, ok bool, hint, format string, args ...any)) {
	place := keyring.RootPlace()
	if place == "" {
		say("root key", true, "", "beside the data: whoever copies the directory can open what is sealed, forge the ledger, and find people by trying numbers")
		d.Advise("keep the root key apart: murmur serve --root-key (docs/root-key.md)")
		return
	}
	say("root key", true, "", "apart from the data, %s: a copy of the directory alone opens nothing", place)
}
