// Command label writes plain texts with the spans of the second reader, as something a tagger can learn from:
//
//	go run ./internal/redact/rampart/label -models DIR [-bias 2] < TEXTS.jsonl > LABELLED.jsonl
//
// A line in is a labelled text (package gold) whose spans are left out or are another's: they are replaced. A line
// that is none ends the run. Zone: RED, reads and writes text; the labels are a model's opinion, not the truth.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"murmur/internal/redact/gold"
	"murmur/internal/redact/rampart"
)

func main() {
	models := flag.String("models", "", "the models directory, as make models fills it")
	bias := flag.Float64("bias", 2, "the recall dial, 0 to 4")
	flag.Parse()
	m, err := rampart.Load(os.DirFS(filepath.Join(*models, rampart.Name)), float32(*bias))
	if err == nil {
		err = label(m, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func label(m *rampart.Model, in io.Reader, out io.Writer) error {
	w := bufio.NewWriter(out)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for d, err := range gold.Read(in) {
		if err != nil {
			return err
		}
		d.Spans = nil
		bytes, points := 0, 0 // the same place
		for _, f := range m.Find(d.Text) {
			if f.Start < bytes {
				continue // windows may find one stretch twice
			}
			start := points + utf8.RuneCountInString(d.Text[bytes:f.Start])
			bytes, points = f.End, start+utf8.RuneCountInString(d.Text[f.Start:f.End])
			d.Spans = append(d.Spans, gold.Span{Start: start, End: points, Type: f.Type.String()})
		}
		if err := e.Encode(d); err != nil {
			return err
		}
	}
	return w.Flush()
}
