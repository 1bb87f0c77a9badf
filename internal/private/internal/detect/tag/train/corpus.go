package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"murmur/internal/private/internal/detect/gold"
	"murmur/internal/private/internal/detect/invent"
	"murmur/internal/private/internal/detect/tag"
)

// Source is a collection of texts that may be learned from.
type Source struct {
	Name    string
	Family  string // sources of one family are made alike: measured on one, none may be learned from
	Licence string
	file    string // in the data folder; "" is generated
	bare    bool   // without labels: plain words of it are taken as plain, all else as unknown
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
	{Name: "evi_asr", Family: "evi", Licence: "CC BY 4.0", file: "pii/evi_asr.jsonl"},
	{Name: "gen_calls_spoken", Family: "gen", Licence: "CC0", file: "pii/gen_calls_spoken.jsonl"},
	{Name: "gen_calls_written", Family: "gen", Licence: "CC0", file: "pii/gen_calls_written.jsonl"},
	{Name: "gen_sms_written", Family: "gen", Licence: "CC0", file: "pii/gen_sms_written.jsonl"},
	{Name: "clinc150", Family: "clinc150", Licence: "CC BY 3.0", file: "nlp/clinc150.jsonl", bare: true},
	{Name: "invent", Family: "invent", Licence: "this repository's"},
	{Name: "banking77", Family: "banking77", Licence: "CC BY 4.0", file: "nlp/banking77.jsonl", bare: true},
}

// load reads a source. Generated documents are hashed as JSON lines.
func (s *Source) load(c *Config) ([]gold.Doc, tag.Input, error) {
	in := tag.Input{Name: s.Name, Licence: s.Licence}
	var docs []gold.Doc
	if s.file == "" {
		h := sha256.New()
		w := json.NewEncoder(h)
		for d := range invent.Documents(c.Seed, c.Invented) {
			if err := w.Encode(d); err != nil {
				return nil, in, fmt.Errorf("train: %s: %w", s.Name, err)
			}
			docs = append(docs, d)
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
	for d, err := range gold.Read(bytes.NewReader(file)) {
		if err != nil {
			return nil, in, fmt.Errorf("train: %s: %w", s.Name, err)
		}
		docs = append(docs, d)
	}
	in.Documents = len(docs)
	return docs, in, nil
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
