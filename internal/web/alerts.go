package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/insight"
	"murmur/internal/workspace"
)

// Alert is an alert as its owner sees it: nothing in it opens anything.
type Alert struct {
	workspace.Alert
	Host string `json:"host,omitempty" doc:"of a webhook or a chat; the whole address is a secret and is not shown again"`
}

// NewAlert is what is watched and who is told.
type NewAlert struct {
	Insight, Measure string // Measure empty: that of the insight's headline
	Below, Above     string // as people write them: 20%, 5m, 12; both empty: the usual range
	Way              workspace.Way
	To               string
	As               workspace.Role
}

// Alerts tells people and programs when a figure leaves a range.
type Alerts interface {
	Alerts(ctx context.Context, ws workspace.ID) ([]Alert, error)
	// AddAlert answers ErrInput for what cannot be watched or reached; secret signs a webhook's messages and is shown once.
	AddAlert(ctx context.Context, ws workspace.ID, a NewAlert) (added Alert, secret string, err error)
	// TestAlert sends a message without figures. It answers ErrInput, with the reason, when it was not taken.
	TestAlert(ctx context.Context, ws workspace.ID, id string) error
	RemoveAlert(ctx context.Context, ws workspace.ID, id string) error
}

type alertIn struct {
	Scoped
	Body struct {
		Insight string `json:"insight" minLength:"1" maxLength:"64" pattern:"^[a-z0-9-]+$" doc:"slug"`
		Measure string `json:"measure,omitempty" maxLength:"64" pattern:"^[a-z0-9_]*$" doc:"default: that of the insight's headline"`
		Below   string `json:"below,omitempty" maxLength:"32" doc:"a figure under this is told: 20% or 0.2 of a share, 90s or 5m of a time, a number; with neither end, one outside its usual range"`
		Above   string `json:"above,omitempty" maxLength:"32" doc:"a figure over this is told"`
		Way     string `json:"way" enum:"mail,webhook,slack" doc:"webhook: signed by Standard Webhooks; slack: a chat that takes Slack's incoming webhooks"`
		To      string `json:"to" minLength:"3" maxLength:"2048" doc:"an e-mail address, or the receiver's https address"`
		As      string `json:"as,omitempty" enum:"owner,viewer" doc:"whose figures; default: viewer, with noise on every count"`
	}
}

type alertMade struct {
	Alert
	Secret string `json:"secret,omitempty" doc:"with which the receiver verifies messages; shown once"`
}

// AlertID names an alert.
type AlertID struct {
	ID string `path:"id" pattern:"^[0-9a-f]{12}$" doc:"as GET /v1/alerts names it"`
}

type namedAlert struct {
	Scoped
	AlertID
}

// alerts registers what an owner does with alerts.
func (a api) alerts(h huma.API) {
	huma.Register(h, op(http.MethodGet, "/v1/alerts", "alerts", Owner, "What is watched, and whether the last message was taken"),
		func(ctx context.Context, _ *struct{ Scoped }) (*body[[]Alert], error) {
			all, err := a.Alerts.Alerts(ctx, access(ctx).Workspace)
			return &body[[]Alert]{append([]Alert{}, all...)}, a.answer(ctx, err)
		})
	huma.Register(h, made(op(http.MethodPost, "/v1/alerts", "add-alert", Owner, "Watch a figure; the secret of a webhook is shown once")),
		func(ctx context.Context, in *alertIn) (*body[alertMade], error) {
			b := in.Body
			as := workspace.Viewer
			if b.As == string(workspace.Owner) {
				as = workspace.Owner
			}
			added, secret, err := a.Alerts.AddAlert(ctx, access(ctx).Workspace, NewAlert{b.Insight, b.Measure, b.Below, b.Above, workspace.Way(b.Way), b.To, as})
			return &body[alertMade]{alertMade{added, secret}}, a.answer(ctx, err)
		})
	huma.Register(h, noContent(op(http.MethodPost, "/v1/alerts/{id}/test", "test-alert", Owner, "Send a message without figures now")),
		func(ctx context.Context, in *namedAlert) (*struct{}, error) {
			return nil, a.answer(ctx, a.Alerts.TestAlert(ctx, access(ctx).Workspace, in.ID))
		})
	huma.Register(h, noContent(op(http.MethodDelete, "/v1/alerts/{id}", "remove-alert", Owner, "End an alert")),
		func(ctx context.Context, in *namedAlert) (*struct{}, error) {
			return nil, a.answer(ctx, a.Alerts.RemoveAlert(ctx, access(ctx).Workspace, in.ID))
		})
}

// alertsView is what the settings show of alerts.
type alertsView struct {
	List    []alertView
	Choices []watchChoice
	New     alertForm
	Secret  string // of an alert that was added just now
	Wrong   *wrong // of a test
}

