package release_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"murmur/internal/crowd/internal/count/counttest"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// read is what figures show of the catalogue of the tests: rows, and of yes and no the yes.
func read(queries []release.Query) map[string]release.Read {
	all := map[string]release.Read{}
	for _, q := range queries {
		r := release.Read{Rows: true}
		switch n := len(q.Value.Bins); {
		case n == 2:
			r.Bins = []int{1}
		case n > 2:
			for bin := range n {
				r.Bins = append(r.Bins, bin)
			}
		}
		all[q.Name] = r
	}
	return all
}

// callers are 150 people of one week: most call once or twice, some more often.
func callers(rng *rand.Rand, week release.Period) (rows []counttest.Row) {
	for who := range 150 {
		contact := bytes.Repeat([]byte{byte(who), byte(who * 37), byte(who >> 3), byte(rng.IntN(256))}, 4)
		times := []int{1, 1, 1, 1, 1, 1, 2, 2, 3, 6}[rng.IntN(10)]
		for range times {
			r := counttest.Row{Kind: fact.KindCall, Version: 1, Contact: contact, Values: map[fact.Column]int64{
				fact.ColDirection: 1, fact.ColNumber: int64(101 + min(rng.IntN(5), rng.IntN(5))), fact.ColRingS: int64(rng.IntN(30)),
				fact.ColResult: int64(fact.Answered), fact.ColVoicemail: 0,
			}}
			if rng.IntN(3) == 0 {
				r.Values[fact.ColResult], r.Values[fact.ColReason] = int64(fact.Missed), int64(1+rng.IntN(6))
				r.Values[fact.ColVoicemail] = int64(rng.IntN(2))
			}
			r.ID[0], r.ID[1] = byte(len(rows)), byte(len(rows)>>8)
			r.At = week.Start.Add(time.Duration(rng.Int64N(int64(7 * 24 * time.Hour)))).UnixMicro()
			rows = append(rows, r)
		}
	}
	return rows
}

var week = release.Weeks(time.UTC, time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 21, 0, 0, 0, 0, time.UTC))[0]

// attacked plays the attacker on one week.
func attacked(t *testing.T, fault string, cuts []time.Time) release.Accuracy {
	t.Helper()
	return attackedOn(t, fault, week, callQueries(), callers(rand.New(rand.NewPCG(3, 4)), week), cuts)
}

// callQueries are those of the catalogue about calls.
func callQueries() []release.Query {
	return slices.DeleteFunc(catalogue(), func(q release.Query) bool { return q.Kinds[0] != fact.KindCall })
}

// attackedOn plays the attacker on a period.
func attackedOn(t *testing.T, fault string, p release.Period, qs []release.Query, rows []counttest.Row, cuts []time.Time) release.Accuracy {
	t.Helper()
	w := &world{dictionary: dictionary(), settings: release.Settings{
		Workspace: workspace.Default, Zone: time.UTC, MinGroup: 5, MinContent: 10, MinLabel: 5, Noise: 2,
	}}
	w.block, w.rows = p, rows
	var reqs []release.Request
	for _, cut := range cuts {
		req := w.request(p)
		req.Audience, req.Settings, req.Cut = release.Others, w.settings, cut
		reqs = append(reqs, req)
	}
	r := w.releaser(qs)
	shown, err := r.Release(t.Context(), reqs[len(reqs)-1])
	if err != nil {
		t.Fatal(err)
	}
	probe := release.Probe{
		Releaser: r, Taker: &counttest.Fold{Rows: w.rows}, Reads: read(qs), Persons: 25, Worlds: 16,
		Band: func(n int64) (int64, int64) { return n / 10 * 10, n/10*10 + 9 },
	}
	switch fault {
	case "":
	case "early": // what repeats is told after each week
		early := *r
		early.Queries = slices.Clone(qs)
		for i := range early.Queries {
			early.Queries[i].Repeats = false
		}
		probe.Releaser = &early
	default:
		probe = probe.Planted(fault)
	}
	begun := time.Now()
	a, err := probe.Week(t.Context(), reqs, shown)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: one %.3f, two %.3f, all %.3f, watched %.3f, heaviest %.3f, stored %.2f of %d, %d numbers, %v", fault, a.One.Of(), a.Two.Of(), a.All.Of(),
		a.Watched.Of(), a.Heaviest.Of(), a.Stored.Of(), a.Stored.Tried, a.One.Tried, time.Since(begun))
	return a
}

