package duckdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// unlimited is a provable.Store that keeps nothing: a benchmark releases a month again and again.
type unlimited struct{}

func (unlimited) Account(_ context.Context, c provable.Charge) (provable.Account, error) {
	return provable.Account{Cap: c.Cap}, nil
}
func (unlimited) Reserve(context.Context, provable.Charge) error        { return nil }
func (unlimited) Commit(context.Context, provable.Charge, []byte) error { return nil }

// BenchmarkLeave makes a release of a month of MURMUR_BENCH_ROWS rows (default one million), calls and texts of a tenth as
// many contacts, from a file to sealed bytes. MURMUR_BENCH_FILE keeps the
// file, for others to read (bench/peers), on the file system of the temporary directory.
func BenchmarkLeave(b *testing.B) {
	rows := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("MURMUR_BENCH_ROWS")); err == nil {
		rows = n
	}
	c, lake := engine(b)
	month := provable.MonthOf(time.UTC, time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC))
	file := filepath.Join(lake, "month.parquet")
	keep := os.Getenv("MURMUR_BENCH_FILE")
	if keep == "" {
		keep = filepath.Join(b.TempDir(), "kept.parquet")
	}
	if _, err := os.Stat(keep); err != nil {
		invent(b, keep, rows, month)
	}
	if err := os.Link(keep, file); err != nil {
		b.Fatal(err)
	}
	spec, err := provable.ParseSpec([]byte(`{version: 1, unit: contact-month, budget: {epsilon: 2, delta: 1e-6}, bounds: {days: 4}, metrics: [
		{measure: contacts, share: 100, month: 1, once: true}, {measure: missed-calls, share: 400, month: 2, day: 1},
		{measure: missed-reasons, share: 200, month: 1}, {measure: topics, share: 300, month: 2, once: true}]}`))
	if err != nil {
		b.Fatal(err)
	}
	var measures []provable.Measure
	for i, q := range publicQuestions(release.Span{}) {
		q.Query.Name = spec.Metrics[i].Measure + "/1"
		measures = append(measures, provable.Measure{Name: spec.Metrics[i].Measure, Query: q.Query})
	}
	plan, err := provable.Compile(spec, measures)
	if err != nil {
		b.Fatal(err)
	}
	r := provable.Releaser{Reader: c, Store: unlimited{}, Key: make([]byte, 32), Clock: func() time.Time { return month.End.Add(provable.Cutoff) }}
	q := provable.Request{Workspace: workspace.Default, Month: month, Plan: plan, LinkDays: 60, Settings: release.Settings{Workspace: workspace.Default, Zone: time.UTC},
		Snapshot: release.Snapshot{Files: []release.File{{Path: file, Rows: int64(rows), Settled: true}}}}
	var made provable.Release
	began := cpuTime()
	for b.Loop() {
		if made, err = r.Release(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(rows)*float64(b.N)/(cpuTime()-began).Seconds(), "rows/cpu-s")
	b.ReportMetric(float64(peakMiB()), "peak-MiB")
	counts, _ := made.Counts("missed-calls")
	b.Logf("missed-calls: %v of a standard deviation of %.1f", counts.Cells, counts.Sigma)
}

// invent writes a month of a business.
func invent(b *testing.B, file string, rows int, month provable.Month) {
	b.Helper()
	raw(b, fmt.Sprintf(`COPY (SELECT 'default' AS workspace, (1 + (hash(i, 7) %% 3 = 0)::INT)::BIGINT AS kind, unhex(md5(i::VARCHAR)) AS id, 1::BIGINT AS version,
		make_timestamptz(%d + (hash(i) %% 2592000000000)::BIGINT) AS "at", unhex(md5((hash(i, 8) %% %d)::VARCHAR)) AS contact,
		1::BIGINT AS direction, (1 + 3 * (hash(i, 3) %% 10 < 3)::INT)::BIGINT AS result, (3 + hash(i, 4) %% 4)::BIGINT AS reason, (1 + hash(i, 6) %% 13)::BIGINT AS topic
		FROM range(%d) r(i)) TO %s (FORMAT parquet, FIELD_IDS {%s})`, month.Start.UnixMicro(), rows/10, rows, quote(file),
		fieldIDs([]fact.Column{fact.ColDirection, fact.ColResult, fact.ColReason, fact.ColTopic})))
}

// cpuTime is what this process has used of its processors.
func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// peakMiB is the most memory that this process had resident.
func peakMiB() int64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return r.Maxrss / 1024
}
