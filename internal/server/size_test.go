package server

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb": the floor

	"murmur/internal/crowd"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// mix is what a lake is filled with, in percent; the rest are calls.
type mix struct{ texts, talks, steps, answers int }

var mixes = map[string]mix{
	"calls": {},
	"mixed": {texts: 30, talks: 8, steps: 12, answers: 3},
	"texts": {texts: 95},
}

// sizeDays is how long the history of a filled lake is, sizeEnd the moment after it.
const sizeDays = 112

var sizeEnd = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// openSize opens a directory at the end of the history.
func openSize(ctx context.Context, dir string) (*Node, error) {
	return Open(ctx, Config{Data: dir, Now: func() time.Time { return sizeEnd }})
}

// fill puts rows straight into the lake of a directory, as an import would that ended: with random, each append has rows
// of all days; else the newest days come first.
func fill(ctx context.Context, dir string, rows int, m mix, random bool) error {
	n, err := openSize(ctx, dir)
	if err != nil {
		return err
	}
	defer n.Close()
	key, err := n.ring.Pseudonym(workspace.Default)
	if err != nil {
		return err
	}
	g := &generator{rng: rand.New(rand.NewPCG(1, uint64(rows))), key: func(c [anon.ContactLen]byte) anon.Contact { return anon.Stored(key, c) }, contacts: rows / 5, mix: m}
	const batch = 100_000
	for done := 0; done < rows; done += batch {
		b := fact.Batch{Workspace: workspace.Default, Labels: g.labels()}
		for i := done; i < min(done+batch, rows); i++ {
			day := sizeDays - 1 - i*sizeDays/rows
			if random {
				day = g.rng.IntN(sizeDays)
			}
			b.Facts = append(b.Facts, g.fact(day))
		}
		if err := n.put(ctx, b); err != nil {
			return err
		}
	}
	return n.crowd.Compact(ctx)
}

// generator invents facts: people call by day, some often.
type generator struct {
	rng      *rand.Rand
	key      func([anon.ContactLen]byte) anon.Contact
	contacts int
	mix      mix
	id       uint64
}

const sizeNumbers = 12

// labels are the names of numbers, one flow and a survey, without any: the tree of a split needs their keys alone.
func (g *generator) labels() (all []fact.Named) {
	for i := range sizeNumbers {
		all = append(all, fact.Named{Label: fact.Label(101 + i), Dim: fact.DimNumber})
	}
	all = append(all, fact.Named{Label: 201, Dim: fact.DimFlow}, fact.Named{Label: 301, Dim: fact.DimNode, Parent: 201}, fact.Named{Label: 501, Dim: fact.DimSurvey})
	for i := range 5 {
		all = append(all, fact.Named{Label: fact.Label(401 + i), Dim: fact.DimChoice, Parent: 301})
	}
	return all
}

func (g *generator) hash(of string, n uint64) (id [16]byte) {
	h := fnv.New128a()
	_, _ = h.Write([]byte(of))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, n))
	copy(id[:], h.Sum(nil))
	return id
}

func (g *generator) fact(day int) fact.Fact {
	g.id++
	u := g.rng.Float64()
	at := sizeEnd.AddDate(0, 0, day-sizeDays).Add(time.Duration(g.rng.Int64N(int64(13 * time.Hour)))).Truncate(time.Millisecond)
	head := fact.Head{
		ID: g.hash("id", g.id), Version: at.UnixMicro(), At: fact.MicrosOf(at), Source: 7, Anonymiser: 3,
		Contact: g.key(g.hash("contact", uint64(float64(g.contacts)*u*u))),
	}
	number, in, out := fact.Label(101+g.rng.IntN(sizeNumbers)), fact.In, g.rng.IntN(10) >= 7
	dir := in
	if out {
		dir = fact.Out
	}
	topic, mood := fact.Topic(1+g.rng.IntN(len(fact.Topics()))), int64(g.rng.IntN(9)*25-100)
	switch p := g.rng.IntN(100); {
	case p < g.mix.texts:
		return &fact.Message{Head: head, Direction: dir, Number: number, Length: 40, Topic: topic, Sentiment: mood, Delivered: 1}
	case p < g.mix.texts+g.mix.talks:
		return &fact.Talk{Head: head, Number: number, Origin: 1, Turns: 20, TalkS: 200, MemberS: 90, Topic: topic, Sentiment: mood,
			MemberShare: g.rng.Int64N(101), SilenceShare: g.rng.Int64N(60), Interruptions: g.rng.Int64N(20)}
	case p < g.mix.texts+g.mix.talks+g.mix.steps:
		return &fact.Step{Head: head, Number: number, Flow: 201, Version: 1, Node: 301, Choice: fact.Label(401 + g.rng.IntN(5)), NodeKind: fact.NodeMenu, StayS: 6}
	case p < g.mix.texts+g.mix.talks+g.mix.steps+g.mix.answers:
		return &fact.Answer{Head: head, Survey: 501, Scale: fact.NPS, Score: g.rng.Int64N(11), Medium: fact.MediumText, Topic: topic, Sentiment: fact.Absent}
	}
	c := &fact.Call{Head: head, Direction: dir, Number: number, RingS: g.rng.Int64N(40), TalkS: g.rng.Int64N(900), Result: fact.Answered}
	if g.rng.IntN(10) >= 7 {
		c.Result, c.Reason, c.TalkS, c.Voicemail = fact.Missed, fact.Reason(3+g.rng.IntN(4)), fact.Absent, fact.Bool(g.rng.IntN(2))
	}
	return c
}

