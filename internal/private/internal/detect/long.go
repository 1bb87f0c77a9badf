package detect

import (
	"strings"
	"unicode/utf8"
)

// longTurn is how much of a turn is read at once, bytes: an hour of talk in one line, or a file without line ends. What
// is longer is read in parts, so that the memory of a scan stays small.
const longTurn = 64 << 10

// parts cuts turns that are longer than longTurn, between two values rather than inside one. of gives for each part the
// turn that it belongs to; nil if all are whole.
func (d *Detector) parts(turns []Turn) (out []Turn, of []int) {
	long := 0
	for _, t := range turns {
		long += len(t.Text) / longTurn
	}
	if long == 0 {
		return turns, nil
	}
	for i, t := range turns {
		rest := t.Text
		for len(rest) > longTurn {
			n := d.between(rest, cutAt(rest[:longTurn]))
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

// between gives a place at or before the cut n of s where no value lies across.
func (d *Detector) between(s string, n int) int {
	from, to := n-seam, min(n+seam, len(s))
	for !utf8.RuneStart(s[from]) {
		from++
	}
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to++
	}
	r, err := d.redact(Doc{Turns: []Turn{{Text: s[from:to]}}}, new(dialogue))
	if err != nil {
		return n
	}
	at, count := from, 0 // the byte of code point count
	for _, sp := range r.spans {
		for ; count < sp.Start; count++ {
			_, w := utf8.DecodeRuneInString(s[at:])
			at += w
		}
		begin, end := at, at
		for k := sp.Start; k < sp.End; k++ {
			_, w := utf8.DecodeRuneInString(s[end:])
			end += w
		}
		if begin < n && end > n && begin > from {
			return begin
		}
	}
	return n
}
