package consent

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"murmur/internal/fact"
)

// TestTheTableIsWhole: every state has a last row for what it does not name, and none comes after it.
func TestTheTableIsWhole(t *testing.T) {
	t.Parallel()
	for s := New; s <= Shredded; s++ {
		closed := false
		seen := map[EventKind]bool{}
		for _, m := range moves {
			if m.in != s {
				continue
			}
			if closed || seen[m.on] {
				t.Errorf("%s, %s: a row that is never reached", s, m.on)
			}
			seen[m.on], closed = true, m.on == rest
		}
		if !closed {
			t.Errorf("%s has no row for every other event", s)
		}
	}
}

// TestReportedTwice: an event that is reported again, at any later moment, changes nothing.
func TestReportedTwice(t *testing.T) {
	t.Parallel()
	events := []Event{
		{Kind: Began}, {Kind: Cleared}, {Kind: NoticeStarted}, {Kind: NoticeEnded}, {Kind: Suspended}, {Kind: Resumed}, {Kind: HungUp}, {Kind: SaidNo},
	}
	for i := range events {
		events[i].At = began.Add(time.Duration(i) * 10 * time.Second)
	}
	var c Call
	for i, e := range events {
		c.Step(e)
		for _, again := range events[:i+1] {
			state := c.State()
			if effects := c.Step(again); len(effects) != 0 || c.State() != state {
				t.Errorf("%s again in %s: %v, then %s", again.Kind, state, effects, c.State())
			}
		}
	}
}

// TestEvidence: the receipt shows the notice, the person's word and every move, and no key that means nothing.
func TestEvidence(t *testing.T) {
	t.Parallel()
	var c Call
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	for _, e := range []Event{
		{Kind: Began, At: at(0)}, {Kind: Cleared, At: at(0)}, {Kind: NoticeStarted, At: at(1), Notice: Notice{ID: "usual", Language: "en", Length: played}},
		{Kind: NoticeEnded, At: at(11)}, {Kind: Pressed, Key: '4', At: at(12)}, {Kind: Pressed, Key: '9', At: at(13)}, {Kind: Destroyed, At: at(13)},
	} {
		c.Step(e)
	}
	ev := c.Evidence()
	if ev.Notice.ID != "usual" || !ev.From.Equal(at(1)) || !ev.To.Equal(at(11)) || ev.Via != fact.ViaDTMF || ev.Key != '9' {
		t.Errorf("%+v", ev)
	}
	var got []string
	for _, m := range ev.Trace {
		got = append(got, m.On.String()+">"+m.To.String())
	}
	want := "began>screening cleared>noticing notice_started>noticing notice_ended>holding opted_out>opted_out destroyed>shredded"
	if strings.Join(got, " ") != want {
		t.Errorf("trace %s", got)
	}
}

// TestWhoseWord: a member refuses for this call alone and agrees for nobody; what the contact refuses stays the
// contact's, whoever refuses after that.
func TestWhoseWord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by     []fact.Side
		theirs bool
	}{
		"the contact":         {[]fact.Side{fact.SideContact}, true},
		"the member":          {[]fact.Side{fact.SideMember}, false},
		"nobody knows":        {[]fact.Side{0}, true},
		"the member, then":    {[]fact.Side{fact.SideMember, fact.SideContact}, true},
		"the contact, before": {[]fact.Side{fact.SideContact, fact.SideMember}, true},
	} {
		m := Call{state: Holding, since: began, last: began}
		for i, by := range c.by {
			effects := m.Step(Event{Kind: Pressed, Key: '9', By: by, At: began.Add(time.Duration(i+1) * time.Second)})
			if m.State() != OptedOut || i == 0 && !slices.Contains(effects, Destroy) {
				t.Errorf("%s: %s, %v", name, m.State(), effects)
			}
			m.Step(Event{Kind: Destroyed})
			m.state = OptedOut
		}
		if m.Evidence().Theirs != c.theirs {
			t.Errorf("%s: the contact's refusal: %v", name, !c.theirs)
		}
	}
	for by, want := range map[fact.Side]State{fact.SideContact: Holding, fact.SideMember: OptInWait, 0: OptInWait} {
		m := Call{state: OptInWait, since: began, last: began}
		m.Step(Event{Kind: Pressed, Key: '1', By: by, At: began.Add(time.Second)})
		if m.State() != want {
			t.Errorf("a yes of side %d leads to %s", by, m.State())
		}
	}
}

