package redact

// echoes remembers which words and numbers were said in the last turns, and by whom: what one side says and the other
// says again is read back.
type echoes struct {
	turn  int32
	words [echoSize]struct {
		hash uint32
		turn int32
		side Side
	}
	heard []bool // by token of the loaded turn: another side said it in the last turns
}

const (
	echoSize  = 1 << 11
	echoTurns = 4
)

// forget drops what was said: a new reading begins.
func (e *echoes) forget() {
	if e.turn > 0 {
		e.turn = 0
		clear(e.words[:])
	}
}

// hear tells which tokens of the loaded turn another side has just said, and takes them in as said by side.
func (e *echoes) hear(s *scan, side Side) {
	e.turn++
	for i := range s.tok {
		if !s.mayEcho(i) {
			continue
		}
		h := s.hashes[i]
		if e.heard[i] = e.echoes(h, e.turn, side); !e.heard[i] { // else it stays theirs
			e.take(h, side)
		}
	}
}

// echoes reports whether another side than side has said a word shortly before turn.
func (e *echoes) echoes(h uint32, turn int32, side Side) bool {
	w := &e.words[(h^h>>15)%echoSize]
	return w.hash == h && w.side != side && turn-w.turn <= echoTurns
}

// take takes in a word as said by side in this turn.
func (e *echoes) take(h uint32, side Side) {
	w := &e.words[(h^h>>15)%echoSize]
	w.hash, w.turn, w.side = h, e.turn, side
}
