// Package presidio has the request and response formats of Microsoft Presidio's analyzer and anonymizer, so that a program
// that uses Presidio can use murmur at another address.
//
// Zone: none; it handles what a caller sent and keeps nothing. Words: an *entity* is Presidio's name of a type, a *result*
// a place in the text with its entity, an *operator* what is put in its place. Source: Presidio's API description,
// https://microsoft.github.io/presidio/api-docs/api-docs.html (MIT).
//
// It promises: the names of Presidio where Presidio has one for a type, murmur's own where it has none; offsets in code
// points, end exclusive, as Presidio counts; overlapping results are settled as Presidio settles them. What it does not
// do: encryption, custom operators, ad-hoc recognizers; Anonymize refuses them.
package presidio

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// Result is one finding of the analyzer.
type Result struct {
	Entity   string  `json:"entity_type" minLength:"1" maxLength:"100"`
	Start    int     `json:"start" minimum:"0" doc:"code points"`
	End      int     `json:"end" minimum:"0" doc:"code points, exclusive"`
	Score    float64 `json:"score" minimum:"0" maximum:"1"`
	Why      *Why    `json:"analysis_explanation,omitempty" doc:"taken and not used"`
	Metadata *Origin `json:"recognition_metadata,omitempty" doc:"taken and not used"`
}

// Why and Origin are parts of a result that Presidio's own analyzer sends along.
type (
	Why struct {
		Recognizer  string   `json:"recognizer,omitempty"`
		PatternName *string  `json:"pattern_name,omitempty"`
		Pattern     *string  `json:"pattern,omitempty"`
		Original    float64  `json:"original_score,omitempty"`
		Score       float64  `json:"score,omitempty"`
		Textual     *string  `json:"textual_explanation,omitempty"`
		Improvement float64  `json:"score_context_improvement,omitempty"`
		Supportive  string   `json:"supportive_context_word,omitempty"`
		Validation  *float64 `json:"validation_result,omitempty"`
		Flags       *int     `json:"regex_flags,omitempty"`
	}
	Origin struct {
		Name string `json:"recognizer_name,omitempty"`
		ID   string `json:"recognizer_identifier,omitempty"`
	}
)

// Operator says what stands for a value: replace, redact, mask, hash or keep.
type Operator struct {
	Type     string  `json:"type" enum:"replace,redact,mask,hash,keep"`
	NewValue *string `json:"new_value,omitempty" maxLength:"1000" doc:"of replace; the entity in angle brackets if absent"`
	Char     string  `json:"masking_char,omitempty" maxLength:"1" doc:"of mask; * if absent"`
	Count    *int    `json:"chars_to_mask,omitempty" minimum:"0" doc:"of mask; all if absent"`
	FromEnd  bool    `json:"from_end,omitempty" doc:"of mask"`
	Hash     string  `json:"hash_type,omitempty" enum:"sha256,sha512,md5" doc:"of hash; sha256 if absent, md5 is refused"`
	Salt     string  `json:"salt,omitempty" maxLength:"1000" doc:"of hash: put before the value"`
}

// Anonymized is the answer of the anonymizer. Items are in the order of the text, last first.
type Anonymized struct {
	Text  string `json:"text"`
	Items []Item `json:"items" nullable:"false"`
}

// Item is one place of the anonymized text.
type Item struct {
	Start    int    `json:"start" doc:"code points of the anonymized text"`
	End      int    `json:"end"`
	Entity   string `json:"entity_type"`
	Text     string `json:"text"`
	Operator string `json:"operator"`
}

// entities are Presidio's names of murmur's types.
var entities = map[string]string{
	"PHONE": "PHONE_NUMBER", "EMAIL": "EMAIL_ADDRESS", "ADDRESS": "LOCATION", "POSTCODE": "LOCATION", "SSN": "US_SSN", "IBAN": "IBAN_CODE",
	"BANK_ACCT": "US_BANK_NUMBER", "DATE_OF_BIRTH": "DATE_TIME", "DATE": "DATE_TIME", "IP": "IP_ADDRESS",
}

