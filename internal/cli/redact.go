package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"murmur/internal/datadir"
	"murmur/internal/private"
)

type redactCmd struct {
	Dial        string `default:"strict" enum:"balanced,strict,paranoid" help:"What counts more: balanced, strict (as the pipeline masks) or paranoid."`
	JSONL       bool   `name:"jsonl" help:"Read and write JSON lines: {\"id\",\"text\"} or {\"id\",\"turns\":[{\"side\",\"text\"}]}."`
	Explain     bool   `help:"Say why each span was masked, without the value."`
	Score       string `help:"Score a labelled sample (JSON lines with id, source, text, spans) instead." type:"existingfile" placeholder:"GOLD.jsonl"`
	Transforms  string `help:"What stands for a value instead of its type: DATE:week, DATE_OF_BIRTH:decade, AGE:band, POSTCODE:zip3, LOCATION:state, PHONE:last4, PERSON:pseudonym; several with commas." placeholder:"TYPE:HOW,.."`
	Identifiers string `help:"Numbers of your own making, each by an example: ORDER:ORD-2024-118822." placeholder:"NAME:EXAMPLE,.."`
	KeyFile     string `help:"The key of pseudonyms: a file of 16 random bytes or more." type:"existingfile" placeholder:"FILE"`
	Recognizer  string `help:"A second reader, slower, that finds more names: rampart (make models)." placeholder:"NAME"`
	Models      string `name:"models-dir" env:"MURMUR_MODELS" help:"Where its weights are; murmur-models among the user's data by default." type:"path" placeholder:"DIR"`
	audioFlags  `embed:""`
	File        string `arg:"" optional:"" help:"A text file instead of stdin, or a recording." placeholder:"FILE"`
}

func (c *redactCmd) Run(r *run) error {
	config := private.RedactConfig{Dial: c.Dial, Transforms: c.Transforms, Identifiers: c.Identifiers, Recognizer: c.Recognizer, Models: c.Models}
	if config.Models == "" {
		config.Models = datadir.Models()
	}
	if c.KeyFile != "" {
		key, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return usage{fmt.Errorf("read the key: %w", err)}
		}
		config.Key = key
	}
	if c.Score == "" && !c.JSONL && !c.Explain && private.IsRecording(c.File) {
		return c.audioFlags.run(r, config, c.File)
	}
	d, err := private.NewRedactor(config)
	if err != nil {
		return usage{err}
	}
	in, done, err := c.open(r)
	if err != nil {
		return err
	}
	defer done()
	switch {
	case c.Score != "":
		table, err := d.Score(in, r.JSON)
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
	doubts, err := d.Plain(in, r.Out)
	if err != nil {
		return err
	}
	if doubts.Withheld > 0 {
		fmt.Fprintf(r.Err, "%d texts are withheld: something was still found in them after masking\n", doubts.Withheld)
	}
	if doubts.Foreign > 0 {
		fmt.Fprintf(r.Err, "%d texts are in a language that is not known, or no text: names in them may be left\n", doubts.Foreign)
	}
	return nil
}

// open gives what is to be masked, with a bar on stderr where a file is read and both are terminals apart.
func (c *redactCmd) open(r *run) (io.Reader, func(), error) {
	name := c.File
	if c.Score != "" {
		name = c.Score
	}
	in, size := io.NopCloser(r.In), int64(0)
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, nil, usage{fmt.Errorf("open the file: %w", err)}
		}
		in = f
		if i, err := f.Stat(); err == nil && i.Mode().IsRegular() && !terminal(r.Out) {
			size = i.Size()
		}
	}
	body, stop := progress(r.Err, "masking", in, size)
	body, err := refuseAudio(body)
	done := func() { stop(); _ = in.Close() }
	if err != nil {
		done()
		return nil, nil, err
	}
	return body, done, nil
}

// refuseAudio stops before a recording is taken for text.
func refuseAudio(in io.Reader) (io.Reader, error) {
	head := make([]byte, 4)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the text: %w", err)
	}
	if string(head[:n]) == "RIFF" {
		return nil, usage{errors.New("that is a recording: give its file alone, without the flags of texts")}
	}
	return io.MultiReader(bytes.NewReader(head[:n]), in), nil
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
		fmt.Fprintf(r.Err, "%d-%d %s: %s\n", s.Start, s.End, s.Type, because(s.Why))
	}
	return nil
}

// because says a reason in words.
func because(why string) string {
	switch why {
	case "shape":
		return "its own form (shape)"
	case "checksum":
		return "its check digits hold (checksum)"
	case "cue":
		return "the words beside it say so (cue)"
	case "question":
		return "the other side asked for it (question)"
	case "list":
		return "a list of names and places has it (list)"
	case "subject":
		return "it is a known person of this conversation (subject)"
	case "memory":
		return "it was masked elsewhere in the text (memory)"
	case "length":
		return "too many digits for a quantity (length)"
	case "context":
		return "the words around it (context)"
	case "recognizer":
		return "the second reader found it (recognizer)"
	}
	return why
}
