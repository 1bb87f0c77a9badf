package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/insight"
	"murmur/internal/insight/table"
	"murmur/internal/workspace"
)

// SharedLink opens one page of differentially private figures to whoever has it.
type SharedLink struct {
	ID   string    `json:"id" doc:"as GET /v1/tokens names it: DELETE /v1/tokens/{id} ends it"`
	Page string    `json:"page"`
	Path string    `json:"path" doc:"shown once; opens the page. The same with /figures.json, /figures.csv or /figures.parquet behind it opens its figures"`
	Ends time.Time `json:"ends"`
}

// Shares makes links to single pages, and says what they open. It keeps hashes only.
type Shares interface {
	// Share makes a link that ends after some days, 1 to 366. It answers ErrInput for another number, or another page than SharedPages has.
	Share(ctx context.Context, ws workspace.ID, page string, days int) (SharedLink, error)
	// Shared answers what a link opens. ErrNotFound.
	Shared(ctx context.Context, link Hash) (ws workspace.ID, page string, err error)
}

// SharedPages are the pages that have figures which leave.
func SharedPages() []string { return insight.OutsideSections() }

type shareIn struct {
	Scoped
	Body struct {
		Page string `json:"page" minLength:"1" maxLength:"32" pattern:"^[a-z]+$" doc:"calls, topics or satisfaction"`
		Days int    `json:"days,omitempty" minimum:"1" maximum:"366" doc:"until it ends; default: 30"`
	}
}

// shareDays is how long a link lives by default.
const shareDays = 30

// sharing registers links to single pages, and figures as tables.
func (a api) sharing(h huma.API) {
	huma.Register(h, made(op(http.MethodPost, "/v1/shares", "share", Owner, "Make a link to one page of differentially private figures, shown once")),
		func(ctx context.Context, in *shareIn) (*body[SharedLink], error) {
			if in.Body.Days == 0 {
				in.Body.Days = shareDays
			}
			l, err := a.Shares.Share(ctx, access(ctx).Workspace, in.Body.Page, in.Body.Days)
			return &body[SharedLink]{l}, a.answer(ctx, err)
		})
	for _, f := range forms {
		if f.write == nil {
			continue
		}
		o := op(http.MethodGet, "/v1/figures."+f.name, "figures-"+f.name, Outside, "The figures of /v1/figures as one table, "+f.name)
		o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{f.kind: {}}}}
		huma.Register(h, o, func(ctx context.Context, _ *struct{ Scoped }) (*huma.StreamResponse, error) {
			figures, err := a.Figures.Figures(ctx, access(ctx).Workspace, "", access(ctx).Role)
			if err != nil {
				return nil, a.answer(ctx, err)
			}
			var b bytes.Buffer
			if err := f.write(&b, figures); err != nil {
				return nil, a.answer(ctx, err)
			}
			return &huma.StreamResponse{Body: func(c huma.Context) {
				c.SetHeader("Content-Type", f.kind)
				_, _ = b.WriteTo(c.BodyWriter()) // the reader may be gone
			}}, nil
		})
	}
}

// form is a way to write figures for programs; json, without write, also says them in words.
type form struct {
	name, kind string
	write      func(io.Writer, []insight.Figure) error
}

var forms = []form{
	{"json", "application/json", nil},
	{"csv", "text/csv; charset=utf-8", table.CSV},
	{"parquet", "application/vnd.apache.parquet", table.Parquet},
}

// download writes figures as a file.
func (s *site) download(w http.ResponseWriter, r *http.Request, f form, figures []insight.Figure) {
	var b bytes.Buffer
	if err := f.write(&b, figures); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Disposition", `attachment; filename="figures.`+f.name+`"`)
	_, _ = b.WriteTo(w) // the reader may be gone
}

// table gives whoever is signed in the figures that they see as one table.
func (s *site) table(f form) func(http.ResponseWriter, *http.Request, Access) {
	return func(w http.ResponseWriter, r *http.Request, a Access) {
		figures, err := s.Figures.Figures(r.Context(), a.Workspace, "", a.Role)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.download(w, r, f, figures)
	}
}

// sharedView is the page that a link opens.
type sharedView struct {
	Month, Text string // of the figures
	Months      []string
	Insights    []insightView
	Epsilon     string
	Path        string // of the page
}

// shared answers what a link opens; an unknown link gets the same answer as an expired one.
func (s *site) shared(answer func(w http.ResponseWriter, r *http.Request, ws workspace.ID, section section, figures []insight.Figure)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Robots-Tag", "noindex")
		ws, name, err := s.Shares.Shared(r.Context(), HashOf(r.PathValue("token")))
		if errors.Is(err, ErrNotFound) {
			s.message(w, r, http.StatusNotFound, "This link does not open anything", "It has ended, was taken back, or was never made. Whoever sent it can make another.", "")
			return
		}
		i := slices.IndexFunc(sections, func(x section) bool { return x.Path == "/"+name })
		var figures []insight.Figure
		if err == nil && i < 0 {
			err = ErrNotFound
		}
		if err == nil {
			figures, err = s.Figures.Figures(r.Context(), ws, "", Outside)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		answer(w, r, ws, sections[i], slices.DeleteFunc(slices.Clone(figures), func(f insight.Figure) bool {
			in, _ := insight.Find(f.Insight)
			return in.Section != name || f.Tier != "provable"
		}))
	}
}

