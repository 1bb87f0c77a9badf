package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"murmur/internal/explain"
	"murmur/internal/rpc"
)

// streamStatus says how far every connected stream is.
func (n *Node) streamStatus(ctx context.Context) ([]rpc.Stream, error) {
	all, err := n.store.Streams(ctx)
	if err != nil {
		return nil, err
	}
	var said []rpc.Stream
	for _, src := range all {
		s := rpc.Stream{Source: src.Name, Address: src.Config.APIBase, State: "idle", Aside: []rpc.Aside{}}
		if src.Paused {
			s.State = "paused"
		} else if running := n.streams.of(src); running != nil {
			running.say(&s)
		}
		rows, err := n.store.Aside(ctx, src)
		if err != nil {
			return nil, err
		}
		for _, a := range rows {
			s.Aside = append(s.Aside, rpc.Aside{Topic: a.Topic, Partition: a.Partition, Workspace: a.Workspace, Why: a.Why,
				First: a.First, Last: a.Last, Records: a.Records, At: a.At.Format(time.RFC3339), Waits: waits(a.Why)})
		}
		said = append(said, s)
	}
	return said, nil
}

// say says how far a running stream is.
func (s *streaming) say(to *rpc.Stream) {
	p := s.progress.Said()
	s.mu.Lock()
	defer s.mu.Unlock()
	to.Partitions, to.Of, to.Behind, to.Taken = p.Partitions, p.Of, p.Behind, s.taken
	switch {
	case p.Reads:
		to.State = "reading"
	case s.trouble != nil:
		to.State, to.Trouble = "stopped", explain.Describe(s.trouble)
	default:
		to.State = "joining"
	}
}

const (
	// asideFresh is how long records that were put aside for good are a reason to look.
	asideFresh = 24 * time.Hour
	// asideListed is how many rows doctor names of a stream.
	asideListed = 20
)

// streamChecks tells doctor of every connected stream and of what it put aside.
func (n *Node) streamChecks(all []rpc.Stream, say func(name string, ok bool, hint, format string, args ...any)) {
	for _, s := range all {
		hint := "docs/stream.md: servers, user, rights and topics; what is not read stays there"
		if s.State == "paused" {
			hint = "murmur connect resume " + s.Source + " reads it again; in a restored directory set the group back first (docs/stream.md)"
		}
		say("stream "+s.Source, s.State != "stopped" && s.State != "paused", hint, "%s", s)
		if s.State == "reading" && s.Partitions < s.Of {
			say("group of "+s.Source, false, "another reader is in the same group and takes its records: give each installation a group of its own (?group=NAME)", "%d of %d partitions come here", s.Partitions, s.Of)
		}
		for i, a := range s.Aside {
			if i == asideListed {
				say("aside of "+s.Source, true, "", "%d more places: murmur status --json", len(s.Aside)-i)
				break
			}
			at, err := time.Parse(time.RFC3339, a.At)
			fresh := err == nil && n.now().Sub(at) < asideFresh
			say("aside of "+s.Source, a.Waits || !fresh, "docs/stream.md says what each reason means; the record is at that place on its servers", "%s", a)
		}
	}
}

// streamMetrics are the metrics of streams; names of sources are the operator's own, reasons are of a closed set.
type streamMetrics struct {
	node                *Node
	behind, away, aside *prometheus.Desc
}

func newStreamMetrics(n *Node) *streamMetrics {
	return &streamMetrics{
		node:   n,
		behind: prometheus.NewDesc("murmur_stream_behind", "Records of a stream not read yet, as far as its servers have told.", []string{"source"}, nil),
		away:   prometheus.NewDesc("murmur_stream_stopped", "1 while a connected stream cannot be read.", []string{"source"}, nil),
		aside:  prometheus.NewDesc("murmur_stream_aside", "Records of a stream that were put aside, by reason.", []string{"source", "why"}, nil),
	}
}

func (m *streamMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

func (m *streamMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := m.node.streamStatus(ctx)
	if err != nil {
		return // what cannot be read now is missing from the answer
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range all {
		stopped := 0.0
		if s.State == "stopped" {
			stopped = 1
		}
		gauge(m.behind, float64(s.Behind), s.Source)
		gauge(m.away, stopped, s.Source)
		reasons := map[string]int64{}
		for _, a := range s.Aside {
			reasons[a.Why] += a.Records
		}
		for why, records := range reasons {
			gauge(m.aside, float64(records), s.Source, why)
		}
	}
}
