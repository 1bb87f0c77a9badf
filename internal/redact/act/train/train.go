// Package train learns the model of package act from the phrasings of hands, and measures it on those of others.
//
// Zone: RED; only commands of developers and tests import it. It promises: the same hands and seed give the same model,
// bit for bit.
package train

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"

	"murmur/internal/redact"
	"murmur/internal/redact/act"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/invent"
)

const (
	epochs = 6
	margin = 60
	scale  = 4
	// copies is how often a phrasing is read, each time written differently.
	copies = 3
)

// values fill "{value}" where a value is read back or wrapped.
var values = []string{"{full}", "{first}", "{last}", "{last:spell}", "{first} {last:spell}", "{postcode:uk}", "{postcode}", "{phone}", "{phone:2/3}", "{dob}", "{dob:year}", "{street}", "{road}",
	"{address}", "{email}", "{user}", "{url}", "{order}", "{policy}", "{plate}", "{code}", "{pin}", "{card:last4}", "{card:2/4}", "{account}", "{expiry}", "{password}", "{mr}", "{city}", "{age}"}

// A phrase is one turn and what it does.
type phrase struct {
	line string // may hold "{value}"
	want act.Act
}

// phrases gives all phrasings of a hand: those of its acts, wrapped values and answers as they are.
func phrases(h *hand.Hand) (out []phrase, err error) {
	for _, name := range hand.Acts {
		a, ok := act.Named(name)
		if !ok {
			return nil, fmt.Errorf("train: no act %s", name)
		}
		for _, p := range h.Prompts[name] {
			out = append(out, phrase{p, a})
		}
	}
	for _, c := range h.Carriers {
		out = append(out, phrase{c, act.Answer})
	}
	for _, v := range values {
		out = append(out, phrase{"{value}", act.Answer}, phrase{v, act.Answer})
	}
	return out, nil
}

// manners are the ways a phrasing is written.
var manners = []invent.Manner{invent.Written, invent.Spoken, invent.Bare, invent.Misheard}

// write gives the words of a phrasing, its value filled in or masked.
func write(h *hand.Hand, p phrase, m invent.Manner, r *rand.Rand) ([]string, error) {
	line := strings.ReplaceAll(p.line, "{value}", values[r.IntN(len(values))])
	d, err := h.Book.Fill(line, m, r.Uint64(), 0)
	if err != nil {
		return nil, err
	}
	text := d.Text
	if r.IntN(5) == 0 {
		runes := []rune(text)
		for k := len(d.Spans) - 1; k >= 0; k-- {
			s := d.Spans[k]
			runes = append(runes[:s.Start:s.Start], append([]rune("["+s.Type+"]"), runes[s.End:]...)...)
		}
		text = string(runes)
	}
	return redact.ActWords(text), nil
}

// Run learns a model from hands.
func Run(hands []*hand.Hand, seed uint64) (*act.Model, error) {
	h := act.Header{Epochs: epochs, Seed: seed, Licences: "CC0"}
	sum := sha256.New()
	type lesson struct {
		hand *hand.Hand
		phrase
	}
	var all []lesson
	for _, d := range hands {
		h.Hands = append(h.Hands, d.Name)
		ps, err := phrases(d)
		if err != nil {
			return nil, err
		}
		for _, p := range ps {
			fmt.Fprintf(sum, "%s\t%s\n", p.want, p.line)
			all = append(all, lesson{d, p})
		}
	}
	h.SHA256, h.Phrases = hex.EncodeToString(sum.Sum(nil)), len(all)
	l, r := act.NewLearner(margin), rand.New(rand.NewPCG(seed, 2))
	for range epochs {
		for _, k := range r.Perm(len(all) * copies) {
			p := all[k%len(all)]
			words, err := write(p.hand, p.phrase, manners[r.IntN(len(manners))], r)
			if err != nil {
				return nil, err
			}
			l.Learn(words, p.want)
		}
	}
	return act.Assemble(h, l.Weights(scale)), nil
}

// Confusion counts, by act that was meant, the acts that were found.
type Confusion [act.Acts][act.Acts]int

// Measure reads every phrasing of hands once in each manner.
func Measure(m *act.Model, hands []*hand.Hand, seed uint64) (c Confusion, err error) {
	r := rand.New(rand.NewPCG(seed, 3))
	var s act.Scratch
	for _, h := range hands {
		ps, err := phrases(h)
		if err != nil {
			return c, err
		}
		for _, p := range ps {
			for _, how := range manners {
				words, err := write(h, p, how, r)
				if err != nil {
					return c, err
				}
				scores := m.Read(words, &s)
				c[p.want][scores.Best()]++
			}
		}
	}
	return c, nil
}

// Right is the share of turns whose act was found.
func (c *Confusion) Right() float64 {
	right, all := 0, 0
	for a := range c {
		right += c[a][a]
		for _, n := range c[a] {
			all += n
		}
	}
	return float64(right) / float64(max(all, 1))
}

// Of gives the share of turns of act a that were found, and the act it was most often taken for.
func (c *Confusion) Of(a act.Act) (right float64, rival act.Act, taken float64) {
	all := 0
	for b, n := range c[a] {
		all += n
		if act.Act(b) != a && (rival == a || n > c[a][rival]) {
			rival = act.Act(b)
		}
	}
	n := float64(max(all, 1))
	return float64(c[a][a]) / n, rival, float64(c[a][rival]) / n
}
