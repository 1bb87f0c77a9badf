package webtest

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"murmur/internal/insight"
	"murmur/internal/ledger"
	"murmur/internal/receipt"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// Business fakes everything the pages ask. Its maps are keyed by workspace where isolation matters.
type Business struct {
	mu            sync.Mutex
	Released      map[workspace.ID][]insight.Figure
	Access        map[web.Hash]web.Access // tokens and sessions
	Links         map[web.Hash]web.Access
	Receipts      map[string]workspace.ID // call ids that have a receipt
	Counts        web.WorkspaceStatus
	Held          []web.Quarantine
	Feeds         []web.Source
	Changes       []web.PolicyChange
	Entries       web.LedgerState
	Storage       []web.Kept
	policy        workspace.Policy
	marked        map[string]time.Time
	Left          map[workspace.ID][]insight.Figure // that left: what somebody outside is shown
	SharedBy      map[web.Hash]string               // shared pages by link
	Watched       []web.Alert
	Named         []web.Category
	NoTranscriber bool     // no transcriber is installed
	Said          []string // what was asked to change, in order: "erase", "opt-out", "replay not_json"
}

// New is a business in full swing in the workspace default.
func New() *Business {
	p := workspace.DefaultPolicy()
	p.Recordings, p.OpenHours, p.Timezone = workspace.Notice, "mon-fri 09:00-17:00; sat 10:00-14:00", "Europe/Berlin"
	return &Business{
		Released: map[workspace.ID][]insight.Figure{workspace.Default: Figures("default")},
		Left:     map[workspace.ID][]insight.Figure{workspace.Default: left("default")}, SharedBy: map[web.Hash]string{},
		Access: map[web.Hash]web.Access{}, Links: map[web.Hash]web.Access{},
		Receipts: map[string]workspace.ID{"AC0001": workspace.Default},
		Counts: web.WorkspaceStatus{
			Counts: web.Counts{In: 12480, Pending: 12, Held: 31, Published: 11902, Duplicate: 388, Ignored: 96, Refused: 41, Quarantined: 7, Erased: 3},
			BySource: map[string]web.Counts{
				"quo":      {In: 11900, Pending: 12, Held: 31, Published: 11340, Duplicate: 380, Ignored: 90, Refused: 41, Quarantined: 3, Erased: 3},
				"typeform": {In: 580, Published: 562, Duplicate: 8, Ignored: 6, Quarantined: 4},
			},
			Control:    map[string]string{"quo": "L1", "typeform": "L0"},
			Recordings: &web.Recorded{Stored: 48, Heard: 41, Waiting: 4, Denied: 3, Said: "they are transcribed one after the other"},
		},
		Held: []web.Quarantine{
			{Reason: "bad_field", Words: "A field has a type or value the source never sends. Update murmur or report the kind of event, then process again.", Deliveries: 4, Oldest: Now.Add(-5 * time.Hour)},
			{Reason: "not_verified", Words: "The masked text did not pass the second scan. It stays sealed until the redactor is better or its key dies.", Deliveries: 3, Oldest: Now.Add(-26 * time.Minute)},
		},
		Feeds:   feeds(),
		Watched: watched(), Named: named(),
		Changes: []web.PolicyChange{
			{At: Now.AddDate(0, 0, -20), By: "owner, pages", Key: "recordings", From: "deny", To: "notice", Reason: "The greeting now says that calls are recorded and how to refuse."},
			{At: Now.AddDate(0, 0, -41), By: "owner, command line", Key: "timezone", From: "UTC", To: "Europe/Berlin", Reason: "Weeks should begin on our Monday."},
		},
		Entries: web.LedgerState{Counts: []web.LedgerCount{{Kind: "consent", Entries: 1612}, {Kind: "erasure", Entries: 3}, {Kind: "access", Entries: 44}, {Kind: "policy", Entries: 2}},
			Head: "9f2c4e0b7d1a66d2c1f08b5aa37be4f21d0c9a7780f35f1b62a4de90c35b7e18", Checked: Now.Add(-14 * time.Minute)},
		Storage: []web.Kept{
			{What: "What a source sent", Where: "journal, sealed", HowLong: "24 hours, then its key is destroyed", Guard: "a key of its day"},
			{What: "Masked texts", Where: "lake", HowLong: "until erased", Guard: "two scans; never shown, only counted"},
			{What: "Rows of calls, texts and answers", Where: "lake", HowLong: "one person's rows can be linked for 60 days", Guard: "a keyed pseudonym, then none"},
			{What: "Figures", Where: "metadata", HowLong: "for good", Guard: "at least 5 people each, 10 where words are read"},
			{What: "Ledger", Where: "metadata and checkpoints", HowLong: "for good", Guard: "tree of hashes, no personal data"},
		},
		policy: p, marked: map[string]time.Time{},
	}
}

