package reader

import "encoding/binary"

// Most is how many pieces of one document are read: some hours of talk. What comes later is not judged.
const Most = 1 << 15

// Of a window, how many pieces may be turns that were judged before, and how many may lie between two turns that are judged.
const (
	contextPieces = 24
	gapPieces     = 16
)

// place is a piece in a window.
type place struct {
	piece
	turn   int
	judged bool
}

// Read judges the words of the turns that are to be read, in order, and tells of each. The same turns are read once: what a
// Scratch has seen it knows.
func (m *Model) Read(turns []Turn, s *Scratch, tell func(Word)) {
	if s.seen == nil {
		s.seen = map[string][]guess{}
	}
	s.left, s.window = Most, s.window[:0]
	last := -1 // the turn that ends the window
	for i := range turns {
		if !turns[i].Read {
			continue
		}
		s.turn = m.cut(s, &turns[i], s.turn[:0])
		room := m.Header.Window - 2 // [CLS] and [SEP]
		if len(s.turn) > room-contextPieces {
			m.flush(s, tell)
			m.long(turns, i, s, tell)
			last = -1
			continue
		}
		if last >= 0 && !m.bridge(turns, last+1, i, room-len(s.turn), s) {
			m.flush(s, tell)
		}
		if len(s.window) == 0 {
			m.context(turns, i, s)
		}
		s.add(s.turn, i, true)
		last = i
	}
	m.flush(s, tell)
}

// cut gives the pieces of a turn: the mark of who speaks, and its words and masks.
func (m *Model) cut(s *Scratch, t *Turn, to []piece) []piece {
	to = append(to, piece{id: m.marks[min(t.Side, Other)], word: -1})
	at, words := 0, 0
	text := func(end int) {
		for _, p := range m.words.pieces(&s.cutter, t.Text[at:end]) {
			p.start, p.end, p.word = p.start+at, p.end+at, p.word+words
			to = append(to, p)
		}
		words = to[len(to)-1].word + 1
	}
	for _, k := range t.Masks {
		text(k.Start)
		to = append(to, piece{id: m.masks[min(k.Kind, Value)], start: k.Start, end: k.End, word: -1})
		at = k.End
		words++
	}
	text(len(t.Text))
	return to
}

func (s *Scratch) add(pieces []piece, turn int, judged bool) {
	for _, p := range pieces {
		s.window = append(s.window, place{p, turn, judged && p.word >= 0})
	}
}

// bridge adds the turns [from, to), which are not to be read, if they are few and leave room for as many pieces as the next
// one has.
func (m *Model) bridge(turns []Turn, from, to, room int, s *Scratch) bool {
	begin := len(s.window)
	for i := from; i < to && len(s.window) <= begin+gapPieces; i++ {
		s.before = m.cut(s, &turns[i], s.before[:0])
		s.add(s.before, i, false)
	}
	if len(s.window) > begin+gapPieces || len(s.window) > room {
		s.window = s.window[:begin]
		return false
	}
	return true
}

// context begins a window with the turns before turn i: whole ones, or the end of the last.
func (m *Model) context(turns []Turn, i int, s *Scratch) {
	from, size := i, 0
	for from > 0 {
		s.before = m.cut(s, &turns[from-1], s.before[:0])
		if size+len(s.before) > contextPieces {
			break
		}
		from, size = from-1, size+len(s.before)
	}
	if from == i && i > 0 {
		s.add(s.before[:1], i-1, false)
		s.add(tail(s.before, contextPieces-1), i-1, false)
	}
	for ; from < i; from++ {
		s.before = m.cut(s, &turns[from], s.before[:0])
		s.add(s.before, from, false)
	}
}

// tail gives the last pieces of a turn, at most n, from the beginning of a word.
func tail(pieces []piece, n int) []piece {
	from := max(1, len(pieces)-n)
	for from < len(pieces) && from > 1 && pieces[from].word >= 0 && pieces[from].word == pieces[from-1].word {
		from++
	}
	return pieces[from:]
}

// long reads a turn that fits into no window, in parts that each begin with the end of the one before.
func (m *Model) long(turns []Turn, i int, s *Scratch, tell func(Word)) {
	m.context(turns, i, s)
	s.add(s.turn[:1], i, false)
	rest, done := s.turn[1:], 1
	for len(rest) > 0 {
		n := min(len(rest), m.Header.Window-2-len(s.window))
		for n < len(rest) && n > 0 && rest[n].word >= 0 && rest[n].word == rest[n-1].word {
			n--
		}
		s.add(rest[:n], i, true)
		rest, done = rest[n:], done+n
		m.flush(s, tell)
		if s.left <= 0 {
			return
		}
		s.add(s.turn[:1], i, false)
		s.add(tail(s.turn[:done], contextPieces-1), i, false)
	}
	s.window = s.window[:0]
}

// flush reads the window, tells what it thinks of its words, and empties it.
func (m *Model) flush(s *Scratch, tell func(Word)) {
	if len(s.window) == 0 {
		return
	}
	guesses := m.guesses(s)
	for i := 0; i < len(s.window); {
		p, best, to := s.window[i], guesses[i+1], i+1
		for ; to < len(s.window) && s.window[to].turn == p.turn && s.window[to].word == p.word && p.word >= 0; to++ {
			if g := guesses[to+1]; g.personal > best.personal {
				best = g
			}
		}
		if p.judged {
			tell(Word{p.turn, p.start, s.window[to-1].end, best.personal, m.Header.Labels[best.label]})
		}
		i = to
	}
	s.window = s.window[:0]
}

// guesses gives what the model thinks of each piece of the window, [CLS] and [SEP] around them.
func (m *Model) guesses(s *Scratch) []guess {
	s.ids = append(s.ids[:0], m.words.cls)
	for _, p := range s.window {
		s.ids = append(s.ids, p.id)
	}
	s.ids = append(s.ids, m.words.sep)
	s.key = s.key[:0]
	for _, id := range s.ids {
		s.key = binary.LittleEndian.AppendUint32(s.key, uint32(id))
	}
	if s.left -= len(s.ids); s.left < 0 {
		s.guesses = grow(s.guesses, len(s.ids))
		clear(s.guesses)
		return s.guesses
	}
	if known, ok := s.seen[string(s.key)]; ok {
		return known
	}
	logits := m.net.run(s.ids, &s.buffers)
	out := make([]guess, len(s.ids))
	for i := range out {
		out[i] = guessOf(logits[i*len(m.net.offset):][:len(m.net.offset)])
	}
	s.seen[string(s.key)] = out
	return out
}

// guessOf reads the logits of one piece: the first is of nothing personal.
func guessOf(logits []float32) guess {
	top := logits[0]
	for _, l := range logits {
		top = max(top, l)
	}
	plain := exp(logits[0] - top)
	sum, best := plain, 1
	for i, l := range logits[1:] {
		sum += exp(l - top)
		if l > logits[best] {
			best = i + 1
		}
	}
	return guess{1 - plain/sum, uint8(best)}
}
