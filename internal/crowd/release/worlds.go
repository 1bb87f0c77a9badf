package release

import (
	"context"
	"fmt"
)

// Part is a row in a bin of a question's leaf.
type Part struct {
	Question, Leaf, Bin int
	Mark                Marks // of its contact
	Verified            bool  // its contact
}

// Taker gives the parts of questions; the counting engine is one.
type Taker interface {
	Parts(context.Context, Snapshot, Settings, []Question, func(Part)) error
}

// town is the rows of one publication in memory.
type town struct {
	questions []Question
	leaves    []map[int][]Part // by question and leaf
	known     map[string]whole
}

// whole is a cell with everybody, and what it takes to leave one contact out.
type whole struct {
	Cell
	rows   map[Marks]int64 // of each contact
	proven map[Marks]bool  // the verified ones
	second int64           // the most rows of a contact beside the one that has Most
}

func newTown(questions []Question) *town {
	t := &town{questions: questions, known: map[string]whole{}}
	for range questions {
		t.leaves = append(t.leaves, map[int][]Part{})
	}
	return t
}

func (t *town) add(p Part) { t.leaves[p.Question][p.Leaf] = append(t.leaves[p.Question][p.Leaf], p) }

// cell adds up leaves of a question.
func (t *town) cell(question int, leaves []int) whole {
	key := fmt.Sprint(question, leaves)
	if w, ok := t.known[key]; ok {
		return w
	}
	bins := max(1, len(t.questions[question].Query.Value.Bins))
	w := whole{Cell: Cell{Bins: make([]int64, bins), Keys: make([]Marks, bins)}, rows: map[Marks]int64{}, proven: map[Marks]bool{}}
	for _, l := range leaves {
		for _, p := range t.leaves[question][l] {
			w.Bins[p.Bin]++
			w.Keys[p.Bin] = w.Keys[p.Bin].Plus(p.Mark)
			w.rows[p.Mark]++
			if p.Verified {
				w.proven[p.Mark] = true
			}
		}
	}
	w.Contacts, w.Verified = int64(len(w.rows)), int64(len(w.proven))
	for who, n := range w.rows {
		switch {
		case who == MarkOf(nil): // nobody's
		case n >= w.Most:
			w.Most, w.second = n, w.Most
		default:
			w.second = max(w.second, n)
		}
	}
	t.known[key] = w
	return w
}

// world is the rows that a period is counted from: a town with everybody, or without one person.
type world struct {
	*town
	without Marks
	own     []map[int][]Part // the person's, by question and leaf; nil: everybody is there
	known   map[string]Cell
}

func (t *town) everybody() *world { return &world{town: t} }

// missing gives the town without a person.
func (t *town) missing(who Marks) *world {
	w := &world{town: t, without: who, known: map[string]Cell{}}
	for _, leaves := range t.leaves {
		own := map[int][]Part{}
		for leaf, parts := range leaves {
			for _, p := range parts {
				if p.Mark == who {
					own[leaf] = append(own[leaf], p)
				}
			}
		}
		w.own = append(w.own, own)
	}
	return w
}

// Close does nothing.
func (w *world) Close() error { return nil }

// Count adds up cells.
func (w *world) Count(_ context.Context, question int, cells [][]int) ([]Cell, error) {
	out := make([]Cell, len(cells))
	for i, leaves := range cells {
		out[i] = w.cell(question, leaves)
	}
	return out, nil
}

// cell takes the person's rows out of the whole.
func (w *world) cell(question int, leaves []int) Cell {
	all := w.town.cell(question, leaves)
	mine := all.rows[w.without]
	if w.own == nil || mine == 0 {
		return all.Cell
	}
	key := fmt.Sprint(question, leaves)
	if c, ok := w.known[key]; ok {
		return c
	}
	c := Cell{Contacts: all.Contacts - 1, Verified: all.Verified, Most: all.Most, Bins: append([]int64(nil), all.Bins...), Keys: append([]Marks(nil), all.Keys...)}
	if all.proven[w.without] {
		c.Verified--
	}
	if mine == all.Most {
		c.Most = all.second
	}
	for _, l := range leaves {
		for _, p := range w.own[question][l] {
			c.Bins[p.Bin]--
			c.Keys[p.Bin] = c.Keys[p.Bin].Minus(p.Mark)
		}
	}
	w.known[key] = c
	return c
}
