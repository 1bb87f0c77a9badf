package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"murmur/internal/private"
)

type redactCmd struct {
	Dial    string `default:"balanced" enum:"balanced,strict,paranoid" help:"What counts more: balanced, strict or paranoid."`
	JSONL   bool   `name:"jsonl" help:"Read and write JSON lines: {\"id\",\"text\"} or {\"id\",\"turns\":[{\"side\",\"text\"}]}."`
	Explain bool   `help:"Say why each span was masked, without the value."`
	Score   string `help:"Score a labelled sample (JSON lines with id, source, text, spans) instead." type:"existingfile" placeholder:"GOLD.jsonl"`
	File    string `arg:"" optional:"" help:"A text file instead of stdin." placeholder:"FILE"`
}

func (c *redactCmd) Run(r *run) error {
	d, err := private.NewRedactor(c.Dial)
	if err != nil {
		return usage{err}
	}
	name := c.File
	if c.Score != "" {
		name = c.Score
	}
	in := io.NopCloser(r.In)
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return usage{fmt.Errorf("open the file: %w", err)}
		}
		in = f
	}
	defer in.Close()
	if err := refuseAudio(&in); err != nil {
		return err
	}
	switch {
	case c.Score != "":
		table, err := d.Score(in)
		if err != nil {
			return usage{err}
		}
		_, err = io.WriteString(r.Out, table)
		return err
	case c.JSONL:
		return d.Lines(in, r.Out, c.Explain)
	case r.JSON:
		return c.whole(r, d, in)
	case c.Explain:
		return c.explain(r, d, in)
	}
	return d.Plain(in, r.Out)
}

// refuseAudio stops before a recording is taken for text.
func refuseAudio(in *io.ReadCloser) error {
	head := make([]byte, 4)
	n, err := io.ReadFull(*in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read the text: %w", err)
	}
	if string(head[:n]) == "RIFF" {
		return usage{errors.New("that is a recording; this version masks text")}
	}
	rest := *in
	*in = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head[:n]), rest), rest}
	return nil
}

// whole answers a plain text as one record of --jsonl.
func (c *redactCmd) whole(r *run, d *private.Redactor, in io.Reader) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the text: %w", err)
	}
	line, err := json.Marshal(map[string]string{"id": "text", "text": string(text)})
	if err != nil {
		return err
	}
	return d.Lines(bytes.NewReader(line), r.Out, c.Explain)
}

func (c *redactCmd) explain(r *run, d *private.Redactor, in io.Reader) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the text: %w", err)
	}
	masked, spans, err := d.Explain(string(text))
	if err != nil {
		return err
	}
	fmt.Fprintln(r.Out, strings.TrimSuffix(masked, "\n"))
	for _, s := range spans {
		fmt.Fprintf(r.Err, "%d-%d %s: %s\n", s.Start, s.End, s.Type, s.Why)
	}
	return nil
}
