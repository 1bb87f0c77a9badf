package tag

// Learner learns the weights of a model from labelled turns, one after the other: an averaged structured
// perceptron with margins (M. Collins, "Discriminative training methods for hidden Markov models", EMNLP 2002).
// It counts in whole numbers only, so the same turns in the same order give the same model on any machine.
type Learner struct {
	Margins Margins
	s       Scratch
	rows    [][lanes]int32
	sums    [][lanes]int64 // the same, each change times the time it was made
	moves   moves
	moveSum [labels + 1][labels]int64
	at      [][templates]uint32
	gold    []Label
	clock   int64
}

// Margins are by how much a right label must win over a wrong one: over Plain (missed), over a class where
// Plain is right (false), over another class.
type Margins struct{ Missed, False, Mixed int32 }

// Free is the answer for a token that may have any label.
const Free = Label(255)

// Skip stands for a feature that is left out.
const Skip = ^uint32(0)

// NewLearner makes a Learner that knows nothing.
func NewLearner(m Margins) *Learner {
	return &Learner{Margins: m, rows: make([][lanes]int32, Rows), sums: make([][lanes]int64, Rows)}
}

// Drop says which features of a token are left out.
type Drop uint8

const (
	DropWord   Drop = 1 << iota // those that name the word itself
	DropPhrase                  // those of several words together, which know a sentence by heart
)

// Learn reads one turn with the label of each token, or Free. drop may be nil; it tells what is left out of the features of
// token i. It gives the number of labels it got wrong, margins included.
func (l *Learner) Learn(t *Turn, want []Label, drop func(i int) Drop) (wrong int) {
	l.clock++
	n := len(t.Tokens)
	l.s.prepare(t)
	l.s.grow(n)
	if cap(l.at) < n {
		l.at = make([][templates]uint32, 2*n)
	}
	l.at = l.at[:n]
	free := false
	for i := range n {
		l.s.rows(i, &l.at[i])
		if drop != nil {
			l.leave(i, drop(i))
		}
		free = free || want[i] == Free
	}
	l.gold = append(l.gold[:0], want...)
	if free { // the best labels among those that are right
		l.score(func(i int, b Label) int32 {
			if want[i] != Free && want[i] != b {
				return never / 2
			}
			return 0
		})
		copy(l.gold, l.s.best(&l.moves, l.moves.spread(), n))
	}
	l.score(func(i int, b Label) int32 {
		switch g := want[i]; {
		case g == Free || g == b:
			return 0
		case b == 0:
			return l.Margins.Missed
		case g == 0:
			return l.Margins.False
		}
		return l.Margins.Mixed
	})
	return l.update(l.s.best(&l.moves, l.moves.spread(), n))
}

// leave leaves features out of those of token i.
func (l *Learner) leave(i int, d Drop) {
	if d&DropWord != 0 {
		for _, k := range lexical {
			l.at[i][k] = Skip
		}
	}
	if d&DropPhrase != 0 {
		for _, k := range phrasal {
			l.at[i][k] = Skip
		}
	}
}

// phrasal are the templates that name several words, or a word two away.
var phrasal = [...]int{23, 24, 25, 26, 27, 28, 29, 32, 33, 34, 45, 46, 55, 57, 62, 63, 64, 65, 69, 70, 71, 79, 80}

// lexical are the templates that name the word itself.
var lexical = [...]int{0, 4, 8, 9, 18, 25, 26, 45, 46, 55, 72}

// score fills the scores of all tokens, with extra added to each label.
func (l *Learner) score(extra func(i int, b Label) int32) {
	for i := range l.at {
		e := &l.s.scores[i]
		*e = scores{}
		for _, r := range l.at[i] {
			if r == Skip {
				continue
			}
			w := &l.rows[r]
			for b := range labels {
				e[b] += w[b]
			}
		}
		for b := range labels {
			e[b] += extra(i, b)
		}
	}
}

// update moves the weights from the labels that were found towards gold.
func (l *Learner) update(found []Label) (wrong int) {
	for i, g := range l.gold {
		f := found[i]
		if f != g {
			wrong++
			for _, r := range l.at[i] {
				if r != Skip {
					l.rows[r][g]++
					l.rows[r][f]--
					l.sums[r][g] += l.clock
					l.sums[r][f] -= l.clock
				}
			}
		}
		pf, pg := labels, labels
		if i > 0 {
			pf, pg = found[i-1], l.gold[i-1]
		}
		if f != g || pf != pg {
			l.moves[pg][g]++
			l.moves[pf][f]--
			l.moveSum[pg][g] += l.clock
			l.moveSum[pf][f] -= l.clock
		}
	}
	return wrong
}

// Weights gives the averaged weights times scale, rounded, cut to the range of a model.
func (l *Learner) Weights(scale int64) *Weights {
	w := &Weights{Rows: make([][lanes]int8, Rows)}
	mean := func(now int32, sum int64) int64 {
		v := (int64(now)*l.clock - sum) * scale
		if v < 0 {
			return -((-v + l.clock/2) / l.clock)
		}
		return (v + l.clock/2) / l.clock
	}
	for r := range l.rows {
		for b := range labels {
			w.Rows[r][b] = int8(max(-127, min(127, mean(l.rows[r][b], l.sums[r][b]))))
		}
	}
	for p := range l.moves {
		for b := range labels {
			w.Moves[p][b] = int32(mean(l.moves[p][b], l.moveSum[p][b]))
		}
	}
	return w
}
