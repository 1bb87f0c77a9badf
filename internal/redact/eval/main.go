// Command eval measures the whole detector and prints the tables of docs/models/text.md: in the words of the hands that
// it was tuned on and of those that were left out, and on every public source with a tagger that has learned neither from
// that source nor from its relatives (leave one source out).
//
//	go run ./internal/redact/eval -data ../shared/data
//
// Zone: RED, reads personal text and prints numbers. It measures the trained part honestly and the rules less so:
// they were written while looking at these sources.
package main

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"slices"
	"strings"

	"murmur/internal/redact"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/score"
	"murmur/internal/redact/tag"
	"murmur/internal/redact/tag/train"
)

// fold is one training with families left out, and the sources that are measured with it.
type fold struct {
	name    string
	without []string
	measure []string
}

var folds = []fold{
	{"presidio", []string{"presidio"}, []string{"presidio_large", "presidio_large_spoken", "presidio_v2", "presidio_v2_spoken"}},
	{"speech", []string{"gen", "invent"}, []string{"gen_calls_spoken"}}, // no generated text at all
	{"gen", []string{"gen"}, []string{"gen_calls_written", "gen_sms_written"}},
	{"evi", []string{"evi"}, []string{"evi_asr"}},
	{"sgd", []string{"sgd"}, []string{"sgd"}},
	{"slurp", []string{"slurp"}, []string{"slurp"}},
	{"nlupp", []string{"nlupp"}, []string{"nlupp"}},
	{"restaurant8k", []string{"restaurant8k"}, []string{"restaurant8k"}},
	{"banking77", []string{"banking77"}, []string{"banking77_neg"}},
	{"social", []string{"social"}, []string{"btc", "wnut17"}},
}

// The names of the boards' sums.
const (
	pooled = "all but btc and wnut17"
	every  = "all"
)

// boards collect what is measured.
type boards struct {
	sources score.Board // with types
	pools   score.Board // pooled and every
	rules   score.Board // the rules alone, sources and pools
}

func main() {
	log.SetFlags(0)
	data := flag.String("data", "../shared/data", "folder with pii and nlp")
	only := flag.String("folds", "", "folds to run, comma-separated; all if empty")
	named := flag.String("dial", "strict", "balanced, strict or paranoid")
	quick := flag.Bool("quick", false, "one epoch and a part of the documents: a rough answer in a few minutes")
	hands := flag.Bool("hands", false, "the words of the hands alone, without the public sources")
	parts := flag.Int("unseen", 0, "only the tuned hands, in so many parts, each read by models that learned from the others")
	chosen := flag.String("of", "", "with -unseen: only these hands, comma-separated; 1 part is the models that ship")
	leaks := flag.String("leaks", "", "with -unseen: a file for every value that leaked or was masked falsely, with its line")
	flag.Parse()
	dial, ok := redact.ParseDial(*named)
	if !ok {
		log.Fatal("eval: the dial is balanced, strict or paranoid")
	}
	if *parts > 0 {
		if err := unseen(os.Stdout, os.DirFS(*data), dial, *parts, *quick, *chosen, *leaks); err != nil {
			log.Fatal("eval: ", err)
		}
		return
	}
	if *only == "" {
		if err := handTables(os.Stdout, os.DirFS(*data), dial, *quick); err != nil {
			log.Fatal("eval: ", err)
		}
	}
	if *hands {
		return
	}
	var b boards
	for _, f := range folds {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), f.name) {
			continue
		}
		if err := f.run(os.DirFS(*data), dial, *quick, &b); err != nil {
			log.Fatal("eval: ", err)
		}
		fmt.Fprintf(os.Stderr, "fold %s is measured\n", f.name)
	}
	b.print(os.Stdout, dial)
}

// run trains without the fold's families and measures its sources.
func (f *fold) run(data fs.FS, dial redact.Dial, quick bool, b *boards) error {
	c := train.Default(data)
	c.Without = f.without
	if quick {
		c.Epochs = 1
	}
	m, err := train.Run(c)
	if err != nil {
		return err
	}
	for _, name := range f.measure {
		if err := measure(data, name, dial, m, quick, b); err != nil {
			return err
		}
	}
	return nil
}

