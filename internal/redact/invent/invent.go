// Package invent makes up labelled texts of invented people, for training the tagger.
//
// Zone: RED, since it knows the shapes of personal data; nothing in it is anybody's. A template (lines/*.txt,
// written by hand) is filled with invented names, places, dates and numbers, said or written in one of many
// ways, and spoilt by a careless writer or a recogniser of speech. Every filled slot is labelled.
//
// It promises: the same seed gives the same documents on every machine; labels cover what the slots produced,
// however much the text was spoilt. What it does not protect against: text unlike any template. A tagger that
// does well here has learnt the templates; only other sources measure it.
//
// Only the training command and tests import it, so the templates are in no shipped binary.
package invent

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact/gold"
)

// sources with their kind of template, and how many of a hundred documents each gets.
var sources = []struct {
	name, kind string
	share      int
}{
	{"invent_calls_spoken", "calls", 24},
	{"invent_calls_written", "calls", 10},
	{"invent_sms", "sms", 16},
	{"invent_commands", "commands", 16},
	{"invent_forms", "forms", 24},
	{"invent_clean", "clean", 10},
}

// Documents yields n documents. Document i depends on the seed and i alone.
func Documents(seed uint64, n int) iter.Seq[gold.Doc] {
	return func(yield func(gold.Doc) bool) {
		for i := range n {
			if !yield(document(seed, i)) {
				return
			}
		}
	}
}

func document(seed uint64, i int) gold.Doc {
	r := rand.New(rand.NewPCG(seed, uint64(i)))
	roll, k := r.IntN(100), 0
	for roll >= sources[k].share {
		roll -= sources[k].share
		k++
	}
	s := sources[k]
	w := &writer{r: r, style: pickStyle(r, s.name), said: map[string]string{}}
	t := pick(r, library()[s.kind])
	d := w.write(t)
	d.ID, d.Group, d.Source = fmt.Sprintf("%s-%08d", s.name, i), t.id, s.name
	return d
}

// A piece is a stretch of text with one label or none. Noise works inside a piece, so labels stay exact.
type piece struct {
	text string
	typ  string // "" for plain text
	opt  bool
	raw  bool // a number, code or address of the net: keeps its signs and capitals
}

// A writer writes one document.
type writer struct {
	r     *rand.Rand
	style style
	said  map[string]string // the values of this document, by slot
	own   *names            // the names of the template's writer, nil for the lists of this package
	out   []piece
}

func (w *writer) plain(s string) { w.out = append(w.out, piece{text: s}) }

// one is true in p of a hundred cases.
func (w *writer) one(p int) bool { return w.r.IntN(100) < p }

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// once gives the document's value of a slot, made at its first use.
func (w *writer) once(key string, value func() string) string {
	v, ok := w.said[key]
	if !ok {
		v = value()
		w.said[key] = v
	}
	return v
}

// sides are the labels of the two sides.
var sides = [][2]string{{"Agent", "Customer"}, {"Agent", "Customer"}, {"Agent", "Caller"}, {"Rep", "Caller"}, {"Rep", "Customer"},
	{"Speaker 1", "Speaker 2"}, {"Speaker 2", "Speaker 1"}, {"Speaker A", "Speaker B"}, {"Operator", "Client"}, {"Support", "User"},
	{"Advisor", "Customer"}, {"Bot", "User"}, {"Assistant", "User"}, {"Agent", "Speaker 2"}, {"Representative", "Caller"}, {"Receptionist", "Caller"}}

func (w *writer) write(t template) gold.Doc {
	if t.turns[0].side == 0 {
		w.turn(t.turns[0])
		return w.finish()
	}
	label := pick(w.r, sides)
	bare := w.one(6) // a transcript that does not say who speaks
	turns := t.turns
	if t.kind == "calls" {
		turns = w.smallTalk(turns)
	}
	for _, u := range turns {
		if u.maybe && w.one(50) {
			continue
		}
		if len(w.out) > 0 {
			w.plain("\n")
		}
		switch {
		case bare:
		case u.side == 'A':
			w.out = append(w.out, piece{text: label[0] + ": ", raw: true})
		default:
			w.out = append(w.out, piece{text: label[1] + ": ", raw: true})
		}
		w.turn(u)
	}
	return w.finish()
}

// smallTalk puts an opening before, a closing behind and an interruption between two turns, each now and then.
func (w *writer) smallTalk(turns []turn) []turn {
	var out []turn
	if w.one(35) {
		out = append(out, pick(w.r, library()["openers"]).turns...)
	}
	cut := -1
	if w.one(30) {
		cut = 1 + w.r.IntN(len(turns))
	}
	for i, u := range turns {
		if i == cut {
			out = append(out, pick(w.r, library()["interludes"]).turns...)
		}
		out = append(out, u)
	}
	if w.one(35) {
		out = append(out, pick(w.r, library()["closers"]).turns...)
	}
	return out
}

func (w *writer) turn(u turn) {
	if u.side == 'C' && w.style.spoken && w.one(12) {
		w.plain(pick(w.r, []string{"Uh, ", "Um, ", "Yeah, ", "Well, ", "So, ", "Okay, ", "Oh, ", "Right, ", "Er, ", "Hmm, ", "Ah, ", "Yes, um, "}))
	}
	w.nodes(u.say)
}

func (w *writer) nodes(say []node) {
	for _, n := range say {
		switch {
		case n.alts != nil:
			w.nodes(pick(w.r, n.alts))
		case n.slot != "":
			slots[strings.TrimRight(n.slot, others)](w, n.slot, n.mod)
		default:
			w.plain(n.text)
		}
	}
}

// finish spoils every piece, joins them and counts code points.
func (w *writer) finish() gold.Doc {
	var d gold.Doc
	var b strings.Builder
	at := 0
	for i, p := range w.out {
		p.text = w.spoil(p, i == 0 || strings.HasSuffix(b.String(), "\n"))
		if p.typ == "" && (b.Len() == 0 || strings.HasSuffix(b.String(), " ")) {
			p.text = strings.TrimPrefix(p.text, " ") // what noise took away leaves no double space
		}
		if p.text == "" {
			continue
		}
		n := utf8.RuneCountInString(p.text)
		if p.typ != "" {
			d.Spans = append(d.Spans, gold.Span{Start: at, End: at + n, Type: p.typ, Opt: p.opt})
		}
		b.WriteString(p.text)
		at += n
	}
	d.Text = strings.TrimRightFunc(b.String(), unicode.IsSpace)
	return d
}
