package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"murmur/internal/digest"
	"murmur/internal/hook"
	"murmur/internal/insight"
	"murmur/internal/job"
	"murmur/internal/mail"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// addAlert adds an alert for the operator: the host that it names may be private or loopback.
func (n *Node) addAlert(ctx context.Context, a rpc.AlertArgs) (rpc.AlertMade, error) {
	host, err := hook.HostOf(a.To)
	if a.Way == workspace.ByMail || err != nil {
		return n.addAlertTo(ctx, a, nil) // says what is wrong
	}
	return n.addAlertTo(ctx, a, []string{host})
}

// addAlertTo adds an alert whose host may be private as far as it is listed.
func (n *Node) addAlertTo(ctx context.Context, a rpc.AlertArgs, named []string) (rpc.AlertMade, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.AlertMade{}, err
	}
	watch, err := insight.ParseWatch(a.Insight, a.Measure, a.Below, a.Above)
	if err != nil {
		return rpc.AlertMade{}, err
	}
	alert := workspace.Alert{Watch: watch, Way: a.Way, Role: a.As, Target: workspace.Target{To: a.To, Named: named}}
	switch a.Way {
	case workspace.ByMail:
		if alert.Target.To, err = mail.Address(a.To); err != nil {
			return rpc.AlertMade{}, err
		}
	case workspace.ByWebhook:
		alert.Target.Secret = hook.NewSecret()
		fallthrough
	default:
		if err := receiver(alert).Check(); err != nil {
			return rpc.AlertMade{}, err
		}
	}
	if alert, err = n.store.AddAlert(ctx, ws, alert); err != nil {
		return rpc.AlertMade{}, err
	}
	return rpc.AlertMade{AlertListed: listedAlert(alert), Secret: alert.Target.Secret}, n.accessed(ctx, ws, "alert")
}

func listedAlert(a workspace.Alert) rpc.AlertListed {
	l := rpc.AlertListed{Alert: a}
	if u, err := url.Parse(a.Target.To); err == nil && a.Way != workspace.ByMail {
		l.Host = u.Hostname()
	}
	return l
}

func (n *Node) listAlerts(ctx context.Context, a rpc.WorkspaceArgs) ([]rpc.AlertListed, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	all, err := n.store.Alerts(ctx, ws)
	list := make([]rpc.AlertListed, len(all))
	for i := range all {
		list[i] = listedAlert(all[i])
	}
	return list, err
}

func (n *Node) removeAlert(ctx context.Context, a rpc.RevokeArgs) (rpc.Revoked, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Revoked{}, err
	}
	return rpc.Revoked{ID: a.ID, State: "removed"}, n.store.RemoveAlert(ctx, ws, a.ID)
}

// tryAlert sends a message without figures, now, and says what came of it.
func (n *Node) tryAlert(ctx context.Context, a rpc.RevokeArgs) (rpc.Revoked, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Revoked{}, err
	}
	alert, err := n.store.Alert(ctx, ws, a.ID)
	if err != nil {
		return rpc.Revoked{}, err
	}
	at := n.now()
	err = n.tell(ctx, alert, fmt.Sprintf("test-%s-%d", alert.ID, at.Unix()), digest.Alert{ID: alert.ID, Workspace: ws.String(), At: at})
	return rpc.Revoked{ID: a.ID, State: "sent"}, errors.Join(err, n.noteTold(ctx, alert, err))
}

// untaken are the reasons for which a message was not taken that a person can do something about.
var untaken = []error{mail.ErrNone, mail.ErrAddress, hook.ErrAddress, hook.ErrHost, hook.ErrRedirect, hook.ErrGone, hook.ErrRefused, hook.ErrDown}

func receiver(a workspace.Alert) hook.Receiver {
	return hook.Receiver{URL: a.Target.To, Secret: a.Target.Secret, Named: a.Target.Named}
}

// tell sends one message; id is the same at every try of it.
func (n *Node) tell(ctx context.Context, a workspace.Alert, id string, message digest.Alert) error {
	message.Pages = n.public
	if a.Way == workspace.ByMail {
		if n.mail == nil {
			return mail.ErrNone
		}
		message.Unsubscribe = n.unsubscribeURL(a.Target.Ender)
		l, err := message.Letter()
		if err != nil {
			return err
		}
		return n.mail.Send(ctx, mail.Message{To: a.Target.To, Subject: l.Subject, Text: l.Text, HTML: l.HTML, ID: id + "@murmur.invalid", Unsubscribe: message.Unsubscribe})
	}
	write := message.Webhook
	if a.Way == workspace.BySlack {
		write = message.Slack
	}
	body, err := write()
	if err != nil {
		return err
	}
	return receiver(a).Send(ctx, "msg_"+id, n.now(), body)
}

