package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/crowd/internal/count/counttest"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

func TestCountsEqualTheReferenceFold(t *testing.T) {
	t.Parallel()
	c, lake := engine(t)
	for seed := range rounds(8) {
		rng := rand.New(rand.NewPCG(7, uint64(seed)))
		s, span := settingsOf(rng)
		rows := counttest.Random(rng, 60+rng.IntN(500), 3+rng.IntN(60), span)
		counttest.Hide(rows)
		counttest.Claim(rows)
		snap := write(t, lake, s.Workspace, rows)
		snap.Own = counttest.Own(rows)
		qs := questions(span, s)
		if seed%2 == 1 { // without replies no row beside the period is read
			qs = slices.DeleteFunc(qs, func(q release.Question) bool { return q.Query.Value.Derived == release.ReplySeconds })
		}
		want := ask(t, &counttest.Fold{Rows: rows}, snap, s, qs)
		got := ask(t, c, snap, s, qs)
		for i, q := range qs {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("seed %d: question %d %+v:\n got %v\nwant %v", seed, i, q.Query, got[i], want[i])
			}
		}
	}
}

// A block and its weeks together, whose rows are read once, in slices of contacts, from files of which some were settled.
func TestPeriodsOfOneReadingEqualTheReferenceFold(t *testing.T) {
	t.Parallel()
	c, lake := engineOf(t, Config{SliceRows: 60})
	for seed := range rounds(6) {
		rng := rand.New(rand.NewPCG(8, uint64(seed)))
		s, span := settingsOf(rng)
		rows := counttest.Random(rng, 100+rng.IntN(400), 3+rng.IntN(60), span)
		counttest.Hide(rows)
		counttest.Claim(rows)
		snap := byTurns(t, seed, lake, s.Workspace, rows)
		snap.Own = counttest.Own(rows)
		qs := questions(span, s)
		for _, w := range release.Weeks(s.Zone, span.Start, span.End) {
			qs = append(qs, questions(w.Span(), s)...)
		}
		want := ask(t, &counttest.Fold{Rows: rows}, snap, s, qs)
		got := ask(t, c, snap, s, qs)
		for i, q := range qs {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("seed %d, span %v: question %d %+v:\n got %v\nwant %v", seed, q.Span, i, q.Query, got[i], want[i])
			}
		}
	}
}

// The rows of every question are those of the fold, also in slices.
func TestPartsEqualTheReferenceFold(t *testing.T) {
	t.Parallel()
	c, lake := engineOf(t, Config{SliceRows: 100})
	for seed := range rounds(4) {
		rng := rand.New(rand.NewPCG(9, uint64(seed)))
		s, span := settingsOf(rng)
		rows := counttest.Random(rng, 100+rng.IntN(300), 3+rng.IntN(60), span)
		counttest.Hide(rows)
		counttest.Claim(rows)
		snap, qs := settle(t, lake, s.Workspace, rows), questions(span, s)
		parts := func(of release.Taker) (all []release.Part) {
			if err := of.Parts(t.Context(), snap, s, qs, func(p release.Part) { all = append(all, p) }); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(all, func(a, b release.Part) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			return all
		}
		if got, want := parts(c), parts(&counttest.Fold{Rows: rows}); !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: %d parts, the fold has %d", seed, len(got), len(want))
		}
	}
}

