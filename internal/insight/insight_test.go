package insight

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

var update = flag.Bool("update", false, "write golden files and docs/insights.md")

// office is Monday to Friday 09:00-17:00.
func office() (h release.Hours) {
	for d := range 5 {
		for i := 9; i < 17; i++ {
			bit := d*24 + i
			h[bit/64] |= 1 << (bit % 64)
		}
	}
	return h
}

// answered lays groups out as the answer to q.
func answered(q release.Query, groups ...release.Group) answer {
	start := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	p := release.Period{Grain: q.Grain, Name: "2026-W45", Start: start, End: start.AddDate(0, 0, 7)}
	if q.Grain == release.Block {
		p.Name, p.End = "2026-W45..2026-W48", start.AddDate(0, 0, 28)
	}
	return answer{
		ok: true, query: q, period: p, groups: groups, asOf: start.AddDate(0, 0, 9), closed: true,
		settings: release.Settings{Workspace: workspace.Default, Zone: time.UTC, OpenHours: office(), MinGroup: 5, MinContent: 10},
	}
}

func group(contacts int64, bins []int64, members ...release.Member) release.Group {
	return release.Group{Contacts: contacts, Bins: bins, Members: members}
}

func number(key int64, name string) release.Member {
	return release.Member{Dim: "number", Key: key, Name: name}
}

func hour(h int64) release.Member {
	return release.Member{Dim: "hour_of_week", Key: h, Name: strconv.FormatInt(h, 10)}
}

func menu(flow, node, choice string, key int64) []release.Member {
	return []release.Member{{Dim: "flow", Key: key, Name: flow}, {Dim: "node", Key: key, Name: node}, {Dim: "choice", Key: key, Name: choice}}
}

// histogram puts values into bins as a release does.
func histogram(edges []int64, values ...int64) []int64 {
	bins := make([]int64, len(edges))
	for _, v := range values {
		i, found := slices.BinarySearch(edges, v)
		if !found {
			i--
		}
		bins[i]++
	}
	return bins
}

// examples has one answer set for each insight of the catalogue: shown, merged, small and absent groups.
func examples(in Insight) []answer {
	q := in.Needs
	if make, ok := exampleOf[in.Slug]; ok {
		return make(q)
	}
	small := release.Group{Hidden: release.SmallGroup}
	topic := func(t fact.Topic) release.Member {
		return release.Member{Dim: "topic", Key: int64(t), Name: t.String()}
	}
	switch in.Slug {
	case "missed-call-rate":
		return []answer{
			answered(q[0], group(42, []int64{82, 18})),
			answered(q[1], group(30, []int64{70, 5}, number(1, "PNmain")), group(12, []int64{12, 13}, number(2, "PNlate"), number(3, "PNsales"))),
		}
	case "missed-call-reasons":
		return []answer{answered(q[0],
			group(9, []int64{12}, release.Member{Dim: "reason", Key: int64(fact.OutOfHours), Name: "out_of_hours"}),
			group(6, []int64{6}, release.Member{Dim: "reason", Key: int64(fact.MembersDidNotAnswer), Name: "members_did_not_answer"}))}
	case "missed-not-returned":
		return []answer{answered(q[0], group(20, []int64{9, 11})), answered(q[1], small)}
	case "busy-hours":
		return []answer{answered(q[0], group(8, []int64{1, 10}, hour(12), hour(13)), group(60, []int64{88, 4}, hour(9), hour(10)))}
	case "time-to-respond":
		return []answer{
			answered(q[0], group(30, histogram(q[0].Value.Bins, 3, 5, 5, 8, 9, 9, 12, 14, 20, 41))),
			answered(q[1], small),
		}
	case "after-hours-demand":
		return []answer{answered(q[0], group(40, []int64{60, 11}, hour(9), hour(10)), group(12, []int64{2, 20}, hour(20), hour(21)), group(9, []int64{4, 5}, hour(16), hour(17)))}
	case "voicemail-outcome":
		return []answer{answered(q[0], group(14, []int64{12, 9}))}
	case "ring-timeout":
		return []answer{answered(q[0], group(14, histogram(q[0].Value.Bins, 4, 22, 25, 25, 26, 27, 28, 30, 31)))}
	case "talk-balance":
		return []answer{
			answered(q[0], group(30, histogram(q[0].Value.Bins, 35, 40, 41, 44, 45, 48, 50, 52, 55, 60, 75))),
			answered(q[1], group(12, histogram(q[1].Value.Bins, 0, 4, 8, 11, 12, 15, 18, 25, 40))), answered(q[2], small),
		}
	case "menu-trouble":
		return []answer{answered(q[0],
			group(20, []int64{41}, menu("main", "welcome", "1", 1)...), group(9, []int64{18}, menu("main", "welcome", "none", 2)...),
			group(6, []int64{8}, append(menu("main", "billing", "1", 3), menu("main", "billing", "none", 4)...)...), small)}
	case "contact-reasons":
		return []answer{answered(q[0], group(31, []int64{44}, topic(fact.TopicBooking)),
			group(12, []int64{16}, topic(fact.TopicPrice), topic(fact.TopicOrderStatus)), group(20, []int64{20}, topic(fact.TopicOther)))}
	case "sentiment":
		return []answer{answered(q[0],
			group(31, histogram(q[0].Value.Bins, 20, 40, 40, 0, -10, 60, 55, 45, 0, 5), topic(fact.TopicThanks)),
			group(11, histogram(q[0].Value.Bins, -40, -60, -55, -5), topic(fact.TopicComplaint)))}
	case "menu-funnel":
		return []answer{answered(q[0], group(20, []int64{41}, menu("main", "welcome", "1", 1)...), group(9, []int64{18}, menu("main", "welcome", "none", 2)...))}
	case "recording-consent":
		return []answer{answered(q[0], group(50, []int64{72})), answered(q[1], group(7, []int64{7})), answered(q[2], release.Group{Hidden: release.NoData, Bins: []int64{0}})}
	case "satisfaction":
		return []answer{
			answered(q[0], group(14, []int64{1, 0, 0, 0, 0, 1, 1, 2, 2, 4, 3})),
			answered(q[1], small),
			answered(q[2], group(6, []int64{0, 0, 1, 2, 3})),
			answered(q[3]),
		}
	}
	return nil
}