// noteTold notes what came of a message.
func (n *Node) noteTold(ctx context.Context, a workspace.Alert, err error) error {
	if err == nil {
		return n.store.Delivered(ctx, a, n.now())
	}
	why := mail.ErrUnsent.Error()
	for _, known := range untaken {
		if errors.Is(err, known) {
			why = known.Error()
		}
	}
	return n.store.Undelivered(context.WithoutCancel(ctx), a, why, errors.Is(err, hook.ErrGone))
}

// alertsArgs is the job that looks at the figures of every alert, once a day from digestHour on, so that a message tells only
// the day on which a figure left its range.
type alertsArgs struct{}

func (alertsArgs) Kind() string { return "look-at-alerts" }

// lookAtAlerts queues messages, at most one a week for each alert. Where the process dies between queueing and storing that
// it did, the message comes twice, under one id.
func (n *Node) lookAtAlerts(ctx context.Context) error {
	return n.eachWorking(ctx, "alerts", func(ws workspace.ID) error {
		all, err := n.store.Alerts(ctx, ws)
		if err != nil || len(all) == 0 {
			return err
		}
		p, err := n.store.Policy(ctx, ws)
		if err != nil {
			return err
		}
		now := n.now().In(p.Zone())
		if now.Hour() < digestHour {
			return nil
		}
		day, monday := now.Format(time.DateOnly), digest.Last(now).Format(time.DateOnly)
		for _, a := range all {
			if a.Ended || a.Looked >= day {
				continue
			}
			left, err := n.left(ctx, ws, a, digest.Last(now))
			if err != nil {
				return err
			}
			fired := ""
			if len(left) > 0 && a.Fired < monday {
				if _, err := n.jobs.Insert(ctx, alertArgs{ws.String(), a.ID, monday}, nil); err != nil {
					return err
				}
				fired = monday
			}
			if err := n.store.Looked(ctx, a, day, fired); err != nil {
				return err
			}
		}
		return nil
	})
}

// left gives the figures that left their range in the week that begins on a Monday, as the alert's reader may see them.
func (n *Node) left(ctx context.Context, ws workspace.ID, a workspace.Alert, monday time.Time) ([]insight.Left, error) {
	figures, err := n.figuresOf(string(a.Role))(ctx, ws, a.Watch.Insight)
	if err != nil {
		return nil, err
	}
	year, week := monday.ISOWeek()
	return insight.LeftOf(a.Watch, insight.Over(figures), fmt.Sprintf("%04d-W%02d", year, week)), nil
}

const (
	alertQueue, alertParallel = "alert", 4
	alertFor                  = time.Minute
	// testFor is how long a page waits for a receiver: less than a request's time, so that it can still say that none answered.
	testFor = 10 * time.Second
)

// alertWaits are the times between tries that Standard Webhooks proposes: three days in all.
var alertWaits = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// alertArgs is the job of one message, once. It has only ids; the text is written when it is sent.
type alertArgs struct {
	Workspace string `json:"workspace"`
	Alert     string `json:"alert"`
	Monday    string `json:"monday"`
}

func (alertArgs) Kind() string { return "alert" }

func (alertArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: alertQueue, UniqueOpts: job.Once(), MaxAttempts: len(alertWaits) + 1}
}

type alertWorker struct {
	river.WorkerDefaults[alertArgs]
	n *Node
}

func (w *alertWorker) Timeout(*river.Job[alertArgs]) time.Duration { return alertFor }

// NextRetry is when the next try is, up to a tenth later, so that not all alerts come back at once.
func (w *alertWorker) NextRetry(j *river.Job[alertArgs]) time.Time {
	wait := alertWaits[min(max(j.Attempt, 1), len(alertWaits))-1]
	return time.Now().Add(wait + rand.N(wait/10))
}

