package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"murmur/internal/explain"
	"murmur/internal/hook"
	"murmur/internal/insight"
	"murmur/internal/job"
	"murmur/internal/mail"
	letters "murmur/internal/mail"
	"murmur/internal/mail/mailtest"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// post is what a receiver got.
type post struct {
	header http.Header
	body   []byte
}

// watched is a node on a Monday at nine: of the calls of eight weeks one in ten is missed, of the last week six in ten. Its
// receiver answers with status and gives what it got to posts.
type watched struct {
	*Node
	at     time.Time
	url    string
	status int
	posts  chan post
}

func watchedNode(t *testing.T) *watched {
	t.Helper()
	w := &watched{at: time.Date(2026, 11, 9, 9, 0, 0, 0, time.UTC), status: http.StatusOK, posts: make(chan post, 10)}
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return w.at }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	w.Node = n
	n.closing = context.Background()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			w.posts <- post{r.Header, body}
		}
		rw.WriteHeader(w.status)
	}))
	t.Cleanup(s.Close)
	w.url = s.URL + "/hooks/canary-of-the-path"
	return w
}

// weeks brings in the calls, and their figures.
func (w *watched) weeks(t *testing.T) {
	t.Helper()
	var rows strings.Builder
	rows.WriteString(callHead)
	first := time.Date(2026, 9, 7, 10, 0, 0, 0, time.UTC) // a Monday, nine weeks before
	for week := range 9 {
		for i := range 100 {
			result := "answered"
			if i%10 == 0 || week == 8 && i%10 < 6 {
				result = "missed"
			}
			at := first.AddDate(0, 0, 7*week+i%5).Add(time.Duration(i) * time.Minute)
			fmt.Fprintf(&rows, "c%d-%d,%s,inbound,+1212555%04d,+16465550100,%s,%d\n", week, i, at.Format(time.DateTime), i, result, 60)
		}
	}
	w.Start(t.Context())
	if got, err := importAs(t.Context(), w.Node, rpc.ImportArgs{}, strings.NewReader(rows.String())); err != nil || got.Published != 900 {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := w.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *watched) add(t *testing.T, a rpc.AlertArgs) rpc.AlertMade {
	t.Helper()
	if a.As == "" {
		a.As = workspace.Owner
	}
	if a.Insight == "" {
		a.Insight = "missed-call-rate"
	}
	if a.To == "" {
		a.To = w.url
	}
	made, err := w.addAlert(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// queued opens a queue whose jobs nobody runs, and takes those that wait out of it.
func (w *watched) queued(t *testing.T) func() []alertArgs {
	t.Helper()
	q, err := job.Open(t.Context(), filepath.Join(t.TempDir(), "jobs.db"), job.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.jobs = q
	return func() (out []alertArgs) {
		t.Helper()
		list, err := q.River.JobList(t.Context(), river.NewJobListParams().Kinds("alert"))
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list.Jobs {
			var a alertArgs
			if err := json.Unmarshal(j.EncodedArgs, &a); err != nil {
				t.Fatal(err)
			}
			if _, err := q.River.JobDelete(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
			out = append(out, a)
		}
		return out
	}
}

func (w *watched) work(t *testing.T, a alertArgs) error {
	t.Helper()
	return (&alertWorker{n: w.Node}).Work(t.Context(), &river.Job[alertArgs]{JobRow: &rivertype.JobRow{Attempt: 1}, Args: a})
}

// TestAnAlertIsToldOnceAWeek: from eight in the morning, whether the range was set or is the usual one, once; nothing where the
// figure is inside; and to each as they may see it.
func TestAnAlertIsToldOnceAWeek(t *testing.T) {
	t.Parallel()
	w := watchedNode(t)
	w.weeks(t)
	jobs := w.queued(t)
	inside := w.add(t, rpc.AlertArgs{Above: "90%", Way: workspace.ByWebhook})
	set := w.add(t, rpc.AlertArgs{Above: "20%", Way: workspace.ByWebhook})
	usual := w.add(t, rpc.AlertArgs{Way: workspace.BySlack, As: workspace.Viewer})
	now := w.at
	w.at = time.Date(2026, 11, 9, 7, 59, 0, 0, time.UTC)
	if err := w.lookAtAlerts(t.Context()); err != nil || len(jobs()) > 0 {
		t.Fatal(err, jobs())
	}
	got := map[string]alertArgs{}
	for i, at := range []time.Time{now, now.Add(time.Hour), now.AddDate(0, 0, 1)} {
		w.at = at
		if err := w.lookAtAlerts(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, a := range jobs() {
			if got[a.Alert] = a; i > 0 {
				t.Errorf("told again at %s", at)
			}
		}
	}
	if len(got) != 2 || got[set.ID].Monday != "2026-11-02" || got[usual.ID].Alert == "" || got[inside.ID].Alert != "" {
		t.Fatalf("queued: %v", got)
	}
	if err := w.work(t, got[set.ID]); err != nil {
		t.Fatal(err)
	}
	p := <-w.posts
	key, err := standardwebhooks.NewWebhook(set.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.VerifyIgnoringTimestamp(p.body, p.header); err != nil || p.header.Get("webhook-id") != "msg_"+set.ID+"-2026-11-02" {
		t.Errorf("%v %v", err, p.header)
	}
	if !bytes.Contains(p.body, []byte(`"text":"Missed calls: 60 % (50 % to 69 %); the range that was set ends at 20 %."`)) || !bytes.Contains(p.body, []byte(`"noise":0`)) {
		t.Errorf("%s", p.body)
	}
	if err := w.work(t, got[usual.ID]); err != nil {
		t.Fatal(err)
	}
	p = <-w.posts
	if !bytes.Contains(p.body, []byte("the 8 weeks before lead one to expect")) || !bytes.Contains(p.body, []byte("Every count has noise")) || p.header.Get("webhook-signature") != "" {
		t.Errorf("%s", p.body)
	}
	list, err := w.listAlerts(t.Context(), rpc.WorkspaceArgs{})
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	for _, a := range list {
		if told := a.ID != inside.ID; told != (a.Sent != nil) || told != (a.Fired == "2026-11-02") || a.Host != "127.0.0.1" {
			t.Errorf("%+v", a)
		}
	}
}

// TestAnAlertSaysOnlyWhatItsReaderMaySee: every figure of a message is one that the same role is shown.
func TestAnAlertSaysOnlyWhatItsReaderMaySee(t *testing.T) {
	t.Parallel()
	w := watchedNode(t)
	w.weeks(t)
	for _, role := range []workspace.Role{workspace.Owner, workspace.Viewer} {
		a := w.add(t, rpc.AlertArgs{Above: "0.1%", Way: workspace.ByWebhook, As: role})
		if err := w.work(t, alertArgs{"default", a.ID, "2026-11-02"}); err != nil {
			t.Fatal(err)
		}
		var m struct {
			Data struct {
				Left []struct{ Figure insight.Figure }
			}
		}
		if err := json.Unmarshal((<-w.posts).body, &m); err != nil || len(m.Data.Left) != 1 {
			t.Fatal(err, m)
		}
		shown, err := w.figuresOf(string(role))(t.Context(), workspace.Default, "missed-call-rate")
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range shown {
			var one, other bytes.Buffer
			if err := errors.Join(insight.Encode(&one, []insight.Figure{f}), insight.Encode(&other, []insight.Figure{m.Data.Left[0].Figure})); err != nil {
				t.Fatal(err)
			}
			found = found || one.String() == other.String()
		}
		if !found {
			t.Errorf("%s is told a figure that they are not shown", role)
		}
	}
}

// TestAReceiverThatFails: what went wrong is noted in words and tried again; one that is gone is not asked again, and
// nobody whose alert was removed is told anything.
func TestAReceiverThatFails(t *testing.T) {
	t.Parallel()
	w := watchedNode(t)
	w.weeks(t)
	a := w.add(t, rpc.AlertArgs{Above: "20%", Way: workspace.ByWebhook})
	args := alertArgs{"default", a.ID, "2026-11-02"}
	last := func() rpc.AlertListed {
		t.Helper()
		list, err := w.listAlerts(t.Context(), rpc.WorkspaceArgs{})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	for _, step := range []struct {
		status int
		want   error
	}{{503, hook.ErrDown}, {302, hook.ErrRedirect}, {404, hook.ErrRefused}, {200, nil}} {
		w.status = step.status
		if err := w.work(t, args); !errors.Is(err, step.want) {
			t.Errorf("%d: %v", step.status, err)
		}
		<-w.posts
		if got := last(); step.want != nil && got.Failed != step.want.Error() || step.want == nil && (got.Failed != "" || got.Sent == nil) {
			t.Errorf("%d: %+v", step.status, got)
		}
	}
	w.status = http.StatusGone
	if err := w.work(t, args); !errors.Is(err, river.JobCancel(hook.ErrGone)) && !errors.Is(err, hook.ErrGone) {
		t.Errorf("%v", err)
	}
	<-w.posts
	d, err := w.doctor(t.Context(), rpc.DoctorArgs{})
	if err != nil {
		t.Fatal(err)
	}
	said := false
	for _, c := range d.Checks {
		said = said || c.Name == "alerts of default" && !c.OK
	}
	if !last().Ended || !said {
		t.Errorf("%+v, doctor %v", last(), d.Checks)
	}
	if err := w.work(t, args); err != nil || len(w.posts) > 0 {
		t.Errorf("asked again after it was gone: %v", err)
	}
	b := w.add(t, rpc.AlertArgs{Above: "20%", Way: workspace.ByWebhook})
	if _, err := w.removeAlert(t.Context(), rpc.RevokeArgs{ID: b.ID}); err != nil {
		t.Fatal(err)
	}
	if err := w.work(t, alertArgs{"default", b.ID, "2026-11-02"}); err != nil || len(w.posts) > 0 {
		t.Errorf("told after it was removed: %v", err)
	}
}

// TestTriesLieFurtherApart: three days in all.
func TestTriesLieFurtherApart(t *testing.T) {
	t.Parallel()
	w, before, sum := &alertWorker{}, time.Duration(0), time.Duration(0)
	for i := range alertWaits {
		now := time.Now()
		wait := w.NextRetry(&river.Job[alertArgs]{JobRow: &rivertype.JobRow{Attempt: i + 1}}).Sub(now)
		if wait <= before || wait < alertWaits[i] {
			t.Errorf("try %d after %s, the one before after %s", i+1, wait, before)
		}
		before, sum = wait, sum+wait
	}
	if sum < 72*time.Hour || (alertArgs{}).InsertOpts().MaxAttempts != len(alertWaits)+1 {
		t.Errorf("given up after %s", sum)
	}
}

// TestAnAlertByMailIsEndedFromIt: by the address that stands in it.
func TestAnAlertByMailIsEndedFromIt(t *testing.T) {
	t.Parallel()
	w := watchedNode(t)
	w.weeks(t)
	a := w.add(t, rpc.AlertArgs{Above: "20%", Way: workspace.ByMail, To: "Boss <boss@example.org>"})
	args := alertArgs{"default", a.ID, "2026-11-02"}
	if err := w.work(t, args); !errors.Is(err, mail.ErrNone) {
		t.Errorf("without a mail server: %v", err)
	}
	b := mailtest.Serve(t, nil)
	s, err := letters.ParseServer(b.URL, "", "murmur@example.com")
	if err != nil {
		t.Fatal(err)
	}
	w.mail, w.public = &s, "https://murmur.example.com"
	if err := w.work(t, args); err != nil || len(b.Letters()) != 1 {
		t.Fatal(err, b.Letters())
	}
	stored, err := w.store.Alert(t.Context(), workspace.Default, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if l := strings.ReplaceAll(b.Letters()[0], "=\r\n", ""); !strings.Contains(l, "Subject: Missed calls left the range") || !strings.Contains(l, "/unsubscribe/"+stored.Target.Ender) {
		t.Error(l)
	}
	if err := (site{w.Node}).Unsubscribe(t.Context(), web.HashOf(stored.Target.Ender)); err != nil {
		t.Fatal(err)
	}
	if list, err := w.listAlerts(t.Context(), rpc.WorkspaceArgs{}); err != nil || len(list) > 0 {
		t.Error(list, err)
	}
}

// TestATenantsAlertReachesNoHostInside: a workspace's owner has the server post to no private host; the operator may.
func TestATenantsAlertReachesNoHostInside(t *testing.T) {
	t.Parallel()
	w := watchedNode(t)
	for _, to := range []string{w.url, "https://127.0.0.1:8443/x", "http://example.com/x", "https://user:pass@example.com", "nonsense", "file:///etc/passwd"} {
		if _, err := w.addAlertTo(t.Context(), rpc.AlertArgs{Insight: "missed-call-rate", Way: workspace.BySlack, To: to, As: workspace.Owner}, nil); explain.Of(err).Exit != 2 {
			t.Errorf("%s: %v", to, err)
		}
	}
	for _, to := range []string{"https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://10.0.0.7/x", "https://169.254.169.254/x"} {
		a, err := w.addAlertTo(t.Context(), rpc.AlertArgs{Insight: "missed-call-rate", Way: workspace.ByWebhook, To: to, As: workspace.Owner}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.tryAlert(t.Context(), rpc.RevokeArgs{ID: a.ID}); !errors.Is(err, hook.ErrHost) {
			t.Errorf("%s: %v", to, err)
		}
	}
	a := w.add(t, rpc.AlertArgs{Way: workspace.ByWebhook})
	if _, err := w.tryAlert(t.Context(), rpc.RevokeArgs{ID: a.ID}); err != nil || !bytes.Contains((<-w.posts).body, []byte(`"alert.test"`)) {
		t.Errorf("the operator's own: %v", err)
	}
}

// TestNoReceiverIsInTheFiles: where alerts go and what signs them is not readable in the data directory, nor on any list.
func TestNoReceiverIsInTheFiles(t *testing.T) {
	t.Parallel()
	w := watchedNode(t)
	a := w.add(t, rpc.AlertArgs{Way: workspace.ByWebhook})
	w.add(t, rpc.AlertArgs{Way: workspace.ByMail, To: "boss@example.org"})
	secrets := []string{"canary-of-the-path", a.Secret, "boss@example.org"}
	list, err := w.listAlerts(t.Context(), rpc.WorkspaceArgs{})
	if err != nil {
		t.Fatal(err)
	}
	printed, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	look := func(where string, data []byte) {
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", where, secret)
			}
		}
	}
	look("the list", printed)
	err = filepath.WalkDir(w.dir.Path(), func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		look(filepath.Base(path), data)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestARunningServerTellsByItself: looked at when it starts, sent by a job.
func TestARunningServerTellsByItself(t *testing.T) {
	t.Parallel()
	w := watchedNode(t)
	w.weeks(t)
	a := w.add(t, rpc.AlertArgs{Above: "20%", Way: workspace.ByWebhook})
	if err := w.startUpkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case p := <-w.posts:
		if p.header.Get("webhook-id") != "msg_"+a.ID+"-2026-11-02" {
			t.Errorf("%v", p.header)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
}
