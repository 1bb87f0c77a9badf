package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"murmur/internal/private/internal/source/strictjson"
	"murmur/internal/private/internal/source/survey"
)

// Map says where in a body the parts of an answer stand. Parts are paths: names with dots between them, a number for a
// place in a list (data.answers.0.value). Only id, at, and one of score and comment must be there.
type Map struct {
	Signature Signature `yaml:"signature" json:"signature"`
	Only      Only      `yaml:"only,omitempty" json:"only,omitzero"`

	ID      string `yaml:"id" json:"id"`
	At      string `yaml:"at" json:"at"`
	Updated string `yaml:"updated,omitempty" json:"updated,omitempty"` // orders revisions of one id
	Asked   string `yaml:"asked,omitempty" json:"asked,omitempty"`
	Survey  string `yaml:"survey,omitempty" json:"survey,omitempty"`
	Score   string `yaml:"score,omitempty" json:"score,omitempty"`
	Comment string `yaml:"comment,omitempty" json:"comment,omitempty"`
	Phone   string `yaml:"phone,omitempty" json:"phone,omitempty"`
	Email   string `yaml:"email,omitempty" json:"email,omitempty"`
	Contact string `yaml:"contact,omitempty" json:"contact,omitempty"` // another id of the respondent
	Name    string `yaml:"name,omitempty" json:"name,omitempty"`
	Link    string `yaml:"link,omitempty" json:"link,omitempty"` // the call's or text's own id

	// Scale is nps, csat, ces, stars or thumb; Min and Max are its ends where they are not the usual ones. Words are scores
	// that are words, in lower case: {good: 1, bad: 0}.
	Scale  string             `yaml:"scale,omitempty" json:"scale,omitempty"`
	Min    float64            `yaml:"min,omitempty" json:"min,omitempty"`
	Max    float64            `yaml:"max,omitempty" json:"max,omitempty"`
	Words  map[string]float64 `yaml:"words,omitempty" json:"words,omitempty"`
	Medium string             `yaml:"medium,omitempty" json:"medium,omitempty"` // call, text, email, web
}

// Signature is how a body is signed: standard-webhooks; hmac-hex or hmac-b64 (HMAC-SHA256 over the body, in a header,
// behind a prefix); token (the secret itself in a header); body-token (the secret itself in a field).
type Signature struct {
	Kind   string `yaml:"kind" json:"kind"`
	Header string `yaml:"header,omitempty" json:"header,omitempty"`
	Prefix string `yaml:"prefix,omitempty" json:"prefix,omitempty"`
	Field  string `yaml:"field,omitempty" json:"field,omitempty"`
}

// Only reads bodies whose field is so; others are ignored. For tools that send other events to the same address.
type Only struct {
	Field string `yaml:"field" json:"field"`
	Is    string `yaml:"is" json:"is"`
}

// ErrMap is returned for a mapping that cannot be used; it names the key.
var ErrMap = errors.New("the mapping cannot be used")

// Read reads a mapping: YAML, of which JSON is a part. Unknown keys are refused: they would be spelling mistakes.
func Read(text []byte) (Map, error) {
	var m Map
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil {
		return Map{}, fmt.Errorf("%w: a key is not known, or it is no YAML", ErrMap)
	}
	if key := m.fault(); key != "" {
		return Map{}, fmt.Errorf("%w: look at %s", ErrMap, key)
	}
	words := map[string]float64{}
	for w, v := range m.Words {
		words[strings.ToLower(w)] = v
	}
	m.Words = words
	return m, nil
}

// fault names the first key that cannot be; empty when all can.
func (m Map) fault() string {
	_, known := survey.Named(m.Scale)
	_, medium := survey.Media[m.Medium]
	switch g := m.Signature; {
	case (g.Kind == "hmac-hex" || g.Kind == "hmac-b64" || g.Kind == "token") == (g.Header == ""):
		return "signature.header"
	case (g.Kind == "body-token") == (g.Field == ""):
		return "signature.field"
	case g.Kind != "standard-webhooks" && g.Header == "" && g.Field == "":
		return "signature.kind"
	case m.ID == "":
		return "id"
	case m.At == "":
		return "at"
	case m.Score == "" && m.Comment == "":
		return "score"
	case m.Score != "" && !known:
		return "scale"
	case (m.Min != 0 || m.Max != 0) && m.Max <= m.Min:
		return "max"
	case m.Medium != "" && !medium:
		return "medium"
	case (m.Only.Field == "") != (m.Only.Is == ""):
		return "only"
	}
	return ""
}

// carried reads a map as it travels with a delivery. It was held to Read's rules when it was given.
func carried(v strictjson.Value) (m Map, ok bool) {
	only, words := v.Object("only"), v.Object("words")
	m = Map{
		Only: Only{only.Text("field"), only.Text("is")},
		ID:   v.Text("id"), At: v.Text("at"), Updated: v.Text("updated"), Asked: v.Text("asked"), Survey: v.Text("survey"),
		Score: v.Text("score"), Comment: v.Text("comment"), Phone: v.Text("phone"), Email: v.Text("email"), Contact: v.Text("contact"),
		Name: v.Text("name"), Link: v.Text("link"), Scale: v.Text("scale"), Medium: v.Text("medium"), Words: map[string]float64{},
	}
	m.Min, _ = v.Number("min")
	m.Max, _ = v.Number("max")
	for _, w := range words.Names() {
		if score, ok := words.Get(w).AsNumber(); ok {
			m.Words[w] = score
		}
	}
	return m, v.Exists() && m.ID != "" && m.At != ""
}
