package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/journal"
	"murmur/internal/journal/sqlite"
	"murmur/internal/keyring"
	"murmur/internal/workspace"
)

// The tests run the pipeline over the real journal and real seals, between two doors that are models: what a delivery
// is to become is written in it, and the lake is a map. Faults are put in at every place where one can be.

var (
	errHouse = fmt.Errorf("disk: %w", journal.ErrFull)
	errOwn   = errors.New("this message alone")
)

// order is what a delivery says: the state it is to get, how many facts of what size, and what is wrong with it.
type order struct {
	N     int
	State fact.State
	Facts int
	Size  int    // of each fact's words, bytes
	Fault string // "": none; process, panic, lake: the step that fails; rekeyed: its key ends while it is processed; dead: it has none
}

// refusedVersion marks a fact that the lake refuses.
const refusedVersion = 13

// house is a journal, keys and two doors.
type house struct {
	t    *testing.T
	dir  string
	j    *sqlite.Journal
	ring *keyring.Ring
	mk   *facttest.Maker
	lake lake
	ws   []workspace.ID

	mu      sync.Mutex
	r       *rand.Rand
	chance  float64               // of a fault of the house, at each place
	broken  map[workspace.ID]bool // whose keys are damaged
	healed  bool                  // what was wrong with messages is right
	words   map[int]string
	carried []carried // what was committed of the topic Facts
	learned int       // deliveries processed since the last Remember
	idle    chan struct{}
}

// carried is a message of facts: the facts in it, and whether the lake refuses one of them.
type carried struct {
	workspace workspace.ID
	facts     []fact.ID
	refused   bool
}

// lake is the model of the second door: facts by id, how often each was stored, and the position.
type lake struct {
	at     journal.Position
	stored map[fact.ID]int
}

func newHouse(t *testing.T, seed uint64) *house {
	t.Helper()
	dir := t.TempDir()
	must(t, keyring.CreateRoot(dir, keyring.Config{}))
	ring, err := keyring.Open(dir, keyring.Config{})
	must(t, err)
	h := &house{t: t, dir: dir, ring: ring, mk: facttest.New(t), lake: lake{stored: map[fact.ID]int{}}, r: rand.New(rand.NewPCG(seed, 7)),
		broken: map[workspace.ID]bool{}, words: map[int]string{}, idle: make(chan struct{}, 1)}
	for _, name := range []string{"one", "two", "three"} {
		ws := workspace.MustParse(name)
		h.ws = append(h.ws, ws)
		must(t, ring.Create(ws))
	}
	h.open()
	t.Cleanup(func() { must(t, h.j.Close()) })
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) open() {
	h.t.Helper()
	j, err := sqlite.Open(h.t.Context(), filepath.Join(h.dir, "journal.db"), sqlite.Config{Poll: time.Millisecond})
	must(h.t, err)
	h.j = j
}

// accept takes orders in as deliveries of a workspace.
func (h *house) accept(ws workspace.ID, all ...order) {
	h.t.Helper()
	var messages []journal.Message
	for _, o := range all {
		b, err := json.Marshal(o)
		must(h.t, err)
		messages = append(messages, journal.Message{Topic: journal.Inbox, ID: idOf(o.N), Workspace: ws, Source: 7, At: time.UnixMicro(int64(o.N)), Epoch: 1, Payload: b})
	}
	_, err := h.j.Accept(h.t.Context(), messages...)
	must(h.t, err)
}

func idOf(n int) journal.ID { return journal.ID(facttest.ID(n)) }

// fails is true now and then.
func (h *house) fails() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.r.Float64() < h.chance
}

// pipeline is a new one, as after a start.
func (h *house) pipeline() *Pipeline {
	return &Pipeline{Journal: faulty{h.j, h}, Private: h, Crowd: h, Seal: h, Now: time.Now}
}

