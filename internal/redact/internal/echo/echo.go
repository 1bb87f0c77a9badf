// Package echo remembers which words were said shortly before, and by whom: what one side says and the other says again is
// read back.
//
// Zone: RED.
package echo

import (
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/kind"
)

// Echoes remembers which words and numbers were said in the last turns, and by whom: what one side says and the other
// says again is read back.
type Echoes struct {
	Turn  int32
	words [echoSize]struct {
		hash uint32
		turn int32
		side kind.Side
	}
	Heard []bool // by token of the loaded turn: another side said it in the last turns
}

const (
	echoSize  = 1 << 11
	echoTurns = 4
)

// Forget drops what was said: a new reading begins.
func (e *Echoes) Forget() {
	if e.Turn > 0 {
		e.Turn = 0
		clear(e.words[:])
	}
}

// Hear tells which tokens of the loaded turn another side has just said, and takes them in as said by side.
func (e *Echoes) Hear(s *scan.Scan, side kind.Side) {
	e.Turn++
	for i := range s.Tokens {
		if !s.MayEcho(i) {
			continue
		}
		h := s.Hashes[i]
		if e.Heard[i] = e.Echoes(h, e.Turn, side); !e.Heard[i] { // else it stays theirs
			e.Take(h, side)
		}
	}
}

// Echoes reports whether another side than side has said a word shortly before turn.
func (e *Echoes) Echoes(h uint32, turn int32, side kind.Side) bool {
	w := &e.words[(h^h>>15)%echoSize]
	return w.hash == h && w.side != side && turn-w.turn <= echoTurns
}

// Take takes in a word as said by side in this turn.
func (e *Echoes) Take(h uint32, side kind.Side) {
	w := &e.words[(h^h>>15)%echoSize]
	w.hash, w.turn, w.side = h, e.Turn, side
}
