package redact

import (
	"strings"
	"unicode/utf8"
)

// longTurn is how much of a turn is read at once, bytes: an hour of talk in one line, or a file without line ends. What
// is longer is read in parts, so that the memory of a scan stays small.
const longTurn = 64 << 10

// parts cuts turns that are longer than d.part, between two values rather than inside one. of gives for each part the
// turn that it belongs to; nil if all are whole.
func (d *Detector) parts(turns []Turn) (out []Turn, of []int) {
	long := 0
	for _, t := range turns {
		long += len(t.Text) / d.part
	}
	if long == 0 {
		return turns, nil
	}
	for i, t := range turns {
		rest := t.Text
		for len(rest) > d.part {
			n := d.between(rest, cutAt(rest[:d.part]))
			out, of = append(out, Turn{Side: t.Side, Text: rest[:n]}), append(of, i)
			rest = rest[n:]
		}
		out, of = append(out, Turn{Side: t.Side, Text: rest}), append(of, i)
	}
	return out, of
}

// cutAt gives where s is cut: behind a line, a sentence or a word in its second half, else before its last character.
func cutAt(s string) int {
	for _, end := range [...]string{"\n", ". ", "? ", "! ", " "} {
		if i := strings.LastIndex(s, end); i > len(s)/2 {
			return i + len(end)
		}
	}
	_, n := utf8.DecodeLastRuneInString(s)
	return len(s) - n
}

// seam is how far on both sides of a cut is read to see whether a value lies across it, bytes.
const seam = 1 << 10

// quiet is how far from every value a turn is cut, bytes: the words that say what a value is stay beside it.
const quiet = 120

// between gives a place at or before the cut n of s where no value lies across, nor anywhere near if there is such a place.
func (d *Detector) between(s string, n int) int {
	from, to := max(0, n-seam), min(n+seam, len(s))
	for !utf8.RuneStart(s[from]) {
		from++
	}
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to++
	}
	values, err := d.valuesOf(s[from:to])
	if err != nil {
		return n
	}
	inside, far := n, n
	for k := len(values) - 1; k >= 0; k-- {
		begin, end := from+values[k][0], from+values[k][1]
		if begin < inside && end > inside {
			inside = begin
		}
		if begin-quiet < far && end+quiet > far {
			far = begin - quiet
		}
	}
	if i := strings.LastIndexAny(s[from:max(from, far)], " \n"); i > 0 {
		return from + i + 1
	}
	if inside > from {
		return inside
	}
	return n
}

// valuesOf gives the bytes of s that are masked.
func (d *Detector) valuesOf(s string) (out [][2]int, err error) {
	r, err := d.redact(Doc{Turns: []Turn{{Text: s}}}, new(dialogue))
	if err != nil {
		return nil, err
	}
	at, count := 0, 0 // the byte of code point count
	step := func(to int) int {
		for ; count < to; count++ {
			_, w := utf8.DecodeRuneInString(s[at:])
			at += w
		}
		return at
	}
	for _, sp := range r.spans {
		begin := step(sp.Start)
		out = append(out, [2]int{begin, step(sp.End)})
	}
	return out, nil
}
