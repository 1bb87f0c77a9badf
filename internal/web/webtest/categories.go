package webtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"murmur/internal/web"
	"murmur/internal/workspace"
)

func named() []web.Category {
	return []web.Category{{
		ID: "0000000a", Name: "Solar quote", Found: 10, Of: 12, Share: 0.14, Period: "2026-W45", Precision: &web.Interval{Low: 0.56, Value: 0.87, High: 1},
		Like:   []string{"could you quote me for solar panels", "I want panels on my roof", "Hi, this is [PERSON], do you do solar?"},
		Unlike: []string{"my panels are broken"},
	}, {ID: "0000000b", Name: "Rental van", Found: 9, Of: 11, Like: []string{"can I rent a van on Saturday"}, Unlike: []string{}}}
}

// Categories is web.Categories.
func (b *Business) Categories(_ context.Context, ws workspace.ID) ([]web.Category, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ws != workspace.Default {
		return nil, nil
	}
	return slices.Clone(b.Named), nil
}

// Subjects is web.Categories.
func (b *Business) Subjects(_ context.Context, ws workspace.ID) (web.Subjects, error) {
	if ws != workspace.Default || b.Released == nil {
		return web.Subjects{}, nil
	}
	return web.Subjects{Period: "2026-W41..2026-W44", List: []web.Subject{{Words: []string{"dog", "allowed", "office"}, Contacts: "20-49"}, {Words: []string{"wasps"}, Contacts: "10-19"}}}, nil
}

// SetCategory takes what has eight sentences.
func (b *Business) SetCategory(_ context.Context, _ workspace.ID, name string, like, unlike []string) (web.Category, error) {
	if len(like) < 8 {
		return web.Category{}, fmt.Errorf("%w: 8 sentences at least", web.ErrInput)
	}
	c := web.Category{ID: "0000000c", Name: name, Like: like, Unlike: unlike, Found: 6, Of: len(like)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Named = append(slices.DeleteFunc(b.Named, func(o web.Category) bool { return strings.EqualFold(o.Name, name) }), c)
	return c, nil
}

// RenameCategory is web.Categories.
func (b *Business) RenameCategory(_ context.Context, ws workspace.ID, id, to string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.Named, func(c web.Category) bool { return c.ID == id && ws == workspace.Default })
	if i < 0 {
		return web.ErrNotFound
	}
	if slices.ContainsFunc(b.Named, func(c web.Category) bool { return c.Name == to && c.ID != id }) {
		return fmt.Errorf("%w: another one has that name", web.ErrInput)
	}
	b.Named[i].Name = to
	return nil
}

// RemoveCategory is web.Categories.
func (b *Business) RemoveCategory(_ context.Context, ws workspace.ID, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.Named, func(c web.Category) bool { return c.ID == id && ws == workspace.Default })
	if i < 0 {
		return web.ErrNotFound
	}
	b.Named = slices.Delete(b.Named, i, i+1)
	return nil
}