// Fresh is a business before its first source.
func Fresh() *Business {
	b := New()
	b.Released, b.Left, b.Counts, b.Held, b.Feeds, b.Watched, b.Named, b.Changes, b.Entries, b.Storage = nil, nil, web.WorkspaceStatus{}, nil, nil, nil, nil, nil, web.LedgerState{}, nil
	b.policy = workspace.DefaultPolicy()
	return b
}

// Config wires the business to the pages.
func (b *Business) Config() web.Config {
	return web.Config{
		Version: "0.0.0-test", Catalogue: insight.All(),
		Keys: b, Figures: b, Marks: b, Pipeline: b, Calls: calls{b}, Contacts: b, Holdings: b, Policies: b, Sources: b, Workspaces: b, Redactor: b, Letters: b, Alerts: b, Categories: b, Shares: b,
		Kinds: []web.SourceKind{
			{Name: "quo", Title: "Quo (OpenPhone)", Help: "Settings, then API: make a key and paste it below."},
			{Name: "twilio", Title: "Twilio", Help: "Calls, recordings and Studio flows."},
			{Name: "typeform", Title: "Typeform", Help: "Survey answers, by webhook."},
			{Name: "native", Title: "Your own system", Help: "Signed JSON, one event a line."},
		},
		OpenHint: "The server prints a new link when it starts.",
		Now:      func() time.Time { return Now },
		Log:      slog.New(slog.DiscardHandler),
	}
}

// Unsubscribe is web.Letters: nobody gets any.
func (b *Business) Unsubscribe(context.Context, web.Hash) error { return web.ErrNotFound }

// Grant makes a secret that opens a, as a token and as a session.
func (b *Business) Grant(secret string, a web.Access) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Access[web.HashOf(secret)] = a
}

// Link makes a one-time link.
func (b *Business) Link(secret string, a web.Access) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Links[web.HashOf(secret)] = a
}

func (b *Business) Token(_ context.Context, h web.Hash) (web.Access, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.Access[h]
	if !ok {
		return web.Access{}, web.ErrNoAccess
	}
	return a, nil
}

func (b *Business) Session(ctx context.Context, h web.Hash) (web.Access, error) {
	return b.Token(ctx, h)
}

func (b *Business) Redeem(_ context.Context, link, session web.Hash) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.Links[link]
	if !ok {
		return web.ErrNoAccess
	}
	delete(b.Links, link)
	b.Access[session] = a
	return nil
}

func (b *Business) Start(_ context.Context, ws workspace.ID, session web.Hash) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Access[session] = web.Access{Workspace: ws, Role: web.Owner}
	return nil
}

func (b *Business) End(_ context.Context, session web.Hash) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.Access, session)
	return nil
}

func (b *Business) Passes(_ context.Context, ws workspace.ID) (all []workspace.Pass, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for h, a := range b.Access {
		if a.Workspace == ws {
			all = append(all, workspace.Pass{ID: hex.EncodeToString(h[:6]), Role: workspace.Role(a.Role), Created: Now.Add(-3 * time.Hour), Ends: Now.AddDate(0, 0, 90)})
		}
	}
	slices.SortFunc(all, func(x, y workspace.Pass) int { return strings.Compare(x.ID, y.ID) })
	return all, nil
}

func (b *Business) Revoke(_ context.Context, ws workspace.ID, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for h, a := range b.Access {
		if a.Workspace == ws && hex.EncodeToString(h[:6]) == id {
			delete(b.Access, h)
			return nil
		}
	}
	return web.ErrNotFound
}

func (b *Business) Figures(_ context.Context, ws workspace.ID, slug string, as web.Role) (fs []insight.Figure, _ error) {
	all := b.Released[ws]
	if as == web.Outside {
		all = b.Left[ws]
	}
	for _, f := range all {
		if slug == "" || f.Insight == slug {
			fs = append(fs, f)
		}
	}
	return fs, nil
}

func (b *Business) Applied(context.Context, workspace.ID) (map[string]time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := map[string]time.Time{}
	maps.Copy(m, b.marked)
	return m, nil
}

