package digest

import (
	"bytes"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"math"
	"regexp"
	"strings"
	"time"

	"murmur/internal/insight"
)

// Alert is the message that murmur sends when figures of a week left the range of an alert.
type Alert struct {
	ID          string // of the alert
	Workspace   string
	Begins      time.Time // Monday 00:00 of the week in the workspace's time zone; zero: this is a test, of no figure
	At          time.Time
	Left        []insight.Left // what the reader may see
	Pages       string         // address of the pages; may be empty
	Unsubscribe string         // address that ends these mails; may be empty
}

// maxLeft is how many figures an alert names.
const maxLeft = 10

// Title is the subject of the alert.
func (a Alert) Title() string {
	switch {
	case a.Begins.IsZero():
		return about("A test of an alert", a.Workspace)
	case len(a.Left) == 1:
		in, _ := insight.Find(a.Left[0].Figure.Insight)
		return about(in.Title+" left the range", a.Workspace)
	}
	return about(fmt.Sprintf("%d figures left their range", len(a.Left)), a.Workspace)
}

// lines are what the alert says, a paragraph each.
func (a Alert) lines() []string {
	if a.Begins.IsZero() {
		return []string{"An alert would come here when a figure leaves the range that is watched. This one is a test and has no figure in it."}
	}
	noise := int64(0)
	var lines []string
	for _, l := range a.Left[:min(maxLeft, len(a.Left))] {
		lines = append(lines, l.Text()+" "+period(a.Begins, l.Figure))
		noise = max(noise, l.Figure.Noise)
	}
	if more := len(a.Left) - maxLeft; more > 0 {
		lines = append(lines, fmt.Sprintf("%d further groups left it too.", more))
	}
	last := "Ranges in brackets hold 95 times in 100."
	if noise > 0 {
		last = "Every count has noise for privacy; the ranges in brackets include it and hold 95 times in 100."
	}
	return append(lines, last)
}

// period says when a figure was, of the week that begins or the block that ends with it.
func period(monday time.Time, f insight.Figure) string {
	weeks := max(1, insight.Weeks(f.Period))
	if weeks == 1 {
		return "That is the week of " + span(monday, 1) + "."
	}
	return "These are the " + map[int]string{4: "four", 5: "five"}[weeks] + " weeks of " + span(monday.AddDate(0, 0, -7*(weeks-1)), weeks) + "."
}

var alertHTML = htmltemplate.Must(htmltemplate.New("alert").Parse(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body style="font:16px/1.5 sans-serif;max-width:40em;margin:1em auto;padding:0 1em">
<h1 style="font-size:1.2em">{{.Title}}</h1>
{{range .Lines}}<p>{{.}}</p>
{{end}}{{with .Pages}}<p><a href="{{.}}">All figures</a></p>
{{end}}{{with .Unsubscribe}}<p><a href="{{.}}">No more of these alerts</a></p>
{{end}}</body></html>
`))

// Letter is the alert as a mail.
func (a Alert) Letter() (Letter, error) {
	var text strings.Builder
	for _, l := range a.lines() {
		text.WriteString(wrap("", l) + "\n\n")
	}
	if a.Pages != "" {
		text.WriteString("All figures: " + a.Pages + "\n\n")
	}
	if a.Unsubscribe != "" {
		text.WriteString("No more of these alerts: " + a.Unsubscribe + "\n")
	}
	var html bytes.Buffer
	if err := alertHTML.Execute(&html, map[string]any{"Title": a.Title(), "Lines": a.lines(), "Pages": a.Pages, "Unsubscribe": a.Unsubscribe}); err != nil {
		return Letter{}, fmt.Errorf("write the alert: %w", err)
	}
	return Letter{Subject: a.Title(), Text: strings.TrimRight(text.String(), "\n") + "\n", HTML: html.String()}, nil
}

// host is a point as hosts have it.
var host = regexp.MustCompile(`\.(\pL)`)

// Slack is the alert as chats take it that understand Slack's incoming webhooks: {"text": ".."}. Names inside can neither
// make links nor call people: <, > and & are escaped as Slack asks, no @ begins a word, and nothing reads as an
// address of the web.
func (a Alert) Slack() ([]byte, error) {
	text := "*" + a.Title() + "*\n" + strings.Join(a.lines(), "\n")
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u2060", "://", ":\u2060//").Replace(text)
	text = host.ReplaceAllString(text, ".\u2060$1") // a chat makes a link of whatever looks like a host
	if a.Pages != "" {
		text += "\n" + a.Pages
	}
	return json.Marshal(map[string]string{"text": text})
}

// payload is the body of a webhook, in the form that Standard Webhooks proposes.
type payload struct {
	Type      string    `json:"type"` // figure.left_range, alert.test
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	Workspace string     `json:"workspace"`
	Alert     string     `json:"alert"`
	Text      string     `json:"text"`
	Left      []leftBody `json:"left"`
}

type leftBody struct {
	Text    string         `json:"text"`
	Low     *float64       `json:"low"` // of the range; null: it has no such end
	High    *float64       `json:"high"`
	Periods int            `json:"periods,omitempty"`
	Sure    bool           `json:"sure"`
	Figure  insight.Figure `json:"figure"`
}

// Webhook is the alert as a program reads it (docs/alerts.md).
func (a Alert) Webhook() ([]byte, error) {
	p := payload{Type: "figure.left_range", Timestamp: a.At.UTC(), Data: data{Workspace: a.Workspace, Alert: a.ID, Text: strings.Join(a.lines(), "\n"), Left: []leftBody{}}}
	if a.Begins.IsZero() {
		p.Type = "alert.test"
	}
	for _, l := range a.Left {
		p.Data.Left = append(p.Data.Left, leftBody{l.Text(), finite(l.Low), finite(l.High), l.Weeks, l.Sure, l.Figure})
	}
	return json.Marshal(p)
}

func finite(v float64) *float64 {
	if math.IsInf(v, 0) {
		return nil
	}
	return &v
}
