package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"murmur/internal/redact"
	"murmur/internal/redact/rampart"
)

var (
	// ErrDial is returned for an unknown dial.
	ErrDial = errors.New("the dial is balanced, strict or paranoid")
	// ErrRecognizer is returned for an unknown recognizer.
	ErrRecognizer = errors.New("the recognizer is rampart or none")
	// ErrNoModel is returned where a recognizer is asked for whose weights were not fetched, or are other ones.
	ErrNoModel = errors.New("the weights of the recognizer are missing or not those that murmur knows")
)

var hints = map[error]string{
	ErrDial:       "strict and paranoid mask more than balanced, the default",
	ErrRecognizer: "leave it out where no second reader is wanted",
	ErrNoModel:    "make models fetches and checks them (docs/models/recognizer.md); MURMUR_MODELS names another directory",
	ErrLine:       "the answer has the number of each such line; the other lines were masked",
}

// Hint says what to do about an error of this package; "" where there is nothing to say.
func Hint(err error) string {
	for e, hint := range hints {
		if errors.Is(err, e) {
			return hint
		}
	}
	return ""
}

// Config says how text is masked. The zero value is the pipeline's own way.
type Config struct {
	Dial        string // balanced, strict or paranoid; "" is strict
	Transforms  string // what stands for a value instead of its type: "DATE:week,PERSON:pseudonym"; "" is the type alone
	Identifiers string // numbers of the user's own making, by examples: "ORDER:ORD-2024-118822"
	Key         []byte // makes pseudonyms; 16 bytes or more where Transforms has one
	Recognizer  string // the second reader: "rampart"; "" is none
	Models      string // the directory of its weights
}

// Detector makes the detector that the configuration asks for. ErrDial, ErrRecognizer, ErrNoModel, and those of
// redact.ParseTransforms, redact.ParseIdentifiers and redact.New.
func (c Config) Detector() (*redact.Detector, error) {
	if c.Dial == "" {
		c.Dial = redact.Strict.String()
	}
	dial, ok := redact.ParseDial(c.Dial)
	if !ok {
		return nil, ErrDial
	}
	x, err := redact.ParseTransforms(c.Transforms)
	if err != nil {
		return nil, err
	}
	ids, err := redact.ParseIdentifiers(c.Identifiers)
	if err != nil {
		return nil, err
	}
	second, err := recognizer(c.Recognizer, c.Models, dial)
	if err != nil {
		return nil, err
	}
	return redact.New(redact.Config{Dial: dial, Transforms: x, Identifiers: ids, Key: c.Key, Recognizer: second})
}

// recognizer gives the second reader of a name from the directory of models; nil for "".
func recognizer(name, models string, dial redact.Dial) (redact.Recognizer, error) {
	switch name {
	case "":
		return nil, nil
	case rampart.Name:
	default:
		return nil, ErrRecognizer
	}
	m, err := rampart.Load(os.DirFS(filepath.Join(models, rampart.Name)), rampart.Bias(dial))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, rampart.ErrModel) {
		return nil, ErrNoModel
	}
	if err != nil {
		return nil, fmt.Errorf("load the recognizer: %w", err)
	}
	return m, nil
}
