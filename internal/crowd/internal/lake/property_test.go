package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"murmur/internal/bucket/buckettest"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/faulttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// errCrash is what the failpoint returns.
var errCrash = errors.New("crash")

// modelRow is what a reader must see of one id.
type modelRow struct {
	version int64
	linked  bool // the contact is still in the row
}

// oldRow is what a reader must see of a row without its id.
type oldRow struct {
	ws   workspace.ID
	kind fact.Kind
	at   fact.Micros
}

// model is the lake as one map a table: the highest version of each id.
type model struct {
	facts, texts map[key]modelRow
	spent        map[key]bool   // whose rows were severed
	old          map[oldRow]int // those rows
	last         Day            // the last day of one
	pos          string
}

// world runs the same operations on the lake and on the model.
type world struct {
	t        *testing.T
	r        *rand.Rand
	cfg      Config
	l        *Lake
	m        model
	crash    string // the point to crash at next; empty: none
	contacts []anon.Contact
	texts    []anon.Text
	pinned   *Snapshot
	release  func()
	pinRows  int
	told     map[Change]bool   // since the last look
	last     int64             // the highest sequence that was told
	store    *buckettest.Store // nil: the files are in a directory
}

const (
	worldIDs  = 60
	worldDays = 4
)

var worldSpaces = []workspace.ID{workspace.Default, workspace.MustParse("second")}

// row makes the one fact of an id's version: the same arguments give the same row. Every third version is on
// another day.
func (w *world) row(ws workspace.ID, id int, version int64) Row {
	day := (id + int(version)/3) % worldDays
	at := noon.AddDate(0, 0, day).Add(time.Duration(id) * time.Minute)
	c := w.contacts[(id*7+int(version))%len(w.contacts)]
	var r Row
	words := w.texts[(id+int(version))%len(w.texts)]
	switch id % 4 {
	case 0:
		r = call(id, at, c, version)
	case 1:
		r = message(id, at, c, version, words)
	case 2:
		r = message(id, at, c, version, anon.Text{})
	default:
		r = Row{workspace.Default, &fact.Talk{Head: facttest.Head(id, at, c, version), Call: facttest.ID(id - 3), Body: words}}
	}
	r.Workspace = ws
	return r
}

func dayIn(r Row) Day { return Day(floorDiv(int64(r.Fact.Meta().At), dayMicros)) }

func (w *world) random() (workspace.ID, int, int64) {
	return worldSpaces[w.r.IntN(len(worldSpaces))], w.r.IntN(worldIDs), 1 + w.r.Int64N(12)
}

// do runs an operation, crashing on the way when it is time: then the lake is opened again and the
// operation is done again, as the journal or the scheduler would.
func (w *world) do(name string, op func() error) {
	w.t.Helper()
	w.crash = ""
	if w.r.IntN(4) == 0 {
		w.crash = []string{"write", "commit", "expire"}[w.r.IntN(3)]
	}
	clear(w.told)
	before, seen := w.visible(), w.l.sequence
	err := op()
	for errors.Is(err, errCrash) {
		w.reopen()
		err = op()
	}
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	w.compareTold(name, before, seen)
}

// visible gives what a count of one day alone sees: of each id the row that counts among the day's, by what a change
// can name.
func (w *world) visible() map[Change]string {
	rows := map[Change]map[fact.ID]Stored{}
	for r, err := range allRows(w.l, fact.Facts) {
		must(w.t, err)
		r.n = 0 // where it stands is not what it says
		c := Change{r.Workspace, DayOf(time.UnixMicro(int64(r.At))), r.Kind}
		if rows[c] == nil {
			rows[c] = map[fact.ID]Stored{}
		}
		if old, known := rows[c][r.ID]; !known || old.Version < r.Version || old.Version == r.Version && r.Contact == [anon.ContactLen]byte{} {
			rows[c][r.ID] = r
		}
	}
	out := map[Change]string{}
	for c, ids := range rows {
		var all []string
		for _, r := range ids {
			if r.Kind == fact.KindCall {
				r.ID, r.Version = fact.ID{}, 0 // a severed call counts as the one it was
			}
			all = append(all, fmt.Sprint(r))
		}
		slices.Sort(all)
		out[c] = fmt.Sprint(all)
	}
	return out
}

