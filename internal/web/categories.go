package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/workspace"
)

// Category is a reason for contact that a business named itself, and how well it is told.
type Category struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Like      []string  `json:"like" doc:"the sentences that it was learned from, masked"`
	Unlike    []string  `json:"unlike" doc:"sentences that may be taken for it and are not, masked"`
	Found     int       `json:"found" doc:"of its sentences, those that are told to be it by a model that had not seen them"`
	Of        int       `json:"of" doc:"of how many"`
	Share     float64   `json:"share,omitempty" doc:"its last released share of contact-reasons"`
	Period    string    `json:"period,omitempty" doc:"the week of the share"`
	Precision *Interval `json:"precision,omitempty" doc:"which part of what is told to be it is it, estimated, with 95 % interval; absent until there is a share"`
}

// Interval is an estimate between its ends.
type Interval struct {
	Low   float64 `json:"low"`
	Value float64 `json:"value"`
	High  float64 `json:"high"`
}

// Categories keeps the reasons for contact that a business names itself. What is typed is masked before it is kept.
type Categories interface {
	Categories(ctx context.Context, ws workspace.ID) ([]Category, error)
	// SetCategory makes one, or teaches the one of that name anew. It answers ErrInput.
	SetCategory(ctx context.Context, ws workspace.ID, name string, like, unlike []string) (Category, error)
	RenameCategory(ctx context.Context, ws workspace.ID, id, to string) error
	RemoveCategory(ctx context.Context, ws workspace.ID, id string) error
	// Subjects finds what may become one.
	Subjects(ctx context.Context, ws workspace.ID) (Subjects, error)
}

// Subjects is what people write about beside the public reasons, in the last four weeks that were over two days ago.
type Subjects struct {
	Period string    `json:"period" doc:"the four weeks; empty: none were over two days ago, or their words are gone"`
	List   []Subject `json:"subjects"`
}

// Subject is one of them.
type Subject struct {
	Words    []string `json:"words" doc:"that tell it from everything else; ten people or more used each"`
	Contacts string   `json:"contacts" doc:"band of the people who wrote about it, counted with noise"`
}

// Title gives the words as a name.
func (s Subject) Title() string { return strings.Join(s.Words, ", ") }

type categoryIn struct {
	Scoped
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"80" doc:"what people want; the category of that name is taught anew"`
		Like   []string `json:"like" minItems:"1" maxItems:"400" doc:"about 20 sentences that are it, as people write or say them"`
		Unlike []string `json:"unlike,omitempty" maxItems:"400" doc:"sentences that may be taken for it and are not"`
	}
}

// CategoryID names a category.
type CategoryID struct {
	ID string `path:"id" pattern:"^[0-9a-f]{8}$" doc:"as GET /v1/categories names it"`
}

type namedCategory struct {
	Scoped
	CategoryID
}

type renamedCategory struct {
	Scoped
	CategoryID
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"80" doc:"what it is called from now on, in every period"`
	}
}

// categories registers what an owner does with own categories.
func (a api) categories(h huma.API) {
	huma.Register(h, op(http.MethodGet, "/v1/categories", "categories", Owner, "The reasons for contact that the business named itself, and how well each is told"),
		func(ctx context.Context, _ *struct{ Scoped }) (*body[[]Category], error) {
			all, err := a.Categories.Categories(ctx, access(ctx).Workspace)
			return &body[[]Category]{append([]Category{}, all...)}, a.answer(ctx, err)
		})
	huma.Register(h, op(http.MethodGet, "/v1/subjects", "subjects", Owner, "What people write about beside the reasons, in the last four weeks that were over two days ago"),
		func(ctx context.Context, _ *struct{ Scoped }) (*body[Subjects], error) {
			s, err := a.Categories.Subjects(ctx, access(ctx).Workspace)
			s.List = append([]Subject{}, s.List...)
			return &body[Subjects]{s}, a.answer(ctx, err)
		})
	huma.Register(h, made(op(http.MethodPost, "/v1/categories", "set-category", Owner, "Make a category from about 20 sentences, or teach the one of that name anew; they are masked before they are kept")),
		func(ctx context.Context, in *categoryIn) (*body[Category], error) {
			c, err := a.Categories.SetCategory(ctx, access(ctx).Workspace, in.Body.Name, in.Body.Like, in.Body.Unlike)
			return &body[Category]{c}, a.answer(ctx, err)
		})
	huma.Register(h, noContent(op(http.MethodPut, "/v1/categories/{id}/name", "rename-category", Owner, "Call a category something else, in every period")),
		func(ctx context.Context, in *renamedCategory) (*struct{}, error) {
			return nil, a.answer(ctx, a.Categories.RenameCategory(ctx, access(ctx).Workspace, in.ID, in.Body.Name))
		})
	huma.Register(h, noContent(op(http.MethodDelete, "/v1/categories/{id}", "remove-category", Owner, "Forget a category and its sentences; weeks that are final keep what they show")),
		func(ctx context.Context, in *namedCategory) (*struct{}, error) {
			return nil, a.answer(ctx, a.Categories.RemoveCategory(ctx, access(ctx).Workspace, in.ID))
		})
}

