package webtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"murmur/internal/insight"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// AlertSecret is what signs the webhooks of a new alert.
const AlertSecret = "whsec_made-for-this-test-only"

func watched() []web.Alert {
	above, sent := 0.2, Now.AddDate(0, 0, -7)
	return []web.Alert{
		{Alert: workspace.Alert{ID: "0123456789ab", Watch: workspace.Watch{Insight: "missed-call-rate", Measure: "rate", Above: &above}, Way: workspace.ByMail,
			Role: workspace.Owner, Created: Now.AddDate(0, -1, 0), Sent: &sent, Fired: "2026-11-02"}},
		{Alert: workspace.Alert{ID: "ba9876543210", Watch: workspace.Watch{Insight: "time-to-respond", Measure: "reply_p90_s"}, Way: workspace.BySlack,
			Role: workspace.Viewer, Created: Now.AddDate(0, -1, 0), Failed: "the receiver refused the message"}, Host: "chat.example.com"},
	}
}

// Alerts is web.Alerts.
func (b *Business) Alerts(_ context.Context, ws workspace.ID) ([]web.Alert, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ws != workspace.Default {
		return nil, nil
	}
	return slices.Clone(b.Watched), nil
}

// AddAlert takes every address that is https or has an @.
func (b *Business) AddAlert(_ context.Context, _ workspace.ID, n web.NewAlert) (web.Alert, string, error) {
	w, err := insight.ParseWatch(n.Insight, n.Measure, n.Below, n.Above)
	if err != nil {
		return web.Alert{}, "", fmt.Errorf("%w: %w", web.ErrInput, err)
	}
	if !strings.HasPrefix(n.To, "https://") && !strings.Contains(n.To, "@") {
		return web.Alert{}, "", fmt.Errorf("%w: the address leads nowhere", web.ErrInput)
	}
	a := web.Alert{Alert: workspace.Alert{ID: "00000000000a", Watch: w, Way: n.Way, Role: n.As, Created: Now}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Watched = append(b.Watched, a)
	if n.Way == workspace.ByWebhook {
		return a, AlertSecret, nil
	}
	return a, "", nil
}

// TestAlert is taken, but by the chat.
func (b *Business) TestAlert(ctx context.Context, ws workspace.ID, id string) error {
	all, err := b.Alerts(ctx, ws)
	i := slices.IndexFunc(all, func(a web.Alert) bool { return a.ID == id })
	switch {
	case err != nil || i < 0:
		return web.ErrNotFound
	case all[i].Failed != "":
		return fmt.Errorf("%w: %s", web.ErrInput, all[i].Failed)
	}
	return nil
}

// RemoveAlert is web.Alerts.
func (b *Business) RemoveAlert(_ context.Context, ws workspace.ID, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.Watched, func(a web.Alert) bool { return a.ID == id && ws == workspace.Default })
	if i < 0 {
		return web.ErrNotFound
	}
	b.Watched = slices.Delete(b.Watched, i, i+1)
	return nil
}
