package listen

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/audiotest"
	"murmur/internal/redact"
)

// labelledText is one line of the shared texts.
type labelledText struct {
	Text  string
	Spans []struct {
		Start, End int
		Type       string
		Opt        bool
	}
}

// texts are the lines of a file of the shared texts, every nth.
func texts(t *testing.T, name string, nth int) (out []labelledText) {
	t.Helper()
	f, err := os.Open(audiotest.Shared(t, "pii", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for i := 0; lines.Scan(); i++ {
		if i%nth != 0 {
			continue
		}
		var doc labelledText
		if err := json.Unmarshal(lines.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		out = append(out, doc)
	}
	return out
}

// calls are labelled conversations, each with ordinary talk before it so that a tenth of what is said is personal:
// the conversations alone are half personal, which no call is.
func calls(t *testing.T) (out []*script) {
	t.Helper()
	talk := texts(t, "banking77_neg.jsonl", 1)
	for _, doc := range texts(t, "gen_calls_spoken.jsonl", 16) {
		var spans [][2]int
		for _, s := range doc.Spans {
			if !s.Opt && s.Type != "ORG" { // names of businesses may stay
				spans = append(spans, [2]int{s.Start, s.End})
			}
		}
		call := labelled(doc.Text, spans)
		personal, _ := call.truth()
		whole := &script{}
		for leg := 0; audio.Total(personal)*10 > whole.length+call.length; leg = 1 - leg {
			whole.say(leg, strings.NewReplacer("{", "", "}", "").Replace(talk[0].Text))
			talk = append(talk[1:], talk[0])
		}
		out = append(out, whole.then(call))
	}
	return out
}

// TestPersonalSoundIsMasked measures what stands in docs/models/voice.md: how much of the time in which something
// personal is said is masked, and how much of the rest. Days ("today") are masked by policy and not called wrong.
func TestPersonalSoundIsMasked(t *testing.T) {
	t.Parallel()
	scripts := calls(t)
	for _, test := range []struct {
		fault         string
		masked, wrong float64
	}{{"none", 0.999, 0.05}, {"errors", 0.98, 0.12}} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			r := redactor(t, nil)
			var personal, masked, other, wrong time.Duration
			for i, s := range scripts {
				words := injected(s.Words, test.fault, rand.New(rand.NewPCG(7, uint64(i))))
				res, err := r.Words(t.Context(), s.recording(), Heard{Words: words}, true)
				if err != nil {
					t.Fatal(err)
				}
				if res.Withheld != "" {
					t.Errorf("call %d is withheld: %s", i, res.Withheld)
				}
				said, rest := s.truth()
				personal += audio.Total(said)
				masked += audio.Total(audio.Common(said, intervals(res.Masks)))
				other += audio.Total(rest)
				masks := slices.DeleteFunc(res.Masks, func(m Finding) bool { return m.Why == Why(redact.Date.String()) }) // days: by policy
				wrong += audio.Total(audio.Common(rest, intervals(masks)))
			}
			share, waste := float64(masked)/float64(personal), float64(wrong)/float64(other)
			t.Logf("%d calls: of %.0f s of personal speech %.2f %% are masked, of %.0f s of other speech %.1f %%",
				len(scripts), personal.Seconds(), 100*share, other.Seconds(), 100*waste)
			if share < test.masked || waste > test.wrong {
				t.Errorf("the goals are %v and %v", test.masked, test.wrong)
			}
		})
	}
}