// A week looks four weeks back for the text that a conversation began with, its block four weeks beyond its own ends: the
// same text may begin to wait in one and not in the other.
func TestAPeriodSeesTheConversationNearIt(t *testing.T) {
	t.Parallel()
	c, lake := engine(t)
	s, _ := settingsOf(rand.New(rand.NewPCG(1, 1)))
	span := release.Blocks(s.Zone, time.Date(2026, 6, 3, 0, 0, 0, 0, s.Zone), time.Date(2026, 6, 4, 0, 0, 0, 0, s.Zone))[0].Span()
	const day = 24 * time.Hour
	text := func(who, id byte, at time.Duration, d fact.Direction) counttest.Row {
		return counttest.Row{Kind: fact.KindMessage, ID: fact.ID{id}, At: span.Start.Add(at).UnixMicro(), Contact: append(make([]byte, 15), who),
			Values: map[fact.Column]int64{fact.ColDirection: int64(d)}}
	}
	rows := []counttest.Row{
		text(11, 1, -20*day, fact.In), text(11, 2, 22*day, fact.In), text(11, 3, 23*day, fact.Out), // the fourth week sees the second alone
		text(12, 4, 19*day, fact.In), text(12, 5, 54*day, fact.Out), // the third week does not see the answer
	}
	var qs []release.Question
	reply := release.Query{Kinds: []fact.Kind{fact.KindMessage}, Value: release.Value{Derived: release.ReplySeconds, Bins: []int64{0, 86400, 7 * 86400}}}
	for _, p := range append(release.Weeks(s.Zone, span.Start, span.End), release.Blocks(s.Zone, span.Start, span.End)...) {
		qs = append(qs, release.Question{Query: reply, Span: p.Span()})
	}
	snap := write(t, lake, s.Workspace, rows)
	want := ask(t, &counttest.Fold{Rows: rows}, snap, s, qs)
	if got := ask(t, c, snap, s, qs); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// byTurns has the files of even seeds as they were written, those of odd ones settled.
func byTurns(t *testing.T, seed int, lake string, w workspace.ID, rows []counttest.Row) release.Snapshot {
	t.Helper()
	if seed%2 == 0 {
		return write(t, lake, w, rows)
	}
	return settle(t, lake, w, rows)
}

// settle writes rows as a lake of which most files are settled: of what stands twice, all but one row is in fresh files.
func settle(t *testing.T, lake string, w workspace.ID, rows []counttest.Row) (snap release.Snapshot) {
	seen := map[fact.ID]int{}
	for _, r := range rows {
		seen[r.ID]++
	}
	var once, again []counttest.Row
	for _, r := range rows {
		if seen[r.ID]--; seen[r.ID] == 0 {
			once = append(once, r)
		} else {
			again = append(again, r)
		}
	}
	snap = write(t, lake, w, once)
	for i := range snap.Files {
		snap.Files[i].Settled = true
	}
	snap.Files = append(snap.Files, write(t, lake, w, again).Files...)
	return snap
}

// ask asks every question about each leaf, the whole, and a few odd sets.
func ask(t *testing.T, c release.Counter, snap release.Snapshot, s release.Settings, qs []release.Question) [][]release.Cell {
	t.Helper()
	n, err := c.Open(t.Context(), snap, s, qs)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var out [][]release.Cell
	for i, q := range qs {
		var cells [][]int
		var all, odd []int
		for leaf := range len(q.Leaves) + len(q.Weeks) + 1 {
			cells = append(cells, []int{leaf})
			all = append(all, leaf)
			if leaf%2 == 1 {
				odd = append(odd, leaf)
			}
		}
		cells = append(cells, all)
		if odd != nil {
			cells = append(cells, odd)
		}
		got, err := n.Count(t.Context(), i, cells)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, got)
	}
	return out
}

