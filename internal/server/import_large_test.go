package server

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// sizeOf is how large a test is: small, unless a variable of the environment says otherwise.
func sizeOf(variable string, small int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return small
}

// TestAShuffledDoubledFile: rows in no order, each of them twice, three that cannot be read: each row counts once, and
// the three are named by their lines. MURMUR_IMPORT_ROWS makes it large.
func TestAShuffledDoubledFile(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	rows := sizeOf("MURMUR_IMPORT_ROWS", 3_000)
	lines := strings.SplitAfter(strings.TrimSuffix(callRows(0, rows), "\n")+"\n", "\n")[:rows]
	lines = append(lines, lines...)
	bad := []string{"x1,yesterday,inbound,+12125550001,+16465550100,answered,1\n", "x2,,inbound,+12125550001,+16465550100,answered,1\n", "x3,2026-10-01 08:00:00,inbound,+12125550001,+16465550100,answered,soon\n"}
	lines = append(lines, bad...)
	rand.New(rand.NewPCG(9, 8)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	var want []int
	for i, l := range lines {
		if slices.Contains(bad, l) {
			want = append(want, i+2) // the header is line 1
		}
	}
	got, err := importAs(t.Context(), n, rpc.ImportArgs{}, strings.NewReader(callHead+strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	var named []int
	for _, b := range got.Bad {
		named = append(named, b.Line)
	}
	if got.In != int64(len(lines)) || got.Published != int64(rows) || got.Duplicate != int64(rows) || got.Quarantined != 3 || !slices.Equal(named, want) {
		t.Errorf("%d rows twice and three bad ones in lines %v: %+v", rows, want, got)
	}
	s, err := n.Status(t.Context())
	if w := s.Workspaces["default"]; err != nil || w.Published != int64(rows) || w.In != w.Sum() {
		t.Errorf("status: %+v, %v", w, err)
	}
}

// TestLongTranscripts: transcripts that nearly fill a delivery, one after the other, and another workspace's calls
// meanwhile. MURMUR_TRANSCRIPTS says how many.
func TestLongTranscripts(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	other := workspace.MustParse("other")
	if err := n.createWorkspace(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if _, err := n.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "transcripts", Value: "notice"}}, "a test", "a test"); err != nil {
		t.Fatal(err)
	}
	transcripts := sizeOf("MURMUR_TRANSCRIPTS", 3)
	turn := `{"side":"contact","text":"` + strings.Repeat("the parcel has not come yet and nobody knows where it went. ", 150) + `"}`
	turns := strings.Repeat(turn+",", 900_000/len(turn)) + turn
	var file strings.Builder
	for i := range transcripts {
		fmt.Fprintf(&file, `{"schema":"murmur.v1","type":"transcript","source_id":"t%d","call":"c%d","occurred_at":"2026-10-02T10:00:00Z","party":{"phone":"+1212555%04d"},"turns":[%s]}`+"\n", i, i, i, turns)
	}
	done := make(chan error, 1)
	go func() {
		calls, err := importAs(t.Context(), n, rpc.ImportArgs{Workspace: "other"}, strings.NewReader(callHead+callRows(0, 600)))
		if err == nil && calls.Published != 600 {
			err = fmt.Errorf("the other workspace: %+v", calls)
		}
		done <- err
	}()
	got, err := importAs(t.Context(), n, rpc.ImportArgs{Kind: "native"}, strings.NewReader(file.String()))
	if err != nil || got.In != int64(transcripts) || got.Published != int64(transcripts) {
		t.Errorf("%d transcripts: %+v, %v", transcripts, got, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestALabelForEachRow: every call is to another number of the business. Nothing is lost, and the figures of this
// workspace and of another are there in the end. MURMUR_LABELS says how many.
func TestALabelForEachRow(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	other := workspace.MustParse("other")
	if err := n.createWorkspace(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	labels := sizeOf("MURMUR_LABELS", 2_000)
	var file strings.Builder
	start := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	for i := range labels {
		fmt.Fprintf(&file, "c%d,%s,inbound,+1212555%04d,+1646%07d,answered,%d\n", i, start.Add(time.Duration(i)*20*time.Second).Format(time.DateTime), i%10_000, 2_000_000+i, i%300)
	}
	got, err := importAs(t.Context(), n, rpc.ImportArgs{}, strings.NewReader(callHead+file.String()))
	if err != nil || got.In != int64(labels) || got.Published != int64(labels) {
		t.Errorf("%d labels: %+v, %v", labels, got.Counts, err)
	}
	if _, err := importAs(t.Context(), n, rpc.ImportArgs{Workspace: "other"}, strings.NewReader(callHead+callRows(0, 600))); err != nil {
		t.Error(err)
	}
	if err := n.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	for _, ws := range []workspace.ID{workspace.Default, other} {
		if f, err := n.Figures(t.Context(), ws, "missed-call-rate", release.Owner); err != nil || len(f) == 0 {
			t.Errorf("%s: %d figures, %v", ws, len(f), err)
		}
	}
}