// Remember implements Private. It fails now and then, as the disk does.
func (h *house) Remember(ctx context.Context) error {
	if h.fails() {
		return errHouse
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.learned = 0
	return nil
}

// Process implements Private.
func (h *house) Process(ctx context.Context, m journal.Message) (fact.Outcome, error) {
	var o order
	if err := json.Unmarshal(m.Payload, &o); err != nil {
		return fact.Outcome{}, err
	}
	h.mu.Lock()
	broken, healed := h.broken[m.Workspace], h.healed
	h.learned++
	h.mu.Unlock()
	switch {
	case h.fails() && h.fails(): // rarer: a batch has hundreds of these
		return fact.Outcome{}, errHouse
	case broken:
		return fact.Outcome{}, keyring.ErrDamaged
	case o.Fault == "process" && !healed:
		return fact.Outcome{}, errOwn
	case o.Fault == "panic" && !healed:
		panic("a parser's")
	case o.Fault == "dead":
		return fact.Outcome{State: fact.Quarantined, Why: fact.WhyUnsealed}, nil
	case o.Fault == "rekeyed" && m.Epoch == 1:
		if _, err := h.j.Reseal(ctx, m.Workspace, 2, func(m journal.Message) (journal.Message, error) { m.Epoch = 2; return m, nil }); err != nil {
			return fact.Outcome{}, err
		}
		if o.State != fact.Held { // one that is held was opened before its key ended
			return fact.Outcome{State: fact.Quarantined, Why: fact.WhyUnsealed}, nil
		}
	}
	out := fact.Outcome{State: o.State}
	for i := range o.Facts {
		out.Facts = append(out.Facts, &fact.Message{Head: fact.Head{ID: facttest.ID(o.N*1000 + i), Version: map[bool]int64{true: refusedVersion}[o.Fault == "lake"]}, Body: h.mk.Text(h.wordsOf(o.Size))})
	}
	return out, nil
}

func (h *house) wordsOf(size int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.words[size] == "" {
		h.words[size] = strings.Repeat("w", size)
	}
	return h.words[size]
}

// Enrich implements Crowd.
func (h *house) Enrich([]fact.Fact) {}

// Position implements Crowd.
func (h *house) Position(context.Context, int32) (journal.Position, error) {
	if h.fails() {
		return "", errHouse
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lake.at, nil
}

// Append implements Crowd: all or nothing, and sometimes the answer is lost.
func (h *house) Append(_ context.Context, batches []fact.Batch, _ int32, from, to journal.Position) error {
	if h.fails() {
		return errHouse
	}
	h.mu.Lock()
	if h.lake.at != from {
		h.mu.Unlock()
		return errHouse
	}
	for _, b := range batches {
		for _, f := range b.Facts {
			if f.Meta().Version == refusedVersion && !h.healed {
				h.mu.Unlock()
				return errOwn
			}
		}
	}
	for _, b := range batches {
		for _, f := range b.Facts {
			h.lake.stored[f.Meta().ID]++
		}
	}
	h.lake.at = to
	h.mu.Unlock()
	if h.fails() {
		return errHouse
	}
	return nil
}

// Seal implements Sealer.
func (h *house) Seal(ws workspace.ID, topic string, id [16]byte, version uint8, b []byte) (uint32, []byte, error) {
	h.mu.Lock()
	broken := h.broken[ws]
	h.mu.Unlock()
	if broken {
		return 0, nil, keyring.ErrDamaged
	}
	return h.ring.Seal(ws, topic, id, version, b)
}

// Open implements Sealer.
func (h *house) Open(ws workspace.ID, topic string, id [16]byte, version uint8, epoch uint32, b []byte) (keyring.Opened, error) {
	h.mu.Lock()
	broken := h.broken[ws]
	h.mu.Unlock()
	if broken {
		return keyring.Opened{}, keyring.ErrDamaged
	}
	return h.ring.Open(ws, topic, id, version, epoch, b)
}

// faulty is the journal whose stages sometimes fail between their effect and the commit, and that says when one looks
// for more to do.
type faulty struct {
	*sqlite.Journal
	h *house
}

func (f faulty) Transform(ctx context.Context, r journal.Reader, stage journal.Stage) error {
	limit := r.Limit
	r.Limit = func() int {
		select {
		case f.h.idle <- struct{}{}:
		default:
		}
		return limit()
	}
	err := f.Journal.Transform(ctx, r, func(ctx context.Context, in []journal.Message) ([]journal.Message, error) {
		out, err := stage(ctx, in)
		if err == nil && f.h.fails() {
			return nil, errHouse
		}
		if err == nil && r.Topic == journal.Inbox {
			f.h.made(out)
		}
		return out, err
	})
	if errors.Is(err, journal.ErrTooLarge) {
		f.h.t.Errorf("the journal was handed %v: facts are to be cut before", err)
	}
	return err
}

// made notes the messages of facts that a batch of deliveries became.
func (h *house) made(out []journal.Message) {
	h.mu.Lock()
	if h.learned > 0 {
		h.t.Errorf("outcomes are committed before what %d deliveries told of people is remembered", h.learned)
	}
	h.mu.Unlock()
	for _, m := range out {
		if m.Topic != journal.Facts {
			continue
		}
		opened, err := h.ring.Open(m.Workspace, keyring.TopicFacts, m.ID, factsVersion, m.Epoch, m.Payload)
		if err != nil {
			h.t.Error(err)
			continue
		}
		b, err := fact.Decode(opened)
		if err != nil {
			h.t.Error(err)
		}
		p := carried{workspace: m.Workspace}
		for _, f := range b.Facts {
			p.facts = append(p.facts, f.Meta().ID)
			p.refused = p.refused || f.Meta().Version == refusedVersion
		}
		h.mu.Lock()
		h.carried = append(h.carried, p)
		h.mu.Unlock()
	}
}

// settle runs the pipeline, over and over after faults of the house and some crashes, until nothing waits.
func (h *house) settle(crashes int) {
	h.t.Helper()
	ctx := h.t.Context()
	for {
		if b, err := h.j.Backlog(ctx); err != nil || b.Pending+b.Facts == 0 {
			must(h.t, err)
			return
		}
		run, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- h.pipeline().Run(run) }()
		err := h.watch(run, stop, done, &crashes)
		stop()
		if err != nil && !errors.Is(err, errHouse) {
			h.t.Fatalf("the pipeline stopped for %v", err)
		}
	}
}

// watch waits until a run ends, ends it when nothing waits, and crashes it now and then.
func (h *house) watch(ctx context.Context, stop func(), done chan error, crashes *int) error {
	for {
		select {
		case err := <-done:
			return err
		case <-h.idle:
		}
		b, err := h.j.Backlog(ctx)
		crash := *crashes > 0 && h.fails()
		if err != nil || b.Pending+b.Facts > 0 && !crash {
			continue
		}
		stop()
		err = <-done
		if crash {
			*crashes--
			must(h.t, h.j.Close())
			h.open()
		}
		return err
	}
}

// states are those of deliveries, by number, with the reason.
func (h *house) state(ws workspace.ID, n int) (fact.State, fact.Why) {
	h.t.Helper()
	trace, err := h.j.Trace(h.t.Context(), ws, idOf(n))
	must(h.t, err)
	return trace.State, trace.Why
}

// balanced holds the book's two counters against each other.
func (h *house) balanced() {
	h.t.Helper()
	counts, err := h.j.Counts(h.t.Context())
	must(h.t, err)
	for ws, sources := range counts {
		for _, tally := range sources {
			if tally.In != tally.Sum() {
				h.t.Errorf("%s: %d came in, their states are %v", ws, tally.In, tally.States)
			}
		}
	}
}

// stored checks that a delivery's facts are in the lake so many times.
func (h *house) stored(o order, times int) {
	h.t.Helper()
	for i := range o.Facts {
		if got := h.lake.stored[facttest.ID(o.N*1000+i)]; got != times {
			h.t.Errorf("fact %d of delivery %d is in the lake %d times, want %d (%+v)", i, o.N, got, times, o)
			return
		}
	}
}