// Mark records at three weeks ago, so that there is something to measure.
func (b *Business) Mark(_ context.Context, _ workspace.ID, id string, applied bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.marked, id)
	if applied {
		b.marked[id] = Now.AddDate(0, 0, -21)
	}
	b.Said = append(b.Said, "mark")
	return nil
}

func (b *Business) Status(_ context.Context, ws workspace.ID) (web.WorkspaceStatus, error) {
	if ws != workspace.Default {
		return web.WorkspaceStatus{}, nil
	}
	return b.Counts, nil
}

func (b *Business) Lag(context.Context, workspace.ID) (web.Lag, error) {
	return web.Lag{Waiting: b.Counts.Pending, Oldest: 4 * time.Second}, nil
}

func (b *Business) Quarantine(context.Context, workspace.ID) ([]web.Quarantine, error) {
	return b.Held, nil
}

func (b *Business) Replay(_ context.Context, _ workspace.ID, reason string) (int64, error) {
	for _, q := range b.Held {
		if q.Reason == reason {
			b.say("replay " + reason)
			return q.Deliveries, nil
		}
	}
	return 0, web.ErrNotFound
}

func (b *Business) say(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Said = append(b.Said, s)
}

// calls is the business's call control; a type of its own because OptOut of a call is not OptOut of a contact.
type calls struct{ *Business }

func (c calls) OptOut(_ context.Context, ws workspace.ID, call, via string) error {
	c.say("opt-out of " + call + " in " + ws.String() + " via " + via)
	return nil
}

func (c calls) Event(_ context.Context, _ workspace.ID, call string, e web.CallEvent) (web.CallState, error) {
	c.say(e.Kind + e.Key + " on " + call)
	return web.CallState{State: "shredded", Must: []string{"stop", "delete"}}, nil
}

func (c calls) Receipt(_ context.Context, ws workspace.ID, call string) (receipt.Call, error) {
	if c.Receipts[call] != ws {
		return receipt.Call{}, web.ErrNotFound
	}
	at := func(s int) time.Time { return Now.Add(time.Duration(s) * time.Second) }
	return receipt.Call{
		Format: receipt.Format, Call: call, ID: strings.Repeat("5e", 16), Verdict: "refuse", MadeAt: at(60), Head: c.Entries.Head, Proofs: []ledger.Proof{},
		Entries: []receipt.Entry{{Seq: 211, At: at(31), What: "opted-out", Via: "dtmf"}, {Seq: 212, At: at(31), What: "shredded", Via: "dtmf"}},
		Takes: []receipt.Take{{
			Recording: strings.Repeat("a7", 16), State: "shredded", Basis: "notice", Rule: 1, Via: "dtmf", Key: "9", KeyDestroyed: true,
			Notice: receipt.Notice{ID: "greeting", Language: "en", SHA256: strings.Repeat("c3", 32), From: at(2), To: at(11), Whole: true},
			Trace: []receipt.Move{
				{At: at(0), On: "began", To: "screening"}, {At: at(0), On: "cleared", To: "noticing"}, {At: at(2), On: "notice_started", To: "noticing"},
				{At: at(11), On: "notice_ended", To: "holding"}, {At: at(31), On: "opted_out", To: "opted_out"}, {At: at(31), On: "destroyed", To: "shredded"},
			},
		}},
	}, nil
}

func (b *Business) OptOut(_ context.Context, _ workspace.ID, contact, _ string) error {
	if err := address(contact); err != nil {
		return err
	}
	b.say("opt-out")
	return nil
}

func (b *Business) Erase(_ context.Context, _ workspace.ID, contact string) (web.Receipt, error) {
	if err := address(contact); err != nil {
		return web.Receipt{}, err
	}
	b.say("erase")
	return web.Receipt{ID: "er-7c1f9b2e", State: "accepted", At: Now}, nil
}

func address(s string) error {
	if strings.Contains(s, "@") || strings.HasPrefix(s, "+") {
		return nil
	}
	return fmt.Errorf("%w: neither a telephone number nor an e-mail address", web.ErrInput)
}

func (b *Business) Kept(context.Context, workspace.ID) ([]web.Kept, error) { return b.Storage, nil }

func (b *Business) Ledger(context.Context, workspace.ID) (web.LedgerState, error) {
	return b.Entries, nil
}

func (b *Business) Policy(context.Context, workspace.ID) (workspace.Policy, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.policy, nil
}

