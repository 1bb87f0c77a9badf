package webtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"murmur/internal/web"
	"murmur/internal/workspace"
)

// The keys that the invented vendor knows; every other one is refused.
const (
	GoodKey  = "good-key"
	PlainKey = "key-of-a-plan-without-transcripts"
)

// feeds are a polled source that is up to date and one that delivers by webhook.
func feeds() []web.Source {
	return []web.Source{
		{Name: "quo", Kind: "quo", Path: "/in/quo/…", State: "live", Last: Now.Add(-2 * time.Minute), Level: "L1", Secrets: 1,
			Polling: &web.Polling{Done: 1, Items: 11900, Left: -1, Looked: Now.Add(-40 * time.Second)}},
		{Name: "typeform", Kind: "typeform", Path: "/in/typeform/…", State: "webhook", Last: Now.Add(-3 * time.Hour), Level: "L0", Secrets: 2},
	}
}

// Troubled is a business whose sources are in every state there is.
func Troubled() *Business {
	b := New()
	b.Feeds = append(feeds(),
		web.Source{Name: "quo-new", Kind: "quo", Path: "/in/quo/…", State: "waiting", Level: "L1", Secrets: 1, Polling: &web.Polling{Left: -1}},
		web.Source{Name: "quo-history", Kind: "quo", Path: "/in/quo/…", State: "history", Last: Now, Level: "L1", Secrets: 1,
			Polling: &web.Polling{Done: 0.37, Items: 4120, Left: 340, Missing: []string{"words"}}},
		web.Source{Name: "quo-paused", Kind: "quo", Path: "/in/quo/…", State: "paused", Last: Now.Add(-50 * time.Hour), Level: "L1", Secrets: 1,
			Polling: &web.Polling{Done: 1, Items: 881, Left: -1, Looked: Now.Add(-50 * time.Hour)}},
		web.Source{Name: "quo-stopped", Kind: "quo", Path: "/in/quo/…", State: "stopped", Last: Now.Add(-20 * time.Minute), Level: "L1", Secrets: 1,
			Polling: &web.Polling{Done: 0.61, Items: 7033, Left: -1, Trouble: "key", Said: "the vendor does not accept the API key"}},
		web.Source{Name: "quo-down", Kind: "quo", Path: "/in/quo/…", State: "live", Last: Now.Add(-9 * time.Minute), Level: "L1", Secrets: 1,
			Polling: &web.Polling{Done: 1, Items: 512, Left: -1, Looked: Now.Add(-8 * time.Minute), Trouble: "unavailable", Said: "the vendor's API cannot be reached"}},
	)
	return b
}

// Incoming is a business whose history has begun to come in: there are no figures yet.
func Incoming() *Business {
	b := Fresh()
	b.Feeds = []web.Source{{Name: "quo", Kind: "quo", Path: "/in/quo/…", State: "history", Last: Now, Level: "L1", Secrets: 1,
		Polling: &web.Polling{Done: 0.12, Items: 450, Left: 42}}}
	b.Counts = web.WorkspaceStatus{Counts: web.Counts{In: 450, Pending: 37, Published: 413}}
	return b
}

func (b *Business) Sources(_ context.Context, ws workspace.ID) ([]web.Source, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ws != workspace.Default {
		return nil, nil
	}
	return slices.Clone(b.Feeds), nil
}

// tryKey is the invented vendor.
func tryKey(key string) ([]web.Given, error) {
	gives := []web.Given{{What: "calls", Has: true}, {What: "messages", Has: true}, {What: "transcripts", Has: true}, {What: "recordings", Has: true}, {What: "webhooks", Has: true}}
	switch key {
	case GoodKey:
		return gives, nil
	case PlainKey:
		gives[2] = web.Given{What: "transcripts", Note: "not in this plan, or not for this key; the rest works without"}
		return gives, nil
	}
	return nil, &web.Refusal{Why: "key", Said: "the vendor does not accept the API key"}
}

func (b *Business) Connect(_ context.Context, ws workspace.ID, s web.NewSource) (web.Connected, error) {
	if !slices.ContainsFunc(b.Config().Kinds, func(k web.SourceKind) bool { return k.Name == s.Kind }) {
		return web.Connected{}, &web.Refusal{Why: "input", Said: "this version cannot connect that kind of source"}
	}
	if s.Name == "taken" {
		return web.Connected{}, &web.Refusal{Why: "name", Said: "a source of that name exists"}
	}
	c := web.Connected{Workspace: ws, Source: s.Name, Kind: s.Kind, Path: "/in/" + s.Kind + "/0q1w2e3r4t5z6u7i8o9p", Secret: "made-for-this-test-only",
		Paste: "In its settings, add the address\n\n  answers come in   https://YOUR.HOST/in/" + s.Kind + "/0q1w2e3r4t5z6u7i8o9p"}
	src := web.Source{Name: s.Name, Kind: s.Kind, Path: "/in/" + s.Kind + "/…", State: "webhook", Level: "L0", Secrets: 1}
	if s.Secret != "" {
		c.Secret = s.Secret
	}
	if s.APIKey != "" {
		var err error
		if c.Gives, err = tryKey(s.APIKey); err != nil {
			return web.Connected{}, err
		}
		c.Webhook = "by hand"
		src.State, src.Level, src.Polling = "history", "L1", &web.Polling{Done: 0.02, Items: 50, Left: -1}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Feeds = append(b.Feeds, src)
	return c, nil
}

// on does something to a source of the default workspace.
func (b *Business) on(ws workspace.ID, name string, do func(i int)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.Feeds, func(s web.Source) bool { return s.Name == name })
	if i < 0 || ws != workspace.Default {
		return fmt.Errorf("source: %w", web.ErrNotFound)
	}
	do(i)
	return nil
}

func (b *Business) Pause(_ context.Context, ws workspace.ID, name string, paused bool) error {
	return b.on(ws, name, func(i int) {
		b.Feeds[i].State = map[bool]string{true: "paused", false: "live"}[paused]
		b.Said = append(b.Said, b.Feeds[i].State+" "+name)
	})
}

func (b *Business) Rekey(_ context.Context, ws workspace.ID, name, key string) error {
	if _, err := tryKey(key); err != nil {
		return err
	}
	return b.on(ws, name, func(i int) {
		b.Feeds[i].State = "live"
		b.Feeds[i].Polling = &web.Polling{Done: 1, Left: -1}
		b.Said = append(b.Said, "rekeyed "+name)
	})
}

func (b *Business) Rotate(_ context.Context, ws workspace.ID, name, secret string) (string, error) {
	if secret == "" {
		secret = "made-for-this-test-only"
	}
	return secret, b.on(ws, name, func(i int) {
		b.Feeds[i].Secrets = 2
		b.Said = append(b.Said, "rotated "+name)
	})
}

func (b *Business) Remove(_ context.Context, ws workspace.ID, name string) error {
	return b.on(ws, name, func(i int) {
		b.Feeds = slices.Delete(b.Feeds, i, i+1)
		b.Said = append(b.Said, "removed "+name)
	})
}
