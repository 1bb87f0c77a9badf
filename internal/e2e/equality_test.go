package e2e

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"murmur/internal/insight"
	"murmur/internal/rpc"
	"murmur/internal/synth"
)

// zoneName has a change of clocks inside the synthetic weeks.
const zoneName = "America/New_York"

// town is the business that the equality tests and the fault tests share: four weeks over a change of clocks, a
// whole block.
func town(t testing.TB, contacts int) (*synth.Business, fold) {
	t.Helper()
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	b, days := synth.Days(synth.Config{Seed: 11, Start: time.Date(2026, 2, 23, 0, 0, 0, 0, zone), Zone: zone, Contacts: contacts}, 28)
	return b, fold{days: days, zone: zone, open: func(at time.Time) bool {
		at = at.In(zone)
		return at.Weekday() != time.Saturday && at.Weekday() != time.Sunday && at.Hour() >= 9 && at.Hour() < 17
	}}
}

func (h *house) townPolicy() {
	h.policy("timezone", zoneName, "open-hours", "mon-fri 09:00-17:00", "transcripts", "notice", "noise", "0")
}

// hook is one signed webhook, ready to be sent again and again.
type hook struct {
	path   string
	body   []byte
	header func() http.Header
}

// sendAll sends hooks from a few senders, each 2xx, and gives the answers.
func (h *house) sendAll(hooks []hook) [][]byte {
	h.t.Helper()
	answers := make([][]byte, len(hooks))
	var g errgroup.Group
	g.SetLimit(16)
	for i, w := range hooks {
		g.Go(func() error { answers[i] = h.post(w.path, w.body, w.header(), 200).body; return nil })
	}
	_ = g.Wait()
	return answers
}

// hooks signs everything that Quo and Typeform say about the days.
func (h *house) hooks(b *synth.Business, days []synth.Day) (out []hook) {
	return h.hooksOf(h.connect("quo"), b, days)
}

// hooksOf is hooks for a connection of Quo that there is.
func (h *house) hooksOf(quo rpc.Connected, b *synth.Business, days []synth.Day) (out []hook) {
	typeform := h.connect("typeform")
	for _, d := range days {
		for _, w := range b.Quo(d) {
			out = append(out, hook{quo.Path, w.Body, func() http.Header { return signStandard(quo.Secret, w.ID, time.Now(), w.Body) }})
		}
		for _, w := range b.Typeform(d) {
			out = append(out, hook{typeform.Path, w.Body, func() http.Header { return signTypeform(typeform.Secret, w.Body) }})
		}
	}
	return out
}

var asOf = regexp.MustCompile(`"as_of":"[^"]*"`)

// TestFiguresAreTheFold: the figures of a business are those of the fold; they are the same bytes when every delivery
// comes one to five times in any order and the same calls and texts come from files too.
func TestFiguresAreTheFold(t *testing.T) {
	t.Parallel()
	b, truth := town(t, 400)
	plain := open(t, newData(t))
	plain.townPolicy()
	plain.sendAll(plain.hooks(b, truth.days))
	want := plain.figures()
	figures := parse(t, want)
	checked := truth.check(t, figures, 5)
	for _, m := range []string{"missed-call-rate rate", "missed-call-reasons share", "busy-hours calls", "time-to-respond answer_p50_s",
		"time-to-respond answer_p90_s", "time-to-respond reply_p50_s", "time-to-respond reply_p90_s", "menu-funnel calls",
		"satisfaction nps", "satisfaction csat", "satisfaction responses"} {
		if checked[m] == 0 {
			t.Errorf("no figure of %s to compare", m)
		}
	}
	if !slices.ContainsFunc(figures, func(g insight.Figure) bool { return g.Hidden == "" && len(g.Split["number"]) > 0 }) {
		t.Error("no figure by number")
	}
	truth.nobodyAlone(t, figures, 5)
	t.Logf("%d figures, compared with the fold: %v", len(figures), checked)

	wild := open(t, newData(t))
	wild.townPolicy()
	random := rand.New(rand.NewPCG(3, 4))
	var hooks []hook
	for _, w := range wild.hooks(b, truth.days) {
		for range 1 + random.IntN(5) {
			hooks = append(hooks, w)
		}
	}
	random.Shuffle(len(hooks), func(i, j int) { hooks[i], hooks[j] = hooks[j], hooks[i] })
	wild.sendAll(hooks[:len(hooks)/2])
	wild.importTwice(b, truth.days, random)
	wild.sendAll(hooks[len(hooks)/2:])
	got := wild.figures()
	if c := wild.counts(); c.Quarantined+c.Held+c.Refused+c.Pending > 0 || c.Duplicate == 0 {
		t.Errorf("states: %+v", c)
	}
	sameFigures(t, want, got)
}

// importTwice imports the calls and texts of the days from CSV files of the connection quo with shuffled rows, each file
// twice.
func (h *house) importTwice(b *synth.Business, days []synth.Day, random *rand.Rand) {
	h.t.Helper()
	for kind, write := range map[string]func(*bytes.Buffer) error{
		"calls":    func(w *bytes.Buffer) error { return b.CSVCalls(w, days) },
		"messages": func(w *bytes.Buffer) error { return b.CSVTexts(w, days) },
	} {
		var file bytes.Buffer
		if err := write(&file); err != nil {
			h.t.Fatal(err)
		}
		for range 2 {
			h.importInto("quo", kind, strings.NewReader(shuffled(file.String(), random)))
		}
	}
}

// shuffled gives a CSV file's rows in another order; no cell of these files has a line break.
func shuffled(file string, random *rand.Rand) string {
	rows := strings.SplitAfter(strings.TrimSuffix(file, "\n")+"\n", "\n")
	rows = rows[:len(rows)-1]
	random.Shuffle(len(rows)-1, func(i, j int) { rows[i+1], rows[j+1] = rows[j+1], rows[i+1] })
	return strings.Join(rows, "")
}

// sameFigures compares printed figures byte by byte, but for the moment at which they were counted.
func sameFigures(t testing.TB, want, got []byte) bool {
	t.Helper()
	a := strings.Split(string(asOf.ReplaceAll(want, nil)), "\n")
	b := strings.Split(string(asOf.ReplaceAll(got, nil)), "\n")
	if len(a) != len(b) {
		t.Errorf("%d figures and %d", len(a), len(b))
	}
	differ := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			if differ++; differ <= 5 {
				t.Errorf("figures differ:\n%s\n%s", a[i], b[i])
			}
		}
	}
	return differ == 0 && len(a) == len(b)
}