func (s *site) sharedPage(w http.ResponseWriter, r *http.Request, ws workspace.ID, sec section, figures []insight.Figure) {
	v := sharedView{Path: "/s/" + r.PathValue("token")}
	figures = slices.DeleteFunc(figures, func(f insight.Figure) bool { return f.Grain != "month" }) // the files have the others
	for _, f := range figures {
		if !slices.Contains(v.Months, f.Period) {
			v.Months = append(v.Months, f.Period)
		}
		v.Epsilon = f.Settings["epsilon"]
	}
	slices.Sort(v.Months)
	slices.Reverse(v.Months)
	if len(v.Months) > 0 {
		v.Month = v.Months[max(0, slices.Index(v.Months, r.URL.Query().Get("month")))]
		v.Text = periodText(v.Month)
	}
	for _, in := range insight.OutsideInsights() {
		if in.Section == sec.Path[1:] && v.Month != "" {
			x := viewOf(in, figures, v.Month)
			x.Open = true
			v.Insights = append(v.Insights, withoutLinks(x))
		}
	}
	s.render(w, r, http.StatusOK, "shared", page{Title: sec.Name, Lead: "Of " + ws.String() + ". " + sec.Lead, Data: v})
}

// withoutLinks removes links to pages that only signed-in people may open.
func withoutLinks(v insightView) insightView {
	strip := func(rows []row) {
		for i := range rows {
			rows[i].ID = ""
		}
	}
	strip(v.Now)
	strip(v.Without)
	for _, p := range v.Pictures {
		strip(p.Rows)
	}
	v.Why.ID = ""
	return v
}

// sharedFigures is what a platform shows on pages of its own.
type sharedFigures struct {
	Workspace string           `json:"workspace"`
	Page      string           `json:"page"`
	Title     string           `json:"title"`
	Period    string           `json:"period"` // the newest month
	Text      []string         `json:"text"`   // of that month, a sentence each
	Figures   []insight.Figure `json:"figures"`
}

// sharedForm answers the figures alone, to scripts of any site: whoever has the link may read them.
func (s *site) sharedForm(f form) http.HandlerFunc {
	return s.shared(func(w http.ResponseWriter, r *http.Request, ws workspace.ID, sec section, figures []insight.Figure) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		if f.write != nil {
			s.download(w, r, f, figures)
			return
		}
		v := sharedFigures{Workspace: ws.String(), Page: sec.Path[1:], Title: sec.Name, Text: []string{}, Figures: append([]insight.Figure{}, figures...)}
		for _, g := range figures {
			if g.Grain == "month" {
				v.Period = max(v.Period, g.Period)
			}
		}
		for _, in := range insight.OutsideInsights() {
			now, before := ofPeriod(figures, in.Slug, v.Period), ofPeriod(figures, in.Slug, insight.Before(v.Period))
			if h := insight.Headline(now, before); len(h.Evidence) > 0 {
				v.Text = append(v.Text, h.Text)
			}
		}
		w.Header().Set("Content-Type", f.kind)
		_ = json.NewEncoder(w).Encode(v) // the reader may be gone
	})
}

func ofPeriod(figures []insight.Figure, slug, period string) (out []insight.Figure) {
	for _, f := range figures {
		if f.Insight == slug && f.Period == period {
			out = append(out, f)
		}
	}
	return out
}

// shareForm is what the settings need to make a link, and the link that was made just now.
type shareForm struct {
	Pages []section
	Made  *SharedLink
	Wrong *wrong
}

func newShareForm() (f shareForm) {
	for _, name := range SharedPages() {
		f.Pages = append(f.Pages, sections[slices.IndexFunc(sections, func(x section) bool { return x.Path == "/"+name })])
	}
	return f
}

// share makes a link and shows it once, on the answer itself.
func (s *site) share(w http.ResponseWriter, r *http.Request, a Access) {
	in, err := fields(r, map[string]int{"page": 32, "days": 3})
	var l SharedLink
	if err == nil {
		days, _ := strconv.Atoi(in["days"]) // 0 is refused
		l, err = s.Shares.Share(r.Context(), a.Workspace, in["page"], days)
	}
	switch {
	case errors.Is(err, ErrInput):
		s.settingsPage(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) { v.Share.Wrong = &wrong{Said: err.Error()} })
	case err != nil:
		s.fail(w, r, err)
	default:
		s.settingsPage(w, r, a, http.StatusOK, func(v *setupView) { v.Share.Made = &l })
	}
}
