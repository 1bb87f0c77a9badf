// Package command is the redactor as a command: it masks a stream of text or of JSON lines, says why, and measures itself
// against a labelled sample. The verb `murmur redact` and the program murmur-redact are both it.
//
// Zone: RED. It keeps nothing: what it reads goes out masked, or not at all. It promises: the order of texts is kept;
// every JSON line gets one answer, in order; no value that was masked stands in an error.
//
// What it does not protect against: whoever gives it text has it already.
package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"murmur/internal/redact"
	"murmur/internal/redact/score"
)

// Command is a command line, for the parser kong, which is told in or_recording what else a file may be.
type Command struct {
	Dial        string `default:"strict" enum:"balanced,strict,paranoid" help:"What counts more: balanced, strict (as the pipeline masks) or paranoid."`
	JSONL       bool   `name:"jsonl" help:"Read and write JSON lines: {\"id\",\"text\"} or {\"id\",\"turns\":[{\"side\",\"text\"}]}."`
	Explain     bool   `help:"Say why each span was masked, without the value."`
	Score       string `help:"Score a labelled sample (JSON lines with id, source, text, spans) instead." type:"existingfile" placeholder:"GOLD.jsonl"`
	Transforms  string `help:"What stands for a value instead of its type: DATE:week, DATE_OF_BIRTH:decade, AGE:band, POSTCODE:zip3, LOCATION:state, PHONE:last4, PERSON:pseudonym; several with commas." placeholder:"TYPE:HOW,.."`
	Identifiers string `help:"Numbers of your own making, each by an example: ORDER:ORD-2024-118822." placeholder:"NAME:EXAMPLE,.."`
	KeyFile     string `help:"The key of pseudonyms: a file of 16 random bytes or more." type:"existingfile" placeholder:"FILE"`
	Reader      string `default:"on" enum:"on,off" help:"The second reader of context: on, or off, which is faster and leaves more names."`
	File        string `arg:"" optional:"" help:"A text file instead of stdin${or_recording}." placeholder:"FILE"`
}

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	JSON     bool // results as JSON
	// Watch may show on Err how much of a file is read; nil shows nothing.
	Watch func(in io.ReadCloser, size int64) (watched io.Reader, stop func())
}

// Usage is an error of whoever typed the command: what was asked for cannot be done.
type Usage struct{ Err error }

func (u Usage) Error() string { return u.Err.Error() }
func (u Usage) Unwrap() error { return u.Err }

// Texts reports whether the flags ask for something that only texts have.
func (c *Command) Texts() bool { return c.Score != "" || c.JSONL || c.Explain }

// Config reads what the flags say about masks. Usage.
func (c *Command) Config() (Config, error) {
	config := Config{Dial: c.Dial, Transforms: c.Transforms, Identifiers: c.Identifiers, Reader: c.Reader}
	if c.KeyFile != "" {
		key, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return Config{}, Usage{fmt.Errorf("read the key: %w", err)}
		}
		config.Key = key
	}
	return config, nil
}

// Run carries the command out. Usage; ErrLine where a JSON line was no record.
func (c *Command) Run(s Streams) error {
	config, err := c.Config()
	if err != nil {
		return err
	}
	r, err := New(config)
	if err != nil {
		return Usage{err}
	}
	in, done, err := c.open(s)
	if err != nil {
		return err
	}
	defer done()
	switch {
	case c.Score != "":
		table, err := r.Score(in, s.JSON)
		if err != nil {
			return Usage{err}
		}
		_, err = io.WriteString(s.Out, table)
		return err
	case c.JSONL:
		return r.Lines(in, s.Out, c.Explain)
	case s.JSON:
		return c.whole(s, r, in)
	case c.Explain:
		return explain(s, r, in)
	}
	doubts, err := r.Plain(in, s.Out)
	if err != nil {
		return err
	}
	if doubts.Withheld > 0 {
		fmt.Fprintf(s.Err, "%d texts are withheld: something was still found in them after masking\n", doubts.Withheld)
	}
	if doubts.Foreign > 0 {
		fmt.Fprintf(s.Err, "%d texts are in a language that is not known, or no text: names in them may be left\n", doubts.Foreign)
	}
	return nil
}

