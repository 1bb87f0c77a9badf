package web

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"murmur/internal/insight"
)

// views arranges a section's insights for the week asked for.
func (s *site) views(figures []insight.Figure, name string, p *periods) (views []insightView) {
	week := ""
	if p != nil {
		week = p.Week
	}
	for _, in := range s.Catalogue {
		if in.Section == name {
			views = append(views, viewOf(in, figures, week))
		}
	}
	for i := range views {
		if !views[i].Empty {
			views[i].Open = true // the first that says something; the others unfold
			break
		}
	}
	return views
}

func (s *site) sectionPage(sec section) func(http.ResponseWriter, *http.Request, Access) {
	return func(w http.ResponseWriter, r *http.Request, a Access) {
		figures, err := s.Figures.Figures(r.Context(), a.Workspace, "", a.Role)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		p := page{Path: sec.Path, Access: a, Periods: periodsOf(figures, r.FormValue("period")), Fresh: freshest(figures), Seen: seenIn(figures)}
		p.Data = s.views(figures, sec.Path[1:], p.Periods)
		s.render(w, r, http.StatusOK, "section", p)
	}
}

func (s *site) catalogue(w http.ResponseWriter, r *http.Request, a Access) {
	s.render(w, r, http.StatusOK, "catalogue", page{Title: "Every number", Path: "/figures", Access: a,
		Lead: "What is counted, how, and what it does not say.", Data: s.Catalogue})
}

// explainView is one figure and all that made it.
type explainView struct {
	insight.Figure
	Insight  insight.Insight
	Method   string // of the interval
	Merged   bool
	MinGroup string
	Settings []keyValue
	Sources  []Source
	History  picture
}

type keyValue struct{ Key, Value string }

