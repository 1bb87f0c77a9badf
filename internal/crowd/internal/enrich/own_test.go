package enrich

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"murmur/internal/crowd/internal/enrich/classify"
)

var solar = Category{Key: 7, Like: []string{
	"could you quote me for solar panels", "what would solar cost for a three bedroom house", "I want panels on my roof",
	"do you install solar batteries", "how much are solar panels with a battery", "we are thinking about going solar",
	"please send somebody to quote for solar", "is my roof good for panels", "looking for a price for photovoltaics",
	"I would like an estimate for a solar installation", "can you put panels on a garage roof", "interested in solar for our shop",
}}

func own(t testing.TB, all ...Category) *Own {
	t.Helper()
	o, err := Learn(all)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAnOwnCategoryIsToldFromTheRest(t *testing.T) {
	t.Parallel()
	o := own(t, solar)
	for _, text := range []string{"Hi, do you quote for solar panels?", "Agent: good morning\nCustomer: I want solar panels on the roof of my house"} {
		if got := o.Of(text); got != solar.Key {
			t.Errorf("%q: %d", text, got)
		}
	}
	for _, text := range []string{"", "[PERSON]", "what time do you close", "how much is a haircut", "Agent: do you want solar panels on your roof?\nCustomer: no thanks"} {
		if got := o.Of(text); got != 0 {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestCounterExamplesAreBelieved(t *testing.T) {
	t.Parallel()
	text := "my solar panels are broken"
	c := solar
	c.Unlike = []string{text, "the panels you put up are broken", "one of my solar panels does not work", "the inverter of my solar panels is broken"}
	if got := own(t, c).Of(text); got != 0 {
		t.Errorf("%d", got)
	}
}

func TestTheSameSentencesTellTheSame(t *testing.T) {
	t.Parallel()
	a, _ := own(t, solar).model.AppendBinary(nil)
	b, _ := own(t, solar).model.AppendBinary(nil)
	if !slices.Equal(a, b) {
		t.Error("the same sentences gave two models")
	}
}

func TestATrialCountsEverySentenceOnce(t *testing.T) {
	t.Parallel()
	trials, err := Try([]Category{solar, {Key: 8, Like: []string{"a", "b", "c"}, Unlike: []string{"d"}}})
	if err != nil {
		t.Fatal(err)
	}
	public, _ := classify.Parse(publicReasons)
	if got := trials[solar.Key]; got.Like != len(solar.Like) || got.Unlike != 4 || got.Reasons != len(public) || got.Found == 0 {
		t.Errorf("%+v", got)
	}
}

// Worked by hand: 8 of 10 are found; of 32 counter-examples one is mistaken, which with the strangers' 1.2 of 69.2 makes 2.2 of
// 101.2. Of 12 told in 100, .8 (.12 - .0217) / (.12 (.8 - .0217)) are right.
func TestPrecisionIsTheAdjustedCount(t *testing.T) {
	t.Parallel()
	told := Range{.1, .12, .14}
	p, ok := Trial{Found: 8, Like: 10, Wrong: 1, Unlike: 32}.Precision(told)
	if !ok || p.Value < .841 || p.Value > .843 || p.Low >= p.Value || p.High <= p.Value || p.High > 1 || p.Low < 0 {
		t.Errorf("%v %+v", ok, p)
	}
	if more, _ := (Trial{Found: 80, Like: 100, Wrong: 10, Unlike: 600}).Precision(told); more.High-more.Low >= p.High-p.Low {
		t.Errorf("ten times as much tells no more: %+v, %+v", p, more)
	}
	if booking, _ := (Trial{Found: 8, Like: 10, Public: 100, Reasons: 600}).Precision(told); booking.High > .1 {
		t.Errorf("what takes a sixth of the public reasons: %+v", booking)
	}
	if p, ok := (Trial{Found: 8, Like: 10}).Precision(Range{.001, .002, .003}); !ok || p.Value != 0 || p.Low != 0 {
		t.Errorf("fewer told than mistakes: %v %+v", ok, p)
	}
	if _, ok := (Trial{}).Precision(told); ok {
		t.Error("a trial of nothing tells something")
	}
}

// TestOwnCategories makes a category of each frequent intent of public conversations, from 20 sentences, and reads the rest of its
// domain as the texts of a business. ownSure and strangers were chosen on three domains; held to floors are the other three.
// MURMUR_EVAL=1 reads all six: make eval-language.
func TestOwnCategories(t *testing.T) {
	t.Parallel()
	domains := map[string][]classify.Example{}
	for _, e := range sharedSet(t, "multidogo") {
		domains[e.Domain] = append(domains[e.Domain], classify.Example{Text: e.Text, Label: e.Label})
	}
	left, chosen := []string{"airline", "media", "insurance"}, []string{"fastfood", "software", "finance"}
	if os.Getenv("MURMUR_EVAL") == "" {
		left, chosen = left[:2], nil
	}
	for _, domain := range chosen {
		t.Logf("chosen on: %s: %v", domain, business(t, domains[domain]))
	}
	var all outcome
	for _, domain := range left {
		o := business(t, domains[domain])
		t.Logf("left out:  %s: %v", domain, o)
		all = all.plus(o)
	}
	t.Logf("left out, together: %v", all)
	if all.precision() < 0.5 || all.recall() < 0.5 || 4*all.held < 3*all.categories {
		t.Error("categories are told worse than they were")
	}
}

// outcome is what became of categories: texts told to be one, rightly, texts that are one, and how often the interval of the
// precision held it.
type outcome struct{ categories, right, told, there, held int }

func (o outcome) precision() float64 { return ratio(o.right, o.told) }
func (o outcome) recall() float64    { return ratio(o.right, o.there) }

func (o outcome) plus(p outcome) outcome {
	return outcome{o.categories + p.categories, o.right + p.right, o.told + p.told, o.there + p.there, o.held + p.held}
}

func (o outcome) String() string {
	return fmt.Sprintf("%d categories, of %d texts told %.0f %% are right, of %d that are one %.0f %% are told; the interval of the precision holds for %d",
		o.categories, o.told, 100*o.precision(), o.there, 100*o.recall(), o.held)
}

func ratio(a, b int) float64 { return float64(a) / float64(max(b, 1)) }

// shots is how many sentences a category is made of.
const shots = 20

// business tries a category out for each intent that has three times as many texts.
func business(t *testing.T, texts []classify.Example) (all outcome) {
	t.Helper()
	of := map[string][]classify.Example{}
	for _, e := range texts {
		of[e.Label] = append(of[e.Label], e)
	}
	for _, label := range slices.Sorted(maps.Keys(of)) {
		if len(of[label]) >= 3*shots && label != "contentonly" && label != "outofdomain" {
			all = all.plus(tried(t, label, of[label], texts))
		}
	}
	return all
}

func tried(t *testing.T, label string, its, texts []classify.Example) (o outcome) {
	t.Helper()
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(its), func(i, j int) { its[i], its[j] = its[j], its[i] })
	c := Category{Key: 1}
	for _, e := range its[:shots] {
		c.Like = append(c.Like, e.Text)
	}
	o.categories = 1
	model, n := own(t, c), 0
	for _, e := range texts {
		if e.Label == label && slices.Contains(c.Like, e.Text) {
			continue // it was learned from this
		}
		n++
		is, told := e.Label == label, model.Of(e.Text) == c.Key
		if is {
			o.there++
		}
		if told {
			o.told++
		}
		if is && told {
			o.right++
		}
	}
	trials, err := Try([]Category{c})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := trials[c.Key].Precision(wilson(o.told, n))
	if !ok || p.Low <= o.precision() && o.precision() <= p.High {
		o.held = 1
	}
	return o
}

type sharedExample struct{ ID, Text, Label, Domain string }

// sharedSet reads a public set in the data folder beside the repository.
func sharedSet(t testing.TB, set string) (all []sharedExample) {
	t.Helper()
	f, err := os.Open(filepath.Join(cmp.Or(os.Getenv("MURMUR_DATA_SETS"), filepath.Join("..", "..", "..", "..", "..", "shared", "data")), "nlp", set+".jsonl"))
	if err != nil {
		t.Skipf("SKIPPED: ../shared/data/nlp/%s.jsonl is absent: own categories are NOT tested on public texts", set)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e sharedExample
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
