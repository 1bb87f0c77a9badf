package private

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"murmur/internal/private/internal/detect"
	"murmur/internal/private/internal/detect/score"
	"murmur/internal/workspace"
)

// RedactorVersion changes whenever the redactor would mask something differently; every fact carries it.
const RedactorVersion = detect.Version

// ErrDial is returned for an unknown dial.
var ErrDial = errors.New("the dial is balanced, strict or paranoid")

func newDetector(dial string) (*detect.Detector, error) {
	return RedactConfig{Dial: dial}.detector()
}

// Span is one masked place, in code points of the text, the end exclusive. Why is a reason from a closed set.
type Span struct {
	Start, End int
	Type       string
	Score      float64
	Why        string
	Turn       int
}

// Redact masks one plain text as the pipeline would for the workspace, and keeps nothing. Lines may begin with a
// speaker's label.
func (z *Zone) Redact(ctx context.Context, ws workspace.ID, text string) (masked string, spans []Span, err error) {
	p, err := z.store.Policy(ctx, ws)
	if err != nil {
		return "", nil, err
	}
	d, err := z.masker(p)
	if err != nil {
		return "", nil, err
	}
	return (&Redactor{d}).Explain(text)
}

func spansOf(found []detect.Span) []Span {
	spans := make([]Span, len(found))
	for i, s := range found {
		spans[i] = Span{Start: s.Start, End: s.End, Type: s.Type.String(), Score: s.Score, Why: s.Why.String(), Turn: s.Turn}
	}
	return spans
}

// RedactConfig says how a Redactor masks. The zero value is the pipeline's own way.
type RedactConfig struct {
	Dial        string // balanced, strict or paranoid; "" is strict
	Transforms  string // what stands for a value instead of its type: "DATE:week,PERSON:pseudonym"; "" is the type alone
	Identifiers string // numbers of the user's own making, by examples: "ORDER:ORD-2024-118822"
	Key         []byte // makes pseudonyms; 16 bytes or more where Transforms has one
	Recognizer  string // the second reader: "rampart"; "" is none
	Models      string // the directory of its weights
}

func (c RedactConfig) detector() (*detect.Detector, error) {
	if c.Dial == "" {
		c.Dial = detect.Strict.String()
	}
	dial, ok := detect.ParseDial(c.Dial)
	if !ok {
		return nil, ErrDial
	}
	x, err := detect.ParseTransforms(c.Transforms)
	if err != nil {
		return nil, err
	}
	ids, err := detect.ParseIdentifiers(c.Identifiers)
	if err != nil {
		return nil, err
	}
	second, err := loadRecognizer(c.Recognizer, c.Models, dial)
	if err != nil {
		return nil, err
	}
	return detect.New(detect.Config{Dial: dial, Transforms: x, Identifiers: ids, Key: c.Key, Recognizer: second})
}

// Redactor masks text for the command line: it needs no data directory and keeps nothing.
type Redactor struct{ d *detect.Detector }

// NewRedactor makes a redactor. ErrDial.
func NewRedactor(c RedactConfig) (*Redactor, error) {
	d, err := c.detector()
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

// Plain masks a stream of text, order kept. A conversation (consecutive labelled lines) is written when it ends,
// any other line at once.
func (r *Redactor) Plain(in io.Reader, out io.Writer) (Doubts, error) {
	s := r.d.Stream(out)
	_, err := io.Copy(s, in)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		return Doubts{}, fmt.Errorf("redact: %w", err)
	}
	return Doubts{s.Refused, s.Foreign}, nil
}

// Explain masks a whole text and says of every span what gave it away, never the value.
func (r *Redactor) Explain(text string) (masked string, spans []Span, err error) {
	done, err := r.d.Redact(detect.Doc{Turns: detect.ParsePlain(text)})
	if err != nil {
		return "", nil, fmt.Errorf("redact: %w", err)
	}
	return done.Masked(), spansOf(done.Flat()), nil
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
