package enrich

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"

	"murmur/internal/crowd/internal/enrich/classify"
)

// publicReasons are the sentences that the public topics were trained from. To an own category they are what it is not.
//
//go:embed train/examples.txt
var publicReasons string

// Category is a reason for contact that a business named itself. Its sentences are masked.
type Category struct {
	Key    int64    // tells it from the others; positive
	Like   []string // what people say who have the reason
	Unlike []string // what may be taken for it and is not
}

// Own tells the own categories of one workspace. It is safe for use by several goroutines.
type Own struct {
	model *classify.Model
	keys  []int64 // by label of the model; 0: none of the categories
}

// ownSure is the least probability of an own category. It was chosen on public conversations of three kinds of business
// (TestOwnCategories), and is the same for every category, so that trying one out chooses nothing.
const ownSure = 0.6

var ownConfig = classify.Config{Bits: 15, Epochs: 30, Drop: 0.3, Seed: 1}

// unlike is the label of the counter-examples.
const unlike = "unlike"

// Learn trains a model of the categories, among the public reasons as what they are not. The same sentences give the same
// model.
func Learn(categories []Category) (*Own, error) {
	examples, err := ownExamples(categories)
	if err != nil {
		return nil, err
	}
	return learn(examples)
}

func ownExamples(categories []Category) ([]classify.Example, error) {
	all, err := classify.Parse(publicReasons)
	if err != nil {
		return nil, fmt.Errorf("own categories: %w", err)
	}
	for _, c := range categories {
		for _, s := range c.Like {
			all = append(all, classify.Example{Text: s, Label: strconv.FormatInt(c.Key, 10)})
		}
		for _, s := range c.Unlike {
			all = append(all, classify.Example{Text: s, Label: unlike})
		}
	}
	return all, nil
}

func learn(examples []classify.Example) (*Own, error) {
	m, err := classify.Train(examples, ownConfig)
	if err != nil {
		return nil, fmt.Errorf("own categories: %w", err)
	}
	o := &Own{model: m}
	for _, l := range m.Labels() {
		o.keys = append(o.keys, ownKey(l))
	}
	return o, nil
}

// Of gives the key of the category that a masked text is about, 0 for none.
func (o *Own) Of(text string) int64 {
	p, sum := make([]float32, len(o.keys)), make([]float32, len(o.keys))
	for sentence := range sentencesOf(contactTurns(text)) {
		o.model.Predict(sentence, p)
		if best := highest(p); o.keys[best] != 0 && p[best] >= ownSure {
			sum[best] += p[best]
		}
	}
	if best := highest(sum); sum[best] > 0 {
		return o.keys[best]
	}
	return 0
}

// Trial is how a category did on sentences that the model had not seen.
type Trial struct {
	Found, Like     int // of the sentences like it, those that were told to be it
	Wrong, Unlike   int // of the counter-examples and the sentences of other categories, those that were
	Public, Reasons int // of the sentences of the public reasons, those that were
}

// folds is how many parts sentences are tried in: each part by a model of the others.
const folds = 5

// Try tries every category out, by cross-validation.
func Try(categories []Category) (map[int64]Trial, error) {
	examples, err := ownExamples(categories)
	if err != nil {
		return nil, err
	}
	trials := map[int64]Trial{}
	for fold := range folds {
		known, asked := classify.Fold(examples, fold, folds)
		o, err := learn(known)
		if err != nil {
			return nil, err
		}
		o.try(asked, categories, trials)
	}
	return trials, nil
}

func (o *Own) try(asked []classify.Example, categories []Category, trials map[int64]Trial) {
	for _, e := range asked {
		told, is := o.Of(e.Text), ownKey(e.Label)
		for _, c := range categories {
			t, yes := trials[c.Key], 0
			if told == c.Key {
				yes = 1
			}
			switch {
			case is == c.Key:
				t.Found, t.Like = t.Found+yes, t.Like+1
			case is != 0 || e.Label == unlike:
				t.Wrong, t.Unlike = t.Wrong+yes, t.Unlike+1
			default:
				t.Public, t.Reasons = t.Public+yes, t.Reasons+1
			}
			trials[c.Key] = t
		}
	}
}

// ownKey is the key that a label stands for; 0 for the names of the public reasons.
func ownKey(label string) int64 {
	key, _ := strconv.ParseInt(label, 10, 64)
	return key
}

// Knows reports whether a sentence has words to learn from.
func Knows(sentence string) bool { return slices.ContainsFunc(contactTurns(sentence), hasWord) }
