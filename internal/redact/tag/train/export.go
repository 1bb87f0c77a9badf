package train

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"murmur/internal/redact"
	"murmur/internal/redact/act"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/invent"
	"murmur/internal/redact/tag"
)

// shareAlike and social are families that the second reader does not learn from: weights that ship hold nothing under a
// share-alike licence, and posts are not what it reads.
var shareAlike, social = "sgd", "social"

// An Example is one document for the second reader to learn from, one line of JSON.
type Example struct {
	Source string   `json:"source"`
	ID     string   `json:"id,omitempty"`
	Turns  []Spoken `json:"turns"`
}

// Spoken is one turn, cut where an answer or a mask begins or ends.
type Spoken struct {
	Side   redact.Side `json:"side"`
	Pieces []Stretch   `json:"pieces"`
}

// Stretch is a part of a turn: what it is, and what the detector masked it as.
type Stretch struct {
	Text string `json:"text"`
	Type string `json:"type,omitempty"` // "" is nothing personal
	Free bool   `json:"free,omitempty"` // any answer is right
	Mask string `json:"mask,omitempty"`
}

// Export writes examples of all sources that weights which ship may be learned from, each with names and plain words given way to
// others as for the tagger; another seed of c gives other names, places, numbers and manners.
func Export(c Config, w io.Writer) ([]tag.Input, error) {
	c.Without = append(slices.Clone(c.Without), shareAlike, social)
	acts, err := act.Embedded()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	to := json.NewEncoder(w)
	to.SetEscapeHTML(false)
	copier := newCopier(c.Seed, learned(&c))
	var inputs []tag.Input
	for _, s := range append(chosen(c.Without), Source{Name: "exchanges", Licence: "CC0", made: exchanges}, Source{Name: "frames", Licence: "CC0", made: framed}) {
		docs, in, err := s.load(&c)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
		for i := range docs {
			r := copier.r
			turns, pieces := copier.write(cut(&docs[i], s.bare), style{bare: r.IntN(5) < 2, rename: r.IntN(2) == 0, other: other * r.IntN(2)})
			if s.bare {
				doubt(turns, pieces, acts)
			}
			if err := to.Encode(example(s.Name, "", turns, pieces)); err != nil {
				return nil, fmt.Errorf("train: %w", err)
			}
		}
	}
	return inputs, nil
}

// doubt frees the words of a text without labels that may be personal.
func doubt(turns []redact.Turn, pieces [][]piece, acts *act.Model) {
	for n, o := range redact.Observe(turns, acts) {
		at, text := 0, turns[n].Text
		var out []piece
		for i, w := range o.Origin {
			if w[0] >= at && unsure(&o.Tokens[i]) {
				out = append(out, piece{text: text[at:w[0]]}, piece{text: text[w[0]:w[1]], free: true})
				at = w[1]
			}
		}
		pieces[n] = append(out, piece{text: text[at:]})
	}
}

func example(source, id string, turns []redact.Turn, pieces [][]piece) Example {
	e := Example{Source: source, ID: id}
	for n, t := range turns {
		u := Spoken{Side: t.Side}
		for _, p := range pieces[n] {
			if p.text != "" {
				u.Pieces = append(u.Pieces, Stretch{Text: p.text, Type: typeOf(p), Free: p.free})
			}
		}
		e.Turns = append(e.Turns, u)
	}
	return e
}

func typeOf(p piece) string {
	if p.class == tag.Plain || p.class == tag.Org {
		return ""
	}
	return p.typ
}

// Judged is a document as it is, with what a detector masked in it.
func Judged(d *gold.Doc, found []redact.Span) Example {
	t := cut(d, false)
	masks := make([]string, utf8.RuneCountInString(d.Text)+1)
	for _, f := range found {
		for i := f.Start; i < f.End; i++ {
			masks[i] = f.Type.String()
		}
	}
	e := Example{Source: d.Source, ID: d.ID}
	at := 0
	for n, turn := range t.turns {
		at += utf8.RuneCountInString(turn.Label)
		u := Spoken{Side: turn.Side}
		for _, p := range t.pieces[n] {
			var b strings.Builder
			for _, c := range p.text {
				b.WriteRune(c)
				if at++; masks[at] != masks[at-1] {
					u.Pieces = append(u.Pieces, Stretch{b.String(), typeOf(p), p.free, masks[at-1]})
					b.Reset()
				}
			}
			if b.Len() > 0 {
				u.Pieces = append(u.Pieces, Stretch{b.String(), typeOf(p), p.free, masks[at-1]})
			}
		}
		at++ // the end of the line
		e.Turns = append(e.Turns, u)
	}
	return e
}

