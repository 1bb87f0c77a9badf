package classify

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Example is one labelled text.
type Example struct {
	Text  string `json:"text"`
	Label string `json:"label"`
}

// Fold divides examples for cross-validation: every folds-th, from fold on, is asked, the others are learned.
func Fold(examples []Example, fold, folds int) (learn, ask []Example) {
	for i, e := range examples {
		if i%folds == fold {
			ask = append(ask, e)
		} else {
			learn = append(learn, e)
		}
	}
	return learn, ask
}

var errUnlabelled = errors.New("classify: a text stands before the first label")

// Parse reads lines "== label" and under each the texts that have it, one a line; "#" begins a comment.
func Parse(text string) (examples []Example, err error) {
	label := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch name, isLabel := strings.CutPrefix(line, "== "); {
		case line == "" || line[0] == '#':
		case isLabel:
			label = name
		case label == "":
			return nil, errUnlabelled
		default:
			examples = append(examples, Example{Text: line, Label: label})
		}
	}
	return examples, nil
}

// Config of a training. The zero value trains with the defaults.
type Config struct {
	Bits   uint    // log2 of the buckets; default 16
	Epochs int     // passes over the examples; default 20
	Rate   float64 // of learning at the start, falling to 0 in a straight line; default 3
	Drop   float64 // part of the features left out at each step, against learning by heart; default 0.7
	Seed   uint64  // of the order of examples and the features left out
}

// ErrNoExamples is returned for a training without at least two labels.
var ErrNoExamples = errors.New("classify: fewer than two labels to tell apart")

// Train fits a softmax over hashed features by gradient descent with dropout of features (Wang & Manning,
// "Fast dropout training", ICML 2013). The same examples and configuration give the same model on the same
// processor architecture. Labels are sorted.
func Train(examples []Example, c Config) (*Model, error) {
	c = c.withDefaults()
	m := &Model{bits: c.Bits, labels: labelsOf(examples)}
	k := len(m.labels)
	if k < 2 {
		return nil, ErrNoExamples
	}
	texts, rarity := extract(examples, c.Bits)
	targets, order := make([]int, len(examples)), make([]int, len(examples))
	for i, e := range examples {
		targets[i], _ = slices.BinarySearch(m.labels, e.Label)
		order[i] = i
	}
	d := descent{k: k, weights: make([]float32, k<<c.Bits), p: make([]float32, k), random: rand.New(rand.NewPCG(c.Seed, 0))}
	steps := float64(c.Epochs * len(order))
	for epoch := range c.Epochs {
		d.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for n, i := range order {
			done := float64(epoch*len(order)+n) / steps
			d.step(d.thin(texts[i], float32(c.Drop)), targets[i], float32(c.Rate*(1-done)))
		}
	}
	m.quantise(d.weights, rarity)
	return m, nil
}

// descent is the state of a training.
type descent struct {
	k       int       // labels
	weights []float32 // by bucket, then label
	p       []float32
	kept    []Feature
	random  *rand.Rand
}

// thin leaves out a part of the features and scales the rest up by as much.
func (d *descent) thin(features []Feature, drop float32) []Feature {
	d.kept = d.kept[:0]
	for _, f := range features {
		if d.random.Float32() >= drop {
			f.Value /= 1 - drop
			d.kept = append(d.kept, f)
		}
	}
	return d.kept
}

// step moves the weights of one text's features against the gradient of its loss.
func (d *descent) step(features []Feature, target int, rate float32) {
	clear(d.p)
	for _, f := range features {
		for j, w := range d.weights[int(f.Bucket)*d.k:][:d.k] {
			d.p[j] += w * f.Value
		}
	}
	softmax(d.p)
	d.p[target]--
	for _, f := range features {
		row := d.weights[int(f.Bucket)*d.k:][:d.k]
		for j, g := range d.p {
			row[j] -= rate * g * f.Value
		}
	}
}

func (c Config) withDefaults() Config {
	if c.Bits == 0 {
		c.Bits = 16
	}
	if c.Epochs == 0 {
		c.Epochs = 20
	}
	if c.Rate == 0 {
		c.Rate = 3
	}
	if c.Drop == 0 {
		c.Drop = 0.7
	}
	return c
}

func labelsOf(examples []Example) (labels []string) {
	for _, e := range examples {
		labels = append(labels, e.Label)
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// Features gives the features of texts, weighed by how rare each is among them, in 1 << bits buckets.
func Features(texts []string, bits uint) [][]Feature {
	examples := make([]Example, len(texts))
	for i, t := range texts {
		examples[i].Text = t
	}
	all, _ := extract(examples, bits)
	return all
}

// extract gives the features of every example and the rarity of every bucket: 1 + log(n / texts it is in).
func extract(examples []Example, bits uint) ([][]Feature, []float32) {
	in := make([]int, 1<<bits)
	x := &extractor{bits: bits}
	for _, e := range examples {
		for _, f := range x.of(e.Text) {
			in[f.Bucket]++
		}
	}
	x.rarity = make([]float32, 1<<bits)
	for b, n := range in {
		x.rarity[b] = float32(raritySteps(1+math.Log(float64(len(examples)+1)/float64(n+1)))) / rarityStep
	}
	texts := make([][]Feature, len(examples))
	for i, e := range examples {
		texts[i] = slices.Clone(x.of(e.Text))
	}
	return texts, x.rarity
}
