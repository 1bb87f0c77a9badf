package tag

// Scratch is the working memory of tagging, reused from turn to turn. It is not safe for concurrent use.
type Scratch struct {
	cells                        []cell
	ask, asks, side, size, cased uint64
	acts, before, begun, ended   uint64
	read, scores                 []scores
	back                         [][lanes]Label
	out                          []Label
}

// row holds a feature's weights, a byte each, eight to a word, with zero added. They are summed in 16-bit lanes, which
// the sums of all templates neither borrow from nor carry out of: templates*255 < 1<<16.
type row [lanes / 8]uint64

// even are the even bytes of a word, as 16-bit lanes.
const even = 0x00ff00ff00ff00ff

// zero is a weight of 0 as a lane holds it.
const zero = 128

// Read scores every token of t into s, for Label.
func (m *Model) Read(t *Turn, s *Scratch) {
	n := len(t.Tokens)
	s.prepare(t)
	s.grow(n)
	var rows [templates]uint32
	for i := range n {
		s.rows(i, &rows)
		var a, b, c, d uint64
		for _, r := range rows {
			w := &m.rows[r&rowMask]
			x, y := w[0], w[1]
			a, b, c, d = a+x&even, b+x>>8&even, c+y&even, d+y>>8&even
		}
		e := &s.read[i]
		for l := range 4 {
			at := 16 * l
			e[2*l] = int32(a>>at&0xffff) - zero*templates
			e[2*l+1] = int32(b>>at&0xffff) - zero*templates
			e[2*l+8] = int32(c>>at&0xffff) - zero*templates
			e[2*l+9] = int32(d>>at&0xffff) - zero*templates
		}
	}
}

// Label gives the label of every token of the turn that s has read, at the given dial. The result is valid until the
// next call with s.
func (m *Model) Label(bias *Bias, s *Scratch) []Label {
	for i := range s.read {
		e, r := &s.scores[i], &s.read[i]
		e[0] = r[0]
		for l := Label(1); l < labels; l++ {
			e[l] = r[l] + bias[l.Class()]
		}
	}
	return s.best(&m.moves, m.spread, len(s.read))
}

func (s *Scratch) grow(n int) {
	if cap(s.scores) < n {
		s.read, s.scores, s.back, s.out = make([]scores, 2*n), make([]scores, 2*n), make([][lanes]Label, 2*n), make([]Label, 2*n)
	}
	s.read, s.scores, s.back, s.out = s.read[:n], s.scores[:n], s.back[:n], s.out[:n]
}

// moves are the weights of one label behind another; the last row is for the first token.
type moves [labels + 1][labels]int32

// spread is the difference of the highest and the lowest move.
func (m *moves) spread() int32 {
	low, high := m[0][0], m[0][0]
	for p := range labels {
		for l := range labels {
			low, high = min(low, m[p][l]), max(high, m[p][l])
		}
	}
	return high - low
}

// scores are those of one token, by label.
type scores [lanes]int32

// level takes the best score off all, so that sums stay small however long the turn is.
func (e *scores) level() {
	top := e[0]
	for _, v := range e[1:labels] {
		top = max(top, v)
	}
	for l := range labels {
		e[l] = max(never, e[l]-top)
	}
}

// never is below every score that can be reached.
const never = -1 << 28

// best finds the labels with the highest sum of scores and moves (Viterbi). It overwrites the scores. A label whose
// score is below the best one by more than moves can differ leads nowhere and is left out.
func (s *Scratch) best(m *moves, spread int32, n int) []Label {
	floor := -spread
	var live [labels]Label
	for i := range n {
		e := &s.scores[i]
		if i == 0 {
			for l := range labels {
				if l.inside() {
					e[l] = never
				} else {
					e[l] += m[labels][l]
				}
			}
			e.level()
			continue
		}
		p, back := &s.scores[i-1], &s.back[i]
		alive := live[:0]
		for q := range labels {
			if p[q] >= floor {
				alive = append(alive, q)
			}
		}
		for l := range labels {
			from, top := l, int32(2*never)
			if l.inside() {
				from, top = l, p[l]+m[l][l]
				if v := p[l-1] + m[l-1][l]; v > top {
					from, top = l-1, v
				}
			} else {
				for _, q := range alive {
					if v := p[q] + m[q][l]; v > top {
						from, top = q, v
					}
				}
			}
			e[l] += top
			back[l] = from
		}
		e.level()
	}
	if n == 0 {
		return s.out
	}
	last := &s.scores[n-1]
	at := Label(0)
	for l := range labels {
		if last[l] > last[at] {
			at = l
		}
	}
	for i := n - 1; i >= 0; i-- {
		s.out[i] = at
		at = s.back[i][at]
	}
	return s.out
}
