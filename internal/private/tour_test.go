package private

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// TestTour makes the blocks of docs/tour.md that only this zone can see.
func TestTour(t *testing.T) {
	h := newTourHouse(t)
	src := workspace.Source{Workspace: workspace.Default, Name: "quo", Kind: "quo", Secrets: []string{tour.Secret}, Config: workspace.SourceConfig{OwnIDs: true}}
	for _, d := range tour.Deliveries {
		body := tour.Body(t, d.Name)
		got, err := h.zone.Accept(t.Context(), src, tour.Sign(t, d.ID, body), body)
		if err != nil || got != (Accepted{Deliveries: 1, Fresh: 1}) {
			t.Fatalf("accept: %+v, %v", got, err)
		}
		m := h.inbox[len(h.inbox)-1]
		h.envelope(t, d.Name, m)
		h.event(t, d.Name, m)
	}
	h.verdicts(t)
	h.facts(t)
}

// tourHouse is a zone with keys and a register of its own, and a list for a journal.
type tourHouse struct {
	db    *meta.DB
	zone  *Zone
	inbox []journal.Message
	audio string // folder of recordings
}

func (h *tourHouse) Accept(_ context.Context, m ...journal.Message) (int, error) {
	h.inbox = append(h.inbox, m...)
	return len(m), nil
}

func newTourHouse(t *testing.T) *tourHouse {
	t.Helper()
	dir, now := t.TempDir(), func() time.Time { return tour.Now }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(keyring.CreateRoot(dir, keyring.Config{}))
	ring, err := keyring.Open(dir, keyring.Config{Clock: now})
	check(err)
	check(ring.Create(workspace.Default))
	db, err := meta.Open(t.Context(), filepath.Join(dir, "murmur.db"))
	check(err)
	t.Cleanup(func() { _ = db.Close() })
	l, err := ledger.Open(t.Context(), ledger.Config{DB: db, File: filepath.Join(dir, "checkpoints"), Key: ring.Root().Derive(ledger.Purpose), Clock: now})
	check(err)
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	store := workspace.NewStore(db, l, ring, now)
	check(store.Create(t.Context(), workspace.Default))
	_, err = store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "transcripts", Value: "notice"}}, "a notice is played on every call", "the tour")
	check(err)
	h := &tourHouse{db: db, audio: filepath.Join(dir, "recordings")}
	h.zone, err = New(Config{Ring: ring, Store: store, DB: db, Ledger: l, Journal: h, Audio: h.audio, Now: now})
	check(err)
	return h
}

// envelope shows what is sealed and how long the sealed bytes are.
func (h *tourHouse) envelope(t *testing.T, name string, m journal.Message) {
	t.Helper()
	e := h.open(t, m)
	body := tour.Body(t, name)
	if string(e.delivery.Body) != string(body) {
		t.Error("the sealed body is not the body that was sent")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%02x                            version of the envelope\n", envelopeVersion)
	for _, s := range []struct{ value, what string }{{e.kind, "kind"}, {e.name, "source"}, {e.connection, "whose ids it uses"}, {e.delivery.ID, "webhook-id"}} {
		fmt.Fprintf(&b, "%-30s%s\n", fmt.Sprintf("%04x %q", len(s.value), s.value), s.what)
	}
	fmt.Fprintf(&b, "%-30s%s\n", fmt.Sprintf("%d bytes", len(body)), "body, byte for byte")
	plain := len(e.bytes())
	fmt.Fprintf(&b, "%d bytes, sealed %d", plain, len(m.Payload))
	if name == "call" {
		tour.Check(t, "envelope", "text", b.String())
	}
}

func (h *tourHouse) open(t *testing.T, m journal.Message) envelope {
	t.Helper()
	o, err := h.zone.ring.Open(m.Workspace, keyring.TopicInbox, m.ID, sealVersion, m.Epoch, m.Payload)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := readEnvelope(o.Bytes())
	if !ok {
		t.Fatal("the envelope cannot be read")
	}
	return e
}

// event shows the decoded event as a formatter sees it: what a person said or is called prints as [personal].
func (h *tourHouse) event(t *testing.T, name string, m journal.Message) {
	t.Helper()
	e := h.open(t, m)
	src, ok := connect.For(e.kind)
	if !ok {
		t.Fatal("no such source")
	}
	events, err := src.Decode(e.delivery)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	b, err := json.Marshal(events[0])
	if err != nil {
		t.Fatal(err)
	}
	var all any
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	printSet(&out, "", all)
	tour.Check(t, "event "+name, "text", out.String())
}

// printSet prints the fields that say something, one a line, with their path.
func printSet(w *strings.Builder, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range fieldsOf(v) {
			printSet(w, strings.TrimPrefix(path+"."+k, "."), v[k])
		}
	case []any:
		for i, e := range v {
			printSet(w, fmt.Sprintf("%s[%d]", path, i), e)
		}
	case nil:
	default:
		if v == "" || v == 0.0 || v == false || v == "0001-01-01T00:00:00Z" {
			return
		}
		fmt.Fprintf(w, "%-22s %v\n", path, v)
	}
}

