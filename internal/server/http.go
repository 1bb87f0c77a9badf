package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"murmur/internal/admission"
	"murmur/internal/deliveries"
	"murmur/internal/explain"
	"murmur/internal/fact"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// handler joins what vendors, people and operators speak to.
func (n *Node) handler(pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /in/{kind}/{token}", n.accept)
	mux.HandleFunc("POST /in/{kind}/{token}/{step}", n.answerCall)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", n.ready)
	mux.Handle("GET /metrics", n.operators(n.metrics()))
	mux.Handle("/", pages)
	return admission.Answering(mux)
}

// accept takes one delivery: 2xx means that it is on disk.
func (n *Node) accept(w http.ResponseWriter, r *http.Request) {
	if n.stopping.Load() {
		busy(w, r, errStopping)
		return
	}
	src, ok := n.sourceOf(w, r)
	if !ok {
		return
	}
	done, err := n.admission.Read(src.Workspace, r.ContentLength)
	if err != nil {
		busy(w, r, err)
		return
	}
	defer done()
	body, ok := n.body(w, r)
	if !ok {
		return
	}
	leave, err := n.admission.Enter(r.Context(), src.Workspace)
	if err != nil {
		busy(w, r, err)
		return
	}
	defer leave()
	if ok, err := n.paced(r.Context(), src.Workspace); err != nil || !ok {
		busy(w, r, cmp.Or(err, workspace.ErrLimit))
		return
	}
	got, err := n.zone.Accept(r.Context(), src, r.Header, body, calledAt(src, r)...)
	if err != nil {
		n.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(fmt.Appendf(nil, `{"deliveries":%d,"new":%d}`+"\n", got.Deliveries, got.Fresh))
}

// errStopping: the server stops (503); the vendor sends the delivery again to the next server.
var errStopping = errors.New("the server is stopping")

// busy answers a delivery that was not let in.
func busy(w http.ResponseWriter, r *http.Request, err error) {
	p := &rpc.Problem{Message: err.Error(), Hint: "send it again; nothing of it was kept", Status: http.StatusServiceUnavailable}
	after := "5"
	if errors.Is(err, admission.ErrWorkspaceBusy) || errors.Is(err, workspace.ErrLimit) {
		p.Status, after = http.StatusTooManyRequests, "1"
	}
	w.Header().Set("Retry-After", after)
	if r.ContentLength < 0 || r.ContentLength > admission.LargeBody { // do not read a body that is dropped anyway
		w.Header().Set("Connection", "close")
	}
	problem(w, p)
}

// receive finds the source that a request belongs to and reads its body, or answers why not. A live call waits for the
// answer, so the request does not wait for its turn.
func (n *Node) receive(w http.ResponseWriter, r *http.Request) (src workspace.Source, body []byte, ok bool) {
	if src, ok = n.sourceOf(w, r); ok {
		body, ok = n.body(w, r)
	}
	return src, body, ok
}

// sourceOf finds the source that a request belongs to, or answers why it is not taken.
func (n *Node) sourceOf(w http.ResponseWriter, r *http.Request) (src workspace.Source, ok bool) {
	src, err := n.store.ByToken(r.Context(), r.PathValue("token"))
	if errors.Is(err, workspace.ErrNotFound) || err == nil && src.Kind != r.PathValue("kind") {
		problem(w, &rpc.Problem{Message: "no such address", Status: http.StatusNotFound})
		return src, false
	}
	if err != nil {
		n.unavailable(w, err)
		return src, false
	}
	if t := r.Header.Get("Content-Type"); !acceptable(t) && !(isForm(t) && private.SignsAddress(src.Kind)) {
		problem(w, &rpc.Problem{Message: "send application/json", Status: http.StatusUnsupportedMediaType})
		return src, false
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		problem(w, &rpc.Problem{Message: "send the body uncompressed", Status: http.StatusUnsupportedMediaType})
		return src, false
	}
	return src, true
}

// bodyTime is how long a vendor may take to send a delivery.
const bodyTime = 10 * time.Second

// body reads a delivery, or answers why it is not taken.
func (n *Node) body(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // not where a test calls the handler itself
	body, err := readBody(w, r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		problem(w, explain.Of(private.ErrTooLarge))
		return nil, false
	case errors.Is(err, os.ErrDeadlineExceeded):
		problem(w, &rpc.Problem{Message: "the body came too slowly", Status: http.StatusRequestTimeout})
		return nil, false
	case err != nil:
		problem(w, &rpc.Problem{Message: "the body ended early", Status: http.StatusBadRequest})
		return nil, false
	}
	return body, true
}

// smallBody is what room is made for before a body comes: so much can be claimed on every connection.
const smallBody = 16 << 10

// readBody reads a body.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if n := r.ContentLength; 0 <= n && n <= smallBody {
		b := make([]byte, n)
		_, err := io.ReadFull(r.Body, b)
		return b, err
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, private.MaxBody))
}

// acceptable content types are JSON in its notations, lines of it, and none at all; letter case and parameters do not
// matter (RFC 9110 8.3.1).
func acceptable(contentType string) bool {
	contentType, _, _ = strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(contentType)) {
	case "", "application/json", "application/jsonl", "application/x-ndjson", "application/cloudevents+json", "text/plain":
		return true
	}
	return false
}

// refuse answers an Accept error. Bad input is a 4xx; what murmur cannot do now is a 503, so that the vendor
// tries again.
func (n *Node) refuse(w http.ResponseWriter, err error) {
	p := explain.Of(err)
	switch {
	case p.Status >= 500:
		n.unavailable(w, err)
		return
	case errors.Is(err, workspace.ErrLimit):
		w.Header().Set("Retry-After", "60")
	}
	problem(w, p)
}

