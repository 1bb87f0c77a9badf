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
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"murmur/internal/explain"
	"murmur/internal/keyring"
	"murmur/internal/rpc"
	"murmur/internal/stream"
	"murmur/internal/workspace"
)

// own is an operator's Kafka in memory that has the topic calls.
type own struct {
	t       *testing.T
	address string
	client  *kgo.Client
}

func newOwn(t *testing.T, partitions int32) *own {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "calls"),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("calls"), kgo.ProducerBatchMaxBytes(4<<20),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &own{t, "kafka://" + c.ListenAddrs()[0] + "/calls", client}
}

// write appends a record; pairs are its headers.
func (o *own) write(value string, pairs ...string) {
	o.t.Helper()
	r := &kgo.Record{Value: []byte(value)}
	for i := 0; i < len(pairs); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: pairs[i], Value: []byte(pairs[i+1])})
	}
	if err := o.client.ProduceSync(o.t.Context(), r).FirstErr(); err != nil {
		o.t.Fatal(err)
	}
}

// oneCall is one line of someCalls.
func oneCall(i int) string { return strings.TrimSpace(someCalls(i, i+1)) }

// lines writes each line for a workspace.
func (o *own) lines(ws, all string) {
	o.t.Helper()
	for line := range strings.Lines(all) {
		o.write(strings.TrimSpace(line), headerWorkspace, ws)
	}
}