// subjects is the page of what people write about beside the reasons.
func (s *site) subjects(w http.ResponseWriter, r *http.Request, a Access) {
	found, err := s.Categories.Subjects(r.Context(), a.Workspace)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "subjects", page{Title: "What else people write about", Path: "/topics", Access: a,
		Lead: "What the texts and calls that fit none of the reasons are about.", Data: found})
}

// categoriesView is what the settings show of own categories.
type categoriesView struct {
	List  []Category
	New   categoryForm
	Wrong *wrong // of a new name
}

// categoryForm is the form of a category as it was typed.
type categoryForm struct {
	Name, Like, Unlike string
	Wrong              *wrong
}

// Lines gives sentences one a line, as a form takes them.
func (c Category) Lines() string { return strings.Join(c.Like, "\n") }

// Others gives the counter-examples one a line.
func (c Category) Others() string { return strings.Join(c.Unlike, "\n") }

// Right says how often what is told to be the category is it.
func (c Category) Right() string {
	p := c.Precision
	switch {
	case p == nil:
		return "not known yet: a finished week tells how many texts are about it"
	case p.High-p.Low > 0.8:
		return fmt.Sprintf("too few texts are about it to tell: %.0f %% of the last week", 100*c.Share)
	}
	return fmt.Sprintf("about %.0f of 100 texts (%.0f to %.0f)", math.Round(100*p.Value), math.Round(100*p.Low), math.Round(100*p.High))
}

// mostTyped is how many bytes of sentences a form takes.
const mostTyped = 100_000

// setCategory makes a category, or teaches one anew.
func (s *site) setCategory(w http.ResponseWriter, r *http.Request, a Access) {
	in, err := fields(r, map[string]int{"name": 80, "like": mostTyped, "unlike": mostTyped})
	form := categoryForm{Name: in["name"], Like: in["like"], Unlike: in["unlike"]}
	if err == nil {
		_, err = s.Categories.SetCategory(r.Context(), a.Workspace, form.Name, lines(form.Like), lines(form.Unlike))
	}
	switch {
	case errors.Is(err, ErrInput):
		form.Wrong = &wrong{Said: err.Error()}
		s.settingsPage(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) { v.Categories.New = form })
	case err != nil:
		s.fail(w, r, err)
	default:
		seeOther(w, r, "/settings", "category")
	}
}

func lines(typed string) (all []string) {
	for line := range strings.Lines(typed) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// renameCategory gives a category another name.
func (s *site) renameCategory(w http.ResponseWriter, r *http.Request, a Access) {
	in, err := fields(r, map[string]int{"id": 8, "name": 80})
	if err == nil {
		err = s.Categories.RenameCategory(r.Context(), a.Workspace, in["id"], in["name"])
	}
	s.categoryChanged(w, r, a, err, "recalled")
}

func (s *site) removeCategory(w http.ResponseWriter, r *http.Request, a Access) {
	id, err := field(r, "id", 8, 8)
	if err == nil {
		err = s.Categories.RemoveCategory(r.Context(), a.Workspace, id)
	}
	s.categoryChanged(w, r, a, err, "forgotten")
}

func (s *site) categoryChanged(w http.ResponseWriter, r *http.Request, a Access, err error, word string) {
	switch {
	case errors.Is(err, ErrInput):
		s.settingsPage(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) { v.Categories.Wrong = &wrong{Said: err.Error()} })
	case err != nil:
		s.fail(w, r, err)
	default:
		seeOther(w, r, "/settings", word)
	}
}
