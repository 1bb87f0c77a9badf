package web

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"murmur/internal/insight"
	"murmur/internal/workspace"
)

// weekView is the first page: what to do, what changed, and the rest in tables.
type weekView struct {
	Lead        *advice // what matters most; nil when there is nothing to do
	Moved       []headline
	Steady      []headline
	Compared    bool // with the week before
	Month       []headline
	MonthText   string   // which weeks Month is about
	Suggestions []advice // further ones
	Connected   bool
	Waiting     int64
	Unplaced    bool // see insight.Unplaced
}

// headline is one sentence and the figure it was made from.
type headline struct {
	insight.Sentence
	Figure         insight.Figure
	Title, Section string // of the insight, and where there is more
	Before         string
	Spark          picture
}

const (
	mostMoved  = 5
	mostSteady = 8
	mostMonth  = 6
)

func (s *site) week(w http.ResponseWriter, r *http.Request, a Access) {
	ctx := r.Context()
	figures, err := s.Figures.Figures(ctx, a.Workspace, "", a.Role)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := page{Path: "/", Access: a, Periods: periodsOf(figures, r.FormValue("period")), Fresh: freshest(figures), Seen: seenIn(figures)}
	var v weekView
	if p.Periods != nil {
		s.fillWeek(&v, figures, p.Periods.Week)
	}
	all, err := s.advise(ctx, a.Workspace, figures)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if len(all.Open) > 0 {
		v.Lead, v.Suggestions = &all.Open[0], all.Open[1:min(3, len(all.Open))]
	}
	sources, err := s.Sources.Sources(ctx, a.Workspace)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	lag, err := s.Pipeline.Lag(ctx, a.Workspace)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v.Connected, v.Waiting, v.Unplaced = len(sources) > 0, lag.Waiting, insight.Unplaced(figures)
	p.Data = v
	s.render(w, r, http.StatusOK, "week", p)
}

// fillWeek describes the week's own figures and, in a table of its own, those of the last block of weeks that was over by
// then.
func (s *site) fillWeek(v *weekView, figures []insight.Figure, week string) {
	for _, h := range s.headlines(figures, week) {
		v.Compared = v.Compared || h.Change != ""
		switch {
		case h.Moved() && len(v.Moved) < mostMoved:
			v.Moved = append(v.Moved, h)
		case !h.Moved() && len(v.Steady) < mostSteady:
			v.Steady = append(v.Steady, h)
		}
	}
	over := insight.Over(figures)
	if week > insight.LastWeek(over) {
		week = insight.LastWeek(over) // the week runs, and so may its block
	}
	block := insight.LastBlock(week)
	v.Month, v.MonthText = s.headlines(over, block), periodText(block)
	v.Month = v.Month[:min(mostMonth, len(v.Month))]
}

// headlines says what each insight says of a period, what matters most first.
func (s *site) headlines(figures []insight.Figure, period string) (hs []headline) {
	for _, said := range insight.Headlines(figures, period) {
		in, _ := insight.Find(said.Evidence[0].Insight)
		if in.Section == "privacy" {
			continue
		}
		h := headline{Sentence: said, Title: in.Title, Section: in.Section, Figure: said.Evidence[0]}
		if len(h.Evidence) > 1 {
			h.Before = valueText(h.Evidence[1])
		}
		h.Spark = history(h.Figure, figures)
		h.Spark.ID, h.Spark.Kind = "spark-"+in.Slug, "spark"
		h.Spark.Title = measureText(in.Slug, h.Figure.Measure) + ", the last weeks"
		hs = append(hs, h)
	}
	return hs
}

// split gives the figures of the week, or of the block around it, and those of the period right before.
func split(figures []insight.Figure, week string) (now, previous []insight.Figure) {
	before := map[string]string{}
	for _, f := range figures {
		if inPeriod(f.Period, week) {
			now = append(now, f)
			before[f.Period] = insight.Before(f.Period)
		}
	}
	for _, f := range figures {
		for _, period := range before {
			if f.Period == period {
				previous = append(previous, f)
			}
		}
	}
	return now, previous
}

func (s *site) sectionOf(slug string) string {
	for _, in := range s.Catalogue {
		if in.Slug == slug {
			return in.Section
		}
	}
	return ""
}

