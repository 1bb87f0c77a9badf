package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"murmur/internal/workspace"
)

// setupView is what the first run and the settings share.
type setupView struct {
	Kinds      []SourceKind
	Sources    []sourceView
	Connected  *Connected // just now; its secret is shown this once
	Rotated    *rotated
	New        sourceForm
	Policy     policyForm
	Greetings  []Greeting
	History    historyView
	Levels     []string
	Passes     []passView
	Alerts     alertsView
	Categories categoriesView
	Share      shareForm
	Passkeys   bool // a device may be added
}

// sourceView is a connected source and what went wrong with the last form about it.
type sourceView struct {
	Source
	Title string
	Wrong *wrong
}

// rotated is a signing secret that was made up just now.
type rotated struct{ Source, Secret string }

// wrong is why a form was refused.
type wrong struct {
	Field string // the name of the input at fault; empty: none in particular
	Said  string
	Hint  string
}

// Bad reports whether an input is the one at fault.
func (w *wrong) Bad(field string) bool { return w != nil && w.Field == field }

// sourceForm is the form of a new source as it was typed, without its secrets.
type sourceForm struct {
	Kind, Name, APIBase, PublicURL string
	Wrong                          *wrong
}

// Further reports whether the part of the form that few need was used.
func (f sourceForm) Further() bool { return f.Name != "" || f.APIBase != "" || f.PublicURL != "" }

// policyForm is the form of the policy: the values in force, or as they were typed.
type policyForm struct {
	InForce workspace.Policy
	Action  string
	Values  map[string]string
	Reason  string
	Means   []string // what it means for people
	Wrong   *wrong
}

// ground is a choice of the policy.
type ground struct{ Value, Title, Help string }

// RecordingGrounds are those on which recordings may be used.
func (policyForm) RecordingGrounds() []ground {
	return append(slices.Clip(grounds), ground{"one-party", "One party suffices", "You attest that the law where you and your callers are asks for one party's consent, and that you give it. A refusal still wins."})
}

// TranscriptGrounds are those on which transcripts may be used.
func (policyForm) TranscriptGrounds() []ground { return grounds }

var grounds = []ground{
	{"deny", "Never", "Nothing that was said is asked for."},
	{"notice", "With a notice", "A greeting on every call says so and offers a way out; who takes it is left out."},
	{"opt-in", "With a yes", "Only of people who agreed. A caller who says nothing has not agreed."},
}

// historyView is the history that comes in, and the first figures out of it.
type historyView struct {
	Sources   []Source // those that are polled
	Counts    Counts
	Headlines []headline
	Week      string // of the headlines, in words
	// Again is the number of seconds after which the page should reload; 0: it should not.
	Again int
	// Said sums it up for people who cannot see it change.
	Said string
}

// setup reads what both pages show.
func (s *site) setup(ctx context.Context, a Access) (v setupView, err error) {
	sources, err := s.Sources.Sources(ctx, a.Workspace)
	if err != nil {
		return v, err
	}
	for _, src := range sources {
		v.Sources = append(v.Sources, sourceView{Source: src, Title: s.kindTitle(src.Kind)})
	}
	p, err := s.Policies.Policy(ctx, a.Workspace)
	if err != nil {
		return v, err
	}
	v.Kinds, v.Levels, v.Greetings = s.Kinds, []string{"L0", "L1", "L2", "L3"}, greetings(p)
	v.Policy = policyForm{InForce: p, Values: policyValues(p), Means: policyText(p)}
	if len(s.Kinds) > 0 {
		v.New.Kind = s.Kinds[0].Name
	}
	v.History, err = s.history(ctx, a, sources)
	return v, err
}

func (s *site) kindTitle(kind string) string {
	if i := slices.IndexFunc(s.Kinds, func(k SourceKind) bool { return k.Name == kind }); i >= 0 {
		return s.Kinds[i].Title
	}
	return kind
}

// history is what has come in so far, and the sentences of the newest week that has any.
func (s *site) history(ctx context.Context, a Access, sources []Source) (v historyView, err error) {
	status, err := s.Pipeline.Status(ctx, a.Workspace)
	if err != nil {
		return v, err
	}
	figures, err := s.Figures.Figures(ctx, a.Workspace, "", a.Role)
	if err != nil {
		return v, err
	}
	v.Counts = status.Counts
	if p := periodsOf(figures, ""); p != nil {
		v.Headlines, v.Week = s.headlines(figures, p.Week), p.Text
		v.Headlines = v.Headlines[:min(len(v.Headlines), mostMoved)]
	}
	coming, stopped := false, false
	for _, src := range sources {
		if src.Polling != nil {
			v.Sources = append(v.Sources, src)
		}
		coming = coming || src.State == "history" || src.State == "waiting"
		stopped = stopped || src.State == "stopped"
	}
	switch {
	case coming || v.Counts.Pending > 0:
		v.Again, v.Said = 2, "The history comes in."
	case len(sources) > 0:
		v.Again, v.Said = 15, "Everything that was sent is here."
	}
	if stopped {
		v.Said = "A source has stopped: its page says why."
	}
	if len(v.Headlines) > 0 {
		v.Said += " The first figures are here."
	}
	return v, nil
}

