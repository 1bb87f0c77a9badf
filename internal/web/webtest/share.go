package webtest

import (
	"context"
	"fmt"
	"slices"

	"murmur/internal/insight"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// left are two months of figures that left.
func left(ws string) (out []insight.Figure) {
	m := maker{ws: ws}
	for i, month := range []string{"2026-09", "2026-10"} {
		m.add("contacts", "contacts", "month", month, map[string][]string{}, 410+20*float64(i), 12, 410)
		m.add("missed-call-rate", "rate", "month", month, map[string][]string{}, 0.18-0.08*float64(i), 0.03, 300)
		for j, reason := range []string{"members_did_not_answer", "out_of_hours", "abandoned"} {
			m.add("missed-call-reasons", "share", "month", month, map[string][]string{"reason": {reason}}, 0.5-0.2*float64(j), 0.08, 60)
		}
		m.add("contact-reasons", "share", "month", month, map[string][]string{"reason": {"booking"}}, 0.4, 0.05, 200)
	}
	m.add("contacts", "contacts", "week", "2026-W44", map[string][]string{}, 120, 20, 120)
	m.add("missed-call-rate", "rate", "day", "2026-10-30", map[string][]string{}, 0.15, 0.05, 60)
	for i := range m.out {
		f := &m.out[i]
		f.Tier, f.Noise, f.Unit = "provable", 12, map[bool]string{true: "contacts", false: "ratio"}[f.Measure == "contacts"]
		f.Settings = map[string]string{"unit": "contact-month", "epsilon": "1", "delta": "1e-09"}
		f.Provisional = false
	}
	return m.out
}

// Share is web.Shares.
func (b *Business) Share(_ context.Context, _ workspace.ID, page string, days int) (web.SharedLink, error) {
	if days < 1 || days > 366 || !slices.Contains(web.SharedPages(), page) {
		return web.SharedLink{}, fmt.Errorf("%w: a link ends after 1 to 366 days", web.ErrInput)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.SharedBy[web.HashOf(page+"-link")] = page
	return web.SharedLink{ID: "c0ffee000000", Page: page, Path: "/s/" + page + "-link", Ends: Now.AddDate(0, 0, days)}, nil
}

// Shared is web.Shares.
func (b *Business) Shared(_ context.Context, link web.Hash) (workspace.ID, string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	page, ok := b.SharedBy[link]
	if !ok {
		return workspace.ID{}, "", web.ErrNotFound
	}
	return workspace.Default, page, nil
}
