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

// boardsOf are the boards of the hands that are left out, of the fresh ones and of the tuned ones.
type boardsOf struct{ out, fresh, tuned *score.Board }

func (b *boardsOf) all() []*score.Board { return []*score.Board{b.out, b.fresh, b.tuned} }

// handTables judges the detector that ships in the words of all kinds of hands and prints the columns side by side;
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
	all, err := judge(data, redact.Config{Dial: dial, Tagger: shipped}, every, tunedSample*every)
	if err != nil {
		return err
	}
	both, err := judge(data, redact.Config{Dial: dial, Tagger: shipped, WithoutReader: true}, every, every)
	if err != nil {
		return err
	}
	rules, err := judge(data, redact.Config{Dial: dial, RulesOnly: true}, every, every)
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
	fmt.Fprintf(w, "Dial %s. Left out %s; fresh %s; tuned on %s.", dial, names(hand.LeftOut()), names(hand.Fresh()), names(hand.Tuned()))
	if quick {
		fmt.Fprint(w, " Quick: every third document.")
	}
	fmt.Fprint(w, "\n\n", groupTable("rules, tagger and reader", all), "\n", groupTable("rules and tagger", both), "\n", groupTable("rules alone", rules), "\n", typeTable(all))
	return nil
}

// tunedSample: of so many documents of the tuned hands the reader, which is slow, reads one.
const tunedSample = 6

// judge reads the documents of all kinds of hands: of every so many one, of the tuned ones of tuned.
func judge(data fs.FS, c redact.Config, every, tuned int) (b boardsOf, err error) {
	real, err := trial.Real(data)
	if err != nil {
		return b, err
	}
	d, err := redact.New(c)
	if err != nil {
		return b, err
	}
	if b.out, err = trial.Run(d, hand.LeftOut(), real, every, nil); err != nil {
		return b, err
	}
	if b.fresh, err = trial.Run(d, hand.Fresh(), real, every, nil); err != nil {
		return b, err
	}
	b.tuned, err = trial.Run(d, hand.Tuned(), real, tuned, nil)
	return b, err
}

// goals are those of the left-out column: recall, precision, share of documents that leak.
var goals = map[string]string{
	"real calls": ".98 / .94; .20", "real calls, bare": ".97 / .93; .30", "calls, spoken": ".985 / .94; .12", "calls, bare": "", "calls, misheard": "",
	"calls, written": ".985 / .94; .10", "texts": ".985 / .95; .05", "clean turns": "",
}

// groupTable prints recall / precision and documents that leak of each group.
func groupTable(title string, b boardsOf) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | left-out hands: recall / precision | documents that leak | fresh hands: recall / precision | documents that leak | tuned hands: recall / precision | documents that leak | goal |\n|---|---|---|---|---|---|---|---|\n", title)
	for _, g := range trial.Groups {
		fmt.Fprintf(&out, "| %s |", g.Name)
		for _, of := range b.all() {
			fmt.Fprintf(&out, " %s |", cell(of, g.Name))
		}
		fmt.Fprintf(&out, " %s |\n", goals[g.Name])
	}
	return out.String()
}

// cell prints a group's two columns of one board.
func cell(b *score.Board, name string) string {
	c := b.Sources[name]
	if c == nil {
		return "- | -"
	}
	if 2*c.Clean > c.Documents { // a turn that a writer put a value into after all is left out
		return fmt.Sprintf("%d of %d have a false mask, %d a date | ", c.CleanSpans, c.Clean, c.CleanDates)
	}
	v := b.Intervals(name)
	return fmt.Sprintf("%.3f / %.3f | %.3f (%.3f-%.3f) of %d", c.Recall(), c.Precision(), c.Leak(), v.Leak.Low, v.Leak.High, c.Documents)
}

// typeTable prints recall and whole spans of each type.
func typeTable(b boardsOf) string {
	var out strings.Builder
	out.WriteString("| type | left-out hands: spans | recall | spans whole | fresh hands: spans | recall | spans whole | tuned hands: spans | recall | spans whole |\n|---|---|---|---|---|---|---|---|---|---|\n")
	var names []string
	for t, c := range b.tuned.Types {
		if c.Spans > 0 {
			names = append(names, t)
		}
	}
	slices.Sort(names)
	for _, t := range names {
		fmt.Fprintf(&out, "| %s |", t)
		for _, of := range b.all() {
			if c := of.Types[t]; c != nil && c.Spans > 0 {
				fmt.Fprintf(&out, " %d | %.3f | %.3f |", c.Spans, c.Recall(), c.Cover())
			} else {
				out.WriteString(" 0 | | |")
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}