func (s *site) welcome(w http.ResponseWriter, r *http.Request, a Access) {
	s.welcomePage(w, r, a, http.StatusOK, nil)
}

// welcomePage shows the first run; change, when given, adds what came of a form.
func (s *site) welcomePage(w http.ResponseWriter, r *http.Request, a Access, status int, change func(*setupView)) {
	v, err := s.setup(r.Context(), a)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v.Policy.Action = "/welcome/policy"
	if change != nil {
		change(&v)
	}
	s.render(w, r, status, "welcome", page{Title: "Welcome", Lead: "Four steps to your first figures. Nothing that was said is asked for before you allow it.",
		Path: "/welcome", Access: a, Done: done(r), Data: v})
}

func (s *site) settings(w http.ResponseWriter, r *http.Request, a Access) {
	s.settingsPage(w, r, a, http.StatusOK, func(v *setupView) { v.Categories.New.Name = r.FormValue("reason") })
}

func (s *site) settingsPage(w http.ResponseWriter, r *http.Request, a Access, status int, change func(*setupView)) {
	v, err := s.setup(r.Context(), a)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v.Passkeys = s.Passkeys != nil
	if v.Passes, err = s.passes(r.Context(), r, a); err != nil {
		s.fail(w, r, err)
		return
	}
	if v.Alerts, err = s.alertsView(r.Context(), a); err != nil {
		s.fail(w, r, err)
		return
	}
	if v.Categories.List, err = s.Categories.Categories(r.Context(), a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	v.Share = newShareForm()
	v.Policy.Action = "/settings/policy"
	if change != nil {
		change(&v)
	}
	s.render(w, r, status, "settings", page{Path: "/settings", Access: a, Done: done(r), Data: v})
}

// incoming is the history alone: a page that reloads itself without a script, and the part that a script puts into
// the first run.
func (s *site) incoming(w http.ResponseWriter, r *http.Request, a Access) {
	sources, err := s.Sources.Sources(r.Context(), a.Workspace)
	if err == nil {
		var v historyView
		if v, err = s.history(r.Context(), a, sources); err == nil {
			s.render(w, r, http.StatusOK, "history", page{Title: "What comes in", Path: "/welcome", Access: a, Data: v})
			return
		}
	}
	s.fail(w, r, err)
}

// connectTime is how long a vendor may take to answer for a new key: less than a request's time, so that a page can
// still say that it did not.
const connectTime = 10 * time.Second

// refusalOf reads why a form about a source was refused; nil for an error of another kind.
func refusalOf(err error) *wrong {
	var x *Refusal
	switch {
	case errors.As(err, &x):
		w := &wrong{Field: "api_key", Said: x.Said, Hint: hintText(x.Why)}
		switch x.Why {
		case "name":
			w.Field = x.Why
		case "public-url":
			w.Field = "public_url"
		case "api-base", "request", "missing", "html", "redirect", "host", "not-allowed":
			w.Field = "api_base"
		case "busy", "unavailable", "cut", "too-large", "cursor", "input":
			w.Field = ""
		}
		return w
	case errors.Is(err, ErrInput):
		return &wrong{Said: err.Error()}
	}
	return nil
}

// fields reads several form fields, each up to its limit; what is over it is an ErrInput.
func fields(r *http.Request, limits map[string]int) (map[string]string, error) {
	out := map[string]string{}
	var bad error
	for name, limit := range limits {
		v, err := field(r, name, 0, limit)
		if err != nil {
			bad = err
		}
		out[name] = v
	}
	return out, bad
}

// connect tries a key, adds a source and shows its webhook address and secret once, on the answer itself.
func (s *site) connect(w http.ResponseWriter, r *http.Request, a Access) {
	in, err := fields(r, map[string]int{"kind": 32, "name": 32, "api_key": 4096, "api_base": 512, "public_url": 512, "secret": 512})
	form := sourceForm{Kind: in["kind"], Name: in["name"], APIBase: in["api_base"], PublicURL: in["public_url"]}
	var c Connected
	if err == nil {
		name := form.Name
		if name == "" {
			name = form.Kind
		}
		ctx, cancel := context.WithTimeout(r.Context(), connectTime)
		defer cancel()
		c, err = s.Sources.Connect(ctx, a.Workspace, NewSource{Kind: form.Kind, Name: name, APIKey: in["api_key"], Secret: in["secret"], APIBase: form.APIBase, PublicURL: form.PublicURL})
	}
	if form.Wrong = refusalOf(err); form.Wrong != nil {
		s.welcomePage(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) { v.New = form })
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if in["secret"] != "" {
		c.Secret = "" // the person typed it and so has it already
	}
	s.welcomePage(w, r, a, http.StatusOK, func(v *setupView) { v.Connected = &c })
}

// onSource carries out a form about one source; do answers the word of the line to show. A refusal is shown beside
// the source.
func (s *site) onSource(do func(ctx context.Context, r *http.Request, a Access, name string) (done string, err error)) func(http.ResponseWriter, *http.Request, Access) {
	return func(w http.ResponseWriter, r *http.Request, a Access) {
		name, err := field(r, "source", 1, 64)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), connectTime)
		defer cancel()
		word, err := do(ctx, r, a, name)
		if bad := refusalOf(err); bad != nil {
			s.settingsPage(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) {
				for i := range v.Sources {
					if v.Sources[i].Name == name {
						v.Sources[i].Wrong = bad
					}
				}
			})
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		seeOther(w, r, "/settings", word)
	}
}