// open gives what is to be masked.
func (c *Command) open(s Streams) (io.Reader, func(), error) {
	name := c.File
	if c.Score != "" {
		name = c.Score
	}
	in, size := io.NopCloser(s.In), int64(0)
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, nil, Usage{fmt.Errorf("open the file: %w", err)}
		}
		in = f
		if i, err := f.Stat(); err == nil && i.Mode().IsRegular() {
			size = i.Size()
		}
	}
	var body io.Reader = in
	stop := func() {}
	if s.Watch != nil {
		body, stop = s.Watch(in, size)
	}
	done := func() { stop(); _ = in.Close() }
	body, err := refuseAudio(body)
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
		return nil, Usage{errors.New("that is a recording: murmur redact masks one that is given by its file alone, without the flags of texts")}
	}
	return io.MultiReader(bytes.NewReader(head[:n]), in), nil
}

// whole answers a plain text as one record of --jsonl.
func (c *Command) whole(s Streams, r *Redactor, in io.Reader) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the text: %w", err)
	}
	line, err := json.Marshal(map[string]string{"id": "text", "text": string(text)})
	if err != nil {
		return err
	}
	return r.Lines(bytes.NewReader(line), s.Out, c.Explain)
}

func explain(s Streams, r *Redactor, in io.Reader) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the text: %w", err)
	}
	done, err := r.Text(string(text))
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, strings.TrimSuffix(done.Masked(), "\n"))
	for _, span := range done.Flat() {
		fmt.Fprintf(s.Err, "%d-%d %s: %s\n", span.Start, span.End, span.Type, because(span.Why.String()))
	}
	return nil
}

// because says a reason in words.
func because(why string) string {
	said, ok := reasons[why]
	if !ok {
		return why
	}
	return said + " (" + why + ")"
}

var reasons = map[string]string{
	"shape":    "its own form",
	"checksum": "its check digits hold",
	"cue":      "the words beside it say so",
	"question": "the other side asked for it",
	"list":     "a list of names and places has it",
	"subject":  "it is a known person of this conversation",
	"memory":   "it was masked elsewhere in the text",
	"length":   "too many digits for a quantity",
	"context":  "the words around it",
	"reader":   "the second reader found it",
}

// Redactor masks text. It keeps nothing.
type Redactor struct{ d *redact.Detector }

// New makes a Redactor: see Config.Detector.
func New(c Config) (*Redactor, error) {
	d, err := c.Detector()
	if err != nil {
		return nil, err
	}
	return &Redactor{d}, nil
}

// Doubts are what a Redactor could not vouch for.
type Doubts struct {
	Withheld int // documents whose masked text still gave something: "[WITHHELD]" stands for each of their lines
	Foreign  int // documents in a language it does not know, or that are no text: numbers are masked, names may not be
}

// Plain masks a stream of text, order kept. Consecutive lines are one text, consecutive labelled lines one conversation: it is
// written when it ends, lines without a label also where the input pauses.
func (r *Redactor) Plain(in io.Reader, out io.Writer) (Doubts, error) {
	s := r.d.Stream(out)
	buf := make([]byte, 64<<10)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if _, err := s.Write(buf[:n]); err != nil {
				return Doubts{}, fmt.Errorf("redact: %w", err)
			}
		}
		if err == nil && n < len(buf) && buf[max(n, 1)-1] == '\n' {
			err = s.FlushText()
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Doubts{}, fmt.Errorf("redact: %w", err)
		}
	}
	if err := s.Close(); err != nil {
		return Doubts{}, fmt.Errorf("redact: %w", err)
	}
	return Doubts{s.Refused, s.Foreign}, nil
}

// Text masks a whole text. Lines may begin with a speaker's label. redact.ErrTooLarge.
func (r *Redactor) Text(text string) (*redact.Redaction, error) {
	done, err := r.d.Redact(redact.Doc{Turns: redact.ParsePlain(text)})
	if err != nil {
		return nil, fmt.Errorf("redact: %w", err)
	}
	return done, nil
}

// Score measures the redactor against a labelled sample (JSON lines with id, source, text and spans). It gives the
// table for people, or all measures as JSON.
func (r *Redactor) Score(gold io.Reader, asJSON bool) (string, error) {
	var b score.Board
	if err := b.Read(gold, r.d); err != nil {
		return "", fmt.Errorf("score: %w", err)
	}
	if !asJSON {
		return b.Table(), nil
	}
	out, err := json.Marshal(&b)
	return string(out) + "\n", err
}
