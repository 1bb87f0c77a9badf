package redact

import "murmur/internal/redact/gazetteer"

// findSpelled marks what is spelled letter by letter with the same sign between all letters, whoever asked for it: "its F-I-O-N-A",
// "F, R, A, N, K". Three letters are a word or a name; others may be short for something, or sizes.
func (s *scan) findSpelled() {
	for i := 0; i < len(s.tok); i++ {
		if t := &s.tok[i]; t.kind != word || t.e-t.s != 1 {
			continue
		}
		end := s.spellingEnd(i)
		n := (end - i + 1) / 2
		if n < 3 {
			continue
		}
		sep := s.low(i + 1)
		var word []byte
		for k := i; k < end; k += 2 {
			word = append(word, s.low(k)...)
		}
		known := gazetteer.Lookup(string(word))
		if n > 3 && (sep != "." || known != 0) || n == 3 && (sep == "-" || known&gazetteer.Name != 0) && known&gazetteer.Place == 0 {
			t := Person
			if s.ask.open() && s.ask.types[0] != Location {
				t = s.ask.types[0]
			}
			s.mark(i, end, t, 62, ByShape)
		}
		i = end - 1
	}
}

// spellingEnd gives the end of the single letters that begin with the one at token i, the same sign between all of them; i if there are not two.
func (s *scan) spellingEnd(i int) int {
	letter := func(k int) bool { t := s.at(k); return t.kind == word && t.e-t.s == 1 }
	sep := s.low(i + 1)
	if sep != "-" && sep != "," && sep != "." || sep == "-" && s.low(i-1) == "-" && s.glued(i) {
		return i
	}
	end := i + 1
	for s.low(end) == sep && s.glued(end) && letter(end+1) && (sep == "," || s.glued(end+1)) {
		end += 2
	}
	if end == i+1 {
		return i
	}
	return end
}
