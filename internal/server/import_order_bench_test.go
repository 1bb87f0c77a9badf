package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/rpc"
)

// BenchmarkImportOrder reads the calls of 112 days in three orders, each into a directory of its own: as they took place,
// newest first as most platforms export them, and in no order, which costs most where rows are kept by their day. Run
// it with -benchtime 1x: the number of rows is in the name. peak-MiB is the most memory that the process held.
func BenchmarkImportOrder(b *testing.B) {
	for _, rows := range []int{100_000, 1_000_000} {
		for _, order := range []string{"oldest", "newest", "random"} {
			b.Run(fmt.Sprintf("%s/rows=%d", order, rows), func(b *testing.B) {
				for b.Loop() {
					benchmarkOrder(b, writeCalls(b, rows, order), rows)
				}
			})
		}
	}
}

func benchmarkOrder(b *testing.B, path string, rows int) {
	data := filepath.Join(b.TempDir(), "data")
	n, err := Open(b.Context(), Config{Data: data})
	if err != nil {
		b.Fatal(err)
	}
	n.Start(b.Context())
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	resetPeak(b)
	before := processorTime(b)
	var out bytes.Buffer
	if err := n.Do(b.Context(), "import", rpc.ImportArgs{}, f, &out); err != nil {
		b.Fatal(err)
	}
	used := (processorTime(b) - before).Seconds()
	var got rpc.Imported
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Published != int64(rows) {
		b.Fatalf("%d published, %v", got.Published, err)
	}
	b.ReportMetric(used, "cpu-s")
	b.ReportMetric(float64(rows)/used, "rows/cpu-s")
	b.ReportMetric(peak(b), "peak-MiB")
	if err := n.Close(); err != nil {
		b.Fatal(err)
	}
	files, bytes := kept(b, filepath.Join(data, "lake"))
	b.ReportMetric(float64(files), "lake-files")
	b.ReportMetric(float64(bytes)/1e6, "lake-MB")
	_, all := kept(b, data)
	b.ReportMetric(float64(all)/1e6, "kept-MB")
}

// writeCalls writes an export of calls over 112 days: 50,000 people, some of whom call often, five numbers.
func writeCalls(b *testing.B, rows int, order string) string {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(rows)))
	start := time.Date(2026, 7, 20, 0, 0, 0, 0, time.UTC)
	at := make([]time.Time, rows)
	for i := range at {
		day := start.AddDate(0, 0, rng.IntN(112))
		at[i] = day.Add(7*time.Hour + time.Duration(rng.IntN(14*3600))*time.Second)
	}
	switch order {
	case "oldest":
		slices.SortFunc(at, time.Time.Compare)
	case "newest":
		slices.SortFunc(at, func(a, b time.Time) int { return b.Compare(a) })
	}
	path := filepath.Join(b.TempDir(), "calls.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "Call ID,Started,Direction,From,To,Status,Duration (s),Agent")
	for i, t := range at {
		u := rng.Float64()
		person, number := fmt.Sprintf("+1212%07d", 2_000_000+int(50_000*u*u)), fmt.Sprintf("+1646555%04d", 100+rng.IntN(5))
		if i%3 == 0 {
			fmt.Fprintf(w, "c%d,%s,outbound,%s,%s,answered,%d,Sam\n", i, t.Format(time.DateTime), number, person, rng.IntN(900))
			continue
		}
		status := [...]string{"answered", "answered", "answered", "missed"}[rng.IntN(4)]
		fmt.Fprintf(w, "c%d,%s,inbound,%s,%s,%s,%d,Sam\n", i, t.Format(time.DateTime), person, number, status, rng.IntN(900))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// kept counts the files below a directory and their bytes.
func kept(b *testing.B, dir string) (files int, bytes int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files++
		bytes += info.Size()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return files, bytes
}

// resetPeak makes the process's peak of memory what it holds now (proc(5), clear_refs).
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skip("the peak of memory is not to be had here")
	}
}

// peak is the most memory the process has held, in MiB.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