// compareTold holds what changed against what was told: all of it, under a sequence that nothing had before.
func (w *world) compareTold(name string, before map[Change]string, seen int64) {
	w.t.Helper()
	after := w.visible()
	for _, m := range []map[Change]string{before, after} {
		for c := range m {
			if before[c] != after[c] && !w.told[c] {
				w.t.Fatalf("%s changed %v and did not tell", name, c)
			}
		}
	}
	if name == "expire" && len(w.told) > 0 {
		w.t.Fatalf("%s told of %d changes and made none", name, len(w.told))
	}
	snap, release, err := w.l.Pin(context.Background())
	must(w.t, err)
	defer release()
	if got := snap.Sequence(); got > w.last || len(w.told) > 0 && got <= seen || len(w.told) == 0 && got != seen {
		w.t.Fatalf("%s: sequence %d after %d, told up to %d", name, got, seen, w.last)
	}
}

func (w *world) changing(_ context.Context, sequence int64, changes []Change) error {
	if sequence <= w.last {
		w.t.Fatalf("sequence %d comes again", sequence)
	}
	w.last = sequence
	for _, c := range changes {
		w.told[c] = true
	}
	return nil
}

func (w *world) reopen() {
	w.unpin()
	must(w.t, w.l.Close())
	l, err := Open(context.Background(), w.cfg)
	must(w.t, err)
	w.l = l
}

func (w *world) append() {
	var rows []Row
	for range 1 + w.r.IntN(12) {
		rows = append(rows, w.row(w.random()))
	}
	step := Step{From: w.m.pos, To: strconv.Itoa(w.r.Int()), Partition: 0}
	switch w.r.IntN(4) {
	case 0:
		step.To = w.m.pos // already in
	case 1:
		step.From = "elsewhere"
	}
	w.do("append", func() error {
		err := w.l.Append(context.Background(), rows, step)
		if errors.Is(err, ErrMoved) && step.From != w.m.pos {
			return nil
		}
		return err
	})
	if step.To == w.m.pos || step.From != w.m.pos {
		return
	}
	w.m.pos = step.To
	for _, r := range rows {
		k, v := key{r.Workspace, r.Fact.Meta().ID}, r.Fact.Meta().Version
		if w.m.spent[k] && dayIn(r) <= w.m.last {
			continue
		}
		old, known := w.m.facts[k]
		if known && old.version > v {
			continue
		}
		if !known || v > old.version {
			w.m.facts[k] = modelRow{v, true}
			delete(w.m.texts, k)
		}
		if _, has := w.m.texts[k]; !has && r.Fact.Words() != nil && r.Fact.Words().Valid() {
			w.m.texts[k] = modelRow{v, true}
		}
	}
}

// each calls f for every row of a model table with the fact it stands for.
func (w *world) each(rows map[key]modelRow, f func(key, Row, modelRow)) {
	for _, ws := range worldSpaces {
		for id := range worldIDs {
			k := key{ws, facttest.ID(id)}
			if m, ok := rows[k]; ok {
				f(k, w.row(ws, id, m.version), m)
			}
		}
	}
}

func (w *world) forget() {
	ws, c := worldSpaces[w.r.IntN(len(worldSpaces))], w.contacts[w.r.IntN(len(w.contacts))]
	w.do("forget", func() error { return w.l.Forget(context.Background(), ws, []anon.Contact{c}) })
	for _, rows := range []map[key]modelRow{w.m.facts, w.m.texts} {
		w.each(rows, func(k key, r Row, m modelRow) {
			if k.ws == ws && m.linked && r.Fact.Meta().Contact == c {
				delete(rows, k)
			}
		})
	}
}

// withdraw takes what was said in a call, or by a contact.
func (w *world) withdraw() {
	ws, id, _ := w.random()
	gone := Withdrawal{Calls: []fact.ID{facttest.ID(id)}}
	if w.r.IntN(2) == 0 {
		gone = Withdrawal{Contacts: []anon.Contact{w.contacts[w.r.IntN(len(w.contacts))]}}
	}
	n, err := w.l.Withdrawable(context.Background(), ws, gone)
	must(w.t, err)
	w.do("withdraw", func() error { return w.l.Withdraw(context.Background(), ws, gone) })
	for _, rows := range []map[key]modelRow{w.m.texts, w.m.facts} {
		w.each(rows, func(k key, r Row, m modelRow) {
			talk, ok := r.Fact.(*fact.Talk)
			byCall := ok && slices.Contains(gone.Calls, talk.Call)
			byContact := m.linked && slices.Contains(gone.Contacts, r.Fact.Meta().Contact)
			if k.ws != ws || !byCall && !byContact {
				return
			}
			delete(w.m.texts, k)
			if ok {
				if delete(w.m.facts, k); n == 0 {
					w.t.Fatal("a talk was withdrawn that nobody had found")
				}
			}
		})
	}
}

