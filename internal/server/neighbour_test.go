package server

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/crowd"
	"murmur/internal/crowd/provable"
	"murmur/internal/private"
	"murmur/internal/workspace"
)

// plannedContacts are so many that every measure has days, weeks and the month.
const plannedContacts = 500_000

// neighbours are two businesses that differ by all that one contact did in November 2026, as lines of murmur.v1.
type neighbours struct {
	rng         *rand.Rand
	ids         int
	rest, guest strings.Builder
}

// ways of being a contact whom it is hard to hide.
var ways = []string{"once", "in every cell", "busy", "corrected", "in many spellings", "without a number", "at the edges of the month", "in writing alone"}

// at has moments of a month, some of them its first and last.
func (n *neighbours) at() time.Time {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	if n.rng.IntN(10) == 0 {
		return []time.Time{start.Add(-time.Second), start, start.AddDate(0, 1, 0).Add(-time.Second), start.AddDate(0, 1, 0)}[n.rng.IntN(4)]
	}
	return start.Add(time.Duration(n.rng.IntN(30*24*3600)) * time.Second)
}

// line is an event of a party (empty: nobody) as JSON.
func (n *neighbours) line(party, kind string, at time.Time, fields string) string {
	n.ids++
	if party != "" {
		fields += `,"party":{` + party + `}`
	}
	return fmt.Sprintf(`{"schema":"murmur.v1","type":%q,"source_id":"s%d","occurred_at":%q%s}`+"\n", kind, n.ids, at.Format(time.RFC3339), fields)
}

var (
	outcomes = []string{"answered", "missed", "voicemail", "out_of_hours", "no_member_available", "abandoned_in_menu", "abandoned", "short_abandoned"}
	said     = []string{
		"Can I book an appointment for Tuesday?", "I have to cancel and come another day.", "What are your opening hours?", "How much does it cost?",
		"Where is my order, when will it arrive?", "There is a mistake in my bill.", "I am very unhappy, this is a complaint.", "It does not work any more, please help.",
		"Please call me back.", "Thank you very much!", "Do you repair bicycles too?", "You won a prize, click here.",
	}
)

// event is any event of a party.
func (n *neighbours) event(party string) string {
	switch n.rng.IntN(4) {
	case 0:
		return n.line(party, "message", n.at(), fmt.Sprintf(`,"direction":"in","number":"Sales","status":"received","body":%q`, said[n.rng.IntN(len(said))]))
	case 1:
		scale, score := "nps", n.rng.IntN(11)
		if n.rng.IntN(2) == 0 {
			scale, score = "csat", 1+n.rng.IntN(5)
		}
		return n.line(party, "answer", n.at(), fmt.Sprintf(`,"survey":"After the visit","scale":%q,"score":%d`, scale, score))
	default:
		return n.line(party, "call", n.at(), fmt.Sprintf(`,"direction":"in","number":"Sales","outcome":%q`, outcomes[n.rng.IntN(len(outcomes))]))
	}
}

// add writes what the others did, and a guest who is a contact in a way.
func (n *neighbours) add(way string) {
	for who := range 1 + n.rng.IntN(10) {
		for range n.rng.IntN(9) {
			n.rest.WriteString(n.event(fmt.Sprintf(`"phone":"+1212555%04d"`, 100+who)))
		}
	}
	const phone = `"phone":"+12125550999"`
	events := func(count int, party func() string) {
		for range count {
			n.guest.WriteString(n.event(party()))
		}
	}
	me := func() string { return phone }
	switch way {
	case "once":
		events(1, me)
	case "busy":
		events(1200, me)
	case "corrected": // each event twice, the second time on another day and with other words
		for range 20 {
			first, id := n.event(phone), n.ids
			second := n.event(phone)
			second = strings.Replace(second, fmt.Sprintf(`"source_id":"s%d"`, n.ids), fmt.Sprintf(`"source_id":"s%d","source_updated_at":"2026-12-01T00:00:00Z"`, id), 1)
			n.guest.WriteString(first + second + first)
		}
	case "in many spellings":
		spellings := []string{`"phone":"+12125550999"`, `"phone":"+1 (212) 555-0999"`, `"phone":"tel:+1-212-555-0999"`, `"phone":"0012125550999"`}
		events(60, func() string { return spellings[n.rng.IntN(len(spellings))] })
	case "without a number":
		events(60, func() string { return "" })
	case "in writing alone":
		for range 60 {
			n.guest.WriteString(n.line(`"email":"guest@example.com"`, "message", n.at(), fmt.Sprintf(`,"direction":"in","status":"received","body":%q`, said[n.rng.IntN(len(said))])))
		}
	default:
		events(60, me)
	}
}

// again gives the same randomness to every release.
type again struct{ io.Reader }

func (a *again) reset() { a.Reader = rand.NewChaCha8([32]byte{7}) }