// The attacker who knows every row but one person's stays below the bounds, and is found where the product has a fault.
// The rows and the keys are fixed, so that it alarms always or never.
func TestAnAttackerLearnsLittleOfOnePerson(t *testing.T) {
	t.Parallel()
	for fault, held := range map[string]bool{"": true, "exact": false, "stale": false} {
		a := attacked(t, fault, release.Publications(week))
		one, two, all := release.Bounds(2)
		if ok := a.One.Of() <= one && a.Two.Of() <= two && a.All.Of() <= all && a.Watched.Of() <= all; ok != held {
			t.Errorf("fault %q: held is %v", fault, ok)
		}
	}
}

// Whether an attack holds does not change from one time to the next.
func TestEqualRowsGiveEqualAttacks(t *testing.T) {
	t.Parallel()
	end := []time.Time{week.End}
	if a, b := attacked(t, "", end), attacked(t, "", end); a != b {
		t.Errorf("%+v and %+v", a, b)
	}
}

// Seven publications of a week would tell too much: why a week turns twice.
func TestAWeekIsNotPublishedEveryDay(t *testing.T) {
	t.Parallel()
	var days []time.Time
	for day := range 7 {
		days = append(days, week.Start.AddDate(0, 0, day+1))
	}
	if _, _, all := release.Bounds(2); attacked(t, "", days).Watched.Of() <= all {
		t.Error("it would not")
	}
}

// repeated are a block's queries as murmur asks them of calls: by hour, and what weeks count, over four weeks.
func repeated() (qs []release.Query) {
	for _, q := range callQueries() {
		switch q.Name {
		case "calls/hour":
			qs = append(qs, q)
		case "missed/number", "reasons", "returned/number":
			if q.Name == "returned/number" {
				q.Split = release.NoSplit
			}
			q.Name, q.Grain, q.Repeats = q.Name+"/again", release.Block, true
			qs = append(qs, q)
		}
	}
	return qs
}

// With what weeks count counted over four weeks as well, the bounds of a period hold. It is published when the four weeks are
// over: after each of the weeks it would tell more.
func TestFourWeeksThatRepeatAreToldOnce(t *testing.T) {
	t.Parallel()
	block := release.Blocks(time.UTC, week.Start, week.Start.Add(1))[0]
	var rows []counttest.Row
	rng := rand.New(rand.NewPCG(5, 6))
	for n, w := range release.Weeks(time.UTC, block.Start, block.End) {
		some := callers(rng, w)
		for i := range some {
			some[i].ID[2] = byte(n)
		}
		rows = append(rows, some[:len(some)/4]...)
	}
	once := attackedOn(t, "", block, repeated(), rows, release.Publications(block))
	one, two, all := release.Bounds(2)
	if once.One.Of() > one || once.Two.Of() > two || once.All.Of() > all || once.Watched.Of() > all {
		t.Error("the bounds do not hold")
	}
	early := attackedOn(t, "early", block, repeated(), rows, release.Publications(block))
	if early.Watched.Of() <= once.Watched.Of() {
		t.Error("after each week it tells no more")
	}
}

// TestNumbersAboutTheSamePeopleAreTriedOnce: where everybody did the same, all numbers have one draw of noise, which is zero by chance
// in one week of four. It alone must not say that a week has no noise.
func TestNumbersAboutTheSamePeopleAreTriedOnce(t *testing.T) {
	t.Parallel()
	var rows []counttest.Row
	for _, r := range callers(rand.New(rand.NewPCG(3, 4)), week) {
		if len(rows) == 0 || !bytes.Equal(rows[len(rows)-1].Contact, r.Contact) {
			r.Values = map[fact.Column]int64{fact.ColDirection: 1, fact.ColNumber: 101, fact.ColResult: int64(fact.Missed), fact.ColReason: 1}
			r.At = week.Start.Add(12 * time.Hour).UnixMicro()
			rows = append(rows, r)
		}
	}
	a := attackedOn(t, "", week, callQueries(), rows, release.Publications(week))
	if a.Stored.Tried != 1 {
		t.Errorf("%d draws are compared, want the one that there is", a.Stored.Tried)
	}
}