func (s *site) explain(w http.ResponseWriter, r *http.Request, a Access) {
	figures, err := s.Figures.Figures(r.Context(), a.Workspace, "", a.Role)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	id := r.PathValue("id")
	i := slices.IndexFunc(figures, func(f insight.Figure) bool { return figureID(f) == id })
	if i < 0 {
		s.fail(w, r, ErrNotFound)
		return
	}
	f := figures[i]
	v := explainView{Figure: f, Merged: merged(f), MinGroup: minGroup(f)}
	for _, in := range s.Catalogue {
		if in.Slug == f.Insight {
			v.Insight = in
		}
	}
	for _, m := range v.Insight.Measures {
		if m.Name == f.Measure {
			v.Method = m.Interval
		}
	}
	for k, val := range f.Settings {
		v.Settings = append(v.Settings, keyValue{insight.SettingTitle(k), val})
	}
	slices.SortFunc(v.Settings, func(a, b keyValue) int { return strings.Compare(a.Key, b.Key) })
	if v.Sources, err = s.Sources.Sources(r.Context(), a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	v.History = history(f, figures)
	s.render(w, r, http.StatusOK, "explain", page{Title: measureText(f.Insight, f.Measure), Path: "/" + v.Insight.Section,
		Lead: v.Insight.Question, Access: a, Fresh: f.AsOf, Seen: seenIn([]insight.Figure{f}), Data: v})
}

// history is the figure over the periods: the same group each time.
func history(f insight.Figure, all []insight.Figure) picture {
	var same []insight.Figure
	last := f.Period
	for _, g := range all {
		if g.Insight == f.Insight && g.Measure == f.Measure && g.Grain == f.Grain && splitKey(g) == splitKey(f) {
			same = append(same, g)
			last = max(last, g.Period)
		}
	}
	p := picture{ID: "history", Kind: "trend", Head: "Period", Title: "The same figure in other periods", Unit: f.Unit}
	drawTrend(&p, same, last)
	for i := range p.Rows {
		p.Rows[i].Current = p.Rows[i].ID == figureID(f)
	}
	return p
}

type pipelineView struct {
	WorkspaceStatus
	Lag        Lag
	Quarantine []Quarantine
	States     []state
	Balanced   bool
}

// state is one line of the table of states.
type state struct {
	Name, Words string
	Deliveries  int64
}

func states(c Counts) []state {
	return []state{
		{"published", "produced facts for the figures", c.Published},
		{"pending", "accepted, not yet processed", c.Pending},
		{"held", "waits for consent", c.Held},
		{"refused", "consent was refused: not used, bytes destroyed", c.Refused},
		{"duplicate", "had been delivered before", c.Duplicate},
		{"ignored", "a known kind with nothing to say", c.Ignored},
		{"quarantined", "could not be read or verified clean; kept sealed", c.Quarantined},
		{"erased", "erased on request", c.Erased},
	}
}

func (s *site) pipeline(w http.ResponseWriter, r *http.Request, a Access) {
	ctx := r.Context()
	status, err := s.Pipeline.Status(ctx, a.Workspace)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := pipelineView{WorkspaceStatus: status, States: states(status.Counts), Balanced: status.In == status.Sum()}
	if v.Lag, err = s.Pipeline.Lag(ctx, a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	if v.Quarantine, err = s.Pipeline.Quarantine(ctx, a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "pipeline", page{Path: "/pipeline", Access: a, Done: done(r), Data: v})
}

type privacyView struct {
	Kept     []Kept
	Consent  []insightView
	Ledger   LedgerState
	Policy   []keyValue
	History  []PolicyChange
	Receipt  *Receipt
	MayErase bool
	Week     string
	Verified []verifiedView
}

// verifiedView is how many of the people behind a figure are verified, as bands.
type verifiedView struct{ Title, Contacts, Verified string }

// verified finds the insights of a week whose figures have contacts that nobody vouches for: of each its first figure.
func (s *site) verified(figures []insight.Figure, p *periods) (week string, views []verifiedView) {
	if p == nil {
		return "", nil
	}
	for _, in := range s.Catalogue {
		i := slices.IndexFunc(figures, func(f insight.Figure) bool {
			return f.Insight == in.Slug && f.Period == p.Week && f.Verified != ""
		})
		if i >= 0 {
			views = append(views, verifiedView{in.Title, people(figures[i].Contacts), people(figures[i].Verified)})
		}
	}
	return p.Text, views
}

// people writes a band.
func people(band string) string { return strings.Replace(band, "-", " to ", 1) }

func (s *site) privacy(w http.ResponseWriter, r *http.Request, a Access) { s.privacyPage(w, r, a, nil) }

func (s *site) privacyPage(w http.ResponseWriter, r *http.Request, a Access, receipt *Receipt) {
	ctx := r.Context()
	v := privacyView{Receipt: receipt, MayErase: a.Role.may(Privacy)}
	figures, err := s.Figures.Figures(ctx, a.Workspace, "", a.Role)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := page{Path: "/privacy", Access: a, Periods: periodsOf(figures, r.URL.Query().Get("period")), Fresh: freshest(figures), Seen: seenIn(figures), Done: done(r)}
	v.Consent = s.views(figures, "privacy", p.Periods)
	v.Week, v.Verified = s.verified(figures, p.Periods)
	if v.Kept, err = s.Holdings.Kept(ctx, a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	if v.Ledger, err = s.Holdings.Ledger(ctx, a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	policy, err := s.Policies.Policy(ctx, a.Workspace)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v.Policy = policyLines(policy)
	if v.History, err = s.Policies.History(ctx, a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	p.Data = v
	s.render(w, r, http.StatusOK, "privacy", p)
}

// callID is what a call may be called: an id of a telephony, a SIP Call-ID (RFC 3261 25.1: word@word) among them.
var callID = regexp.MustCompile(`^[!-.0-~]{1,256}$`)

// receipt shows the evidence of one call.
func (s *site) receipt(w http.ResponseWriter, r *http.Request, a Access) {
	id := strings.TrimSpace(r.URL.Query().Get("call"))
	if !callID.MatchString(id) {
		s.fail(w, r, ErrNotFound)
		return
	}
	found, err := s.Calls.Receipt(r.Context(), a.Workspace, id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "receipt", page{Title: "Receipt of a call", Lead: "What was played, said and decided, and what became of the recording.",
		Path: "/privacy", Access: a, Data: found})
}