// cost is what a process used.
type cost struct {
	cpu  time.Duration
	peak int // MiB resident
}

func (c cost) String() string { return fmt.Sprintf("%.2f CPU s, %d MiB", c.cpu.Seconds(), c.peak) }

// inChild runs a step of the size table in a process of its own, so that memory is that of the step alone.
func inChild(t *testing.T, step, dir string, more ...string) cost {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSizeStep$", "-test.v")
	cmd.Env = append(os.Environ(), append([]string{fmt.Sprintf("GOGC=%d", GCPercent), "MURMUR_SIZE_STEP=" + step, "MURMUR_SIZE_DIR=" + dir}, more...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", step, err, out)
	}
	for line := range strings.Lines(string(out)) {
		var cpu float64
		var peak int
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "cost %f %d", &cpu, &peak); n == 2 {
			return cost{time.Duration(cpu * float64(time.Second)), peak}
		}
	}
	t.Fatalf("%s printed no cost:\n%s", step, out)
	return cost{}
}

// TestSizeStep is what inChild runs.
func TestSizeStep(t *testing.T) {
	name, dir := os.Getenv("MURMUR_SIZE_STEP"), os.Getenv("MURMUR_SIZE_DIR")
	if name == "" {
		t.Skip("a part of TestSizes: set MURMUR_SIZES")
	}
	began := cpuTime()
	switch kind, fills := strings.CutPrefix(name, "fill "); {
	case name == "floor":
		if err := floor(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	case fills:
		rows, _ := strconv.Atoi(os.Getenv("MURMUR_SIZE_ROWS"))
		if err := fill(t.Context(), dir, rows, mixes[kind], os.Getenv("MURMUR_SIZE_ORDER") == "random"); err != nil {
			t.Fatal(err)
		}
	default:
		n, err := openSize(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		if began, err = sizeSteps[name](t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Printf("cost %f %d\n", (cpuTime() - began).Seconds(), peakMiB())
}

// sizeSteps are the steps with a directory that is open; each says at which processor time its work began.
var sizeSteps = map[string]func(context.Context, *Node) (time.Duration, error){
	"refresh": func(ctx context.Context, n *Node) (time.Duration, error) { return cpuTime(), n.releaseDue(ctx) },
	"one more": func(ctx context.Context, n *Node) (time.Duration, error) {
		err := oneMore(ctx, n, workspace.Default)
		began := cpuTime()
		return began, errors.Join(err, n.releaseDue(ctx))
	},
	"serve":                 func(ctx context.Context, n *Node) (time.Duration, error) { return cpuTime(), refreshes(ctx, n) },
	"with cell keys":        func(ctx context.Context, n *Node) (time.Duration, error) { return publish(ctx, n, "2") },
	"without":               func(ctx context.Context, n *Node) (time.Duration, error) { return publish(ctx, n, "0") },
	"news of one workspace": lookAtOne,
	"workspaces":            func(ctx context.Context, n *Node) (time.Duration, error) { return cpuTime(), fillWorkspaces(ctx, n) },
}

// lookAtOne has a call come to one of the workspaces. What begins with the process is over before: each workspace is looked at once.
func lookAtOne(ctx context.Context, n *Node) (time.Duration, error) {
	if err := n.releaseDue(ctx); err != nil {
		return 0, err
	}
	ws, err := workspace.Parse("w0000")
	if err != nil {
		return 0, err
	}
	err = oneMore(ctx, n, ws)
	began := cpuTime()
	return began, errors.Join(err, n.releaseDue(ctx))
}

// publish makes every table that there is for both audiences, or with noise 0 those of the owner, who then sees the same
// questions without noise.
func publish(ctx context.Context, n *Node, noise string) (time.Duration, error) {
	if _, err := n.store.SetPolicy(ctx, workspace.Default, []workspace.Change{{Key: "noise", Value: noise}}, "a measurement", "a test"); err != nil {
		return 0, err
	}
	began := cpuTime()
	_, err := n.crowd.Release(ctx, workspace.Default, crowd.Wish)
	return began, err
}

// refreshes takes a call and looks for news MURMUR_SIZE_TIMES times (0: a hundred), and fails when memory grows after the
// first fifth.
func refreshes(ctx context.Context, n *Node) error {
	times, _ := strconv.Atoi(os.Getenv("MURMUR_SIZE_TIMES"))
	if times == 0 {
		times = 100
	}
	early := 0
	for i := range times {
		if err := oneMore(ctx, n, workspace.Default); err != nil {
			return err
		}
		if err := n.releaseDue(ctx); err != nil {
			return err
		}
		if i == times/5-1 {
			early = statusMiB("VmRSS")
		}
	}
	if late := statusMiB("VmRSS"); late > early+64 {
		return fmt.Errorf("%d MiB resident after %d refreshes, %d after %d", early, times/5, late, times)
	}
	return nil
}

// oneMore appends one call of today.
func oneMore(ctx context.Context, n *Node, ws workspace.ID) error {
	key, err := n.ring.Pseudonym(ws)
	if err != nil {
		return err
	}
	id := uint64(time.Now().UnixNano())
	g := &generator{rng: rand.New(rand.NewPCG(2, id)), key: func(c [anon.ContactLen]byte) anon.Contact { return anon.Stored(key, c) }, contacts: 1000, id: id}
	return n.put(ctx, fact.Batch{Workspace: ws, Facts: []fact.Fact{g.fact(sizeDays - 1)}})
}

// fillWorkspaces makes MURMUR_SIZE_ROWS workspaces with thirty calls of the last week each, and counts them.
func fillWorkspaces(ctx context.Context, n *Node) error {
	many, _ := strconv.Atoi(os.Getenv("MURMUR_SIZE_ROWS"))
	var all []fact.Batch
	for i := range many {
		ws, err := workspace.Parse(fmt.Sprintf("w%04d", i))
		if err != nil {
			return err
		}
		if err := n.createWorkspace(ctx, ws); err != nil {
			return err
		}
		key, err := n.ring.Pseudonym(ws)
		if err != nil {
			return err
		}
		g := &generator{rng: rand.New(rand.NewPCG(3, uint64(i))), key: func(c [anon.ContactLen]byte) anon.Contact { return anon.Stored(key, c) }, contacts: 20, id: uint64(i) << 32}
		b := fact.Batch{Workspace: ws, Labels: g.labels()}
		for range 30 {
			b.Facts = append(b.Facts, g.fact(sizeDays-1-g.rng.IntN(7)))
		}
		all = append(all, b)
	}
	if err := n.put(ctx, all...); err != nil {
		return err
	}
	return errors.Join(n.crowd.Compact(ctx), n.releaseDue(ctx))
}

// put appends batches behind what the lake has.
func (n *Node) put(ctx context.Context, b ...fact.Batch) error {
	from, err := n.crowd.Position(ctx, 0)
	if err != nil {
		return err
	}
	at, _ := strconv.Atoi(string(from))
	return n.crowd.Append(ctx, b, 0, from, journal.Position(strconv.Itoa(at+1)))
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// peakMiB is the most memory that this process had resident.
func peakMiB() int { return statusMiB("VmHWM") }

func statusMiB(field string) int {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb / 1024
		}
	}
	return 0
}

// floor asks every question of the catalogue, each by itself, for all weeks of a lake at once, with a plain engine: rows
// and distinct contacts by week and leaf. It guards nothing, looks for no reply and reads each file as it is.
func floor(ctx context.Context, dir string) error {
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, "lake", "facts", "data"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") {
			files = append(files, "'"+path+"'")
		}
		return err
	})
	if err != nil {
		return err
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer db.Close()
	by := map[release.Split]string{
		release.ByNumber: "number", release.ByReason: "reason", release.ByTopic: "topic", release.ByAct: "act",
		release.ByHourOfWeek: `hour("at") + 24 * dayofweek("at")`, release.ByMenu: "choice", release.BySurvey: "survey",
	}
	for _, q := range catalogueQueries() {
		var kinds []string
		for _, k := range q.Kinds {
			kinds = append(kinds, strconv.FormatInt(int64(k), 10))
		}
		leaf := by[q.Split]
		if leaf == "" {
			leaf = "0"
		}
		ask := func(leaf string) (*sql.Rows, error) {
			return db.QueryContext(ctx, fmt.Sprintf(`SELECT date_trunc('week', "at"), %s, count(*), count(DISTINCT contact) FROM read_parquet([%s]) WHERE kind IN (%s) GROUP BY 1, 2`,
				leaf, strings.Join(files, ", "), strings.Join(kinds, ", ")))
		}
		rows, err := ask(leaf)
		if err != nil { // files have no columns that nothing is in
			rows, err = ask("0")
		}
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	return nil
}
