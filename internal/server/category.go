package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"murmur/internal/crowd"
	"murmur/internal/crowd/release"
	"murmur/internal/insight"
	"murmur/internal/private/anon"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

func (n *Node) setCategory(ctx context.Context, a rpc.CategoryArgs) (web.Category, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return web.Category{}, err
	}
	if err := publicReason(a.Name); err != nil {
		return web.Category{}, categoryErr(err)
	}
	like, err := n.zone.MaskAll(ctx, ws, a.Like)
	if err != nil {
		return web.Category{}, err
	}
	unlike, err := n.zone.MaskAll(ctx, ws, a.Unlike)
	if err != nil {
		return web.Category{}, err
	}
	id, err := n.crowd.SetCategory(ctx, ws, n.zone.MaskName(a.Name), like, unlike)
	if err != nil {
		return web.Category{}, categoryErr(err)
	}
	return n.category(ctx, ws, func(c web.Category) bool { return c.ID == id })
}

// publicReason refuses what the pages call a public reason: two lines of one name could not be told apart.
func publicReason(name string) error {
	for _, taken := range insight.Words("reason") {
		if strings.EqualFold(strings.Join(strings.Fields(name), " "), taken) {
			return fmt.Errorf("%w: the pages call a public reason so", crowd.ErrCategory)
		}
	}
	return nil
}

// listCategories lists them with what the released figures tell of how right they are.
func (n *Node) listCategories(ctx context.Context, a rpc.WorkspaceArgs) ([]web.Category, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	all, err := n.crowd.Categories(ctx, ws)
	if err != nil || len(all) == 0 {
		return []web.Category{}, err
	}
	figures, err := n.Figures(ctx, ws, "contact-reasons", release.Owner)
	if err != nil {
		return nil, err
	}
	var out []web.Category
	for _, c := range all {
		w := web.Category{ID: c.ID, Name: c.Name, Like: c.Like, Unlike: append([]string{}, c.Unlike...)}
		w.Found, w.Of = c.Found()
		if f, ok := newestShare(figures, c.Name); ok {
			w.Share, w.Period = *f.Value, f.Period
			if p, ok := c.Precision(*f.Low, *f.Value, *f.High); ok {
				w.Precision = &web.Interval{Low: p[0], Value: p[1], High: p[2]}
			}
		}
		out = append(out, w)
	}
	return out, nil
}

// newestShare is the last released share of texts that are about a reason.
func newestShare(figures []insight.Figure, reason string) (newest insight.Figure, ok bool) {
	for _, f := range figures {
		if r := f.Split["reason"]; len(r) == 1 && r[0] == reason && f.Value != nil && f.Low != nil && f.High != nil && f.Period > newest.Period {
			newest, ok = f, true
		}
	}
	return newest, ok
}

// category finds one.
func (n *Node) category(ctx context.Context, ws workspace.ID, is func(web.Category) bool) (web.Category, error) {
	all, err := n.listCategories(ctx, rpc.WorkspaceArgs{Workspace: ws.String()})
	for _, c := range all {
		if is(c) {
			return c, nil
		}
	}
	return web.Category{}, errors.Join(err, categoryErr(crowd.ErrNoCategory))
}

// named finds the category of a name, large and small letters alike.
func (n *Node) named(ctx context.Context, a rpc.CategoryNameArgs) (workspace.ID, web.Category, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return ws, web.Category{}, err
	}
	c, err := n.category(ctx, ws, func(c web.Category) bool { return strings.EqualFold(c.Name, strings.TrimSpace(a.Name)) })
	return ws, c, err
}

func (n *Node) renameCategory(ctx context.Context, a rpc.CategoryNameArgs) (web.Category, error) {
	ws, c, err := n.named(ctx, a)
	if err == nil {
		err = publicReason(a.To)
	}
	if err == nil {
		err = n.crowd.RenameCategory(ctx, ws, c.ID, n.zone.MaskName(a.To))
	}
	if err != nil {
		return web.Category{}, categoryErr(err)
	}
	return n.category(ctx, ws, func(o web.Category) bool { return o.ID == c.ID })
}

func (n *Node) removeCategory(ctx context.Context, a rpc.CategoryNameArgs) (web.Category, error) {
	ws, c, err := n.named(ctx, a)
	if err == nil {
		err = n.crowd.RemoveCategory(ctx, ws, c.ID)
	}
	return c, categoryErr(err)
}

