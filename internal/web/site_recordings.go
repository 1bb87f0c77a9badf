package web

import "net/http"

// recordingsView is how it stands with recordings and the consent to them.
type recordingsView struct {
	Recorded *Recorded     // nil: none is stored
	Consent  []insightView // the figure recording-consent
	Sources  []Source
	MayLook  bool // at receipts
}

func (s *site) recordings(w http.ResponseWriter, r *http.Request, a Access) {
	ctx := r.Context()
	figures, err := s.Figures.Figures(ctx, a.Workspace, "", a.Role)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	status, err := s.Pipeline.Status(ctx, a.Workspace)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := recordingsView{Recorded: status.Recordings, MayLook: a.Role.may(Privacy)}
	if v.Sources, err = s.Sources.Sources(ctx, a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	p := page{Path: "/recordings", Access: a, Periods: periodsOf(figures, r.URL.Query().Get("period")), Fresh: freshest(figures), Seen: seenIn(figures)}
	for _, in := range s.views(figures, "privacy", p.Periods) {
		if in.Slug == "recording-consent" {
			v.Consent = append(v.Consent, in)
		}
	}
	p.Data = v
	s.render(w, r, http.StatusOK, "recordings", p)
}