// released are the noised counts of November, by workspace, measure and cell.
func (n *Node) released(t *testing.T, rows map[workspace.ID]string, compact bool) map[workspace.ID]provable.Release {
	t.Helper()
	var imports sync.WaitGroup
	for ws, lines := range rows {
		imports.Go(func() {
			if lines == "" {
				return // nobody but the guest is in it
			}
			way := n.way.Import()
			defer way.End()
			_, err := n.zone.Import(t.Context(), ws, strings.NewReader(lines), private.ImportOptions{Kind: "native"}, way)
			way.Read()
			if err == nil {
				err = n.until(t.Context(), func() (bool, error) { return way.Stored(), nil })
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	imports.Wait()
	if compact {
		if err := n.crowd.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	random := &again{}
	if err := n.crowd.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	n.crowd, err = crowd.Open(t.Context(), crowd.Config{
		Lake: n.dir.Lake(), Catalog: n.dir.Catalog(), Temp: n.dir.Tmp(), DB: n.db, Seal: n.ring, ReleaseKey: n.ring.Root().Derive("murmur releases 1")[:],
		Policy: n.store.Policy, Erased: n.zone.Erased, Now: n.now, Ledger: n.ledger, Random: random,
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[workspace.ID]provable.Release{}
	for ws := range rows {
		random.reset()
		if made, err := n.crowd.Leave(t.Context(), ws, planFor(plannedContacts)); err != nil || made != 1 {
			t.Fatalf("%d releases, %v", made, err)
		}
		all, err := n.crowd.Outside(t.Context(), ws)
		if err != nil {
			t.Fatal(err)
		}
		out[ws] = all[0]
	}
	return out
}

// TestNeighboursThroughTheWholeHouse: two houses with the same keys take in the same deliveries, one of them also those of one
// contact, through reading, redaction, identity, lake and engine. Their releases of the month have the same noise, so that
// what is between them are the exact sums: at most what the plan declares. MURMUR_ROUNDS multiplies the 32 cases.
func TestNeighboursThroughTheWholeHouse(t *testing.T) {
	t.Parallel()
	rounds := 1
	if more, err := strconv.Atoi(os.Getenv("MURMUR_ROUNDS")); err == nil {
		rounds = more
	}
	plan := planFor(plannedContacts)
	reached := make([][]bool, len(plan.Metrics))
	for i, m := range plan.Metrics {
		reached[i] = make([]bool, len(m.Parts))
		if len(m.Parts) != 3 {
			t.Fatalf("%s has %d grains", m.Measure, len(m.Parts))
		}
	}
	for round := range rounds {
		neighbourhood(t, round, plan, reached)
	}
	for i, m := range plan.Metrics {
		for g, p := range m.Parts {
			if !reached[i][g] {
				t.Errorf("no contact changed %s by %s by its sensitivity: the test says little", m.Measure, p.Grain)
			}
		}
	}
}

// neighbourhood compares two houses, a workspace for each case.
func neighbourhood(t *testing.T, round int, plan provable.Plan, reached [][]bool) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 12, 3, 1, 0, 0, 0, time.UTC) }
	open := func(dir string) *Node {
		n, err := Open(t.Context(), Config{Data: dir, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		n.Start(t.Context())
		return n
	}
	with, without := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "data")
	n := open(with)
	all, rest := map[workspace.ID]string{}, map[workspace.ID]string{}
	way := map[workspace.ID]string{}
	for i := range 4 * len(ways) {
		ws, err := workspace.Parse(fmt.Sprintf("w%03d", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.createWorkspace(t.Context(), ws); err != nil {
			t.Fatal(err)
		}
		c := &neighbours{rng: rand.New(rand.NewPCG(uint64(round), uint64(i)))}
		way[ws] = ways[i%len(ways)]
		c.add(way[ws])
		all[ws], rest[ws] = c.rest.String()+c.guest.String(), c.rest.String()
	}
	stop(t, n)
	if err := exec.Command("cp", "-a", with, without).Run(); err != nil {
		t.Fatal(err)
	}
	releases := func(dir string, rows map[workspace.ID]string) map[workspace.ID]provable.Release {
		n := open(dir)
		defer stop(t, n)
		return n.released(t, rows, round%2 == 0)
	}
	a, b := releases(with, all), releases(without, rest)
	for ws := range all {
		for i, m := range plan.Metrics {
			_, x := a[ws].Noised(m.Measure)
			_, y := b[ws].Noised(m.Measure)
			for g, p := range m.Parts {
				squared := int64(0)
				for j := range x[g] {
					squared += (x[g][j] - y[g][j]) * (x[g][j] - y[g][j])
				}
				if squared > p.Squared {
					t.Errorf("round %d, %s: a contact %s changes %s by %s by %d, at most %d is declared", round, ws, way[ws], m.Measure, p.Grain, squared, p.Squared)
				}
				reached[i][g] = reached[i][g] || squared == p.Squared
			}
		}
	}
}