// categoryErr says what can be put right.
func categoryErr(err error) error {
	switch {
	case errors.Is(err, crowd.ErrNoCategory):
		return &rpc.Problem{Message: "there is no such category", Hint: "murmur category list shows them", Exit: 2, Status: 404}
	case errors.Is(err, crowd.ErrCategory) && !errors.Is(err, crowd.ErrSentences):
		return &rpc.Problem{Message: err.Error(), Hint: "murmur category list shows those that there are", Exit: 2, Status: 422}
	case errors.Is(err, crowd.ErrCategory):
		return &rpc.Problem{Message: err.Error(), Hint: "about 20 sentences, as people write or say them, one a line", Exit: 2, Status: 422}
	}
	return err
}

// subjects finds what may become a category. Its words are masked words of many people; they go through the masker once more,
// by themselves and together, and what it would mask is left out.
func (n *Node) subjects(ctx context.Context, ws workspace.ID) (web.Subjects, error) {
	found, err := n.crowd.Subjects(ctx, ws)
	if errors.Is(err, crowd.ErrErasing) {
		err = unacceptable{&rpc.Problem{Message: "somebody is being erased, and nothing is read meanwhile", Hint: "try again in a minute", Exit: 4, Status: 503}}
	}
	if err != nil {
		return web.Subjects{}, err
	}
	out := web.Subjects{Period: found.Period}
	for _, s := range found.List {
		words, err := n.harmless(ctx, ws, s.Words)
		if err != nil {
			return web.Subjects{}, err
		}
		if len(words) > 0 {
			out.List = append(out.List, web.Subject{Words: words, Contacts: insight.Band(s.Contacts)})
		}
	}
	return out, nil
}

// harmless keeps the words that the masker leaves as they are and that are no name where a name is expected; none when it masks some
// of them together.
func (n *Node) harmless(ctx context.Context, ws workspace.ID, words []string) (kept []string, err error) {
	masked, err := n.zone.MaskAll(ctx, ws, words)
	for i, m := range masked {
		if m.Valid() && m.String() == words[i] {
			kept = append(kept, words[i])
		}
	}
	if err == nil {
		kept, err = n.unnamed(ctx, ws, kept)
	}
	if err != nil || kept == nil {
		return nil, err
	}
	together := strings.Join(kept, " ")
	if masked, err = n.zone.MaskAll(ctx, ws, []string{together}); err != nil || !masked[0].Valid() || masked[0].String() != together {
		return nil, err
	}
	return kept, nil
}

// nameFrames are sentences in which a word that is no common one reads as a name. In one of them many common words do too.
var nameFrames = []string{"Hello %s,", "I spoke to %s yesterday."}

// unnamed keeps the words that do not read as a person's name in every frame. Words of subjects have no capitals left, and a surname that
// is on no list does not show without its sentence.
func (n *Node) unnamed(ctx context.Context, ws workspace.ID, words []string) (kept []string, err error) {
	for _, w := range words {
		first, size := utf8.DecodeRuneInString(w)
		var framed []string
		for _, f := range nameFrames {
			framed = append(framed, fmt.Sprintf(f, string(unicode.ToTitle(first))+w[size:]))
		}
		masked, err := n.zone.MaskAll(ctx, ws, framed)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(masked, func(m anon.Text) bool { return !strings.Contains(m.String(), "[PERSON]") }) {
			kept = append(kept, w)
		}
	}
	return kept, nil
}

// categories is web.Categories.
type categories struct{ *Node }

func (c categories) Categories(ctx context.Context, ws workspace.ID) ([]web.Category, error) {
	all, err := c.listCategories(ctx, rpc.WorkspaceArgs{Workspace: ws.String()})
	return all, webErr(err)
}

func (c categories) Subjects(ctx context.Context, ws workspace.ID) (web.Subjects, error) {
	s, err := c.subjects(ctx, ws)
	return s, webErr(err)
}

func (c categories) SetCategory(ctx context.Context, ws workspace.ID, name string, like, unlike []string) (web.Category, error) {
	made, err := c.setCategory(ctx, rpc.CategoryArgs{Workspace: ws.String(), Name: name, Like: like, Unlike: unlike})
	return made, categoryWebErr(err)
}

func (c categories) RenameCategory(ctx context.Context, ws workspace.ID, id, to string) error {
	if err := publicReason(to); err != nil {
		return categoryWebErr(categoryErr(err))
	}
	return categoryWebErr(categoryErr(c.crowd.RenameCategory(ctx, ws, id, c.zone.MaskName(to))))
}

func (c categories) RemoveCategory(ctx context.Context, ws workspace.ID, id string) error {
	return categoryWebErr(categoryErr(c.crowd.RemoveCategory(ctx, ws, id)))
}

func categoryWebErr(err error) error {
	var p *rpc.Problem
	switch {
	case !errors.As(err, &p), p.Status == 404:
		return webErr(err)
	}
	return unacceptable{err}
}
