// Command eval measures the redactor with and without the optional second reader on a seeded sample of labelled texts:
//
//	go run ./internal/redact/rampart/eval -models DIR [-dial strict] [-sample 150] GOLD.jsonl ..
//
// A line a source: character recall and precision, the share of documents that leak and what is masked in texts without
// personal data (spans, dates apart), without and with; then how much the second reader read, as a share of the text, and
// how many documents could not be verified. Zone: RED, reads personal text and prints numbers.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"murmur/internal/redact"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/rampart"
	"murmur/internal/redact/score"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	models := flag.String("models", "", "the models directory, as make models fills it")
	named := flag.String("dial", "strict", "balanced, strict or paranoid")
	bias := flag.Float64("bias", -1, "the recall dial of the second reader; below 0: the dial's own")
	sample := flag.Int("sample", 150, "documents of each source")
	flag.Parse()
	dial, ok := redact.ParseDial(*named)
	if !ok {
		return fmt.Errorf("the dial is balanced, strict or paranoid")
	}
	b := rampart.Bias(dial)
	if *bias >= 0 {
		b = float32(*bias)
	}
	model, err := rampart.Load(os.DirFS(filepath.Join(*models, rampart.Name)), b)
	if err != nil {
		return err
	}
	m := &meter{model: model}
	without, err := redact.New(redact.Config{Dial: dial})
	if err != nil {
		return err
	}
	with, err := redact.New(redact.Config{Dial: dial, Recognizer: m})
	if err != nil {
		return err
	}
	fmt.Printf("dial %s, bias %g, %d documents of each source at most\n", dial, b, *sample)
	fmt.Printf("%-24s %6s | %7s %7s %7s %7s | %7s %7s %7s %7s | %8s %8s\n", "source", "docs", "recall", "prec", "leak", "clean",
		"recall", "prec", "leak", "clean", "read", "unproven")
	var total line
	for _, file := range flag.Args() {
		docs, err := draw(file, *sample)
		if err != nil {
			return err
		}
		l := m.compare(docs, without, with)
		l.print(docs[0].Source)
		total.add(l)
	}
	total.print("all")
	return nil
}

// draw takes a sample of a gold file, always the same.
func draw(file string, n int) ([]gold.Doc, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var docs []gold.Doc
	for d, err := range gold.Read(f) {
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	if len(docs) == 0 {
		return nil, fmt.Errorf("%s holds no documents", filepath.Base(file))
	}
	r := rand.New(rand.NewPCG(4, 4))
	r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	return docs[:min(n, len(docs))], nil
}

// meter is the second reader; it counts what it reads.
type meter struct {
	model *rampart.Model
	bytes atomic.Int64
}

// Find is the model's.
func (m *meter) Find(text string) []redact.Found {
	m.bytes.Add(int64(len(text)))
	return m.model.Find(text)
}

// line is one line of the table.
type line struct {
	bytes, read   int // of the texts, and by the second reader
	unproven      int // documents that were not verified with it
	without, with score.Counts
}

func (m *meter) compare(docs []gold.Doc, without, with *redact.Detector) line {
	var l line
	before := m.bytes.Load()
	boards := [2]score.Board{}
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan gold.Doc)
	for range 2 {
		workers.Go(func() {
			for d := range next {
				turns := redact.Doc{Turns: redact.ParsePlain(d.Text)}
				a, errA := without.Redact(turns)
				b, errB := with.Redact(turns)
				mu.Lock()
				l.bytes += len(d.Text)
				if errA == nil && errB == nil {
					boards[0].Add(&d, a.Flat())
					boards[1].Add(&d, b.Flat())
					if !b.Verified() {
						l.unproven++
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, d := range docs {
		next <- d
	}
	close(next)
	workers.Wait()
	l.read = int(m.bytes.Load() - before)
	l.without, l.with = *boards[0].Sources[docs[0].Source], *boards[1].Sources[docs[0].Source]
	return l
}

func (l *line) add(o line) {
	l.bytes, l.read, l.unproven = l.bytes+o.bytes, l.read+o.read, l.unproven+o.unproven
	for _, c := range [2][2]*score.Counts{{&l.without, &o.without}, {&l.with, &o.with}} {
		c[0].Documents, c[0].Leaking = c[0].Documents+c[1].Documents, c[0].Leaking+c[1].Leaking
		c[0].CleanSpans += c[1].CleanSpans
		c[0].Personal, c[0].Masked, c[0].False = c[0].Personal+c[1].Personal, c[0].Masked+c[1].Masked, c[0].False+c[1].False
	}
}

func (l *line) print(source string) {
	a, b := l.without, l.with
	fmt.Printf("%-24s %6d | %7.3f %7.3f %7.3f %7d | %7.3f %7.3f %7.3f %7d | %8.2f %8d\n", source, a.Documents,
		a.Recall(), a.Precision(), a.Leak(), a.CleanSpans, b.Recall(), b.Precision(), b.Leak(), b.CleanSpans, float64(l.read)/float64(l.bytes), l.unproven)
}