// measure reads one source with and without the tagger.
func measure(data fs.FS, name string, dial redact.Dial, m *tag.Model, quick bool, b *boards) error {
	both, err := redact.New(redact.Config{Dial: dial, Tagger: m})
	if err != nil {
		return err
	}
	rules, err := redact.New(redact.Config{Dial: dial, RulesOnly: true})
	if err != nil {
		return err
	}
	file, err := data.Open("pii/" + name + ".jsonl")
	if err != nil {
		return err
	}
	defer file.Close()
	n := 0
	for d, err := range gold.Read(file) {
		if err != nil {
			return err
		}
		if n++; quick && n%5 > 0 {
			continue
		}
		doc := redact.Doc{Turns: redact.ParsePlain(d.Text)}
		found, err := both.Redact(doc)
		if err != nil {
			return err
		}
		alone, err := rules.Redact(doc)
		if err != nil {
			return err
		}
		d.Source = name
		b.sources.Add(&d, found.Flat())
		b.rules.Add(&d, alone.Flat())
		for _, d.Source = range pools(name) {
			b.pools.Add(&d, found.Flat())
			b.rules.Add(&d, alone.Flat())
		}
	}
	return nil
}

func pools(name string) []string {
	if name == "btc" || name == "wnut17" {
		return []string{every}
	}
	return []string{pooled, every}
}

// print prints the sources, the sums and the lines of the targets.
func (b *boards) print(w io.Writer, dial redact.Dial) {
	fmt.Fprintf(w, "Dial %s. Every source is read by a tagger that was trained without it and its relatives; the rules were tuned while looking at these files.\n\n", dial)
	fmt.Fprintln(w, b.sources.Markdown())
	sums, _, _ := strings.Cut(b.pools.Markdown(), "\n\n")
	fmt.Fprintln(w, sums)
	fmt.Fprintf(w, "\nRules alone, recall / precision / documents that leak:")
	for _, name := range []string{pooled, every, "evi_asr", "gen_calls_spoken", "presidio_v2", "slurp"} {
		if c := b.rules.Sources[name]; c != nil {
			fmt.Fprintf(w, " %s %.3f / %.3f / %.3f;", name, c.Recall(), c.Precision(), c.Leak())
		}
	}
	fmt.Fprintf(w, "\n\n| target | at least | measured |\n|---|---|---|\n")
	for _, t := range []struct {
		line, source, least string
		board               *score.Board
	}{
		{"pooled, every source unseen", pooled, ".95 / .93", &b.pools},
		{"evi_asr (real telephone recogniser); calls that leak", "evi_asr", ".96; < .50", &b.sources},
		{"generated spoken calls, no generated text learned", "gen_calls_spoken", ".96 / .96", &b.sources},
		{"presidio_v2", "presidio_v2", ".94 / .95", &b.sources},
		{"slurp (lower-case commands)", "slurp", ".88 / .80", &b.sources},
	} {
		if c := t.board.Sources[t.source]; c != nil {
			fmt.Fprintf(w, "| %s | %s | %.3f / %.3f; %.3f |\n", t.line, t.least, c.Recall(), c.Precision(), c.Leak())
		}
	}
	var secrets score.Counts
	for _, t := range []string{"CREDIT_CARD", "CVV", "SSN", "BANK_ACCT", "IBAN", "PIN", "PASSWORD"} {
		if c := b.sources.Types[t]; c != nil {
			secrets.Whole, secrets.Spans = secrets.Whole+c.Whole, secrets.Spans+c.Spans
		}
	}
	fmt.Fprintf(w, "| card, CVV, SSN, account, IBAN, PIN, password: spans whole | .98 | %.3f |\n", secrets.Cover())
	fmt.Fprintf(w, "| strict F2, structured types | .85 | %.3f |\n", b.sources.Structured().F2())
	if c := b.sources.Sources["banking77_neg"]; c != nil {
		fmt.Fprintf(w, "| false masked runs in %d clean texts of banking77_neg, dates apart | < 30 | %d |\n", c.Documents, c.CleanSpans)
	}
}
