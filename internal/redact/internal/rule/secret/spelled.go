package secret

import (
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// FindSpelled marks what is spelled letter by letter with the same sign between all letters, whoever asked for it: "its F-I-O-N-A",
// "F, R, A, N, K". Three letters are a word or a name; others may be short for something, or sizes.
func FindSpelled(s *scan.Scan) {
	for i := 0; i < len(s.Tokens); i++ {
		if t := &s.Tokens[i]; t.Kind != token.Word || t.End-t.Start != 1 {
			continue
		}
		end := spellingEnd(s, i)
		n := (end - i + 1) / 2
		if n < 3 {
			continue
		}
		sep := s.Low(i + 1)
		var word []byte
		for k := i; k < end; k += 2 {
			word = append(word, s.Low(k)...)
		}
		known := gazetteer.Lookup(string(word))
		if n > 3 && (sep != "." || known != 0) || n == 3 && (sep == "-" || known&gazetteer.Name != 0) && known&gazetteer.Place == 0 {
			t := kind.Person
			if s.Ask.Open() && s.Ask.Types[0] != kind.Location {
				t = s.Ask.Types[0]
			}
			s.Mark(i, end, t, 62, kind.ByShape)
		}
		i = end - 1
	}
}

// spellingEnd gives the end of the single letters that begin with the one at token i, the same sign between all of them; i if there are not two.
func spellingEnd(s *scan.Scan, i int) int {
	letter := func(k int) bool { t := s.At(k); return t.Kind == token.Word && t.End-t.Start == 1 }
	sep := s.Low(i + 1)
	if sep != "-" && sep != "," && sep != "." || sep == "-" && s.Low(i-1) == "-" && s.Glued(i) {
		return i
	}
	end := i + 1
	for s.Low(end) == sep && s.Glued(end) && letter(end+1) && (sep == "," || s.Glued(end+1)) {
		end += 2
	}
	if end == i+1 {
		return i
	}
	return end
}
