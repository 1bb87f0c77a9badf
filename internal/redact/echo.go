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
	for i, t := range s.tok {
		if t.kind < word || t.kind == mask || t.kind == word && (t.lex&(stop|ack) != 0 && s.runOf[i] == 0) {
			continue
		}
		h := uint32(2166136261)
		for _, c := range []byte(s.low(i)) {
			h = (h ^ uint32(c)) * 16777619
		}
		w := &e.words[(h^h>>15)%echoSize]
		if w.hash == h && w.side != side && e.turn-w.turn <= echoTurns {
			e.heard[i] = true
			continue // it stays theirs
		}
		w.hash, w.turn, w.side = h, e.turn, side
	}
}