func (s *site) pauseSource(ctx context.Context, _ *http.Request, a Access, name string) (string, error) {
	return "paused", s.Sources.Pause(ctx, a.Workspace, name, true)
}

func (s *site) resumeSource(ctx context.Context, _ *http.Request, a Access, name string) (string, error) {
	return "resumed", s.Sources.Pause(ctx, a.Workspace, name, false)
}

func (s *site) removeSource(ctx context.Context, _ *http.Request, a Access, name string) (string, error) {
	return "removed", s.Sources.Remove(ctx, a.Workspace, name)
}

func (s *site) rekeySource(ctx context.Context, r *http.Request, a Access, name string) (string, error) {
	key, err := field(r, "api_key", 1, 4096)
	if err != nil {
		return "", err
	}
	return "rekeyed", s.Sources.Rekey(ctx, a.Workspace, name, key)
}

// rotate adds a signing secret. One that was made up is shown once, on the answer itself.
func (s *site) rotate(w http.ResponseWriter, r *http.Request, a Access) {
	in, err := fields(r, map[string]int{"source": 64, "secret": 512})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	live, err := s.Sources.Rotate(r.Context(), a.Workspace, in["source"], in["secret"])
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if in["secret"] != "" {
		live = ""
	}
	s.settingsPage(w, r, a, http.StatusOK, func(v *setupView) { v.Rotated = &rotated{in["source"], live} })
}

func policyLines(p workspace.Policy) (lines []keyValue) {
	keys, _ := workspace.Keys()
	for _, k := range keys {
		v, _ := p.Get(k)
		lines = append(lines, keyValue{k, v})
	}
	return lines
}

// decide sets the policy fields of the form that differ from those in force, and goes back to the page it stands on.
func (s *site) decide(path string, show func(http.ResponseWriter, *http.Request, Access, int, func(*setupView))) func(http.ResponseWriter, *http.Request, Access) {
	return func(w http.ResponseWriter, r *http.Request, a Access) {
		old, err := s.Policies.Policy(r.Context(), a.Workspace)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		typed, set, bad := changes(r, old)
		reason, err := field(r, "reason", 3, 300)
		if err != nil && bad == nil {
			bad = &wrong{Field: "reason", Said: "Say why, in 3 to 300 characters: the ledger keeps it beside the change.", Hint: "No names, please."}
		}
		if bad == nil && len(set) > 0 {
			_, err = s.Policies.SetPolicy(r.Context(), a, set, reason)
			if errors.Is(err, workspace.ErrPolicy) || errors.Is(err, ErrInput) {
				bad, err = &wrong{Said: err.Error()}, nil
			}
			if err != nil {
				s.fail(w, r, err)
				return
			}
		}
		if bad != nil {
			show(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) {
				v.Policy.Wrong, v.Policy.Reason = bad, reason
				for k, t := range typed {
					v.Policy.Values[k] = t
				}
			})
			return
		}
		seeOther(w, r, path, "policy")
	}
}

// changes reads the policy's keys out of a form: what was typed, and what of it differs from the policy in force.
func changes(r *http.Request, old workspace.Policy) (typed, set map[string]string, bad *wrong) {
	typed, set = map[string]string{}, map[string]string{}
	keys, _ := workspace.Keys()
	check := old
	for _, k := range keys {
		v, err := field(r, k, 0, 200)
		if !r.PostForm.Has(k) {
			continue
		}
		if err == nil {
			typed[k] = v
			err = check.Set(k, v)
		}
		if err != nil && bad == nil {
			bad = &wrong{Field: k, Said: err.Error()}
		}
		if was, _ := old.Get(k); was != v {
			set[k] = v
		}
	}
	return typed, set, bad
}
