package digest

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"murmur/internal/insight"
)

func left(name string) insight.Left {
	v, low, high := 0.4, 0.31, 0.5
	f := insight.Figure{Workspace: "default", Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: "2026-W45", Unit: "ratio",
		Split: map[string][]string{}, Value: &v, Low: &low, High: &high, Base: 100, Contacts: "50-99", Tier: "guarded", Noise: 2, Definition: "missed-call-rate/1"}
	if name != "" {
		f.Split["number"] = []string{name}
	}
	return insight.Left{Figure: f, Low: math.Inf(-1), High: 0.2, Sure: true}
}

func alert(l ...insight.Left) Alert {
	return Alert{ID: "0123456789ab", Workspace: "default", Begins: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), At: time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC), Left: l,
		Pages: "https://murmur.example.com", Unsubscribe: "https://murmur.example.com/unsubscribe/x"}
}

func TestAnAlertReadsWell(t *testing.T) {
	t.Parallel()
	l, err := alert(left("")).Letter()
	if err != nil {
		t.Fatal(err)
	}
	const want = `Missed calls: 40 % (31 % to 50 %); the range that was set ends at 20 %.
That is the week of 2 to 8 November 2026.

Every count has noise for privacy; the ranges in brackets include it and
hold 95 times in 100.

All figures: https://murmur.example.com

No more of these alerts: https://murmur.example.com/unsubscribe/x
`
	if l.Subject != "Missed calls left the range" || l.Text != want {
		t.Errorf("%q\n%s", l.Subject, l.Text)
	}
	for _, line := range []string{"<title>Missed calls left the range</title>", "<p>Missed calls: 40 %"} {
		if !strings.Contains(l.HTML, line) {
			t.Errorf("the HTML lacks %q", line)
		}
	}
}

// TestNoNameInAChatCallsPeople: names of lines come from the phone system, whoever wrote them.
func TestNoNameInAChatCallsPeople(t *testing.T) {
	t.Parallel()
	body, err := alert(left("<!channel> @here <https://evil.example|x> & co")).Slack()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(body, &m); err != nil || len(m) != 1 {
		t.Fatal(err, m)
	}
	for _, bad := range []string{"<!", "<https", "@here", "& co"} {
		if strings.Contains(m["text"], bad) {
			t.Errorf("%q is in %s", bad, m["text"])
		}
	}
	if !strings.HasPrefix(m["text"], "*Missed calls left the range*\n") || !strings.HasSuffix(m["text"], "\nhttps://murmur.example.com") {
		t.Error(m["text"])
	}
}

// TestAWebhookSaysWhatTheMailSays, and an end of a range that is not there is null.
func TestAWebhookSaysWhatTheMailSays(t *testing.T) {
	t.Parallel()
	body, err := alert(left("Sales"), left("Support")).Webhook()
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Type, Timestamp string
		Data            struct {
			Workspace, Alert, Text string
			Left                   []struct {
				Text      string
				Low, High *float64
				Sure      bool
				Figure    insight.Figure
			}
		}
	}
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	l := p.Data.Left
	if p.Type != "figure.left_range" || p.Timestamp != "2026-11-09T08:00:00Z" || p.Data.Alert != "0123456789ab" || len(l) != 2 || l[0].Low != nil || *l[0].High != 0.2 ||
		!l[0].Sure || *l[0].Figure.Value != 0.4 || !strings.Contains(p.Data.Text, "“Support”") {
		t.Errorf("%s", body)
	}
	test := Alert{ID: "0123456789ab", Workspace: "default"}
	if body, err = test.Webhook(); err != nil || !strings.Contains(string(body), `"alert.test"`) || !strings.Contains(string(body), `"left":[]`) {
		t.Errorf("%s %v", body, err)
	}
}
