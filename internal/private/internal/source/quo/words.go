package quo

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"murmur/internal/private/internal/source"
)

// listWords gives for each finished call what was said in it: the vendor's summary, the words of a voicemail and the
// transcript. All three are raw personal data. The list is that of calls; the item's delivery is the call, for the
// verdict.
func listWords(ctx context.Context, api source.API, q source.Query) (source.Page, error) {
	objects, next, err := list(ctx, api, "/calls", q, "summary,voicemail")
	if err != nil {
		return source.Page{}, err
	}
	page := source.Page{Next: next}
	for _, raw := range objects {
		c := readCall(raw)
		if c.broken || c.ID == "" {
			continue
		}
		i := source.Item{At: c.CreatedAt, Open: live[c.Status], Delivery: c.delivery(raw)}
		if !i.Open {
			i.More = c.words
		}
		page.Items = append(page.Items, i)
	}
	return page, nil
}

// states of the vendor's own processing: absent and failed are final, and absent is what a plan without transcripts
// says.
func underWay(status string) bool { return status == "in-progress" }

// words gives what the list holds of a call's words, and asks for the transcript of one that somebody answered.
func (c listed) words(ctx context.Context, api source.API) (out []source.Delivery, open bool, err error) {
	var state struct {
		ID         string
		Status     string
		Transcript *string
	}
	if given(c.Summary) && json.Unmarshal(c.Summary, &state) == nil {
		open = underWay(state.Status)
		if state.Status == "completed" {
			out = append(out, c.part(kindSummary, c.Summary, state.Status))
		}
	}
	if given(c.Voicemail) && json.Unmarshal(c.Voicemail, &state) == nil {
		open = open || underWay(state.Status)
		if state.Status == "completed" && state.Transcript != nil {
			out = append(out, c.part(kindVoicemail, c.Voicemail, state.Status))
		}
	}
	if c.AnsweredAt.IsZero() || c.Duration <= 0 {
		return out, open, nil
	}
	transcript, working, err := c.transcript(ctx, api)
	return append(out, transcript...), open || working, err
}

// part wraps a part of a call with the call's own times, which it lacks.
func (c listed) part(kind string, part json.RawMessage, states ...string) source.Delivery {
	resource, err := json.Marshal(map[string]any{
		"callId": c.ID, "createdAt": c.CreatedAt, "completedAt": cmp.Or(c.CompletedAt, c.CreatedAt), "direction": c.Direction, "part": part,
	})
	if err != nil {
		resource = part
	}
	return polled(kind, version(c.ID, c.UpdatedAt, append([]string{kind}, states...)...), resource, c.people())
}

// transcript asks for the transcripts of a call, one a recorded segment.
func (c listed) transcript(ctx context.Context, api source.API) ([]source.Delivery, bool, error) {
	b, err := api.Ask(ctx, source.Request{
		Path: "/calls/" + url.PathEscape(c.ID) + "/transcripts", Query: url.Values{"limit": {strconv.Itoa(pageSize)}},
	})
	if err != nil {
		return nil, false, err
	}
	var answer struct{ Data []json.RawMessage }
	if json.Unmarshal(b, &answer) != nil {
		return nil, false, source.TroubleCut
	}
	finished := false
	var states []string
	for _, raw := range answer.Data {
		var s struct{ Status, RecordingID string }
		if json.Unmarshal(raw, &s) != nil {
			continue
		}
		if underWay(s.Status) {
			return nil, true, nil
		}
		finished = finished || s.Status == "completed"
		states = append(states, s.RecordingID, s.Status)
	}
	if !finished {
		return nil, false, nil
	}
	return []source.Delivery{c.part(kindTranscript, joined(answer.Data), states...)}, false, nil
}

// joined is a list of values that were each valid JSON.
func joined(values []json.RawMessage) json.RawMessage {
	b := []byte{'['}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return append(b, ']')
}

// MediaHosts implements source.Hosted.
func (Source) MediaHosts() []string { return []string{".quo.com", ".openphone.com", ".openph.one"} }

// Media implements source.Fetcher. The addresses expire: they are fetched at once or asked for again.
func (Source) Media(ctx context.Context, api source.API, id string) ([]source.Media, error) {
	b, err := api.Ask(ctx, source.Request{
		Path: "/calls/" + url.PathEscape(id) + "/recordings", Query: url.Values{"limit": {strconv.Itoa(pageSize)}},
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data []struct {
			ID, Status, URL, Type string
			StartTime             time.Time
			Duration              float64
		}
	}
	if json.Unmarshal(b, &answer) != nil {
		return nil, source.TroubleCut
	}
	var out []source.Media
	for _, r := range answer.Data {
		switch r.Status {
		case "absent", "deleted", "failed":
			continue
		case "completed":
		default: // the vendor still works on it
			r.URL = ""
		}
		out = append(out, source.Media{ID: r.ID, Start: r.StartTime, Seconds: r.Duration, Type: r.Type, URL: r.URL})
	}
	slices.SortFunc(out, func(a, b source.Media) int { return a.Start.Compare(b.Start) })
	return out, nil
}
