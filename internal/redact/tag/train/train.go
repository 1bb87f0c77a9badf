// Package train builds the model of the tagger from labelled texts.
//
// Zone: RED, reads personal text; only commands of developers and tests import it. It promises: the same
// sources and Config give the same model, bit for bit. What it does not protect against: texts unlike all
// sources; the command of package eval measures that, source by source.
package train

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"

	"murmur/internal/redact"
	"murmur/internal/redact/act"
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/tag"
)

// Config of a training run.
type Config struct {
	Data      fs.FS      // the folder that holds pii and nlp
	Without   []string   // names and families of sources to leave out, and names of hands
	Acts      *act.Model // what tells what a turn does; nil is the model that ships
	Seed      uint64
	Epochs    int
	Invented  int // documents of the generator
	Exchanges int // conversations of each hand that Export puts together
	Log       io.Writer
}

// Default is what `make train` runs with.
func Default(data fs.FS) Config {
	return Config{Data: data, Seed: 1, Epochs: 3, Invented: 12_000, Log: io.Discard}
}

// margins by which right labels must win, in units of one update of all features of a word.
var margins = tag.Margins{Missed: 90, False: 60, Mixed: 40}

// scale makes a weight of one update's size into whole numbers of a model.
const scale = 6

// dials are the biases of balanced, strict and paranoid.
var dials = [3]tag.Bias{bias(100), bias(300), bias(500)}

func bias(b int32) (out tag.Bias) {
	for c := tag.Person; c < tag.Classes; c++ {
		out[c] = b
	}
	out[tag.Org] = 0
	return out
}

// Run trains a model.
func Run(c Config) (*tag.Model, error) {
	h := tag.Header{Seed: c.Seed, Epochs: c.Epochs, Dials: dials}
	var talks []*talk
	for _, s := range chosen(c.Without) {
		docs, in, err := s.load(&c)
		if err != nil {
			return nil, err
		}
		h.Inputs = append(h.Inputs, in)
		for i := range docs {
			talks = append(talks, cut(&docs[i], s.bare))
		}
	}
	if c.Acts == nil {
		var err error
		if c.Acts, err = act.Embedded(); err != nil {
			return nil, err
		}
	}
	t := &trainer{acts: c.Acts, copier: newCopier(c.Seed, learned(&c))}
	l := tag.NewLearner(margins)
	order := t.copier.r.Perm(len(talks))
	for e := range c.Epochs {
		t.copier.r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		t.lessons = make(chan lesson, ahead)
		go func() {
			defer close(t.lessons)
			for _, k := range order {
				t.read(talks[k])
			}
		}()
		tokens, wrong := 0, 0
		for k := range t.lessons {
			tokens += len(k.want)
			wrong += l.Learn(&k.turn, k.want, func(i int) tag.Drop { return k.drop[i] })
		}
		h.Tokens = tokens
		fmt.Fprintf(c.Log, "epoch %d: %d tokens, %.2f %% relabelled\n", e+1, tokens, 100*float64(wrong)/float64(tokens))
	}
	return tag.Assemble(h, l.Weights(scale)), nil
}

// trainer writes lessons. Nothing else draws from its source of chance, so that the lessons are the same however fast they are
// learned.
type trainer struct {
	acts    *act.Model
	copier  *copier
	lessons chan lesson
}

// lesson is one turn with its answers, and what is left out of the features of each token.
type lesson struct {
	turn tag.Turn
	want []tag.Label
	drop []tag.Drop
}

// ahead is how many lessons are written before they are learned.
const ahead = 64

// read writes the lessons of the copies of one document.
func (t *trainer) read(k *talk) {
	r := t.copier.r
	t.write(k, style{rename: r.IntN(2) == 0, other: other * r.IntN(2)})
	t.write(k, style{lower: true, bare: r.IntN(5) < 3, rename: r.IntN(2) == 0, other: other * r.IntN(2)})
	if r.IntN(4) == 0 {
		t.write(k, style{mask: true, lower: r.IntN(2) == 0})
	}
}

// write writes the lessons of one copy.
func (t *trainer) write(k *talk, s style) {
	r := t.copier.r
	turns, pieces := t.copier.write(k, s)
	for n, o := range redact.Observe(turns, t.acts) {
		if len(o.Tokens) == 0 {
			continue
		}
		x := lesson{turn: o.Turn, want: answers(nil, &o, pieces[n], k.bare)}
		blur(r, &x.turn, x.want)
		apart := r.IntN(100) < phraseless
		for i := range x.want {
			d := tag.Drop(0)
			if x.turn.Tokens[i].Words == 0 && r.IntN(10) < dropWord(x.want[i]) {
				d = tag.DropWord
			}
			if apart {
				d |= tag.DropPhrase
			}
			x.drop = append(x.drop, d)
		}
		t.lessons <- x
	}
}

// phraseless of a hundred turns are read without features of several words: the same few thousand sentences are read again
// and again, and what knows them by heart would keep single words from being learned.
const phraseless = 30

// other of a hundred plain words of every second copy give way to others.
const other = 15

func dropWord(l tag.Label) int {
	if l.Class() == tag.Plain {
		return 1
	}
	return 3
}

// answers gives the label of every token of o.
func answers(dst []tag.Label, o *redact.Observed, pieces []piece, bare bool) []tag.Label {
	k, from := 0, 0 // the piece that holds the token's first byte, and where it begins
	last := -1
	for i, at := range o.Origin {
		for k < len(pieces) && from+len(pieces[k].text) <= at[0] {
			from += len(pieces[k].text)
			k++
		}
		hit := k
		if k < len(pieces) && pieces[k].class == tag.Plain && !pieces[k].free && k+1 < len(pieces) && from+len(pieces[k].text) < at[1] {
			hit = k + 1 // a token that a value begins inside of
		}
		l := tag.Label(0)
		if hit < len(pieces) {
			switch p := pieces[hit]; {
			case p.free:
				l = tag.Free
			case p.class == tag.Plain:
				if bare && unsure(&o.Tokens[i]) {
					l = tag.Free
				}
			case hit == last:
				l = tag.Inside(p.class)
			default:
				l = tag.Begin(p.class)
			}
			last = hit
		}
		dst = append(dst, l)
	}
	return dst
}

// unsure reports whether a token of a text without labels may be personal.
func unsure(t *tag.Token) bool {
	return t.Hint != 0 || t.Words == 0 && t.Known&gazetteer.Word == 0
}

// deaf of a hundred turns are read without hints of the rules, blurred of a hundred names without the lists; of a hundred
// turns, unasked without the open question and aimless without what the turn, or the one before it, does, which is told worse of words that are new.
const (
	deaf    = 12
	blurred = 30
	unasked = 6
	aimless = 10
)

// blur takes from a turn some of what lists and rules know, so that the model does not lean on them alone.
func blur(r *rand.Rand, t *tag.Turn, want []tag.Label) {
	none := r.IntN(100) < deaf
	if r.IntN(100) < unasked {
		t.Asked, t.Stale = [4]uint8{}, false
	}
	if r.IntN(100) < aimless {
		t.Act = 0
	}
	if r.IntN(100) < aimless {
		t.Before, t.Begun, t.Ended = 0, 0, 0
	}
	for i := range t.Tokens {
		k := &t.Tokens[i]
		if none || r.IntN(10) == 0 {
			k.Hint = 0
		}
		if c := want[i].Class(); (c == tag.Person || c == tag.Place) && want[i] != tag.Free && r.IntN(100) < blurred {
			k.Known &= gazetteer.Word
		}
	}
}