// questions covers every derived value, split, filter, region and grain.
func questions(span release.Span, s release.Settings) (qs []release.Question) {
	calls, texts := []fact.Kind{fact.KindCall}, []fact.Kind{fact.KindMessage}
	in := []release.Filter{{Column: fact.ColDirection, In: []int64{int64(fact.In)}}}
	whole := release.Query{Kinds: []fact.Kind{1, 2, 3, 4, 5, 6}, Value: release.Value{Derived: release.Nothing}}
	add := func(q release.Query, leaves []release.Key, rs ...release.Region) {
		qs = append(qs, release.Question{Query: q, Span: span, Leaves: leaves, Regions: rs})
	}
	add(whole, nil)
	for d, bins := range map[release.Derived][]int64{
		release.Missed: {0, 1}, release.MissReason: {0, 1, 2, 3, 4, 5, 6}, release.AnswerSeconds: {0, 5, 10, 20},
		release.ReplySeconds: {0, 3600, 86400, 7 * 86400}, release.ReturnedIn24h: {0, 1},
	} {
		q := release.Query{Kinds: calls, Value: release.Value{Derived: d, Bins: bins}, Where: in}
		if d == release.ReplySeconds {
			q.Kinds = texts
		}
		add(q, nil)
		q.Split, q.Open = release.ByNumber, true
		add(q, keys(101, 5), release.Region{Of: whole, Minus: []release.Query{q}})
		q.Split = release.ByHourOfWeek
		add(q, keys(0, 168))
		q.Split = release.ByReason
		add(q, keys(1, 6))
	}
	askTied(add, in)
	score := release.Value{Derived: release.FromColumn, Column: fact.ColScore, Bins: []int64{1, 4, 7}}
	answers := release.Query{Kinds: []fact.Kind{fact.KindAnswer}, Value: score, Split: release.BySurvey}
	var pairs []release.Key
	for survey := range int64(3) {
		for medium := range int64(5) {
			pairs = append(pairs, release.Key{501 + survey, medium})
		}
	}
	add(answers, pairs)
	topics := release.Query{
		Kinds: []fact.Kind{fact.KindMessage, fact.KindTalk}, Split: release.ByTopic, Value: release.Value{Derived: release.Nothing},
	}
	classified := topics
	classified.Where = []release.Filter{{Column: fact.ColTopic, In: []int64{1, 2, 3, 4}}, in[0]}
	add(topics, append(keys(1, 7), release.Key{counttest.OwnTopic}))
	add(classified, append(keys(1, 4), release.Key{counttest.OwnTopic}), release.Region{Of: topics, Minus: []release.Query{classified}})
	steps := release.Query{Kinds: []fact.Kind{fact.KindStep}, Split: release.ByMenu, Value: release.Value{Derived: release.Nothing}}
	add(steps, []release.Key{{301, 401}, {301, 0}, {302, 402}, {302, 0}})
	add(release.Query{Kinds: []fact.Kind{fact.KindConsent}, Split: release.ByAct, Value: release.Value{Derived: release.Nothing}}, keys(1, 5))
	var weeks []release.Span
	for _, w := range release.Weeks(s.Zone, span.Start, span.End) {
		weeks = append(weeks, w.Span())
	}
	return append(qs, release.Question{Query: whole, Span: span, Weeks: weeks})
}

// askTied asks what looks at the other rows of a contact.
func askTied(add func(release.Query, []release.Key, ...release.Region), in []release.Filter) {
	both := []fact.Kind{fact.KindCall, fact.KindMessage}
	add(release.Query{Kinds: both, Value: release.Value{Derived: release.Nothing}, Split: release.ByReply}, keys(601, 3))
	pairs := func(n, m int64) (ks []release.Key) {
		for a := range n {
			for b := range m {
				ks = append(ks, release.Key{a + 1, b + 1})
			}
		}
		return ks
	}
	ask := func(kinds []fact.Kind, d release.Derived, bins []int64, by release.Split, leaves []release.Key) {
		add(release.Query{Kinds: kinds, Value: release.Value{Derived: d, Bins: bins}, Split: by}, leaves)
	}
	ask(both, release.Again, []int64{0, 1, 2}, release.ByKind, keys(1, 2))
	ask(both, release.Again, []int64{2}, release.ByTurn, pairs(2, 2))
	ask(both, release.CalledBack, []int64{0, 1}, release.ByDelay, keys(1, 5))
	ask(both, release.Contained, []int64{0, 1}, release.NoSplit, nil)
	ask(both, release.SoonAgain, []int64{0, 1}, release.ByAutoReply, pairs(2, 4))
	for _, driver := range []release.Split{release.ByMissed, release.ByLongWait, release.ByReturn, release.ByAgent} {
		ask([]fact.Kind{fact.KindAnswer}, release.ScoreAfterContact, []int64{0, 30, 60, 90, 100}, driver, keys(1, 2))
	}
}

func keys(first int64, n int) (ks []release.Key) {
	for i := range n {
		ks = append(ks, release.Key{first + int64(i)})
	}
	return ks
}

// settingsOf draws a zone with a clock change inside the block, open hours and thresholds.
func settingsOf(rng *rand.Rand) (release.Settings, release.Span) {
	name := []string{"Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"}[rng.IntN(5)]
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	s := release.Settings{Workspace: workspace.Default, Zone: zone, ShortAbandonS: int64(rng.IntN(3) * 5), MinGroup: 5, MinContent: 10}
	if rng.IntN(3) > 0 {
		for h := range 168 {
			if h%24 >= 8 && h%24 < 18 && h < 120 {
				s.OpenHours[h/64] |= 1 << (h % 64)
			}
		}
	}
	at := time.Date(2026, []time.Month{time.March, time.October, time.December}[rng.IntN(3)], 28, 0, 0, 0, 0, zone)
	return s, release.Blocks(zone, at, at.Add(time.Hour))[0].Span()
}