// exampleOf is how the test of an insight in a file of its own adds its example: an answer for each of its queries.
var exampleOf = map[string]func([]release.Query) []answer{}

// beforeOf has the answers of earlier weeks where an insight looks at them.
var beforeOf = map[string][][]answer{}

// example says what an insight publishes of these answers, with the sums on paper beside it.
func example(slug string, answers func([]release.Query) []answer) bool {
	exampleOf[slug] = answers
	return true
}

func TestFiguresAreAsPublished(t *testing.T) {
	t.Parallel()
	for _, in := range All() {
		t.Run(in.Slug, func(t *testing.T) {
			t.Parallel()
			a := examples(in)
			if len(a) != len(in.Needs) {
				t.Fatalf("%d examples for %d queries", len(a), len(in.Needs))
			}
			fs := in.figures(a, beforeOf[in.Slug]...)
			var got bytes.Buffer
			if err := Encode(&got, fs); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", in.Slug+".jsonl"), got.Bytes())
		})
	}
}

// What is counted over four weeks as well says the same of the same counts, with noise around it.
func TestFiguresOfFourWeeksAreAsPublished(t *testing.T) {
	t.Parallel()
	for _, in := range All() {
		if len(in.Blocks) == 0 {
			continue
		}
		var a []answer
		for i, weekly := range examples(in) {
			for _, q := range in.Blocks {
				if over := answered(q, weekly.groups...); q.Name == blocks(in.Needs[i])[0].Name {
					over.settings.Noise, over.variance = 2, func(release.Group) float64 { return laplace }
					a = append(a, over)
				}
			}
		}
		var got bytes.Buffer
		if err := Encode(&got, in.figures(a)); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", in.Slug+"-block.jsonl"), got.Bytes())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update if this is meant):\n%s", name, got)
	}
}

func TestEncodingDoesNotDependOnTheOrderOfFigures(t *testing.T) {
	t.Parallel()
	var fs []Figure
	for _, in := range All() {
		fs = append(fs, in.figures(examples(in))...)
	}
	var want, got bytes.Buffer
	if err := Encode(&want, fs); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(fs), func(i, j int) { fs[i], fs[j] = fs[j], fs[i] })
	if err := Encode(&got, fs); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Error("shuffled figures encode to other bytes")
	}
	for line := range bytes.Lines(want.Bytes()) {
		var f Figure
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatalf("a line is not a figure: %v", err)
		}
	}
}

// randomAnswers makes random groups for every query of in, hidden ones among them.
func randomAnswers(r *rand.Rand, in Insight) []answer {
	noisy := r.IntN(2) == 0
	answers := make([]answer, len(in.Needs))
	for i, q := range in.Needs {
		var groups []release.Group
		for key := int64(0); key < r.Int64N(6); key++ {
			g := release.Group{Members: []release.Member{{Dim: "dim", Key: key, Name: string(rune('a' + key))}}}
			switch r.IntN(5) {
			case 0:
				g.Hidden = release.SmallGroup
			case 1:
				g.Hidden = release.NoData
			default:
				g.Contacts = 5 + r.Int64N(300)
				g.Bins = make([]int64, max(1, len(q.Value.Bins)))
				for range r.IntN(400) {
					g.Bins[r.IntN(len(g.Bins))]++
				}
			}
			groups = append(groups, g)
		}
		answers[i] = answered(q, groups...)
		if noisy {
			answers[i].variance = func(release.Group) float64 { return laplace }
		}
	}
	return answers
}