func (w *alertWorker) Work(ctx context.Context, j *river.Job[alertArgs]) error {
	ws, err := workspace.Parse(j.Args.Workspace)
	if err != nil {
		return river.JobCancel(rpc.ErrArgs)
	}
	if rests, err := w.n.rests(ctx, ws); err != nil || rests {
		return cmp.Or(err, error(river.JobSnooze(time.Hour)))
	}
	ctx, cancel := w.n.untilClosing(ctx)
	defer cancel()
	err = w.n.alert(ctx, ws, j.Args)
	switch {
	case w.n.closing.Err() != nil:
		return river.JobSnooze(0) // the next server sends it; this was no try
	case errors.Is(err, hook.ErrGone):
		return river.JobCancel(err)
	}
	return err
}

// alert sends one message, if there is still something to tell and somebody to tell it.
func (n *Node) alert(ctx context.Context, ws workspace.ID, args alertArgs) error {
	a, err := n.store.Alert(ctx, ws, args.Alert)
	if errors.Is(err, workspace.ErrNotFound) || err == nil && a.Ended {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := n.store.Policy(ctx, ws)
	if err != nil {
		return err
	}
	monday, err := time.ParseInLocation(time.DateOnly, args.Monday, p.Zone())
	if err != nil {
		return rpc.ErrArgs
	}
	left, err := n.left(ctx, ws, a, monday)
	if err != nil || len(left) == 0 {
		return err
	}
	err = n.tell(ctx, a, a.ID+"-"+args.Monday, digest.Alert{ID: a.ID, Workspace: ws.String(), Begins: monday, At: n.now(), Left: left})
	if ctx.Err() != nil && n.closing.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		n.log.Warn("an alert was not taken", "workspace", ws.String(), "alert", a.ID, "error", err)
	}
	return errors.Join(err, n.noteTold(ctx, a, err))
}

// alerting says whether the last messages of a workspace were taken.
func (n *Node) alerting(ctx context.Context, name string, say func(name string, ok bool, hint, format string, args ...any)) error {
	all, err := n.listAlerts(ctx, rpc.WorkspaceArgs{Workspace: name})
	if err != nil || len(all) == 0 {
		return err
	}
	all = slices.DeleteFunc(all, func(a rpc.AlertListed) bool { return a.Failed == "" })
	say("alerts of "+name, len(all) == 0, "murmur alert list says why; murmur alert test ID tries again", "%d alerts whose last message was not taken", len(all))
	return nil
}

// alerts is web.Alerts: whoever asks over HTTP is a workspace's owner, and the operator allows hosts with --allow-host.
type alerts struct{ *Node }

func (a alerts) Alerts(ctx context.Context, ws workspace.ID) ([]web.Alert, error) {
	all, err := a.listAlerts(ctx, rpc.WorkspaceArgs{Workspace: ws.String()})
	out := make([]web.Alert, len(all))
	for i, l := range all {
		out[i] = web.Alert(l)
	}
	return out, webErr(err)
}

func (a alerts) AddAlert(ctx context.Context, ws workspace.ID, n web.NewAlert) (web.Alert, string, error) {
	var named []string
	if host, err := hook.HostOf(n.To); err == nil && a.zone.AllowsHosts([]string{host}) == nil {
		named = []string{host}
	}
	made, err := a.addAlertTo(ctx, rpc.AlertArgs{Workspace: ws.String(), Insight: n.Insight, Measure: n.Measure, Below: n.Below, Above: n.Above, Way: n.Way, To: n.To, As: n.As}, named)
	return web.Alert(made.AlertListed), made.Secret, alertErr(err)
}

func (a alerts) TestAlert(ctx context.Context, ws workspace.ID, id string) error {
	ctx, cancel := context.WithTimeout(ctx, testFor)
	defer cancel()
	_, err := a.tryAlert(ctx, rpc.RevokeArgs{Workspace: ws.String(), ID: id})
	return alertErr(err)
}

func (a alerts) RemoveAlert(ctx context.Context, ws workspace.ID, id string) error {
	_, err := a.removeAlert(ctx, rpc.RevokeArgs{Workspace: ws.String(), ID: id})
	return webErr(err)
}

// alertErr says to a person what they can put right.
func alertErr(err error) error {
	for _, known := range append([]error{insight.ErrWatch, workspace.ErrAlerts, mail.ErrNoAddress, mail.ErrUnsent}, untaken...) {
		if errors.Is(err, known) {
			return unacceptable{err}
		}
	}
	return webErr(err)
}
