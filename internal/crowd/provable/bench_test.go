package provable

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// business lies in memory as a reader gives it, side by side: it has about rows rows of contacts with a mean of three each, or as many rows each as busy says.
func business(p Plan, rows, busy int) (all []Unit, of [][]Row) {
	rng := rand.New(rand.NewPCG(61, uint64(rows)))
	one := make([]Row, 0, rows+1000)
	cells := make([]int32, 0, cap(one)*len(p.Metrics))
	for n := 0; n < rows; {
		var u Unit
		binary.BigEndian.PutUint64(u[:], uint64(len(all))+1)
		all, of = append(all, u), append(of, nil)
		begin := len(one)
		for more := true; more; n++ {
			r := Row{At: november.Start.Add(time.Duration(rng.Int64N(int64(30 * 24 * time.Hour)))).UnixMicro()}
			binary.BigEndian.PutUint64(r.ID[:], uint64(n)+1)
			text, missed := rng.IntN(3) == 0, rng.IntN(10) < 3 // a call counts in calls, a missed one in reasons, a text in topics, all as contact
			for _, m := range p.Metrics {
				cell := int32(-1)
				switch {
				case m.Measure == "contacts":
					cell = 0
				case m.Measure == "topics" && text, m.Measure == "missed-calls" && !text, m.Measure == "missed-reasons" && !text && missed:
					cell = int32(rng.IntN(len(m.Cells)))
				}
				cells = append(cells, cell)
			}
			r.Cells = cells[len(cells)-len(p.Metrics):]
			one = append(one, r)
			of[len(of)-1] = one[begin:]
			if more = rng.IntN(3) > 0; busy > 0 {
				more = len(one)-begin < busy
			}
		}
	}
	return all, of
}

// BenchmarkBound counts rows that lie in memory, contact by contact, on one core.
func BenchmarkBound(b *testing.B) {
	p := defaultPlan(b)
	for _, busy := range []int{0, 30, 1000} {
		all, of := business(p, 300_000, busy)
		name := "a mean of 3 rows a contact"
		if busy > 0 {
			name = fmt.Sprint(busy, " rows a contact")
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			rows, began := 0, cpuTime()
			for b.Loop() {
				s := newBounded(p, november, make([]byte, 32), request(p).Workspace)
				for i, u := range all {
					s.add(u, of[i])
					rows += len(of[i])
				}
			}
			b.ReportMetric(float64(rows)/(cpuTime()-began).Seconds()/1e6, "M-rows/cpu-s")
		})
	}
}

// cpuTime is what this process has used of its processors: other work on the machine does not move it much.
func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkRelease draws the noise of a release and seals it: what does not grow with the rows.
func BenchmarkRelease(b *testing.B) {
	p := defaultPlan(b)
	r := releaser(people{}, newMemory())
	cells := 0
	for _, m := range p.Metrics {
		for _, part := range m.Parts {
			cells += len(m.Cells) * len(november.Periods(part.Grain))
		}
	}
	for b.Loop() {
		if _, err := r.make(b.Context(), request(p)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cells), "cells")
}