// setBack has the group read everything again; nobody may read.
func (o *own) setBack(group string) {
	o.t.Helper()
	admin := kadm.NewClient(o.client)
	starts, err := admin.ListStartOffsets(o.t.Context(), "calls")
	if err == nil {
		err = admin.CommitAllOffsets(o.t.Context(), group, starts.Offsets())
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// fed is a house that reads an operator's Kafka, with workspaces beside the default one.
func fed(t *testing.T, o *own, workspaces ...string) house {
	t.Helper()
	return reading(t, filepath.Join(t.TempDir(), "data"), o, workspaces...)
}

func reading(t *testing.T, data string, o *own, workspaces ...string) house {
	t.Helper()
	return readingAs(t, Config{Data: data}, o, workspaces...)
}

func readingAs(t *testing.T, c Config, o *own, workspaces ...string) house {
	t.Helper()
	h := startAs(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.keepStreams(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		stop(t, h.Node)
	})
	for _, ws := range workspaces {
		if err := h.createWorkspace(t.Context(), workspace.MustParse(ws)); err != nil {
			t.Fatal(err)
		}
	}
	if o != nil {
		h.do("connect", rpc.ConnectArgs{Kind: "kafka", APIBase: o.address}, "")
	}
	return h
}

func (h house) stream() rpc.Stream {
	h.t.Helper()
	var s rpc.Status
	if err := json.Unmarshal([]byte(h.do("status", nil, "")), &s); err != nil || len(s.Streams) != 1 {
		h.t.Fatalf("%d streams, %v", len(s.Streams), err)
	}
	return s.Streams[0]
}

// countsOf are those of what came to a workspace by its stream.
func (h house) countsOf(ws string) rpc.Counts {
	h.t.Helper()
	var s rpc.Status
	if err := json.Unmarshal([]byte(h.do("status", nil, "")), &s); err != nil {
		h.t.Fatal(err)
	}
	return s.Workspaces[ws].BySource["stream:kafka"]
}

// awaits waits until the stream has come to something.
func (h house) awaits(what string, done func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	if err := h.until(ctx, func() (bool, error) { return done(), nil }); err != nil {
		h.t.Fatalf("%s: %v\n%s", what, err, h.stream())
	}
}

// takes waits until so many records were taken since the start.
func (h house) takes(n int64) {
	h.t.Helper()
	h.awaits(fmt.Sprintf("%d records are taken", n), func() bool { return h.stream().Taken >= n })
	if err := h.Drain(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// TestAStreamFeedsEveryWorkspace: what the stream says of three workspaces gives each the figures that the same lines give from a
// file; the group set back to the beginning changes nothing but the number of duplicates.
func TestAStreamFeedsEveryWorkspace(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 2)
	all := map[string]string{"default": peopleCalls(0, 30), "shop-1": peopleCalls(100, 125), "shop-2": peopleCalls(200, 220)}
	for ws, lines := range all {
		o.lines(ws, lines)
	}
	o.write(strings.Replace(oneCall(300), `{`, `{"workspace":"shop-1",`, 1)) // the event names it itself
	h := fed(t, o, "shop-1", "shop-2")
	records := int64(strings.Count(all["default"]+all["shop-1"]+all["shop-2"], "\n")) + 1
	h.takes(records)
	all["shop-1"] += oneCall(300) + "\n"
	file := startAs(t, Config{Data: filepath.Join(t.TempDir(), "data")})
	defer stop(t, file.Node)
	for ws, lines := range all {
		c := h.countsOf(ws)
		if n := int64(strings.Count(lines, "\n")); c.In != n || c.Published != n {
			t.Errorf("%s: %+v, want %d published", ws, c, n)
		}
		if err := file.createWorkspace(t.Context(), workspace.MustParse(ws)); err != nil {
			t.Fatal(err)
		}
		file.do("import", rpc.ImportArgs{Kind: "native", Workspace: ws}, lines)
	}
	if trace := h.do("doctor", rpc.DoctorArgs{Workspace: "shop-1", Event: "c300"}, ""); !strings.Contains(trace, "published") {
		t.Errorf("doctor does not find a record by its delivery_id: %s", trace)
	}
	figures := func(h house) (all string) {
		h.do("figures", rpc.FiguresArgs{Refresh: true}, "")
		for _, ws := range []string{"default", "shop-1", "shop-2"} {
			for line := range strings.Lines(h.do("figures", rpc.FiguresArgs{Workspace: ws}, "")) {
				if strings.Contains(line, `"noise":0`) {
					all += countedAt.ReplaceAllString(line, "")
				}
			}
		}
		return all
	}
	want := figures(file)
	if got := figures(h); got != want || !strings.Contains(want, `"workspace":"shop-2"`) {
		t.Errorf("%d bytes of figures from the stream, %d from the file", len(got), len(want))
	}
	h.do("connect-pause", rpc.SourceArgs{Name: "kafka"}, "")
	h.awaits("the stream rests", func() bool { s := h.stream(); return s.State == "paused" && len(h.streams.copy()) == 0 })
	o.setBack(stream.DefaultGroup)
	h.do("connect-resume", rpc.SourceArgs{Name: "kafka"}, "")
	h.takes(records)
	if got := figures(h); got != want {
		t.Errorf("figures change when everything comes again")
	}
	if c := h.countsOf("shop-1"); c.Duplicate != c.Published || c.In != c.Published+c.Duplicate {
		t.Errorf("everything came again: %+v", c)
	}
}

// copy lists the readers that run.
func (s *streams) copy() (all []*streaming) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.running {
		all = append(all, r)
	}
	return all
}

// TestAVendorsPayloadInAStream: a record may be a vendor's own webhook of a kind that it names.
func TestAVendorsPayloadInAStream(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	const answer = `{"event_type":"survey_response.created","event_id":"e1","event_data":{"id":"r1","survey_type":"nps","score":9,"created_at":1780000000,"person":{"email":"ann@example.com"}}}`
	for range 2 {
		o.write(answer, headerWorkspace, "shop-1", headerKind, "delighted", headerID, "e1")
	}
	h := fed(t, o, "shop-1")
	h.takes(2)
	if c := h.countsOf("shop-1"); c.Published != 1 || c.Duplicate != 1 {
		t.Errorf("%+v", c)
	}
}

const (
	poisonPhone = "+12125550187"
	poisonName  = "zyzzogeton-quagga"
)

// poisons are records that cannot be taken as they are, with the reason that is said of each.
func poisons() map[string]struct {
	value string
	pairs []string
	why   string
} {
	line := func(at, kind string) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":%q,"source_id":"x-%s","occurred_at":%q,"direction":"in","outcome":"missed","party":{"phone":%q,"name":%q}}`, kind, at, at, poisonPhone, poisonName)
	}
	shop := []string{headerWorkspace, "shop-1"}
	good := line("2026-11-02T09:00:00Z", "call")
	return map[string]struct {
		value string
		pairs []string
		why   string
	}{
		"not JSON":               {"hello " + poisonPhone, shop, "not-json"},
		"nothing":                {"", shop, "not-json"},
		"no header":              {good, nil, asideNone},
		"an unknown workspace":   {good, []string{headerWorkspace, poisonName}, asideUnknown},
		"a number for a name":    {good, []string{headerWorkspace, poisonPhone}, asideUnknown},
		"two workspaces":         {strings.Replace(good, `{`, `{"workspace":"default",`, 1), shop, asideTwo},
		"a header twice":         {good, []string{headerWorkspace, "shop-1", headerWorkspace, "default"}, asideTwo},
		"2 MiB":                  {strings.Repeat("x", 2<<20), shop, asideLarge},
		"an unknown type":        {line("2026-11-02T09:00:01Z", "fax"), shop, "unknown-type"},
		"an unknown kind":        {good, append([]string{headerKind, "seance"}, shop...), asideKind},
		"murmur's own kind":      {good, append([]string{headerKind, "own"}, shop...), asideKind},
		"a kind with a mapping":  {good, append([]string{headerKind, "webhook"}, shop...), asideKind},
		"another version":        {strings.Replace(good, "murmur.v1", "murmur.v9", 1), shop, "unknown-type"},
		"from 1970":              {line("1970-01-01T00:00:00Z", "call"), shop, "bad-time"},
		"from 2099":              {line("2099-01-01T00:00:00Z", "call"), shop, "bad-time"},
		"a list of good records": {"[" + good + "]", shop, "not-json"},
	}
}

// TestPoisonIsPutAside: what cannot be taken is counted once with its place and its reason, however often it comes, and says
// nothing of what is in it; the records behind it are taken; when the reason is gone and it comes again, it is taken and no longer
// counted.
func TestPoisonIsPutAside(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	places := map[int64]string{}
	for _, p := range poisons() {
		places[int64(2*len(places))] = p.why
		o.write(p.value, p.pairs...)
		o.write(oneCall(len(places)), headerWorkspace, "shop-1")
	}
	n := int64(len(places))
	var log bytes.Buffer
	h := fed(t, o, "shop-1")
	h.log = explain.NewLog(&log)
	h.takes(2 * n)
	check := func() {
		t.Helper()
		found := map[string]int64{}
		for _, a := range h.stream().Aside {
			found[a.Why] += a.Records
			if places[a.First] != a.Why || places[a.Last] != a.Why || a.Waits || a.Topic != "calls" {
				t.Errorf("at offset %d and %d is %s, %s; said is %s", a.First, a.Last, places[a.First], places[a.Last], a)
			}
		}
		want := map[string]int64{}
		for _, why := range places {
			want[why]++
		}
		if fmt.Sprint(found) != fmt.Sprint(want) {
			t.Errorf("put aside: %v, want %v", found, want)
		}
	}
	check()
	if c := h.countsOf("shop-1"); c.Published != n || c.Quarantined == 0 || c.In != c.Published+c.Quarantined+c.Duplicate {
		t.Errorf("%+v, want %d published", c, n)
	}
	doctor := h.do("doctor", rpc.DoctorArgs{}, "")
	if !strings.Contains(doctor, "partition 0, offset") || !strings.Contains(doctor, asideUnknown) {
		t.Errorf("doctor does not name the places: %s", doctor)
	}
	metrics := httptest.NewRecorder()
	h.metrics().ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(metrics.Body.String(), `murmur_stream_aside{source="kafka",why="unknown-workspace"} 2`) {
		t.Error("the metrics do not count them")
	}
	for where, said := range map[string]string{"status": h.do("status", nil, ""), "doctor": doctor, "the metrics": metrics.Body.String(), "the log": log.String()} {
		if strings.Contains(said, poisonPhone[1:]) || strings.Contains(said, poisonName) {
			t.Errorf("%s tells what is in a record", where)
		}
	}
	again := func() {
		h.do("connect-pause", rpc.SourceArgs{Name: "kafka"}, "")
		h.awaits("the stream rests", func() bool { return len(h.streams.copy()) == 0 })
		o.setBack(stream.DefaultGroup)
		h.do("connect-resume", rpc.SourceArgs{Name: "kafka"}, "")
		h.takes(2 * n)
	}
	again()
	check()
	if err := h.createWorkspace(t.Context(), workspace.MustParse(poisonName)); err != nil {
		t.Fatal(err)
	}
	again()
	if c := h.countsOf(poisonName); c.Published != 1 {
		t.Errorf("the workspace is there now: %+v", c)
	}
}

// TestWhatWaitsIsReadAgain: a workspace at its limit, one that is suspended and one whose key file is damaged do not hold up a
// third; what they did not get comes once there is room, nothing of it twice, and a restart in between changes nothing.
func TestWhatWaitsIsReadAgain(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	data := filepath.Join(t.TempDir(), "data")
	h := reading(t, data, nil, "flood", "rests", "works")
	if err := h.store.SetLimits(t.Context(), workspace.MustParse("flood"), workspace.Limits{Day: 15}); err != nil {
		t.Fatal(err)
	}
	if err := h.suspend(t.Context(), workspace.MustParse("rests")); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		for _, ws := range []string{"flood", "rests", "works"} {
			o.write(oneCall(i), headerWorkspace, ws)
		}
	}
	h.do("connect", rpc.ConnectArgs{Kind: "kafka", APIBase: o.address}, "")
	h.takes(120)
	if c := h.countsOf("works"); c.Published != 40 {
		t.Errorf("the one that works: %+v", c)
	}
	if c := h.countsOf("flood"); c.Published != 15 {
		t.Errorf("the one at its limit: %+v", c)
	}
	waiting := map[string]int64{}
	for _, a := range h.stream().Aside {
		waiting[a.Workspace+" "+a.Why] += a.Records
		if !a.Waits {
			t.Errorf("does not wait: %s", a)
		}
	}
	if fmt.Sprint(waiting) != "map[flood limit:25 rests suspended:40]" {
		t.Errorf("what waits: %v", waiting)
	}
	if err := h.store.SetLimits(t.Context(), workspace.MustParse("flood"), workspace.Limits{Day: 25}); err != nil {
		t.Fatal(err)
	}
	h.awaits("the limit allows some more", func() bool { return h.countsOf("flood").In == 25 })
	if err := errors.Join(h.resume(t.Context(), workspace.MustParse("rests")), h.store.SetLimits(t.Context(), workspace.MustParse("flood"), workspace.Limits{})); err != nil {
		t.Fatal(err)
	}
	h.awaits("nothing waits", func() bool { return len(h.stream().Aside) == 0 })
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ws := range []string{"flood", "rests", "works"} {
		if c := h.countsOf(ws); c.Published != 40 || c.In != 40 {
			t.Errorf("%s: %+v", ws, c)
		}
	}
}