// TestTheTraceIsBounded: who plays with keys cannot make a receipt grow for ever, and its end is in it all the same.
func TestTheTraceIsBounded(t *testing.T) {
	t.Parallel()
	c := Call{}
	at := began
	step := func(k EventKind) {
		at = at.Add(time.Second)
		c.Step(Event{Kind: k, At: at})
	}
	for _, k := range []EventKind{Began, Cleared, NoticeStarted, NoticeEnded} {
		step(k)
	}
	for range 1000 {
		step(Suspended)
		step(Resumed)
		step(SaidYes)
	}
	step(HungUp)
	trace := c.Evidence().Trace
	if len(trace) > maxTrace+3 || trace[len(trace)-1].To != Released {
		t.Errorf("%d moves, the last to %s", len(trace), trace[len(trace)-1].To)
	}
}

var update = flag.Bool("update", false, "write the table into docs/consent.md")

// TestTheTableIsInTheDocs compares docs/consent.md with the table of call.go.
func TestTheTableIsInTheDocs(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "..", "..", "docs", "consent.md")
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const from, to = "<!-- moves -->\n```text\n", "```\n<!-- end moves -->"
	head, after, ok1 := strings.Cut(string(b), from)
	_, tail, ok2 := strings.Cut(after, to)
	if !ok1 || !ok2 {
		t.Fatal("docs/consent.md has no place for the table")
	}
	want := head + from + printed() + to + tail
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatal("docs/consent.md shows another table than call.go: go test ./internal/private/internal/consent -run Docs -update")
	}
	if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

func printed() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "state\tfor at most\twhat happens\tthen\twhat is done")
	last := State(-1)
	for _, m := range moves {
		name, limit := "", ""
		if m.in != last {
			name, limit, last = m.in.String(), "-", m.in
			if d := m.in.Limit(); d > 0 {
				limit = strconv.Itoa(int(d/time.Second)) + " s"
			}
		}
		on := m.on.String()
		if m.on == rest {
			on = "anything else"
		}
		var must []string
		for _, e := range m.must {
			must = append(must, e.String())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, limit, on, m.to, strings.Join(must, ", "))
	}
	_ = w.Flush()
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// TestTheModelCheckGoesRed plants faults into the table; each must be found.
func TestTheModelCheckGoesRed(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name string
		in   State
		on   EventKind
		to   State
		must []Effect
	}{
		{"recorded without a notice", Screening, Cleared, Holding, []Effect{Start}},
		{"recorded while the notice is sent", Noticing, NoticeStarted, Noticing, []Effect{Start}},
		{"hang-up before the end of the notice", Noticing, HungUp, Released, []Effect{Stop, Account, Keep}},
		{"a question that nobody answered", Asking, NoticeEnded, Holding, []Effect{Start}},
		{"a call of an opted-out person", Screening, Denied, Noticing, nil},
		{"a refusal that is forgotten", Holding, SaidNo, OptedOut, []Effect{Stop, Destroy, Account}},
		{"a refusal that destroys nothing", Holding, SaidNo, OptedOut, []Effect{Stop, Remember, Account}},
		{"a refusal that is not heard", Holding, SaidNo, Holding, []Effect{Remember}},
		{"a refusal while paused that is not heard", Paused, SaidNo, Paused, []Effect{Remember}},
		{"a refusal after the end that is not heard", Released, SaidNo, Released, []Effect{Remember}},
		{"a refusal in the menu that is not heard", New, SaidNo, New, []Effect{Remember}},
		{"no ledger", Holding, HungUp, Released, []Effect{Stop, Keep}},
		{"the ledger after the key", Holding, HungUp, Released, []Effect{Stop, Keep, Account}},
		{"a fault that is ignored", Holding, rest, Holding, nil},
		{"a fault that is ignored while paused", Paused, rest, Paused, nil},
		{"a fault that destroys nothing", Holding, rest, Aborted, []Effect{Stop, Account}},
		{"a pause that goes on", Holding, Suspended, Paused, nil},
		{"a pause that ends by itself", Paused, SaidYes, Holding, []Effect{Start}},
		{"a refused call that is recorded", Refused, rest, Holding, []Effect{Start}},
		{"a shredded call that is recorded", Shredded, rest, Holding, []Effect{Start}},
		{"an end that keeps recording", Holding, HungUp, Released, []Effect{Account, Keep}},
		{"an expired key that stays", Released, Expired, Shredded, []Effect{Account}},
	} {
		table := slices.Clone(moves)
		i := slices.IndexFunc(table, func(m move) bool { return m.in == f.in && (m.on == f.on || m.on == rest) })
		planted := move{f.in, f.on, f.to, f.must}
		if table[i].on == f.on {
			table[i] = planted
		} else {
			table = slices.Insert(table, i, planted)
		}
		if _, _, err := everyOrder(table, 8, true); err == nil {
			t.Errorf("%s: not found", f.name)
		} else {
			t.Logf("%s: %v", f.name, err)
		}
	}
}