func TestEveryFigureIsInsideItsIntervalOrHasNoNumbers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		for _, in := range All() {
			for _, f := range in.figures(randomAnswers(r, in)) {
				if f.Unit == "" || f.Definition != in.Slug+"/1" || f.Tier != "guarded" {
					t.Fatalf("%s %s lacks its unit, definition or tier", f.Insight, f.Measure)
				}
				if f.Hidden != "" {
					if f.Value != nil || f.Low != nil || f.High != nil || f.Base != 0 || f.Contacts != "" {
						t.Fatalf("%s %s is hidden (%s) and shows numbers", f.Insight, f.Measure, f.Hidden)
					}
					continue
				}
				if f.Value == nil || f.Low == nil || f.High == nil {
					t.Fatalf("%s %s is shown without value or interval", f.Insight, f.Measure)
				}
				if !(*f.Low <= *f.Value && *f.Value <= *f.High) {
					t.Fatalf("%s %s: %v is not within %v..%v", f.Insight, f.Measure, *f.Value, *f.Low, *f.High)
				}
				if f.Unit == "ratio" && (*f.Low < 0 || *f.High > 1) {
					t.Fatalf("%s %s: a ratio outside 0..1", f.Insight, f.Measure)
				}
			}
		}
	}
}

func TestSharesSumToOne(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		for _, slug := range []string{"missed-call-reasons", "contact-reasons"} {
			in, ok := Find(slug)
			if !ok {
				t.Fatalf("no insight %s", slug)
			}
			sum, shown := 0.0, false
			for _, f := range in.figures(randomAnswers(r, in)) {
				if f.Value != nil {
					sum, shown = sum+*f.Value, true
				}
			}
			if shown && math.Abs(sum-1) > 1e-5 {
				t.Fatalf("%s: shares sum to %v", slug, sum)
			}
		}
	}
}

func TestQueriesOfOneNameAreTheSameAndBinsRise(t *testing.T) {
	t.Parallel()
	seen := map[string]release.Query{}
	for _, in := range All() {
		if len(in.story.lines) == 0 || in.Title == "" || in.Question == "" || in.Caveat == "" {
			t.Errorf("%s has no headline, name, question or caveat", in.Slug)
		}
		for _, m := range in.Measures {
			if m.Title == "" || m.Interval == "" {
				t.Errorf("%s %s has no display name or interval", in.Slug, m.Name)
			}
		}
		for _, q := range in.Needs {
			if old, ok := seen[q.Name]; ok && !reflect.DeepEqual(old, q) {
				t.Errorf("two queries are called %s", q.Name)
			}
			seen[q.Name] = q
			if !slices.IsSorted(q.Value.Bins) || len(slices.Compact(slices.Clone(q.Value.Bins))) != len(q.Value.Bins) {
				t.Errorf("query %s: bins do not rise", q.Name)
			}
			if q.Grain == 0 || len(q.Kinds) == 0 || q.Value.Derived != release.Nothing && len(q.Value.Bins) == 0 {
				t.Errorf("query %s is incomplete", q.Name)
			}
		}
	}
}

// The slugs that scripts and tests rely on.
func TestTheCatalogueIsWhole(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`missed-call-rate missed-call-reasons missed-not-returned busy-hours time-to-respond callback-speed
		after-hours-demand repeat-contact medium-switch voicemail-outcome talk-balance contact-reasons rising-topics sentiment
		repeated-replies auto-reply-effect menu-funnel menu-trouble dead-rules ring-timeout ai-containment recording-consent
		satisfaction score-drivers peers`)
	var got []string
	for _, in := range All() {
		got = append(got, in.Slug)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d insights: %v", len(got), got)
	}
}

func TestFinishWithoutTablesSaysNothing(t *testing.T) {
	t.Parallel()
	for _, in := range All() {
		if fs := in.Of(nil); len(fs) != 0 {
			t.Errorf("%s: %d figures from no set", in.Slug, len(fs))
		}
		if fs := in.figures(make([]answer, len(in.Needs))); len(fs) != 0 {
			t.Errorf("%s: %d figures from no table", in.Slug, len(fs))
		}
	}
}