// TestAFloodHasItsPace: a workspace gets as many records a second as it may, and the others all of theirs at once.
func TestAFloodHasItsPace(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 4, 10, 0, 0, 0, time.UTC).UnixNano())
	h := readingAs(t, Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return time.Unix(0, clock.Load()) }}, nil, "flood", "works")
	if err := h.store.SetLimits(t.Context(), workspace.MustParse("flood"), workspace.Limits{Second: 5}); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		for _, ws := range []string{"flood", "works"} {
			o.write(oneCall(i), headerWorkspace, ws)
		}
	}
	h.do("connect", rpc.ConnectArgs{Kind: "kafka", APIBase: o.address}, "")
	h.takes(24)
	for second, want := range []int64{5, 10, 12} {
		h.awaits("its second's worth has come", func() bool { return h.countsOf("flood").In >= want })
		if c := h.countsOf("flood"); c.In != want || h.countsOf("works").In != 12 {
			t.Errorf("after %d seconds: %+v, want %d", second, c, want)
		}
		clock.Add(int64(time.Second))
	}
	h.awaits("nothing waits", func() bool { return len(h.stream().Aside) == 0 })
}

// TestWhatIsDeletedBeforeThereIsRoom is said: records that the servers no longer have are not forgotten silently.
func TestWhatIsDeletedBeforeThereIsRoom(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	h := reading(t, filepath.Join(t.TempDir(), "data"), nil, "rests")
	ws := workspace.MustParse("rests")
	if err := h.suspend(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	o.lines("rests", peopleCalls(0, 10))
	h.do("connect", rpc.ConnectArgs{Kind: "kafka", APIBase: o.address}, "")
	n := int64(strings.Count(peopleCalls(0, 10), "\n"))
	h.takes(n)
	if _, err := kadm.NewClient(o.client).DeleteRecords(t.Context(), kadm.OffsetsFromRecords(kgo.Record{Topic: "calls", Offset: 3})); err != nil {
		t.Fatal(err)
	}
	if err := h.resume(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	h.awaits("the rest is read", func() bool { s := h.stream(); return len(s.Aside) == 1 && s.Aside[0].Why == asideGone })
	if a := h.stream().Aside[0]; a.Records != 4 || a.Waits {
		t.Errorf("4 records are gone, said is %s", a)
	}
	if c := h.countsOf("rests"); c.In != n-4 {
		t.Errorf("%+v, want %d", c, n-4)
	}
}

// TestABrokenTenantHoldsUpNobody: where the keys of one workspace cannot be used, the others get theirs.
func TestABrokenTenantHoldsUpNobody(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	data := filepath.Join(t.TempDir(), "data")
	var later atomic.Int64
	h := readingAs(t, Config{Data: data, Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }}, nil, "broken", "works", "fine")
	if err := breaks["noise"](filepath.Join(data, keyring.Folder, "broken.keys")); err != nil {
		t.Fatal(err)
	}
	later.Store(int64(24 * time.Hour)) // keys of the day before are in memory no more
	for i := range 10 {
		for _, ws := range []string{"broken", "works", "fine"} {
			o.write(oneCall(i), headerWorkspace, ws)
		}
	}
	h.do("connect", rpc.ConnectArgs{Kind: "kafka", APIBase: o.address}, "")
	h.takes(30)
	for _, ws := range []string{"works", "fine"} {
		if c := h.countsOf(ws); c.Published != 10 {
			t.Errorf("%s: %+v", ws, c)
		}
	}
	if s := h.stream(); len(s.Aside) != 1 || s.Aside[0].Why != asideKeys || s.Aside[0].Records != 10 {
		t.Errorf("put aside: %v", s.Aside)
	}
}

// TestAStreamThatCannotBeConnected says why, and nothing is stored.
func TestAStreamThatCannotBeConnected(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	h := reading(t, filepath.Join(t.TempDir(), "data"), nil, "shop-1")
	nobody := fmt.Sprintf("kafka://127.0.0.1:%d/calls", freePort(t))
	for what, a := range map[string]rpc.ConnectArgs{
		"no address":          {},
		"no topic":            {APIBase: strings.TrimSuffix(o.address, "/calls")},
		"a topic not there":   {APIBase: strings.Replace(o.address, "calls", "texts", 1)},
		"another workspace":   {APIBase: o.address, Workspace: "shop-1"},
		"a password for none": {APIBase: o.address, Secret: "x"},
		"a user without one":  {APIBase: strings.Replace(o.address, "kafka://", "kafka+tls://murmur@", 1)},
		"an API key":          {APIBase: o.address, APIKey: "x"},
		"nobody there":        {APIBase: nobody},
	} {
		a.Kind = "kafka"
		err := h.Do(t.Context(), "connect", a, nil, io.Discard)
		if p := explain.Of(err); err == nil || p.Hint == "" || p.Status == http.StatusInternalServerError {
			t.Errorf("%s: %v, hint %q", what, err, p.Hint)
		}
	}
	if all, err := h.store.Streams(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%d streams are stored, %v", len(all), err)
	}
	web := h.over()
	if code, body := web.ask(h.token("default", "owner"), "POST", "/v1/sources", `{"kind":"kafka","api_base":"`+o.address+`"}`); code/100 != 4 {
		t.Errorf("over HTTP: %d %s", code, body)
	}
}

// TestARestoredStreamRests: the directory that was backed up may still read the group, and the group is ahead of the backup.
func TestARestoredStreamRests(t *testing.T) {
	t.Parallel()
	o := newOwn(t, 1)
	h := fed(t, o)
	o.lines("default", peopleCalls(0, 2))
	h.takes(int64(strings.Count(peopleCalls(0, 2), "\n")))
	backup := h.do("backup", nil, "")
	data := filepath.Join(t.TempDir(), "restored")
	if err := Restore(t.Context(), strings.NewReader(backup), nil, Config{Data: data}); err != nil {
		t.Fatal(err)
	}
	r := reading(t, data, nil)
	if s := r.stream(); s.State != "paused" {
		t.Errorf("a restored stream is %s", s)
	}
	if c := r.checked("stream kafka"); c.OK || !strings.Contains(c.Hint, "resume kafka") {
		t.Errorf("doctor: %+v", c)
	}
}
