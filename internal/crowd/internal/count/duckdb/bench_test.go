package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// BenchmarkCount counts a week of MURMUR_BENCH_ROWS rows (default one million) of one workspace: a tenth as
// many contacts, eight questions, each leaf and the whole.
func BenchmarkCount(b *testing.B) {
	rows := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("MURMUR_BENCH_ROWS")); err == nil {
		rows = n
	}
	benchmark(b, rows)
}

// BenchmarkSmallBusiness is the same over 500 rows: what an owner waits for.
func BenchmarkSmallBusiness(b *testing.B) { benchmark(b, 500) }

func benchmark(b *testing.B, rows int) {
	c, lake := engine(b)
	week := release.Weeks(time.UTC, time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC))[0]
	file := filepath.Join(lake, "week.parquet")
	raw(b, fmt.Sprintf(`COPY (SELECT 'default' AS workspace, 1 + i %% 2 AS kind, unhex(md5(i::VARCHAR)) AS id, 1::BIGINT AS version,
		make_timestamptz(%d + (hash(i) %% 604800000000)::BIGINT) AS "at", unhex(md5((hash(i) %% %d)::VARCHAR)) AS contact,
		(1 + hash(i, 1) %% 2)::BIGINT AS direction, (101 + hash(i, 2) %% 8)::BIGINT AS number,
		(1 + hash(i, 3) %% 4)::BIGINT AS result, (3 + hash(i, 4) %% 4)::BIGINT AS reason, (hash(i, 5) %% 40)::BIGINT AS ring_s,
		(hash(i, 6) %% 20)::BIGINT AS topic, 0::BIGINT AS automatic
		FROM range(%d) r(i)) TO %s (FORMAT parquet, FIELD_IDS {%s})`, week.Start.UnixMicro(), rows/10, rows, quote(file),
		fieldIDs([]fact.Column{fact.ColDirection, fact.ColNumber, fact.ColResult, fact.ColReason, fact.ColRingS, fact.ColTopic, fact.ColAutomatic})))
	s := release.Settings{Workspace: workspace.Default, Zone: time.UTC, MinGroup: 5, MinContent: 10}
	var qs []release.Question
	for _, q := range []release.Query{
		{Split: release.ByNumber, Value: release.Value{Derived: release.Missed, Bins: []int64{0, 1}}},
		{Value: release.Value{Derived: release.Missed, Bins: []int64{0, 1}}},
		{Split: release.ByReason, Value: release.Value{Derived: release.MissReason, Bins: []int64{0}}},
		{Value: release.Value{Derived: release.ReturnedIn24h, Bins: []int64{0, 1}}},
		{Value: release.Value{Derived: release.AnswerSeconds, Bins: []int64{0, 10, 20, 30}}},
		{Value: release.Value{Derived: release.ReplySeconds, Bins: []int64{0, 600, 3600, 86400}}},
		{Split: release.ByHourOfWeek, Value: release.Value{Derived: release.Nothing}},
		{Split: release.ByTopic, Value: release.Value{Derived: release.Nothing}},
	} {
		q.Kinds = []fact.Kind{fact.KindCall}
		leaves := map[release.Split][]release.Key{
			release.ByNumber: keys(101, 8), release.ByReason: keys(1, 6), release.ByHourOfWeek: keys(0, 168), release.ByTopic: keys(0, 20),
		}[q.Split]
		if q.Value.Derived == release.ReplySeconds || q.Split == release.ByTopic {
			q.Kinds = []fact.Kind{fact.KindMessage}
		}
		qs = append(qs, release.Question{Query: q, Span: week.Span(), Leaves: leaves})
	}
	b.ReportAllocs()
	for b.Loop() {
		n, err := c.Open(b.Context(), release.Snapshot{Files: []release.File{{Path: file, Rows: int64(rows), Settled: true}}}, s, qs)
		if err != nil {
			b.Fatal(err)
		}
		for i, q := range qs {
			var cells [][]int
			for leaf := range len(q.Leaves) + 1 {
				cells = append(cells, []int{leaf})
			}
			if _, err := n.Count(b.Context(), i, cells); err != nil {
				b.Fatal(err)
			}
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