// types are those of murmur's redactor, package redact; a test of package private compares them.
var types = []string{"PERSON", "PHONE", "EMAIL", "ADDRESS", "LOCATION", "POSTCODE", "CREDIT_CARD", "CARD_EXPIRY", "CVV", "SSN", "IBAN", "BANK_ACCT",
	"DATE_OF_BIRTH", "DATE", "AGE", "IP", "URL", "ID", "VEHICLE", "USERNAME", "PASSWORD", "PIN", "NUMBER"}

// Entities are the names of all that murmur finds, each once.
func Entities() (all []string) {
	for _, t := range types {
		if e := Entity(t); !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all
}

// Entity gives Presidio's name of a type of murmur, the type itself where Presidio has none.
func Entity(typ string) string { return cmp.Or(entities[typ], typ) }

// What Anonymize refuses. The errors hold nothing of a text.
var (
	ErrResult = errors.New("a result lies outside the text, or ends before it begins")
	ErrHash   = errors.New("hash_type is sha256 or sha512")
	ErrName   = errors.New("an operator is replace, redact, mask, hash or keep")
)

// Anonymize puts operators in the place of results. Without an operator for its entity or DEFAULT a value is replaced by
// its entity.
func Anonymize(text string, results []Result, operators map[string]Operator) (Anonymized, error) {
	runes := []rune(text)
	for _, r := range results {
		if r.Start < 0 || r.End > len(runes) || r.Start >= r.End {
			return Anonymized{}, ErrResult
		}
	}
	out := Anonymized{Items: []Item{}}
	var b []rune
	at := 0
	for _, r := range settle(results) {
		how, ok := operators[r.Entity]
		if !ok {
			if how, ok = operators["DEFAULT"]; !ok {
				how.Type = "replace"
			}
		}
		said, err := how.apply(string(runes[r.Start:r.End]), r.Entity)
		if err != nil {
			return Anonymized{}, err
		}
		b = append(b, runes[at:r.Start]...)
		from := len(b)
		b = append(b, []rune(said)...)
		at = r.End
		out.Items = append(out.Items, Item{from, len(b), r.Entity, said, how.Type})
	}
	out.Text = string(append(b, runes[at:]...))
	slices.Reverse(out.Items)
	return out, nil
}

// settle gives results in the order of the text, none over another: of two for the same place the surer one, of two inside
// each other the longer one, of two that overlap in part both, side by side.
func settle(results []Result) []Result {
	all := slices.Clone(results)
	slices.SortStableFunc(all, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End), cmp.Compare(b.Score, a.Score))
	})
	kept, end := all[:0], 0
	for _, r := range all {
		if r.End <= end {
			continue
		}
		r.Start = max(r.Start, end)
		kept, end = append(kept, r), r.End
	}
	return kept
}

func (o *Operator) apply(value, entity string) (string, error) {
	switch o.Type {
	case "replace":
		if o.NewValue == nil {
			return "<" + entity + ">", nil
		}
		return *o.NewValue, nil
	case "redact":
		return "", nil
	case "keep":
		return value, nil
	case "mask":
		return o.mask([]rune(value)), nil
	case "hash":
		switch o.Hash {
		case "", "sha256":
			sum := sha256.Sum256([]byte(o.Salt + value))
			return hex.EncodeToString(sum[:]), nil
		case "sha512":
			sum := sha512.Sum512([]byte(o.Salt + value))
			return hex.EncodeToString(sum[:]), nil
		}
		return "", ErrHash
	}
	return "", ErrName
}

func (o *Operator) mask(v []rune) string {
	n := len(v)
	if o.Count != nil {
		n = min(n, *o.Count)
	}
	stars := strings.Repeat(cmp.Or(o.Char, "*"), n)
	if o.FromEnd {
		return string(v[:len(v)-n]) + stars
	}
	return stars + string(v[n:])
}
