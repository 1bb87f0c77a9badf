// Command export writes what the second reader is trained on, JSON lines of train.Example:
//
//	go run ./internal/redact/tag/export -data ../shared/data -out FILE
//
// With -judge it writes the documents of these tuned hands as package trial makes them, masked by rules and models that
// have not read them: what is left in clear there is what the second reader is for.
//
// Zone: RED, reads personal text and copies it. The same data and seed give the same bytes.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"

	"murmur/internal/redact"
	acts "murmur/internal/redact/act/train"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/tag/train"
	"murmur/internal/redact/trial"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "../shared/data", "folder with pii and nlp")
	out := flag.String("out", "", "file to write")
	without := flag.String("without", "", "hands and sources to leave out, comma-separated")
	judge := flag.String("judge", "", "write documents of these tuned hands, as rules and models that have not read them mask them")
	seed := flag.Uint64("seed", 1, "other names, numbers and manners")
	all := flag.Bool("real", false, "with -judge: real calls too, those that nothing is learned from: to measure, not to learn")
	epochs := flag.Int("epochs", 3, "with -judge: of the tagger")
	flag.Parse()
	c := train.Default(os.DirFS(*data))
	c.Seed, c.Epochs, c.Exchanges = *seed, *epochs, 300
	if *without != "" {
		c.Without = strings.Split(*without, ",")
	}
	if err := run(c, *out, *judge, *all); err != nil {
		log.Fatal("export: ", err)
	}
}

func run(c train.Config, out, judge string, real bool) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if judge != "" {
		err = judged(c, w, strings.Split(judge, ","), real)
	} else {
		err = exported(c, w)
	}
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// exported writes the examples and prints what they are made from.
func exported(c train.Config, w io.Writer) error {
	inputs, err := train.Export(c, w)
	if err != nil {
		return err
	}
	to := json.NewEncoder(os.Stdout)
	for _, in := range inputs {
		if err := to.Encode(in); err != nil {
			return err
		}
	}
	return nil
}

// judged trains acts and tagger without some hands, and writes what they leave of them.
func judged(c train.Config, w io.Writer, names []string, withReal bool) error {
	var in, out []*hand.Hand
	for _, h := range hand.Tuned() {
		if slices.Contains(names, h.Name) {
			out = append(out, h)
		} else {
			in = append(in, h)
		}
	}
	if len(out) != len(names) {
		return fmt.Errorf("%d of %d hands are tuned ones", len(out), len(names))
	}
	c.Without = append(c.Without, names...)
	var err error
	if c.Acts, err = acts.Run(in, 1); err != nil {
		return err
	}
	cfg := redact.Config{Dial: redact.Strict, Acts: c.Acts}
	if cfg.Tagger, err = train.Run(c); err != nil {
		return err
	}
	d, err := redact.New(cfg)
	if err != nil {
		return err
	}
	real, err := trial.Real(c.Data)
	if err != nil {
		return err
	}
	to := json.NewEncoder(w)
	to.SetEscapeHTML(false)
	var wrong error
	err = trial.Read(d, out, real, 1, func(g *trial.Group) bool { return withReal || !g.Real() }, func(g *gold.Doc, found []redact.Span) {
		if e := to.Encode(train.Judged(g, found)); e != nil {
			wrong = e
		}
	})
	if err != nil {
		return err
	}
	return wrong
}
