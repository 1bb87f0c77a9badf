package server

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"murmur/internal/rpc"
)

// BenchmarkImport reads CSV exports through everything that an import passes: mapping, seal, journal, decoding, consent,
// redaction, enrichment, lake. rows/s is what the wall clock says, rows/cpu-s what each second of processor time reads,
// which two cores double on a quiet machine.
func BenchmarkImport(b *testing.B) {
	start := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	words := []string{"the heater is broken again", "please call me back", "my name is Rosa Delgado", "at 212 555 0142", "thanks", "we are at 12 Main Street", "tomorrow morning would be great"}
	for name, c := range map[string]struct {
		head string
		row  func(w io.Writer, i int, at string)
	}{
		"calls": {"Call ID,Started,Direction,From,To,Status,Duration (s),Agent\n", func(w io.Writer, i int, at string) {
			fmt.Fprintf(w, "c%d,%s,%s,+1212555%04d,+12125550000,%s,%d,Sam\n", i, at, [...]string{"inbound", "outbound"}[i%2], i*7919%10_000, [...]string{"answered", "missed"}[i%3%2], i%300)
		}},
		"messages": {"Message ID,Sent At,Direction,From,To,Body,Status\n", func(w io.Writer, i int, at string) {
			fmt.Fprintf(w, "m%d,%s,inbound,+1212555%04d,+12125550000,\"%s, %s, %s %d\",received\n", i, at, i*7919%10_000, words[i%7], words[i/7%7], words[i/49%7], i%50)
		}},
	} {
		b.Run(name, func(b *testing.B) {
			n, err := Open(b.Context(), Config{Data: filepath.Join(b.TempDir(), "data")})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = n.Close() })
			n.Start(b.Context())
			var file bytes.Buffer
			file.WriteString(c.head)
			for i := range b.N {
				c.row(&file, i, start.Add(time.Duration(i)*20*time.Second).Format(time.DateTime))
			}
			b.ReportAllocs()
			b.ResetTimer()
			before := processorTime(b)
			var out bytes.Buffer
			if err := n.Do(b.Context(), "import", rpc.ImportArgs{}, &file, &out); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "rows/cpu-s")
			if !bytes.Contains(out.Bytes(), fmt.Appendf(nil, `"published":%d,`, b.N)) {
				b.Fatal(out.String())
			}
		})
	}
}

// BenchmarkImportAfterRefusals: texts of 200 contacts, where nobody has refused and where somebody did more than link-days ago.
func BenchmarkImportAfterRefusals(b *testing.B) {
	const contacts = 200
	for name, refused := range map[string]int{"none": 0, "one": 1} {
		b.Run(name, func(b *testing.B) {
			n, err := Open(b.Context(), Config{Data: filepath.Join(b.TempDir(), "data")})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = n.Close() })
			n.Start(b.Context())
			err = n.db.Tx(b.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec(`INSERT INTO lasting(workspace, kind, ref, at, via) SELECT 'default', 'contact', randomblob(16), 0, 1 WHERE ?`, refused)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			file := bytes.NewBufferString("Message ID,Sent At,Direction,From,To,Body,Status\n")
			for i := range b.N {
				at := time.Date(2026, 10, 1, 8, 0, i, 0, time.UTC).Format(time.DateTime)
				fmt.Fprintf(file, "m%d,%s,inbound,+1212555%04d,+12125550000,the heater is broken,received\n", i, at, i%contacts)
			}
			b.ResetTimer()
			before := processorTime(b)
			if err := n.Do(b.Context(), "import", rpc.ImportArgs{}, file, io.Discard); err != nil {
				b.Fatal(err)
			}
			used := processorTime(b) - before
			b.ReportMetric(used.Seconds(), "cpu-s")
			b.ReportMetric(float64(used.Milliseconds())/contacts, "cpu-ms/contact")
		})
	}
}

// processorTime is what this process has used of all cores.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(unix.TimevalToNsec(u.Utime) + unix.TimevalToNsec(u.Stime))
}
