package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"murmur/internal/faulttest"
	"murmur/internal/kafkatest"
	"murmur/internal/rpc"
	"murmur/internal/synth"
)

// shops are the workspaces of the operator whose stream is read.
var shops = []string{"shop-1", "shop-2", "shop-3"}

// operator is a real Kafka with the topic events, and what its owner does with it.
type operator struct {
	t       *testing.T
	servers *kafkatest.Cluster
	client  *kgo.Client
}

const (
	streamTopic      = "events"
	streamPartitions = 6
	streamGroup      = "figures"
)

func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{t: t, servers: kafkatest.Start(t, 1)}
	var err error
	o.client, err = kgo.NewClient(kgo.SeedBrokers(o.servers.Servers...), kgo.DefaultProduceTopic(streamTopic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.client.Close)
	if _, err := o.admin().CreateTopic(t.Context(), streamPartitions, 1, nil, streamTopic); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *operator) admin() *kadm.Client { return kadm.NewClient(o.client) }

func (o *operator) address() string {
	return "kafka://" + strings.Join(o.servers.Servers, ",") + "/" + streamTopic + "?group=" + streamGroup
}

// event is one record of the stream.
type event struct {
	shop string
	line []byte
}

func (o *operator) write(events []event) {
	o.t.Helper()
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		records[i] = &kgo.Record{Value: e.line, Headers: []kgo.RecordHeader{{Key: "murmur-workspace", Value: []byte(e.shop)}}}
	}
	if err := o.client.ProduceSync(o.t.Context(), records...).FirstErr(); err != nil {
		o.t.Fatal(err)
	}
}

// setGroup puts the group at the beginning or the end of the topic. Nobody may read; what was killed leaves the group here, and
// not only when its session ends.
func (o *operator) setGroup(offsets func(context.Context, ...string) (kadm.ListedOffsets, error)) {
	o.t.Helper()
	described, err := o.admin().DescribeGroups(o.t.Context(), streamGroup)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, m := range described[streamGroup].Members {
		if _, err := o.admin().LeaveGroup(o.t.Context(), kadm.LeaveGroup(streamGroup).InstanceIDs(*m.InstanceID)); err != nil {
			o.t.Fatal(err)
		}
	}
	at, err := offsets(o.t.Context(), streamTopic)
	if err == nil {
		err = o.admin().CommitAllOffsets(o.t.Context(), streamGroup, at.Offsets())
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// threeTowns are the events of three businesses, and all of them as they come: in turns.
func threeTowns(t *testing.T, contacts int) (files map[string][]byte, all []event) {
	t.Helper()
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	lines := map[string][][]byte{}
	for i, shop := range shops {
		b, days := synth.Days(synth.Config{Seed: uint64(31 + i), Start: time.Date(2026, 2, 23, 0, 0, 0, 0, zone), Zone: zone, Contacts: contacts}, 28)
		var w bytes.Buffer
		for _, d := range days {
			if err := b.Native(&w, d); err != nil {
				t.Fatal(err)
			}
		}
		files[shop], lines[shop] = w.Bytes(), slices.Collect(bytes.Lines(w.Bytes()))
	}
	for i := 0; len(lines) > 0; i++ {
		for _, shop := range shops {
			if i < len(lines[shop]) {
				all = append(all, event{shop, bytes.TrimSpace(lines[shop][i])})
			} else {
				delete(lines, shop)
			}
		}
	}
	return files, all
}

// furnish makes the workspaces of a house.
func (h *house) furnish() {
	h.t.Helper()
	for _, shop := range shops {
		h.do("workspace-create", rpc.WorkspaceArgs{Workspace: shop}, nil)
		h.do("policy", rpc.PolicyArgs{Workspace: shop, Reason: "a test", Author: "e2e", Set: []rpc.KeyValue{{Key: "timezone", Value: zoneName},
			{Key: "open-hours", Value: "mon-fri 09:00-17:00"}, {Key: "transcripts", Value: "notice"}, {Key: "noise", Value: "0"}}}, nil)
	}
}

// figuresOfShops are those of every workspace.
func (h *house) figuresOfShops() (all []byte) {
	h.t.Helper()
	for _, shop := range shops {
		var b []byte
		h.do("figures", rpc.FiguresArgs{Workspace: shop, Refresh: true}, &b)
		all = append(all, b...)
	}
	return all
}

func (h *house) stream() rpc.Stream {
	h.t.Helper()
	var s rpc.Status
	h.do("status", nil, &s)
	if len(s.Streams) != 1 {
		h.t.Fatalf("%d streams", len(s.Streams))
	}
	return s.Streams[0]
}

// once counts the different deliveries that came to each workspace.
func (h *house) once() map[string]int64 {
	h.t.Helper()
	var s rpc.Status
	h.do("status", nil, &s)
	all := map[string]int64{}
	for _, shop := range shops {
		c := s.Workspaces[shop].Counts
		all[shop] = c.In - c.Duplicate
	}
	return all
}

// awaitStream waits until something is so of the stream.
func (h *house) awaitStream(what string, is func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			h.t.Fatalf("%s: %s", what, h.stream())
		case <-tick.C:
		}
	}
}