func TestReadsNothingOutsideTheLake(t *testing.T) {
	t.Parallel()
	c, lake := engine(t)
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(lake, "x.csv")
	if err := os.WriteFile(inside, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(lake, outside)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.db.Exec("SELECT * FROM read_csv(" + quote(inside) + ")"); err != nil {
		t.Errorf("the lake itself is refused: %v", err)
	}
	for _, stmt := range []string{
		"SELECT * FROM read_csv(" + quote(outside) + ")",
		"SELECT * FROM read_csv(" + quote(lake+"/"+up) + ")",
		"SELECT * FROM read_text('/etc/hostname')",
		"COPY (SELECT 1) TO " + quote(outside),
		"ATTACH " + quote(outside+".db"),
		"INSTALL httpfs", "LOAD httpfs",
		"SET enable_external_access=true", "SET GLOBAL enable_external_access=true", "RESET enable_external_access",
		"SET allowed_directories=['/']", "SET lock_configuration=false", "RESET lock_configuration", "SET temp_directory='/'",
		"SET autoload_known_extensions=true", "PRAGMA enable_external_access=true", "SET memory_limit='64GB'",
	} {
		if _, err := c.db.Exec(stmt); err == nil {
			t.Errorf("was carried out: %s", strings.ReplaceAll(stmt, lake, "LAKE"))
		}
	}
}

func TestFilesWithoutANewColumnCountAsUnknown(t *testing.T) {
	t.Parallel()
	c, lake := engine(t)
	s := release.Settings{Workspace: workspace.Default, Zone: time.UTC, MinGroup: 5, MinContent: 10}
	span := release.Weeks(time.UTC, time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC))[0].Span()
	old := filepath.Join(lake, "old.parquet")
	raw(t, fmt.Sprintf(`COPY (SELECT 'default' AS workspace, 1::BIGINT AS kind, 'a'::BLOB AS id, 1::BIGINT AS version,
		TIMESTAMPTZ '2026-11-04 10:00:00+00' AS "at", 'c'::BLOB AS contact, 1::BIGINT AS direction) TO %s (FORMAT parquet, FIELD_IDS {%s})`, quote(old), fieldIDs([]fact.Column{fact.ColDirection})))
	q := release.Question{Span: span, Leaves: keys(101, 2), Query: release.Query{
		Kinds: []fact.Kind{fact.KindCall}, Split: release.ByNumber, Value: release.Value{Derived: release.Nothing},
	}}
	for _, files := range [][]release.File{{{Path: old}}, nil} {
		n, err := c.Open(t.Context(), release.Snapshot{Files: files}, s, []release.Question{q})
		if err != nil {
			t.Fatal(err)
		}
		cells, err := n.Count(t.Context(), 0, [][]int{{0, 1}, {2}})
		if err != nil || cells[0].Contacts != 0 || cells[1].Contacts != int64(len(files)) {
			t.Errorf("%d files: cells %v, error %v", len(files), cells, err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSessionsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	c, lake := engine(t)
	rng := rand.New(rand.NewPCG(1, 1))
	s, span := settingsOf(rng)
	snap := write(t, lake, s.Workspace, counttest.Random(rng, 50, 10, span))
	ask(t, c, snap, s, questions(span, s))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Open(ctx, snap, s, questions(span, s)); err == nil {
		t.Error("a cancelled count went on")
	}
	var left int
	if err := c.db.QueryRow("SELECT count(*) FROM duckdb_tables()").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d tables left, error %v", left, err)
	}
}

// A count that is under way ends with its context, not with its rows.
func TestACountStopsWithItsContext(t *testing.T) {
	t.Parallel()
	c, lake := engine(t)
	week := release.Weeks(time.UTC, time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC))[0]
	file := filepath.Join(lake, "big.parquet")
	raw(t, fmt.Sprintf(`COPY (SELECT 'default' AS workspace, 1::BIGINT AS kind, unhex(md5(i::VARCHAR)) AS id, 1::BIGINT AS version,
		make_timestamptz(%d + i) AS "at", unhex(md5((i %% 1000000)::VARCHAR)) AS contact FROM range(3000000) r(i)) TO %s (FORMAT parquet, FIELD_IDS {%s})`,
		week.Start.UnixMicro(), quote(file), fieldIDs(nil)))
	q := release.Question{Span: week.Span(), Query: release.Query{Kinds: []fact.Kind{fact.KindCall}, Value: release.Value{Derived: release.Nothing}}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		n, err := c.Open(ctx, release.Snapshot{Files: []release.File{{Path: file, Rows: 3_000_000}}}, release.Settings{Workspace: workspace.Default, Zone: time.UTC}, []release.Question{q})
		if err == nil {
			err = n.Close()
		}
		done <- err
	}()
	for began := false; !began; { // a statement is under way when the engine has taken memory for it
		var bytes int64
		if err := c.db.QueryRow("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").Scan(&bytes); err != nil {
			t.Fatal(err)
		}
		began = bytes > 1<<20
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the count went on: %v", err)
	}
}

func engine(t testing.TB) (*Counter, string) { return engineOf(t, Config{}) }

func engineOf(t testing.TB, cfg Config) (*Counter, string) {
	t.Helper()
	lake := filepath.Join(t.TempDir(), "lake o'clock")
	if err := os.Mkdir(lake, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg.Lake, cfg.Temp = lake, t.TempDir()
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, lake
}

func rounds(n int) int {
	if more, err := strconv.Atoi(os.Getenv("MURMUR_ROUNDS")); err == nil {
		return n * more
	}
	return n
}

// raw runs SQL in an engine that is not locked in, as another program would write files.
func raw(t testing.TB, statements ...string) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%.80s: %v", s, err)
		}
	}
}

