package synth

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// line is one event of murmur.v1 (docs/format/murmur.v1.md), as a platform would write it.
type line struct {
	Schema     string     `json:"schema"`
	Type       string     `json:"type"`
	SourceID   string     `json:"source_id"`
	OccurredAt time.Time  `json:"occurred_at"`
	Workspace  string     `json:"workspace,omitempty"`
	Party      *person    `json:"party,omitempty"`
	Member     *person    `json:"member,omitempty"`
	Direction  string     `json:"direction,omitempty"`
	Number     string     `json:"number,omitempty"`
	Outcome    string     `json:"outcome,omitempty"`
	Voicemail  bool       `json:"voicemail,omitempty"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	RingS      *float64   `json:"ring_s,omitempty"`
	Status     string     `json:"status,omitempty"`
	Body       string     `json:"body,omitempty"`
	Automatic  bool       `json:"automatic,omitempty"`
	Call       string     `json:"call,omitempty"`
	Origin     string     `json:"origin,omitempty"`
	DurationS  float64    `json:"duration_s,omitempty"`
	Turns      []said     `json:"turns,omitempty"`
	Run        string     `json:"run,omitempty"`
	Flow       string     `json:"flow,omitempty"`
	Version    string     `json:"flow_version,omitempty"`
	Node       string     `json:"node,omitempty"`
	NodeKind   string     `json:"node_kind,omitempty"`
	Key        string     `json:"key,omitempty"`
	Label      string     `json:"label,omitempty"`
	InAt       *time.Time `json:"in_at,omitempty"`
	OutAt      *time.Time `json:"out_at,omitempty"`
	Survey     string     `json:"survey,omitempty"`
	Scale      string     `json:"scale,omitempty"`
	Score      *int       `json:"score,omitempty"`
	Comment    string     `json:"comment,omitempty"`
	Medium     string     `json:"medium,omitempty"`
	Link       string     `json:"link,omitempty"`
	Purpose    string     `json:"purpose,omitempty"`
	Act        string     `json:"act,omitempty"`
	Via        string     `json:"via,omitempty"`
}

type person struct {
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
}

type said struct {
	Side  string  `json:"side"`
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Text  string  `json:"text"`
}

// Native writes a day as JSON lines of murmur.v1: everything there is.
func (b *Business) Native(w io.Writer, d Day) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return each(d, func(l *line) error { return e.Encode(l) })
}

// NativeSteps writes the workflow's steps but the menu's: what a phone system knows beside Quo's webhooks.
func (b *Business) NativeSteps(w io.Writer, d Day) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, s := range d.Steps {
		if s.Kind == "menu" {
			continue
		}
		if err := e.Encode(nativeStep(s)); err != nil {
			return fmt.Errorf("write step: %w", err)
		}
	}
	return nil
}

// NativeTexts writes texts as JSON lines of murmur.v1.
func (b *Business) NativeTexts(w io.Writer, texts []Text) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, t := range texts {
		if err := e.Encode(nativeText(t)); err != nil {
			return fmt.Errorf("write text: %w", err)
		}
	}
	return nil
}

// Bulk writes lines of murmur.v1 until there are n, as a stream: days of as many businesses as workspaces, each
// under its own name from "ws-0000" on. The business sizes and the seed come from c.
func Bulk(w io.Writer, c Config, workspaces, n int) error {
	buffered := bufio.NewWriterSize(w, 1<<20)
	e := json.NewEncoder(buffered)
	e.SetEscapeHTML(false)
	businesses := make([]*Business, max(workspaces, 1))
	for i := range businesses {
		own := c
		own.Seed = c.Seed + uint64(i)*0x9e3779b9
		businesses[i] = New(own)
	}
	left := n
	for i := 0; left > 0; i = (i + 1) % len(businesses) {
		name := fmt.Sprintf("ws-%04d", i)
		err := each(businesses[i].Next(), func(l *line) error {
			if left == 0 {
				return nil
			}
			left--
			l.Workspace = name
			return e.Encode(l)
		})
		if err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// each gives every event of a day.
func each(d Day, yield func(*line) error) error {
	var lines []*line
	for i := range d.Calls {
		lines = append(lines, nativeCall(&d.Calls[i])...)
	}
	for _, t := range d.Texts {
		lines = append(lines, nativeText(t))
	}
	for _, s := range d.Steps {
		lines = append(lines, nativeStep(s))
	}
	for _, a := range d.Answers {
		l := event("answer", a.ID, a.At, a.Person)
		l.Survey, l.Scale, l.Score, l.Comment, l.Medium, l.Link = a.Survey.ID, a.Survey.Scale, &a.Score, a.Comment, "web", a.Call
		lines = append(lines, l)
	}
	for _, c := range d.Consents {
		l := event("consent", c.ID, c.At, c.Person)
		l.Call, l.Purpose, l.Act, l.Via = c.Call, "record", c.Act, c.Via
		lines = append(lines, l)
	}
	for _, l := range lines {
		if err := yield(l); err != nil {
			return fmt.Errorf("write %s: %w", l.Type, err)
		}
	}
	return nil
}

func event(kind, id string, at time.Time, p *Person) *line {
	return &line{Schema: "murmur.v1", Type: kind, SourceID: id, OccurredAt: at.UTC(), Party: &person{Phone: p.Phone, Name: p.Name}}
}

func nativeCall(c *Call) []*line {
	l := event("call", c.ID, c.At, c.Person)
	l.Direction, l.Number, l.Outcome, l.Voicemail = direction(c.Out), c.Number.ID, c.Outcome, c.Voicemail != ""
	l.Member, l.AnsweredAt, l.EndedAt = memberOf(c.Member), moment(c.Answered), moment(c.Ended)
	ring := c.Ended.Sub(c.At).Seconds()
	if !c.Answered.IsZero() {
		ring = c.Answered.Sub(c.At).Seconds()
	}
	l.RingS = &ring
	lines := []*line{l}
	talk := func(origin string, turns []said) {
		t := event("transcript", c.ID+"/"+origin, c.At, c.Person)
		t.Call, t.Number, t.Origin, t.Turns, t.Member = c.ID, c.Number.ID, origin, turns, l.Member
		t.DurationS = turns[len(turns)-1].End
		lines = append(lines, t)
	}
	if c.Voicemail != "" {
		talk("voicemail", []said{{"contact", 0, spoken(c.Voicemail).Seconds(), c.Voicemail}})
	}
	if c.Recorded && len(c.Turns) > 0 {
		turns := make([]said, len(c.Turns))
		for i, t := range c.Turns {
			turns[i] = said{"contact", t.Start, t.End, t.Words}
			if t.Member {
				turns[i].Side = "member"
			}
		}
		talk("vendor", turns)
	}
	return lines
}

func nativeText(t Text) *line {
	l := event("message", t.ID, t.At, t.Person)
	l.Direction, l.Number, l.Body, l.Automatic, l.Member = direction(t.Out), t.Number.ID, t.Body, t.Automatic, memberOf(t.Member)
	switch {
	case t.Failed:
		l.Status = "undelivered"
	case t.Out:
		l.Status = "delivered"
	default:
		l.Status = "received"
	}
	return l
}

func nativeStep(s Step) *line {
	l := event("step", s.ID, s.In, s.Person)
	l.Run, l.Number, l.Flow, l.Version, l.Node, l.NodeKind = s.Call, s.Number.ID, s.Number.ID, "1", s.Node, s.Kind
	l.Key, l.Label, l.Outcome, l.InAt, l.OutAt = s.Key, s.Label, s.Outcome, moment(s.In), moment(s.Out)
	return l
}

func direction(out bool) string {
	if out {
		return "out"
	}
	return "in"
}

func memberOf(m Member) *person {
	if m.ID == "" {
		return nil
	}
	return &person{ID: m.ID, Name: m.Name}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