// vacate takes everything of a workspace. While somebody reads the files from before, that is all it says.
func (w *world) vacate() {
	ws := worldSpaces[w.r.IntN(len(worldSpaces))]
	w.do("vacate", func() error {
		err := w.l.Vacate(context.Background(), ws)
		if errors.Is(err, ErrRead) && w.pinned != nil {
			return nil
		}
		return err
	})
	for _, rows := range []map[key]modelRow{w.m.texts, w.m.facts} {
		maps.DeleteFunc(rows, func(k key, _ modelRow) bool { return k.ws == ws })
	}
	maps.DeleteFunc(w.m.old, func(r oldRow, _ int) bool { return r.ws == ws })
}

func (w *world) delink() { w.delinkBefore(noon.AddDate(0, 0, w.r.IntN(worldDays/2))) }

func (w *world) delinkBefore(before time.Time) {
	w.do("delink", func() error { return w.l.Delink(context.Background(), olderThan(before)) })
	for _, rows := range []map[key]modelRow{w.m.facts, w.m.texts} {
		w.each(rows, func(k key, r Row, m modelRow) {
			if dayIn(r) < DayOf(before) {
				rows[k] = modelRow{m.version, false}
			}
		})
	}
}

// sever takes the ids of old calls, which are linked no more and stand in their days.
func (w *world) sever() {
	before := noon.AddDate(0, 0, w.r.IntN(worldDays/2))
	w.delinkBefore(before)
	w.compact()
	w.do("sever", func() error {
		return w.l.Sever(context.Background(), func(_ workspace.ID, kind fact.Kind, d Day) bool { return kind == fact.KindCall && d < DayOf(before) })
	})
	w.each(w.m.facts, func(k key, r Row, _ modelRow) {
		if r.Fact.Kind() == fact.KindCall && dayIn(r) < DayOf(before) {
			delete(w.m.facts, k)
			w.m.spent[k], w.m.last = true, max(w.m.last, dayIn(r))
			w.m.old[oldRow{k.ws, fact.KindCall, r.Fact.Meta().At}]++
		}
	})
}

func (w *world) dropTexts() {
	before := noon.AddDate(0, 0, w.r.IntN(worldDays/2))
	w.do("drop texts", func() error { return w.l.DropTexts(context.Background(), before) })
	w.each(w.m.texts, func(k key, r Row, _ modelRow) {
		if dayIn(r) < DayOf(before) {
			delete(w.m.texts, k)
		}
	})
}

func (w *world) compact() {
	w.do("compact", func() error { return w.l.Compact(context.Background()) })
	seen := map[key]bool{}
	for r, err := range allRows(w.l, fact.Facts) {
		must(w.t, err)
		k := key{r.Workspace, r.ID}
		if seen[k] {
			w.t.Fatal("an id stands in two rows after Compact")
		}
		seen[k] = true
	}
}

func (w *world) merge() {
	w.do("merge", func() error { return w.l.merge(context.Background(), true) })
}

func (w *world) expire() {
	w.do("expire", func() error { return w.l.Expire(context.Background()) })
	if w.pinned != nil {
		return
	}
	snap, release, err := w.l.Pin(context.Background())
	must(w.t, err)
	defer release()
	if w.store != nil {
		onlyCurrent(w.t, w.l, w.store)
		return
	}
	if got, want := len(filesBelow(w.t, w.cfg.Dir)), len(snap.paths()); got != want {
		w.t.Fatalf("%d files on disk after Expire, the snapshot has %d", got, want)
	}
}

// filesBelow lists the lake's files, without the locks.
func filesBelow(t testing.TB, dir string) (files []string) {
	must(t, filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && filepath.Ext(p) != ".lock" {
			files = append(files, p)
		}
		return err
	}))
	return files
}

func (w *world) pin() {
	if w.pinned != nil {
		w.unpin()
		return
	}
	s, release, err := w.l.Pin(context.Background())
	must(w.t, err)
	w.pinned, w.release, w.pinRows = s, release, 0
	for _, f := range s.files[fact.Facts] {
		w.pinRows += int(f.Count())
	}
}

// unpin first reads the pinned files: they must be as they were.
func (w *world) unpin() {
	if w.pinned == nil {
		return
	}
	n := 0
	for _, f := range w.pinned.files[fact.Facts] {
		for _, err := range w.l.scan(context.Background(), fact.Facts, f, nil) {
			must(w.t, err)
			n++
		}
	}
	if n != w.pinRows {
		w.t.Fatalf("a pinned snapshot has %d rows, had %d", n, w.pinRows)
	}
	w.release()
	w.pinned = nil
}

