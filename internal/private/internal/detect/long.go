package detect

import (
	"strings"
	"unicode/utf8"
)

// longTurn is how much of a turn is read at once, bytes: an hour of talk in one line, or a file without line ends. What
// is longer is read in parts, so that the memory of a scan stays small.
const longTurn = 64 << 10

// parts cuts turns that are longer than longTurn. of gives for each part the turn that it belongs to; nil if all are whole.
func parts(turns []Turn) (out []Turn, of []int) {
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
			n := cutAt(rest[:longTurn])
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