// answered gives what may be said behind a question of each act.
var answered = map[string][]string{
	"ask-name":     {"{full}", "{full}", "{name}", "{first}", "{last}", "{mr}", "{nick}", "{first} and {first2}"},
	"ask-spelling": {"{last:spell}", "{first:spell}", "{full:spell}"},
	"ask-postcode": {"{postcode}"},
	"ask-address":  {"{address}", "{street}", "{road}", "{city}", "{street}, {city}"},
	"ask-birth":    {"{dob}", "{dob}", "{age}"},
	"ask-phone":    {"{phone}"},
	"ask-number":   {"{order}", "{policy}", "{account}", "{licence}", "{plate}", "{card}", "{passport}"},
	"ask-code":     {"{pin}", "{code}", "{password}", "{cvv}", "{expiry}"},
	"ask-email":    {"{email}", "{user}", "{url}"},
	"ask-other":    {"", "{when}", "{place}"},
}

// exchanges are short conversations put together of the phrasings of the tuned hands: a question, an answer in a carrier's words,
// and what may come before, between and behind.
func exchanges(c *Config) (docs []gold.Doc, err error) {
	r := newCopier(c.Seed, nil).r
	hs := learned(c)
	any := func(act string) string {
		h := hs[r.IntN(len(hs))]
		if act == "carrier" {
			return h.Carriers[r.IntN(len(h.Carriers))]
		}
		return h.Prompts[act][r.IntN(len(h.Prompts[act]))]
	}
	var asks []string
	for _, a := range hand.Acts {
		if answered[a] != nil {
			asks = append(asks, a)
		}
	}
	for _, h := range hs {
		var b strings.Builder
		b.WriteString("[calls]\n")
		for range c.Exchanges {
			line := func(side, s, value string) {
				s = strings.ReplaceAll(s, "{value}", "\x00")
				if strings.ContainsAny(s, "{}()|\\") {
					return // a sign of templates
				}
				b.WriteString(side + ": " + strings.ReplaceAll(s, "\x00", value) + "\n")
			}
			if r.IntN(3) == 0 {
				line([]string{"A", "C"}[r.IntN(2)], any("none"), "")
			}
			for k := range 1 + r.IntN(2) {
				a := asks[r.IntN(len(asks))]
				if k == 0 && r.IntN(5) < 2 {
					a = asks[0] // names are what is missed most
				}
				value := answered[a][r.IntN(len(answered[a]))]
				line("A", any(a), "")
				if r.IntN(8) == 0 {
					line("C", any("repeat"), "")
					line("A", any(a), "")
				}
				switch {
				case value == "":
					line("C", any("none"), "")
				case r.IntN(3) > 0:
					line("C", any("carrier"), value)
				default:
					line("C", value, "")
				}
				if r.IntN(5) == 0 {
					line("A", any("narrow"), "")
					line("C", any("carrier"), value)
				}
				if r.IntN(4) == 0 {
					line("A", any("confirm"), value)
					line("C", any("accept"), "")
				} else if r.IntN(3) == 0 {
					line("A", any("accept"), "")
				}
			}
			b.WriteString("\n")
		}
		book, err := h.Book.With(b.String())
		if err != nil {
			return nil, err
		}
		for _, m := range []invent.Manner{invent.Spoken, invent.Written, invent.Misheard} {
			docs = slices.AppendSeq(docs, book.Documents(m, c.Seed, 1))
		}
	}
	return docs, nil
}

// frames are conversations and texts in which nothing announces a name.
//
//go:embed frames.txt
var frames string

// framed fills the frames with the names of every tuned hand, in several manners.
func framed(c *Config) (docs []gold.Doc, err error) {
	for _, h := range learned(c) {
		book, err := h.Book.With(frames)
		if err != nil {
			return nil, err
		}
		for _, m := range []invent.Manner{invent.Spoken, invent.Written, invent.Bare, invent.Text} {
			docs = slices.AppendSeq(docs, book.Documents(m, c.Seed, 2))
		}
	}
	return docs, nil
}
