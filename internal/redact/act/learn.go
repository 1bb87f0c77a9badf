package act

// Learner learns the weights of a model from phrasings, one after the other: an averaged perceptron with margins
// (Y. Freund, R. Schapire, "Large margin classification using the perceptron algorithm", 1999). It counts in whole
// numbers only, so the same phrasings in the same order give the same model on any machine.
type Learner struct {
	Margin int32 // by which the right act must win over any other
	s      Scratch
	rows   [][Acts]int32
	sums   [][Acts]int64 // the same, each change times the time it was made
	clock  int64
}

// NewLearner makes a Learner that knows nothing.
func NewLearner(margin int32) *Learner {
	return &Learner{Margin: margin, rows: make([][Acts]int32, Rows), sums: make([][Acts]int64, Rows)}
}

// Learn reads one turn that does want. It reports whether the turn was taken for another act.
func (l *Learner) Learn(words []string, want Act) (wrong bool) {
	l.clock++
	rows := l.s.features(words)
	var sum Scores
	for _, r := range rows {
		for a := range sum {
			sum[a] += l.rows[r][a]
		}
	}
	rival := want
	for a := range Acts {
		if a != want && (rival == want || sum[a] > sum[rival]) {
			rival = a
		}
	}
	if sum[want] >= sum[rival]+l.Margin {
		return false
	}
	for _, r := range rows {
		l.rows[r][want]++
		l.rows[r][rival]--
		l.sums[r][want] += l.clock
		l.sums[r][rival] -= l.clock
	}
	return sum[want] <= sum[rival]
}

// Weights gives the averaged weights times scale, rounded, cut to a byte.
func (l *Learner) Weights(scale int64) [][Acts]int8 {
	out := make([][Acts]int8, Rows)
	for r := range l.rows {
		for a := range l.rows[r] {
			v := (int64(l.rows[r][a])*l.clock - l.sums[r][a]) * scale
			if v < 0 {
				v = -((-v + l.clock/2) / l.clock)
			} else {
				v = (v + l.clock/2) / l.clock
			}
			out[r][a] = int8(max(-127, min(127, v)))
		}
	}
	return out
}
