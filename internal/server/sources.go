package server

import (
	"context"
	"errors"
	"net/url"
	"time"

	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// sources is web.Sources.
type sources struct{ *Node }

func (s sources) Sources(ctx context.Context, ws workspace.ID) ([]web.Source, error) {
	list, err := s.store.Sources(ctx, ws)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	last, err := s.journal.Latest(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := make([]web.Source, 0, len(list))
	for _, src := range list {
		if src.Kind == workspace.KindStream {
			continue // of the whole server: status and doctor tell of it
		}
		label, err := s.zone.SourceLabel(ws, src.Name)
		if err != nil {
			return nil, err
		}
		w := web.Source{Name: src.Name, Kind: src.Kind, Path: "/in/" + src.Kind + "/…", State: "webhook", Last: last[label],
			Level: private.Level(src), Secrets: len(src.Secrets)}
		if w.Polling, err = s.polled(ctx, src, &w.State); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// polled is how far a source is, and sets its state; nil for one that is not polled.
func (s sources) polled(ctx context.Context, src workspace.Source, state *string) (*web.Polling, error) {
	p, err := s.pollingOf(ctx, src)
	if err != nil || p == nil {
		return nil, err
	}
	*state = p.State
	w := &web.Polling{Done: p.Done, Items: p.Items, Left: -1, Trouble: p.Trouble, Said: p.Said, Missing: p.Missing}
	if p.Lag >= 0 {
		w.Looked = s.now().Add(-time.Duration(p.Lag * float64(time.Second))).UTC()
	}
	if left, ok := s.pace.left(src.Connection(), stand{s.now(), p.Done}); ok && p.State == "history" {
		w.Left = left.Round(time.Second).Seconds()
	}
	return w, nil
}

func (s sources) Connect(ctx context.Context, ws workspace.ID, src web.NewSource) (web.Connected, error) {
	if u, err := url.Parse(src.PublicURL); src.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return web.Connected{}, &web.Refusal{Why: "public-url", Said: "where the vendor reaches this server is no address of a host"}
	}
	// Over HTTP the owner of a workspace connects: only the operator allows hosts, with
	// --allow-host.
	hosts, err := private.HostsOf(workspace.SourceConfig{APIBase: src.APIBase, MediaHosts: src.MediaHosts})
	if err == nil {
		err = s.zone.AllowsHosts(hosts)
	}
	if err != nil {
		return web.Connected{}, sourceErr(err)
	}
	c, err := s.connectTo(ctx, rpc.ConnectArgs{Workspace: ws.String(), Kind: src.Kind, Name: src.Name, Secret: src.Secret, APIKey: src.APIKey,
		APIBase: src.APIBase, MediaHosts: src.MediaHosts, PublicURL: src.PublicURL}, nil)
	if err != nil {
		return web.Connected{}, sourceErr(err)
	}
	w := web.Connected{Workspace: ws, Source: c.Source, Kind: c.Kind, Path: c.Path, Secret: c.Secret, Webhook: c.Webhook, Paste: c.Paste}
	if w.Secret == private.SigningSecret(src.Kind, src.APIKey) {
		w.Secret = "" // a part of the key, which is never shown again
	}
	for _, g := range c.Gives {
		w.Gives = append(w.Gives, web.Given(g))
	}
	return w, nil
}

func (s sources) Pause(ctx context.Context, ws workspace.ID, name string, paused bool) error {
	_, err := s.pause(ctx, rpc.SourceArgs{Workspace: ws.String(), Name: name}, paused)
	return sourceErr(err)
}

func (s sources) Rekey(ctx context.Context, ws workspace.ID, name, key string) error {
	_, err := s.rotateSource(ctx, rpc.SourceArgs{Workspace: ws.String(), Name: name, APIKey: key})
	return sourceErr(err)
}

func (s sources) Rotate(ctx context.Context, ws workspace.ID, name, secret string) (string, error) {
	c, err := s.rotateSource(ctx, rpc.SourceArgs{Workspace: ws.String(), Name: name, Secret: secret})
	return c.Secret, sourceErr(err)
}

func (s sources) Remove(ctx context.Context, ws workspace.ID, name string) error {
	_, err := s.removeSource(ctx, rpc.SourceArgs{Workspace: ws.String(), Name: name})
	return sourceErr(err)
}

// sourceErr makes a web.Refusal of what a person can put right, with the field it is about.
func sourceErr(err error) error {
	p, isProblem := errors.AsType[*rpc.Problem](err)
	switch {
	case isProblem && p.Why != "":
		return &web.Refusal{Why: p.Why, Said: p.Message}
	case errors.Is(err, workspace.ErrExists):
		return &web.Refusal{Why: "name", Said: "a source of that name exists"}
	case errors.Is(err, workspace.ErrBadID):
		return &web.Refusal{Why: "name", Said: workspace.ErrBadID.Error()}
	case errors.Is(err, private.ErrAPIBase):
		return &web.Refusal{Why: "api-base", Said: private.ErrAPIBase.Error()}
	case errors.Is(err, private.ErrNotAllowed), errors.Is(err, private.ErrHost):
		return &web.Refusal{Why: "not-allowed", Said: err.Error()}
	case errors.Is(err, private.ErrNoPolling):
		return &web.Refusal{Why: "no-api", Said: private.ErrNoPolling.Error()}
	case isProblem:
		return &web.Refusal{Why: "input", Said: p.Message}
	}
	return webErr(err)
}
