// Command train makes the model of contact reasons from the sentences beside it:
//
//	go generate ./internal/crowd/internal/enrich
//
// It prints the accuracy of a five-fold cross-validation first. The model is committed, so that a build needs no
// training; the examples are texts of our own, so that the model can remember no one.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"murmur/internal/crowd/internal/enrich/classify"
)

var (
	//go:embed examples.txt
	examplesText string
	//go:embed patterns.txt
	patternsText string
)

// reject is the label of what belongs to no topic.
const reject = "other"

// sure is the probability below which a text is rejected; the same as in package enrich.
const sure = 0.3

var config = classify.Config{Bits: 16, Epochs: 10, Drop: 0.6, Seed: 1}

// fillings is how many texts are made of a pattern that has slots.
const fillings = 8

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("train", flag.ContinueOnError)
	out := flags.String("o", "topics.mcl", "the file to write the model to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	examples, err := classify.Parse(examplesText)
	if err != nil {
		return err
	}
	patterns, err := expand(patternsText)
	if err != nil {
		return err
	}
	right, err := crossValidate(examples, patterns, 5)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d examples and %d texts from patterns, five-fold accuracy %.3f\n", len(examples), len(patterns), float64(right)/float64(len(examples)))
	m, err := classify.Train(dress(append(patterns, examples...)), config)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	b, err := m.AppendBinary(nil)
	if err != nil {
		return fmt.Errorf("encode model: %w", err)
	}
	return os.WriteFile(*out, b, 0o644)
}

// expand fills the slots of the patterns, each from its "## slot" list of alternatives between bars.
func expand(text string) ([]classify.Example, error) {
	text, lists, _ := strings.Cut(text, "\n## ")
	slots := map[string][]string{}
	for list := range strings.SplitSeq(lists, "\n## ") {
		name, values, _ := strings.Cut(list, "\n")
		slots[name] = strings.Split(strings.TrimSpace(values), " | ")
	}
	patterns, err := classify.Parse(text)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(1, 1))
	var filled []classify.Example
	for _, p := range patterns {
		n := fillings
		if !strings.Contains(p.Text, "{") {
			n = 2
		}
		for range n {
			text, err := fill(p.Text, slots, random)
			if err != nil {
				return nil, err
			}
			filled = append(filled, classify.Example{Text: text, Label: p.Label})
		}
	}
	return filled, nil
}

var errSlot = errors.New("patterns: a slot has no list")

func fill(pattern string, slots map[string][]string, random *rand.Rand) (string, error) {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(pattern, "{")
		b.WriteString(plain)
		if !found {
			return b.String(), nil
		}
		name, after, _ := strings.Cut(rest, "}")
		values := slots[name]
		if len(values) == 0 {
			return "", errSlot
		}
		b.WriteString(values[random.IntN(len(values))])
		pattern = after
	}
}

// dress adds each example again inside the courtesies of a call or a text, so that a greeting or a thank-you does
// not decide what the text is about.
func dress(examples []classify.Example) []classify.Example {
	before := []string{"Hi, this is [PERSON].", "Hello,", "Good morning, my name is [PERSON] and", "hey", "Hi there, quick question."}
	after := []string{"Thanks!", "Thank you.", "please let me know", "My number is [PHONE].", "thanks so much"}
	all := examples
	for i, e := range examples {
		if e.Label == reject || e.Label == "thanks" {
			continue
		}
		all = append(all,
			classify.Example{Text: before[i%len(before)] + " " + e.Text, Label: e.Label},
			classify.Example{Text: e.Text + " " + after[i%len(after)], Label: e.Label})
	}
	return all
}

// crossValidate counts the examples that are told right by a model of the patterns and the other examples.
func crossValidate(examples, patterns []classify.Example, folds int) (right int, err error) {
	for fold := range folds {
		learn, ask := classify.Fold(examples, fold, folds)
		m, err := classify.Train(dress(append(learn, patterns...)), config)
		if err != nil {
			return 0, fmt.Errorf("train fold %d: %w", fold, err)
		}
		for _, e := range ask {
			label, p := m.Best(e.Text)
			if p < sure {
				label = reject
			}
			if label == e.Label {
				right++
			}
		}
	}
	return right, nil
}