func (b *Business) SetPolicy(_ context.Context, by web.Access, set map[string]string, reason string) (workspace.Policy, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.policy
	for k, v := range set {
		if err := p.Set(k, v); err != nil {
			return p, err
		}
		b.Changes = append([]web.PolicyChange{{At: Now, By: string(by.Role), Key: k, To: v, Reason: reason}}, b.Changes...)
	}
	b.policy = p
	return p, nil
}

func (b *Business) History(context.Context, workspace.ID) ([]web.PolicyChange, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Changes, nil
}

func (b *Business) Workspaces(context.Context) ([]workspace.ID, error) {
	return []workspace.ID{workspace.Default, workspace.MustParse("other")}, nil
}

func (b *Business) Create(_ context.Context, ws workspace.ID) (string, error) {
	if ws == workspace.Default {
		return "", fmt.Errorf("%w: the name is taken", web.ErrInput)
	}
	return "token-of-" + ws.String(), nil
}

// Tenant knows the workspaces of Workspaces; what is done to them changes nothing.
func (b *Business) Tenant(ctx context.Context, ws workspace.ID) (workspace.Tenant, error) {
	if all, _ := b.Workspaces(ctx); !slices.Contains(all, ws) {
		return workspace.Tenant{}, web.ErrNotFound
	}
	return workspace.Tenant{Workspace: ws, State: workspace.Works.String(), Created: &Now}, nil
}

func (b *Business) SetLimits(ctx context.Context, ws workspace.ID, _ workspace.Limits) error {
	_, err := b.Tenant(ctx, ws)
	return err
}
func (b *Business) Suspend(ctx context.Context, ws workspace.ID) error {
	return b.SetLimits(ctx, ws, workspace.Limits{})
}
func (b *Business) Resume(ctx context.Context, ws workspace.ID) error { return b.Suspend(ctx, ws) }
func (b *Business) Delete(ctx context.Context, ws workspace.ID) error { return b.Suspend(ctx, ws) }
func (b *Business) Export(ctx context.Context, ws workspace.ID, out io.Writer) error {
	_, _ = io.WriteString(out, `{"murmur":"workspace.v1"}`)
	return b.Suspend(ctx, ws)
}

var maskable = []struct {
	kind string
	re   *regexp.Regexp
}{
	{"EMAIL", regexp.MustCompile(`[\w.]+@[\w.]+\w`)},
	{"PHONE", regexp.MustCompile(`\+[\d ]{8,}\d`)},
	{"NAME", regexp.MustCompile(`Lena Vogt`)},
	{"ADDRESS", regexp.MustCompile(`\d+ Harbour Road`)},
}

// Redact masks what the sample text holds; it is no redactor.
func (b *Business) Redact(_ context.Context, _ workspace.ID, text string) (string, []web.Span, error) {
	var spans []web.Span
	for _, m := range maskable {
		for _, at := range m.re.FindAllStringIndex(text, -1) {
			spans = append(spans, web.Span{Start: at[0], End: at[1], Type: m.kind, Score: 1})
		}
		text = m.re.ReplaceAllString(text, "["+m.kind+"]")
	}
	return text, spans, nil
}

// RedactClip answers a short call for whatever begins as a WAV does; it hears nothing.
func (b *Business) RedactClip(_ context.Context, _ workspace.ID, clip []byte) (web.Clip, error) {
	if !bytes.HasPrefix(clip, []byte("RIFF")) {
		return web.Clip{}, fmt.Errorf("%w: not a recording that can be read", web.ErrInput)
	}
	b.say("clip")
	return web.Clip{
		Duration: 9500 * time.Millisecond,
		Masked:   []web.ClipMask{{Start: 6100 * time.Millisecond, End: 8900 * time.Millisecond, Why: "PHONE"}, {Start: 9000 * time.Millisecond, End: 9300 * time.Millisecond, Why: "UNHEARD"}},
		Words: []web.ClipWord{
			{Text: "Which", Start: time.Second, End: 1200 * time.Millisecond, Leg: 1}, {Text: "number?", Start: 1200 * time.Millisecond, End: 1600 * time.Millisecond, Leg: 1},
			{Text: "It", Start: 5500 * time.Millisecond, End: 5700 * time.Millisecond}, {Text: "is", Start: 5700 * time.Millisecond, End: 5900 * time.Millisecond},
			{Text: "[PHONE]", Start: 6200 * time.Millisecond, End: 8800 * time.Millisecond},
		},
		Withheld: "something personal was still heard when listening again",
	}, nil
}

func (b *Business) Hears() bool { return !b.NoTranscriber }
