package web_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"murmur/internal/fact"
	"murmur/internal/insight"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

// enums are figures of every member of every dimension that is a word of murmur, alone and merged.
func enums() (all []insight.Figure) {
	members := map[string][]string{
		"reason": {"short_abandoned", "out_of_hours", "no_member_available", "members_did_not_answer", "abandoned_in_menu", "abandoned", "unknown"},
		"medium": {"call", "text", "email", "web", "unknown"}, "from": {"call", "text"}, "to": {"call", "text"},
		"delay": {"5_minutes", "15_minutes", "1_hour", "4_hours", "24_hours", "other"}, "driver": {"missed_call", "long_wait", "repeat_contact", "ai_agent"},
		"auto_reply": {"yes", "no"}, "case": {"call_open", "call_closed", "text_open", "text_closed", "other"}, "scale": {"nps", "csat"},
		"choice": {"none", "other"}, "number": {"Front desk", "other"}, "survey": {"After a visit", "other"}, "reply": {"We are open from 9 to 5", "other"},
	}
	for _, t := range fact.Topics() {
		members["reason"] = append(members["reason"], t.String())
	}
	value, low, high := 0.3, 0.2, 0.4
	for dim, names := range members {
		groups := [][]string{names, names[:2]}
		for _, n := range names {
			groups = append(groups, []string{n})
		}
		for _, g := range groups {
			all = append(all, insight.Figure{Workspace: "default", Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: "2026-W47",
				Split: map[string][]string{dim: g}, Value: &value, Low: &low, High: &high, Unit: "ratio", Base: 50, Contacts: "20-49",
				Tier: "guarded", AsOf: webtest.Now, Definition: "missed-call-rate/1", Settings: map[string]string{"min_group": "5", "short_abandon_seconds": "5"}})
		}
	}
	return all
}

// words are what a reader sees of a page: its text and titles, without code, forms and what the business itself is called.
func wordsOf(t *testing.T, page string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && slices.Contains([]string{"script", "style", "code", "textarea", "input"}, n.Data) {
			return
		}
		if n.Type == html.TextNode {
			b.WriteString(n.Data + "\n")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	return b.String()
}

func TestNoSlugReachesAPage(t *testing.T) {
	t.Parallel()
	full := webtest.New()
	full.Released[workspace.Default] = append(full.Released[workspace.Default], enums()...)
	b := with(full)
	slug := regexp.MustCompile(`\b[a-z0-9]+_[a-z0-9_]+\b|\bp[59]0\b|\bPN[a-z]+|\w \+ \w`)
	var slugs []string
	for _, in := range insight.All() {
		if strings.Contains(in.Slug, "-") && in.Slug != "after-hours-demand" {
			slugs = append(slugs, in.Slug)
		}
	}
	for _, topic := range fact.Topics() {
		if strings.Contains(topic.String(), "-") {
			slugs = append(slugs, topic.String())
		}
	}
	pages := []string{"/", "/calls", "/messages", "/topics", "/flows", "/satisfaction", "/suggestions", "/figures", "/topics/else"}
	figures := map[string]bool{}
	for _, path := range pages[1:6] {
		for _, f := range regexp.MustCompile(`/figures/[a-z2-7]{16}`).FindAllString(b.ask("owner", path, nil).Body.String(), -1) {
			if !figures[f] && len(figures) < 150 {
				figures[f] = true
				pages = append(pages, f)
			}
		}
	}
	said := map[string]bool{}
	for _, path := range pages {
		for line := range strings.Lines(wordsOf(t, b.ask("owner", path, nil).Body.String())) {
			line = strings.TrimSpace(line)
			found := slug.FindString(line)
			for _, s := range slugs {
				if strings.Contains(line, s) {
					found = s
				}
			}
			if found != "" && !said[line] {
				said[line] = true
				t.Errorf("%s says %q: %s", path, found, line)
			}
		}
	}
}
