package main

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"murmur/internal/redact"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/score"
	"murmur/internal/redact/tag"
	"murmur/internal/redact/trial"
)

// pair are the boards of the tuned hands and of those that are left out.
type pair struct{ tuned, out *score.Board }

// handTables judges the detector that ships in the words of both kinds of hands and prints the two columns side by side;
// quick reads every third document. Real calls are those that the tagger has not learned from.
func handTables(w io.Writer, data fs.FS, dial redact.Dial, quick bool) error {
	shipped, err := tag.Embedded()
	if err != nil {
		return err
	}
	every := 1
	if quick {
		every = 3
	}
	both, err := judge(data, redact.Config{Dial: dial, Tagger: shipped}, every)
	if err != nil {
		return err
	}
	rules, err := judge(data, redact.Config{Dial: dial, RulesOnly: true}, every)
	if err != nil {
		return err
	}
	names := func(hands []*hand.Hand) string {
		var out []string
		for _, h := range hands {
			out = append(out, h.Name)
		}
		return strings.Join(out, ", ")
	}
	fmt.Fprintf(w, "Dial %s. Tuned on %s; left out %s.", dial, names(hand.Tuned()), names(hand.LeftOut()))
	if quick {
		fmt.Fprint(w, " Quick: every third document.")
	}
	fmt.Fprint(w, "\n\n", groupTable("rules and tagger", both), "\n", groupTable("rules alone", rules), "\n", typeTable(both))
	return nil
}

// judge reads the documents of both kinds of hands.
func judge(data fs.FS, c redact.Config, every int) (p pair, err error) {
	real, err := trial.Real(data)
	if err != nil {
		return p, err
	}
	d, err := redact.New(c)
	if err != nil {
		return p, err
	}
	if p.tuned, err = trial.Run(d, hand.Tuned(), real, every, nil); err != nil {
		return p, err
	}
	p.out, err = trial.Run(d, hand.LeftOut(), real, every, nil)
	return p, err
}

// goals are those of the left-out column: recall, precision, share of documents that leak.
var goals = map[string]string{
	"real calls": ".98 / .94; .20", "real calls, bare": ".97 / .93; .30", "calls, spoken": ".985 / .94; .12", "calls, bare": "", "calls, misheard": "",
	"calls, written": ".985 / .94; .10", "texts": ".985 / .95; .05", "clean turns": "",
}

// groupTable prints recall / precision and documents that leak of each group, left-out hands first.
func groupTable(title string, p pair) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | left-out hands: recall / precision | documents that leak | tuned hands: recall / precision | documents that leak | goal |\n|---|---|---|---|---|---|\n", title)
	cell := func(b *score.Board, name string) string {
		c := b.Sources[name]
		if c == nil {
			return "- | -"
		}
		if c.Spans == 0 {
			return fmt.Sprintf("%d of %d have a false mask, %d a date | ", c.CleanSpans, c.Documents, c.CleanDates)
		}
		v := b.Intervals(name)
		return fmt.Sprintf("%.3f / %.3f | %.3f (%.3f-%.3f) of %d", c.Recall(), c.Precision(), c.Leak(), v.Leak.Low, v.Leak.High, c.Documents)
	}
	for _, g := range trial.Groups {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", g.Name, cell(p.out, g.Name), cell(p.tuned, g.Name), goals[g.Name])
	}
	return out.String()
}

// typeTable prints recall and whole spans of each type.
func typeTable(p pair) string {
	var out strings.Builder
	out.WriteString("| type | left-out hands: spans | recall | spans whole | tuned hands: spans | recall | spans whole |\n|---|---|---|---|---|---|---|\n")
	var names []string
	for t, c := range p.out.Types {
		if c.Spans > 0 {
			names = append(names, t)
		}
	}
	slices.Sort(names)
	for _, t := range names {
		a, b := p.out.Types[t], p.tuned.Types[t]
		if b == nil {
			b = new(score.Counts)
		}
		fmt.Fprintf(&out, "| %s | %d | %.3f | %.3f | %d | %.3f | %.3f |\n", t, a.Spans, a.Recall(), a.Cover(), b.Spans, b.Recall(), b.Cover())
	}
	return out.String()
}