// TestClusterStream: three workspaces interleaved in the operator's own Kafka have the figures that the same events give from a
// file, byte by byte, while murmur is killed in the middle of reading, and the server too, over and over; and once more after all of it was read again.
func TestClusterStream(t *testing.T) {
	o := newOperator(t)
	row := faulttest.Begin(t, "The operator's stream: murmur and the server killed while it is read, then all of it again")
	files, all := threeTowns(t, 200)
	plain := open(t, newData(t))
	plain.furnish()
	for _, shop := range shops {
		if err := plain.try("import", rpc.ImportArgs{Kind: "native", Workspace: shop}, bytes.NewReader(files[shop]), nil); err != nil {
			t.Fatal(err)
		}
	}
	want, truth := plain.figuresOfShops(), plain.once()
	plain.stopWell()

	data := newData(t)
	h := spawn(t, data)
	h.furnish()
	h.do("connect", rpc.ConnectArgs{Kind: "kafka", APIBase: o.address()}, nil)
	row.Rounds = faulttest.Rounds(4, 5, 50)
	inTheMiddle := 0
	for i := range row.Rounds {
		part := all[len(all)*i/row.Rounds : len(all)*(i+1)/row.Rounds]
		o.write(part)
		taken := int64(0)
		h.awaitStream("it is being read", func() bool { taken = h.stream().Taken; return taken > 0 })
		if taken < int64(len(part)) {
			inTheMiddle++
		}
		if i%2 == 1 {
			o.servers.Kill(0)
		}
		h.kill()
		if i%2 == 1 {
			o.servers.Run(0)
			o.servers.Await(1)
		}
		h = spawn(t, data)
	}
	row.Acknowledged = int64(len(all))
	missing := func() (n int64) {
		once := h.once()
		for _, shop := range shops {
			n += truth[shop] - once[shop]
		}
		return n
	}
	h.awaitStream("all of it is read", func() bool { return missing() <= 0 })
	row.Same(sameFigures(t, want, h.figuresOfShops()))

	h.do("connect-pause", rpc.SourceArgs{Name: "kafka"}, nil)
	h.kill()
	o.setGroup(o.admin().ListStartOffsets)
	h = spawn(t, data)
	h.do("connect-resume", rpc.SourceArgs{Name: "kafka"}, nil)
	h.awaitStream("all of it is read again", func() bool { return h.stream().Taken >= int64(len(all)) })
	got := h.figuresOfShops()
	row.Same(sameFigures(t, want, got))
	row.Lost, row.Note = missing(), fmt.Sprintf("%d bytes of figures, %d kills in the middle of a batch", len(got), inTheMiddle)
	if inTheMiddle == 0 {
		t.Error("murmur was never killed while records waited")
	}
	if row.Lost < 0 {
		row.Lost, row.Doubled = 0, -row.Lost
	}
	if s := h.stream(); len(s.Aside) > 0 {
		t.Errorf("put aside: %s", s)
	}
	row.Planted(o.movesOnFirst(h))
}