// compare reads the lake as readers must and holds it against the model.
func (w *world) compare(step int) {
	w.t.Helper()
	pos, err := w.l.Position(context.Background(), 0)
	must(w.t, err)
	if pos != w.m.pos {
		w.t.Fatalf("step %d: position %q, want %q", step, pos, w.m.pos)
	}
	facts, texts := latest(w.t, w.l, fact.Facts), latest(w.t, w.l, fact.Texts)
	old := map[oldRow]int{}
	for k, r := range facts {
		if r.Version == severed {
			delete(facts, k)
			old[oldRow{r.Workspace, r.Kind, r.At}]++
		}
	}
	if !maps.Equal(old, w.m.old) {
		w.t.Fatalf("step %d: severed rows %v, want %v", step, old, w.m.old)
	}
	for k, r := range texts {
		if facts[k].Version != r.Version || r.Text == "" {
			delete(texts, k)
		}
	}
	for name, tab := range map[string]struct {
		got  map[key]Stored
		want map[key]modelRow
	}{"facts": {facts, w.m.facts}, "texts": {texts, w.m.texts}} {
		if len(tab.got) != len(tab.want) {
			w.t.Fatalf("step %d: %d %s, want %d", step, len(tab.got), name, len(tab.want))
		}
		w.each(tab.want, func(k key, r Row, m modelRow) {
			g, ok := tab.got[k]
			linked := g.Contact == r.Fact.Meta().Contact.Bytes()
			unlinked := g.Contact == [anon.ContactLen]byte{}
			if !ok || g.Version != m.version || g.At != r.Fact.Meta().At || g.Kind != r.Fact.Kind() ||
				m.linked && !linked || !m.linked && !unlinked {
				w.t.Fatalf("step %d: %s: an id has version %d linked %v, want %+v", step, name, g.Version, linked, m)
			}
			if name == "texts" && g.Text != r.Fact.Words().String() {
				w.t.Fatalf("step %d: a text changed", step)
			}
		})
	}
}

// TestRandomOperations runs 120 operations, or up to 10,000 as a fault test, each of which may crash before or
// after its commit.
func TestRandomOperations(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "a crash before or after a commit of the lake, against a model")
	row.Rounds = faulttest.Rounds(120, 300, 10_000)
	randomOperations(t, row.Rounds, nil)
}

// TestRandomOperationsInABucket is the same with the files in a bucket and room for few copies. In the end the bucket has the
// files of the current state and nothing else.
func TestRandomOperationsInABucket(t *testing.T) {
	t.Parallel()
	s := buckettest.Open(t)
	l := randomOperations(t, 60, s)
	must(t, l.Expire(t.Context()))
	onlyCurrent(t, l, s)
	if a, _ := l.Away(); a.Copies > 20_000 || s.Calls("GET") < 200 {
		t.Errorf("%d bytes of copies, %d requests to read", a.Copies, s.Calls("GET"))
	}
}

func randomOperations(t *testing.T, steps int, s *buckettest.Store) *Lake {
	t.Helper()
	mk := facttest.New(t)
	dir := tempDir(t)
	w := &world{t: t, r: rand.New(rand.NewPCG(1, 2)), m: model{facts: map[key]modelRow{}, texts: map[key]modelRow{}, spent: map[key]bool{}, old: map[oldRow]int{}}, told: map[Change]bool{}, store: s}
	for i := range 9 {
		w.contacts = append(w.contacts, mk.Contact(i))
		w.texts = append(w.texts, mk.Text(fmt.Sprintf("words %d", i)))
	}
	w.cfg = Config{Dir: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "lake.db"), SmallFiles: 2, LooseFiles: 6, Changing: w.changing,
		Failpoint: func(p string) error {
			if p == w.crash {
				w.crash = ""
				return errCrash
			}
			return nil
		}}
	if s != nil {
		w.cfg.Bucket, w.cfg.Copies = placeIn(t, s, "lake"), 20_000
	}
	w.l = openTest(t, w.cfg)
	ops := []struct {
		weight int
		run    func()
	}{{40, w.append}, {8, w.merge}, {8, w.compact}, {6, w.forget}, {6, w.withdraw}, {5, w.delink}, {3, w.sever}, {3, w.dropTexts},
		{8, w.expire}, {4, w.reopen}, {6, w.pin}, {2, w.vacate}}
	for i := range steps {
		n := w.r.IntN(99)
		for _, op := range ops {
			if n -= op.weight; n < 0 {
				op.run()
				break
			}
		}
		if i%5 == 0 || i == steps-1 {
			w.compare(i)
		}
	}
	w.unpin()
	if b, err := w.l.Verify(context.Background()); err != nil || len(b) > 0 {
		t.Fatalf("verify after %d operations: %v, %v", steps, b, err)
	}
	w.crash = ""
	return w.l
}
