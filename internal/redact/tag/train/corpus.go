package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/invent"
	"murmur/internal/redact/tag"
	"murmur/internal/redact/trial"
)

// Source is a collection of texts that may be learned from.
type Source struct {
	Name    string
	Family  string // sources of one family are made alike: measured on one, none may be learned from
	Licence string
	file    string                            // in the data folder
	bare    bool                              // without labels: plain words of it are taken as plain, all else as unknown
	half    bool                              // the documents that package trial holds are left out
	made    func(*Config) ([]gold.Doc, error) // instead of a file
}

// Sources are all there are. A source that may not go into a model that ships is left out by name.
var Sources = []Source{
	{Name: "presidio_large", Family: "presidio", Licence: "MIT", file: "pii/presidio_large.jsonl"},
	{Name: "presidio_large_spoken", Family: "presidio", Licence: "MIT", file: "pii/presidio_large_spoken.jsonl"},
	{Name: "presidio_v2", Family: "presidio", Licence: "MIT", file: "pii/presidio_v2.jsonl"},
	{Name: "presidio_v2_spoken", Family: "presidio", Licence: "MIT", file: "pii/presidio_v2_spoken.jsonl"},
	{Name: "sgd", Family: "sgd", Licence: "CC BY-SA 4.0", file: "pii/sgd.jsonl"},
	{Name: "restaurant8k", Family: "restaurant8k", Licence: "CC BY 4.0", file: "pii/restaurant8k.jsonl"},
	{Name: "nlupp", Family: "nlupp", Licence: "CC BY 4.0", file: "pii/nlupp.jsonl"},
	{Name: "banking77_neg", Family: "banking77", Licence: "CC BY 4.0", file: "pii/banking77_neg.jsonl"},
	{Name: "slurp", Family: "slurp", Licence: "CC BY 4.0", file: "pii/slurp.jsonl"},
	{Name: "wnut17", Family: "social", Licence: "CC BY 4.0", file: "pii/wnut17.jsonl"},
	{Name: "btc", Family: "social", Licence: "CC BY 4.0", file: "pii/btc.jsonl"},
	{Name: "evi_asr", Family: "evi", Licence: "CC BY 4.0", file: "pii/evi_asr.jsonl", half: true},
	{Name: "gen_calls_spoken", Family: "gen", Licence: "CC0", file: "pii/gen_calls_spoken.jsonl"},
	{Name: "gen_calls_written", Family: "gen", Licence: "CC0", file: "pii/gen_calls_written.jsonl"},
	{Name: "gen_sms_written", Family: "gen", Licence: "CC0", file: "pii/gen_sms_written.jsonl"},
	{Name: "gen2_calls_spoken", Family: "gen", Licence: "CC0", file: "pii2-dev/gen_calls_spoken.jsonl"},
	{Name: "gen2_calls_written", Family: "gen", Licence: "CC0", file: "pii2-dev/gen_calls_written.jsonl"},
	{Name: "gen2_sms_written", Family: "gen", Licence: "CC0", file: "pii2-dev/gen_sms_written.jsonl"},
	{Name: "evi_asked", Family: "evi", Licence: "CC BY 4.0 and CC0", made: asked},
	{Name: "hands", Family: "hands", Licence: "CC0", made: hands},
	{Name: "clinc150", Family: "clinc150", Licence: "CC BY 3.0", file: "nlp/clinc150.jsonl", bare: true},
	{Name: "invent", Family: "invent", Licence: "this repository's", made: invented},
	{Name: "banking77", Family: "banking77", Licence: "CC BY 4.0", file: "nlp/banking77.jsonl", bare: true},
}

// load reads a source. Generated documents are hashed as JSON lines.
func (s *Source) load(c *Config) ([]gold.Doc, tag.Input, error) {
	in := tag.Input{Name: s.Name, Licence: s.Licence}
	var docs []gold.Doc
	if s.made != nil {
		docs, err := s.made(c)
		if err != nil {
			return nil, in, fmt.Errorf("train: %s: %w", s.Name, err)
		}
		h := sha256.New()
		w := json.NewEncoder(h)
		for _, d := range docs {
			if err := w.Encode(d); err != nil {
				return nil, in, fmt.Errorf("train: %s: %w", s.Name, err)
			}
		}
		in.SHA256, in.Documents = hex.EncodeToString(h.Sum(nil)), len(docs)
		return docs, in, nil
	}
	file, err := fs.ReadFile(c.Data, s.file)
	if err != nil {
		return nil, in, fmt.Errorf("train: %w", err)
	}
	sum := sha256.Sum256(file)
	in.SHA256 = hex.EncodeToString(sum[:])
	n := 0
	for d, err := range gold.Read(bytes.NewReader(file)) {
		if err != nil {
			return nil, in, fmt.Errorf("train: %s: %w", s.Name, err)
		}
		if n++; !s.half || !trial.Held(n-1) {
			docs = append(docs, d)
		}
	}
	in.Documents = len(docs)
	return docs, in, nil
}

// invented makes the documents of the generator.
func invented(c *Config) ([]gold.Doc, error) {
	return slices.Collect(invent.Documents(c.Seed, c.Invented)), nil
}

// copies is how often each template of a hand is filled, by manner.
var copies = [invent.Manners]int{invent.Spoken: 2, invent.Written: 3, invent.Bare: 3, invent.Misheard: 4, invent.Text: 10, invent.Clean: 4}

// hands makes the documents of the tuned hands that are not left out by name.
func hands(c *Config) (docs []gold.Doc, err error) {
	for _, h := range learned(c) {
		for m, n := range copies {
			docs = slices.AppendSeq(docs, h.Book.Documents(invent.Manner(m), c.Seed, n))
		}
	}
	return docs, nil
}

// asked are the real calls with the questions of the tuned hands.
func asked(c *Config) (docs []gold.Doc, err error) {
	real, err := trial.Real(c.Data)
	hs := learned(c)
	if err != nil || len(hs) == 0 {
		return nil, err
	}
	for round := range 4 {
		docs = append(docs, trial.Asked(real, hs, round)...)
	}
	return docs, nil
}

func learned(c *Config) (out []*hand.Hand) {
	for _, h := range hand.Tuned() {
		if !slices.Contains(c.Without, h.Name) {
			out = append(out, h)
		}
	}
	return out
}

// chosen are the sources of a model: those whose name and family are not left out.
func chosen(without []string) (out []Source) {
	for _, s := range Sources {
		if !slices.Contains(without, s.Name) && !slices.Contains(without, s.Family) {
			out = append(out, s)
		}
	}
	return out
}