var written atomic.Int64 // files, so that no two have one name

// write puts rows into two Parquet files, beside rows of another workspace.
func write(t testing.TB, lake string, w workspace.ID, rows []counttest.Row) release.Snapshot {
	t.Helper()
	var cols []fact.Column
	for _, d := range fact.Schema(fact.Facts) {
		if d.Type == fact.Long && d.Column > fact.ColContact {
			cols = append(cols, d.Column)
		}
	}
	create := "CREATE TABLE lake (workspace VARCHAR, kind BIGINT, id BLOB, version BIGINT, \"at\" TIMESTAMPTZ, contact BLOB"
	for _, c := range cols {
		create += ", " + nameSQL(c) + " BIGINT"
	}
	var tuples []string
	for _, r := range rows {
		contact := "NULL"
		if r.Contact != nil {
			contact = fmt.Sprintf("from_hex('%x')", r.Contact)
		}
		tail := fmt.Sprintf("%d, from_hex('%x'), %d, make_timestamptz(%d), %s", r.Kind, r.ID[:], r.Version, r.At, contact)
		for _, c := range cols {
			if v, ok := r.Values[c]; ok {
				tail += fmt.Sprintf(", %d", v)
			} else {
				tail += ", NULL"
			}
		}
		tuples = append(tuples, fmt.Sprintf("(%s, %s)", quote(w.String()), tail))
		if len(tuples)%3 == 0 {
			tuples = append(tuples, fmt.Sprintf("('somebody-else', %s)", tail))
		}
	}
	var snap release.Snapshot
	statements := []string{create + ")"}
	for i, half := range [][]string{tuples[:len(tuples)/2], tuples[len(tuples)/2:]} {
		file := filepath.Join(lake, fmt.Sprintf("%d-%d-%d.parquet", len(rows), i, written.Add(1)))
		snap.Files = append(snap.Files, release.File{Path: file, Rows: int64(len(half))})
		statements = append(statements, "INSERT INTO lake VALUES "+strings.Join(half, ", "),
			fmt.Sprintf("COPY lake TO %s (FORMAT parquet, FIELD_IDS {%s})", quote(file), fieldIDs(cols)), "DELETE FROM lake")
	}
	raw(t, statements...)
	return snap
}

// fieldIDs numbers the columns of a file as the lake does.
func fieldIDs(numbers []fact.Column) string {
	var ids []string
	for _, c := range append([]fact.Column{fact.ColWorkspace, fact.ColKind, fact.ColID, fact.ColVersion, fact.ColAt, fact.ColContact}, numbers...) {
		place := slices.IndexFunc(fact.Schema(fact.Facts), func(d fact.Declaration) bool { return d.Column == c })
		ids = append(ids, fmt.Sprintf("\"%s\": %d", fact.Schema(fact.Facts)[place].Name, place+1))
	}
	return strings.Join(ids, ", ")
}