// fieldsOf gives the fields of an event that the page shows, in its order. The others (a member, a name) are empty in
// these two, which a Value does not tell.
func fieldsOf(m map[string]any) (keys []string) {
	for _, k := range []string{
		"ID", "At", "UpdatedAt", "Rank", "Party", "Address", "Call", "Talk", "Direction", "Number", "Origin", "Result", "Reason", "Voicemail",
		"Answered", "Completed", "Ring", "Seconds", "Turns", "Side", "Words",
	} {
		if _, ok := m[k]; ok {
			keys = append(keys, k)
		}
	}
	return keys
}

func (h *tourHouse) decide(basis workspace.Basis, kind fact.Kind, k consent.Known) (consent.Verdict, fact.Why) {
	if consent.UseOf(kind) == 0 {
		return consent.Allow, fact.WhyNone
	}
	return consent.Decide(workspace.Policy{Transcripts: basis}, consent.UseOf(kind), k)
}

// verdicts shows what the policy says about the two.
func (h *tourHouse) verdicts(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, c := range []struct {
		basis workspace.Basis
		kind  fact.Kind
		known consent.Known
		said  string
	}{
		{workspace.Notice, fact.KindCall, consent.Known{}, "nothing"},
		{workspace.Notice, fact.KindTalk, consent.Known{}, "nothing"},
		{workspace.Notice, fact.KindTalk, consent.Known{Call: consent.Statement{Out: consent.Everything}}, "pressed 9"},
		{workspace.Deny, fact.KindTalk, consent.Known{}, "nothing"},
	} {
		v, why := h.decide(c.basis, c.kind, c.known)
		fmt.Fprintf(&b, "%-5s transcripts=%-7s the caller said: %-10s -> %s\n", c.kind, c.basis, c.said, strings.TrimSpace(v.String()+" "+why.String()))
	}
	tour.Check(t, "verdict", "text", b.String())
}

// facts processes both deliveries as the pipeline does and shows the rows that cross the door.
func (h *tourHouse) facts(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for i, m := range h.inbox {
		o, err := h.zone.Process(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s: %s\n", tour.Deliveries[i].Name, o.State)
		for _, f := range o.Facts {
			printFact(&b, f)
		}
		for _, l := range o.Labels {
			if i == 0 {
				fmt.Fprintf(&b, "  label    <label> is %q\n", l.Name)
			}
		}
	}
	tour.Check(t, "facts", "text", b.String())
}

func printFact(w *strings.Builder, f fact.Fact) {
	h := f.Meta()
	who := "<contact>"
	if h.Contact == (anon.Contact{}) {
		who = "none"
	}
	fmt.Fprintf(w, "  %-8s id <id>, version %d, at %s, source <label>, contact %s, anonymiser %d\n", f.Kind(), h.Version,
		time.UnixMicro(int64(h.At)).UTC().Format(time.RFC3339), who, h.Anonymiser)
	var fields []string
	for _, x := range f.Fields() {
		d, _ := fact.Declared(x.Column)
		switch v := x.Get(); {
		case v == 0 || v == fact.Absent || x.Column == fact.ColCallLo:
		case x.Column == fact.ColCallHi:
			fields = append(fields, "call <id>")
		case x.Column == fact.ColNumber:
			fields = append(fields, "number <label>")
		default:
			fields = append(fields, fmt.Sprintf("%s %d", d.Name, v))
		}
	}
	fmt.Fprintf(w, "           %s\n", strings.Join(fields, ", "))
	if words := f.Words(); words != nil && words.Valid() {
		fmt.Fprintf(w, "           words %q\n", words.String())
	}
}