// advice is a suggestion with its state.
type advice struct {
	insight.Suggestion
	ID       string
	Section  string
	Applied  time.Time // zero: open
	Then, At string    // the evidence before it was applied, and its period
	Now      string    // the same figure in the last period since; empty: none yet
	NowAt    string
	Change   string // whether it is more than weeks differ anyway
}

type adviceView struct{ Open, Applied, Measured []advice }

// suggestionID names a suggestion across periods: its rule and the group it is about.
func suggestionID(x insight.Suggestion) string {
	h := sha256.New()
	for _, f := range x.Evidence {
		h.Write([]byte(f.Measure + "\x00" + splitKey(f) + "\x00"))
	}
	return x.Slug + "-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:5]))
}

// advise reads the suggestions out of the figures: the open ones out of all, an applied one out of those that
// were known when it was applied.
func (s *site) advise(ctx context.Context, ws workspace.ID, figures []insight.Figure) (v adviceView, err error) {
	applied, err := s.Marks.Applied(ctx, ws)
	if err != nil {
		return v, err
	}
	for _, x := range insight.Suggestions(figures) {
		if id := suggestionID(x); applied[id].IsZero() {
			v.Open = append(v.Open, advice{Suggestion: x, ID: id, Section: s.sectionOf(evidenceOf(x).Insight)})
		}
	}
	ids := make([]string, 0, len(applied))
	for id := range applied {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return applied[b].Compare(applied[a]) })
	for _, id := range ids {
		for _, x := range insight.Suggestions(endedBefore(figures, applied[id])) {
			if suggestionID(x) == id {
				y := measured(x, figures, applied[id])
				y.Section = s.sectionOf(evidenceOf(x).Insight)
				if y.Now == "" {
					v.Applied = append(v.Applied, y)
				} else {
					v.Measured = append(v.Measured, y)
				}
			}
		}
	}
	return v, nil
}

func evidenceOf(x insight.Suggestion) insight.Figure {
	if len(x.Evidence) == 0 {
		return insight.Figure{}
	}
	return x.Evidence[0]
}

// endedBefore keeps the figures of periods that had begun when t was.
func endedBefore(figures []insight.Figure, t time.Time) (old []insight.Figure) {
	for _, f := range figures {
		name, _, _ := strings.Cut(f.Period, "..")
		if from, ok := weekOf(name); ok && from.Before(t) {
			old = append(old, f)
		}
	}
	return old
}

// measured compares the evidence before and since a suggestion was applied.
func measured(x insight.Suggestion, figures []insight.Figure, t time.Time) advice {
	y := advice{Suggestion: x, ID: suggestionID(x), Applied: t}
	f := evidenceOf(x)
	if f.Value == nil {
		return y
	}
	y.Then, y.At = valueText(f)+" ("+intervalText(f)+")", periodText(f.Period)
	m, ok := insight.Outcome(x, figures, func(g insight.Figure) (before, after bool) {
		first, last, _ := strings.Cut(g.Period, "..")
		from, ok := weekOf(first)
		if to, is := weekOf(last); is {
			return ok && to.AddDate(0, 0, 7).Before(t), ok && from.After(t)
		}
		return ok && from.AddDate(0, 0, 7).Before(t), ok && from.After(t)
	})
	if !ok {
		return y
	}
	y.Then, y.At = valueText(m.Before)+" ("+intervalText(m.Before)+")", periodsText(m.BeforeWeeks, m.Before)
	y.Now, y.NowAt = valueText(m.After)+" ("+intervalText(m.After)+")", periodsText(m.AfterWeeks, m.After)
	y.Change = "no more than weeks differ by themselves"
	if m.Clear() {
		y.Change = "clear: weeks differ less by themselves"
	}
	return y
}

// periodsText says how many periods a pooled figure is of.
func periodsText(n int, f insight.Figure) string {
	unit := "week"
	if f.Grain != "week" {
		unit = "period of four weeks"
	}
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + strings.Replace(unit, "period", "periods", 1) + map[bool]string{true: "s"}[unit == "week"]
}

func (s *site) suggestions(w http.ResponseWriter, r *http.Request, a Access) {
	figures, err := s.Figures.Figures(r.Context(), a.Workspace, "", a.Role)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v, err := s.advise(r.Context(), a.Workspace, figures)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "suggestions", page{Path: "/suggestions", Access: a, Fresh: freshest(figures), Seen: seenIn(figures), Done: done(r), Data: v})
}
