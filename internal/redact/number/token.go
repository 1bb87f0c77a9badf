package number

type classOf uint8

const (
	other classOf = iota
	allDigits
	letters
	mixed
)

func class(s string) classOf {
	d, l := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			d++
		case c >= 'a' && c <= 'z':
			l++
		default:
			if _, known := vocabulary[s]; known { // x-ray, zéro
				return letters
			}
			return other
		}
	}
	switch {
	case d > 0 && l == 0:
		return allDigits
	case d > 0:
		return mixed
	case l > 0:
		return letters
	}
	return other
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' }

// codeWord reports whether a token is letters and digits of its own, such as a user name: it joins no other.
func codeWord(s string) bool {
	n := 0
	for i := range len(s) {
		if s[i] >= 'a' && s[i] <= 'z' {
			n++
		}
	}
	return n >= 4 && class(s) == mixed
}

// chars appends every character of a token of digits or of letters and digits.
func (r *Reader) chars(w Word) {
	each := w.End-w.Start == len(w.Lower)
	for k := range len(w.Lower) {
		s := Symbol{w.Lower[k], w.Start, w.End}
		if each {
			s.Start, s.End = w.Start+k, w.Start+k+1
		}
		r.symbols = append(r.symbols, s)
	}
}

// split reads digits that a recogniser glued to words for digits: "five0132", "three2". It reports whether the token is
// that and nothing else.
func (r *Reader) split(w Word) bool {
	each := w.End-w.Start == len(w.Lower)
	before := len(r.symbols)
	for i := 0; i < len(w.Lower); {
		j := i + 1
		if w.Lower[i] >= '0' && w.Lower[i] <= '9' {
			r.symbols = append(r.symbols, Symbol{w.Lower[i], w.Start, w.End})
		} else {
			for j < len(w.Lower) && w.Lower[j] >= 'a' && w.Lower[j] <= 'z' {
				j++
			}
			e := vocabulary[w.Lower[i:j]]
			if e.role != digit {
				r.symbols = r.symbols[:before]
				return false
			}
			r.symbols = append(r.symbols, Symbol{'0' + byte(e.value), w.Start, w.End})
		}
		if each {
			s := &r.symbols[len(r.symbols)-1]
			s.Start, s.End = w.Start+i, w.Start+j
		}
		i = j
	}
	r.run.Spoken++
	return true
}