// movesOnFirst leaves the group as a murmur would that moves it on before the journal has a batch, and is killed between the two;
// it reports whether the check of the test sees the loss.
func (o *operator) movesOnFirst(h *house) bool {
	o.t.Helper()
	call := func(i int) []event {
		return []event{{shops[0], fmt.Appendf(nil, `{"schema":"murmur.v1","type":"call","source_id":"late-%d","occurred_at":"2026-03-02T10:00:00Z","direction":"in","outcome":"missed","party":{"phone":"+12125550199"}}`, i)}}
	}
	before := h.once()[shops[0]]
	h.do("connect-pause", rpc.SourceArgs{Name: "kafka"}, nil)
	h.awaitStream("it rests", func() bool { return h.stream().State == "paused" })
	o.write(slices.Concat(call(1), call(2), call(3)))
	o.setGroup(o.admin().ListEndOffsets)
	h.do("connect-resume", rpc.SourceArgs{Name: "kafka"}, nil)
	h.awaitStream("it is read again", func() bool { return h.stream().State == "reading" })
	o.write(call(4))
	h.awaitStream("the last call is there", func() bool { return h.once()[shops[0]] > before })
	return h.once()[shops[0]] < before+4
}

// kafkaTools are the commands of Kafka as its own scripts call them.
var kafkaTools = map[string]string{
	"kafka-topics.sh":           "org.apache.kafka.tools.TopicCommand",
	"kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
	"kafka-consumer-groups.sh":  "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}

// TestClusterStreamPage runs the commands of docs/stream.md as they stand there, Kafka's own too, on a real Kafka: the call of the
// page arrives, and once more after the group was set back.
func TestClusterStreamPage(t *testing.T) {
	c := kafkatest.Start(t, 1)
	data := newData(t)
	h := spawn(t, data)
	var prelude strings.Builder
	fmt.Fprintf(&prelude, "set -euo pipefail\nmurmur() { local IFS=$'\\n'; %s=\"$*\" '%s'; }\n", childArgs, os.Args[0])
	for name, class := range kafkaTools {
		fmt.Fprintf(&prelude, "%s() { java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '%s/*' %s \"$@\"; }\n", name, os.Getenv(kafkatest.Variable), class)
	}
	run := func(block string) {
		t.Helper()
		cmd := exec.Command("bash", "-c", prelude.String()+strings.ReplaceAll(block, "10.0.0.5:9092", c.Servers[0]))
		cmd.Env = append(os.Environ(), "MURMUR_DATA="+data)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, block, out)
		}
	}
	counts := func() rpc.Counts {
		var s rpc.Status
		h.do("status", nil, &s)
		return s.Workspaces["customer-4417"].BySource["stream:kafka"]
	}
	begin, again := blocks(t, "stream.md", "# Your own stream"), blocks(t, "stream.md", "\n## What is promised\n")
	if len(begin) != 1 || len(again) != 1 {
		t.Fatalf("%d and %d blocks of commands", len(begin), len(again))
	}
	run(begin[0])
	h.awaitStream("the call of the page arrives", func() bool { return counts().Published == 1 })
	run(again[0])
	h.awaitStream("it comes again", func() bool { return counts().Duplicate == 1 })
	h.stopWell()
}

// TestClusterQueueCommands runs the commands of docs/scale.md, "Facts over Kafka", on a real Kafka.
func TestClusterQueueCommands(t *testing.T) {
	c := kafkatest.Start(t, 1)
	ours := strings.NewReplacer("kafka://10.0.0.5:9092,10.0.0.6:9092,10.0.0.7:9092", queueOf(c))
	if ran := runScalePage(t, "Facts over Kafka", ours, c.Servers[0]); ran < 4 {
		t.Errorf("%d commands ran", ran)
	}
}
