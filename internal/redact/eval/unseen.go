package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode"

	"murmur/internal/redact"
	acts "murmur/internal/redact/act/train"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/score"
	"murmur/internal/redact/tag/train"
	"murmur/internal/redact/trial"
)

// unseen judges every tuned hand, or those that are named, by models that learned from none of its part, so that a gap is
// found without a look at the hands that are left out. The rules were written while reading these hands. One part is judged by
// the models that ship. Values that leak go to the file leaks, if it is named: they are invented.
func unseen(w io.Writer, data fs.FS, dial redact.Dial, parts int, quick bool, only, leaks string) error {
	real, err := trial.Real(data)
	if err != nil {
		return err
	}
	every := 1
	if quick {
		every = 3
	}
	boards, texts := make([]score.Board, parts), make([]strings.Builder, parts)
	wrong := make([]error, parts)
	var wait sync.WaitGroup
	for k := range parts {
		wait.Go(func() {
			var out []*hand.Hand
			for i, h := range hand.Tuned() {
				if i%parts == k && (only == "" || slices.Contains(strings.Split(only, ","), h.Name)) {
					out = append(out, h)
				}
			}
			if len(out) == 0 {
				return
			}
			d, err := part(data, dial, k, parts, quick)
			if wrong[k] = err; err != nil {
				return
			}
			wrong[k] = trial.Read(d, out, real, every, nil, func(g *gold.Doc, found []redact.Span) {
				boards[k].Add(g, found)
				tell(&texts[k], g, found)
			})
		})
	}
	wait.Wait()
	var all score.Board
	for k := range parts {
		if wrong[k] != nil {
			return wrong[k]
		}
		all.Join(&boards[k])
	}
	fmt.Fprintf(w, "Dial %s, tuned hands, %d parts; each is read by models that learned from the others.\n\n| | recall / precision | documents that leak |\n|---|---|---|\n", dial, parts)
	for _, g := range trial.Groups {
		fmt.Fprintf(w, "| %s | %s |\n", g.Name, cell(&all, g.Name))
	}
	if leaks == "" {
		return nil
	}
	f, err := os.Create(leaks)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	for k := range texts {
		b.WriteString(texts[k].String())
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// part makes a detector for the hands of part k, whose models learned from those of the others.
func part(data fs.FS, dial redact.Dial, k, parts int, quick bool) (*redact.Detector, error) {
	c := redact.Config{Dial: dial}
	if parts == 1 {
		return redact.New(c)
	}
	var in []*hand.Hand
	t := train.Default(data)
	if quick {
		t.Epochs = 1
	}
	for i, h := range hand.Tuned() {
		if i%parts == k {
			t.Without = append(t.Without, h.Name)
		} else {
			in = append(in, h)
		}
	}
	var err error
	if c.Acts, err = acts.Run(in, 1); err != nil {
		return nil, err
	}
	t.Acts = c.Acts
	if c.Tagger, err = train.Run(t); err != nil {
		return nil, err
	}
	return redact.New(c)
}

// tell writes a line for every value of a document of which something is left, and for every mask that touches none: group,
// document, type, what is left, the line it stands in. MISSED AGAIN is a value that is masked elsewhere in the document.
func tell(w io.Writer, g *gold.Doc, found []redact.Span) {
	text := []rune(g.Text)
	masked := make([]bool, len(text))
	for _, f := range found {
		for i := f.Start; i < f.End; i++ {
			masked[i] = true
		}
	}
	around := func(start, end int) string {
		from, to := start, end
		for from > 0 && text[from-1] != '\n' {
			from--
		}
		for to < len(text) && text[to] != '\n' {
			to++
		}
		from, to = max(from, start-120), min(to, end+120)
		return string(text[from:start]) + "<<" + string(text[start:end]) + ">>" + string(text[end:to])
	}
	for _, s := range g.Spans {
		left := strings.Builder{}
		for i := s.Start; i < s.End && !s.Opt; i++ {
			if !masked[i] {
				left.WriteRune(text[i])
			}
		}
		if strings.ContainsFunc(left.String(), func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			kind := "LEFT"
			if slices.ContainsFunc(g.Spans, func(o gold.Span) bool {
				return strings.EqualFold(string(text[o.Start:o.End]), string(text[s.Start:s.End])) && !slices.Contains(masked[o.Start:o.End], false)
			}) {
				kind = "MISSED AGAIN"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%q\t%q\n", kind, g.Source, g.ID, s.Type, left.String(), around(s.Start, s.End))
		}
	}
	for _, f := range found {
		if !slices.ContainsFunc(g.Spans, func(s gold.Span) bool { return s.Start < f.End && f.Start < s.End }) {
			fmt.Fprintf(w, "FALSE\t%s\t%s\t%s %s\t%q\t%q\n", g.Source, g.ID, f.Type, f.Why, string(text[f.Start:f.End]), around(f.Start, f.End))
		}
	}
}