// alertView is one alert in words.
type alertView struct{ ID, Figure, Range, Way, As, State string }

// watchChoice is an insight and its measures in the form.
type watchChoice struct {
	Title    string
	Measures []measureChoice
}

type measureChoice struct{ Value, Title string }

// alertForm is the form of a new alert as it was typed; the address of a webhook is a secret and is not repeated.
type alertForm struct {
	Watch, Below, Above, Way, As string
	Wrong                        *wrong
}

func (s *site) alertsView(ctx context.Context, a Access) (v alertsView, err error) {
	all, err := s.Alerts.Alerts(ctx, a.Workspace)
	for _, alert := range all {
		v.List = append(v.List, viewOfAlert(alert))
	}
	for _, in := range s.Catalogue {
		c := watchChoice{Title: in.Title}
		for _, m := range in.Measures {
			c.Measures = append(c.Measures, measureChoice{in.Slug + "/" + m.Name, m.Title})
		}
		v.Choices = append(v.Choices, c)
	}
	v.New = alertForm{Watch: "missed-call-rate/rate", Way: string(workspace.ByMail), As: string(workspace.Viewer)}
	return v, err
}

func viewOfAlert(a Alert) alertView {
	in, _ := insight.Find(a.Watch.Insight)
	v := alertView{ID: a.ID, Figure: in.Title + ": " + measureText(a.Watch.Insight, a.Watch.Measure), Range: rangeText(a.Watch), As: "with noise, as viewers see them"}
	if a.Role == workspace.Owner {
		v.As = "as the owner sees them"
	}
	v.Way = map[workspace.Way]string{workspace.ByMail: "mail", workspace.ByWebhook: "signed webhook to " + a.Host, workspace.BySlack: "chat at " + a.Host}[a.Way]
	switch {
	case a.Ended:
		v.State = "Ended: " + a.Failed
	case a.Failed != "":
		v.State = capital(a.Failed) + "; it is tried again"
	case a.Sent != nil:
		v.State = "Last message taken on " + a.Sent.UTC().Format("2 Jan 2006")
	default:
		v.State = "Nothing to tell yet"
	}
	return v
}

// rangeText says what is expected of a figure.
func rangeText(w workspace.Watch) string {
	if w.Usual() {
		return "its usual range"
	}
	in, _ := insight.Find(w.Insight)
	unit := ""
	for _, m := range in.Measures {
		if m.Name == w.Measure {
			unit = m.Unit
		}
	}
	end := func(v float64) string {
		sc := scaleOf(unit, v)
		return sc.number(v) + sc.word
	}
	switch {
	case w.Below == nil:
		return "at most " + end(*w.Above)
	case w.Above == nil:
		return "at least " + end(*w.Below)
	}
	return end(*w.Below) + " to " + end(*w.Above)
}

// addAlert watches a figure. The secret of a webhook is shown once, on the answer itself.
func (s *site) addAlert(w http.ResponseWriter, r *http.Request, a Access) {
	in, err := fields(r, map[string]int{"watch": 128, "below": 32, "above": 32, "way": 16, "to": 2048, "as": 16})
	form := alertForm{Watch: in["watch"], Below: in["below"], Above: in["above"], Way: in["way"], As: in["as"]}
	secret := ""
	if err == nil {
		slug, measure, _ := strings.Cut(form.Watch, "/")
		_, secret, err = s.Alerts.AddAlert(r.Context(), a.Workspace, NewAlert{slug, measure, form.Below, form.Above, workspace.Way(form.Way), in["to"], workspace.Role(form.As)})
	}
	switch {
	case errors.Is(err, ErrInput):
		form.Wrong = &wrong{Said: err.Error()}
		s.settingsPage(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) { v.Alerts.New = form })
	case err != nil:
		s.fail(w, r, err)
	case secret != "":
		s.settingsPage(w, r, a, http.StatusOK, func(v *setupView) { v.Alerts.Secret = secret })
	default:
		seeOther(w, r, "/settings", "alert")
	}
}

// onAlert carries out a form about one alert; word names the line to show.
func (s *site) onAlert(do func(ctx context.Context, ws workspace.ID, id string) error, word string) func(http.ResponseWriter, *http.Request, Access) {
	return func(w http.ResponseWriter, r *http.Request, a Access) {
		id, err := field(r, "id", workspace.PassIDLen, workspace.PassIDLen)
		if err == nil {
			err = do(r.Context(), a.Workspace, id)
		}
		switch {
		case errors.Is(err, ErrInput):
			s.settingsPage(w, r, a, http.StatusUnprocessableEntity, func(v *setupView) { v.Alerts.Wrong = &wrong{Said: err.Error()} })
		case err != nil:
			s.fail(w, r, err)
		default:
			seeOther(w, r, "/settings", word)
		}
	}
}