func (n *Node) unavailable(w http.ResponseWriter, err error) {
	n.log.Warn("a delivery was not accepted", "error", err)
	w.Header().Set("Retry-After", "5")
	p := explain.Of(err)
	problem(w, &rpc.Problem{Message: "not accepted now", Hint: p.Hint, Status: http.StatusServiceUnavailable})
}

func problem(w http.ResponseWriter, p *rpc.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": p.Message, "detail": p.Hint, "status": p.Status})
}

// ready is for load balancers: 503 while deliveries are not accepted or not processed.
func (n *Node) ready(w http.ResponseWriter, r *http.Request) {
	_, err := n.journal.Backlog(r.Context())
	switch {
	case err != nil || n.failure() != nil || n.stopping.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "not ready\n")
	default:
		_, _ = io.WriteString(w, "ready\n")
	}
}

// operators lets those in who may see the whole server: an owner of the default workspace, by token. On the control socket
// metrics need none.
func (n *Node) operators(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		who, err := site{Node: n}.Token(r.Context(), web.HashOf(token))
		switch {
		case !ok || errors.Is(err, web.ErrNoAccess):
			w.Header().Set("WWW-Authenticate", `Bearer realm="murmur"`)
			problem(w, &rpc.Problem{Message: "a token is needed", Hint: "murmur token --role owner makes one; over the control socket none is needed", Status: http.StatusUnauthorized})
		case err != nil:
			n.unavailable(w, err)
		case !who.Operator:
			problem(w, &rpc.Problem{Message: "the metrics are of the whole server", Hint: "use a token of an owner of the default workspace", Status: http.StatusForbidden})
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// metrics are read from durable state when they are asked for; labels come from closed sets.
func (n *Node) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{
		node:       n,
		deliveries: prometheus.NewDesc("murmur_deliveries", "Deliveries by state.", []string{"state"}, nil),
		accepted:   prometheus.NewDesc("murmur_deliveries_accepted_total", "Deliveries accepted.", nil, nil),
		lag:        prometheus.NewDesc("murmur_lag_seconds", "Age of the oldest delivery that waits.", nil, nil),
		facts:      prometheus.NewDesc("murmur_facts_waiting", "Batches of facts not yet in the lake.", nil, nil),
		stopped:    prometheus.NewDesc("murmur_pipeline_stopped", "1 while the pipeline cannot work.", nil, nil),
		away:       prometheus.NewDesc("murmur_queue_away", "1 while the servers of the queue do not answer; only where there is a queue.", nil, nil),
		bucketAway: prometheus.NewDesc("murmur_bucket_away", "1 while the bucket of the lake does not serve; only where there is one.", nil, nil),
		undeleted:  prometheus.NewDesc("murmur_bucket_undeleted", "Files that nothing needs and that the bucket would not delete; only where there is one.", nil, nil),
		backup:     prometheus.NewDesc("murmur_backup_timestamp_seconds", "When a backup was last handed out, in seconds since 1970; 0: never.", nil, nil),
		workspaces: prometheus.NewDesc("murmur_workspaces", "Workspaces by state: works, suspended, deleting.", []string{"state"}, nil),
	})
	for why, count := range n.refusals() {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "murmur_refused_total",
			Help: "Requests and connections refused because more comes in than fits, since the server started.", ConstLabels: prometheus.Labels{"why": why}},
			func() float64 { return float64(count.Load()) }))
	}
	reg.MustRegister(newPolls(n), newLiveCalls(n), newStallMetric(n), newStreamMetrics(n))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// refusals count what was refused under overload, by why.
func (n *Node) refusals() map[string]*atomic.Int64 {
	return map[string]*atomic.Int64{"workspace": &n.admission.Refused[0], "house": &n.admission.Refused[1], "connections": &n.crowded}
}

type collector struct {
	node                                      *Node
	deliveries, accepted, lag, facts, stopped *prometheus.Desc
	away, backup, workspaces                  *prometheus.Desc
	bucketAway, undeleted                     *prometheus.Desc
}

func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	stopped := 0.0
	if c.node.failure() != nil {
		stopped = 1
	}
	gauge(c.stopped, stopped)
	if last, err := c.node.lastDone(ctx, backedUp); err == nil {
		gauge(c.backup, max(0, float64(last.Unix())))
	}
	if states, err := c.node.store.Conditions(ctx); err == nil {
		for _, s := range []workspace.Condition{workspace.Works, workspace.Suspended, workspace.Deleting} {
			gauge(c.workspaces, float64(states[s]), s.String())
		}
	}
	if q, err := c.node.queueStatus(ctx); err == nil && q != nil {
		away := 0.0
		if q.Error != "" {
			away = 1
		}
		gauge(c.away, away)
	}
	if l := c.node.lakeStatus(); l != nil {
		away := 0.0
		if l.Error != "" {
			away = 1
		}
		gauge(c.bucketAway, away)
		gauge(c.undeleted, float64(l.Kept))
	}
	counts, err := c.node.journal.Counts(ctx)
	if err != nil {
		return
	}
	var sum deliveries.Tally
	for _, sources := range counts {
		for _, t := range sources {
			sum.In += t.In
			for s, k := range t.States {
				sum.States[s] += k
			}
		}
	}
	for _, s := range fact.States() {
		gauge(c.deliveries, float64(sum.States[s]), s.String())
	}
	ch <- prometheus.MustNewConstMetric(c.accepted, prometheus.CounterValue, float64(sum.In))
	if b, err := c.node.journal.Backlog(ctx); err == nil {
		age := 0.0
		if !b.Oldest.IsZero() {
			age = c.node.now().Sub(b.Oldest).Seconds()
		}
		gauge(c.lag, age)
		gauge(c.facts, float64(b.Facts))
	}
}
