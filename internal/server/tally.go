package server

import "github.com/prometheus/client_golang/prometheus"

// liveCalls are the metrics of calls that murmur records or controls.
type liveCalls struct {
	node       *Node
	live, ends *prometheus.Desc
}

func newLiveCalls(n *Node) *liveCalls {
	return &liveCalls{
		node: n,
		live: prometheus.NewDesc("murmur_calls_live", "Calls under way.", nil, nil),
		ends: prometheus.NewDesc("murmur_calls_total", "Calls that came to an end, by the state and the event that led there; one may come to several.", []string{"state", "why"}, nil),
	}
}

func (c *liveCalls) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *liveCalls) Collect(ch chan<- prometheus.Metric) {
	t := c.node.zone.CallTally()
	ch <- prometheus.MustNewConstMetric(c.live, prometheus.GaugeValue, float64(t.Live))
	for _, e := range t.Ends {
		ch <- prometheus.MustNewConstMetric(c.ends, prometheus.CounterValue, float64(e.Calls), e.State, e.Why)
	}
}
