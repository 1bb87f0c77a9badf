package redact

import "strings"

// labels are the words that name a side at the beginning of a line.
var labels = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`agent customer caller rep representative speaker system user bot operator client member support
		assistant advisor adviser host guest contact receptionist doctor patient nurse clerk machine employee staff technician
		dispatcher callee voicemail ivr me them`) {
		m[w] = true
	}
	return m
}()

// labelLen gives the length of a speaker label with the space behind it at the beginning of line, 0 if there
// is none: "Agent: ", "Speaker 1: ", "SPEAKER_00: "; "customer (mobile): " is none.
func labelLen(line string) int {
	i := strings.IndexByte(line[:min(len(line), 32)], ':')
	if i <= 0 {
		return 0
	}
	word, n, more := strings.Cut(strings.Replace(strings.ToLower(line[:i]), "_", " ", 1), " ")
	letter := len(n) == 1 && n[0] >= 'a' && n[0] <= 'z'
	if !labels[word] || more && !letter && (n == "" || len(n) > 2 || strings.Trim(n, "0123456789") != "") {
		return 0
	}
	i++
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	return i
}

// ParsePlain cuts a text into turns at the lines that begin with a speaker label. A line without one
// continues the turn before it. Labels and turns joined by line ends are the text again.
func ParsePlain(text string) []Turn {
	var turns []Turn
	start := 0 // of the open turn's text
	for at := 0; at <= len(text); {
		end := strings.IndexByte(text[at:], '\n')
		next := len(text) + 1
		if end >= 0 {
			next = at + end + 1
		}
		line := text[at:min(next-1, len(text))]
		if n := labelLen(line); n > 0 || len(turns) == 0 {
			if len(turns) > 0 {
				turns[len(turns)-1].Text = text[start : at-1]
			}
			turns = append(turns, Turn{Side: ParseSide(line[:n]), Label: line[:n]})
			start = at + n
		}
		at = next
	}
	turns[len(turns)-1].Text = text[start:]
	return turns
}
