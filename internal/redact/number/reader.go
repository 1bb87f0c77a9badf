// Package number reads numbers, codes and spellings the way people say them on the telephone.
//
// Zone: RED. "double five nine seven, uh, twenty twenty six" becomes the symbols 5 5 9 7 2 0 2 6, "b as in
// boy, echo" becomes b e; every symbol points back to the characters it was read from, so that whoever masks
// the symbols masks the words. Digits that a recogniser glued or split ("55 5 0 one") read the same way.
//
// Words: a *word* is one token of the text, a *symbol* one digit, letter or sign, a *run* the longest
// stretch of words that says symbols. A run is a reading, not a verdict: "one" is a run of one digit.
//
// What it does not protect against: homophones a recogniser wrote instead of the number ("for", "to", "ate"),
// which only the question asked before can tell; and numbers in another language than English.
package number

import "slices"

// Word is one token of the text: a word, a row of digits, letters and digits mixed, or one punctuation
// character. Lower is its text in lower case; Start and End are the caller's own offsets (bytes or code
// points), End exclusive. A token of n one-byte characters must span n offsets, or its symbols all point to
// the whole of it.
type Word struct {
	Lower      string
	Start, End int
}

// Symbol is one digit '0'-'9', letter 'a'-'z' or sign (- . / _ + @) with the text it was read from.
type Symbol struct {
	C          byte
	Start, End int
}

// Run is a stretch of words [From, To) that says Symbols. It begins and ends with a symbol.
type Run struct {
	From, To int
	Symbols  []Symbol
	Digits   int  // symbols that are digits
	Letters  int  // symbols that are letters
	Spoken   int  // words read as numbers: 0 for digits alone
	Cardinal bool // one plain number such as "two hundred and five", "fourteen": likely a quantity
}

// Value is the symbols without signs, in a new string.
func (r Run) Value() string {
	b := make([]byte, 0, len(r.Symbols))
	for _, s := range r.Symbols {
		if s.C >= '0' && s.C <= '9' || s.C >= 'a' && s.C <= 'z' {
			b = append(b, s.C)
		}
	}
	return string(b)
}

// Reader reads runs. It keeps its buffers between calls and is not safe for concurrent use.
type Reader struct {
	runs    []Run
	symbols []Symbol
	w       []Word
	known   []known // by word
	pos     int     // next word
	group   int     // symbols before the group after the last pause: a correction takes back no further
	fixed   int     // symbols before a correction that is being said; -1 for none
	last    int     // word after the last symbol read
	run     Run
	parts   int // elements of the run
}

// maxGap is how many fillers may stand between two symbols of one run, and three times as many with punctuation marks.
const maxGap = 4

// Read gives all runs of w in order. The result is valid until the next call.
func (r *Reader) Read(w []Word) []Run {
	r.runs, r.symbols, r.w, r.known = r.runs[:0], r.symbols[:0], w, r.known[:0]
	for _, x := range w {
		r.known = append(r.known, know(x.Lower))
	}
	for r.pos = 0; r.pos < len(w); {
		if !r.begin() {
			r.pos++
		}
	}
	return r.runs
}

// begin tries to read one run at pos and moves pos behind it.
func (r *Reader) begin() bool {
	start := len(r.symbols)
	r.run, r.parts, r.group, r.fixed = Run{From: r.pos}, 0, start, -1
	if !r.element() {
		return false
	}
	r.last = r.pos
	fixing := false
	for gap, words := 0, 0; r.pos < len(r.w) && words <= maxGap && gap <= 3*maxGap; {
		before := len(r.symbols)
		if r.element() {
			if fixing || gap > 0 {
				before -= r.correct(before)
			}
			if fixing {
				r.fixed = before
			} else if gap > 0 {
				r.group = before
			}
			r.last, gap, words, fixing = r.pos, 0, 0, false
			continue
		}
		if codeWord(r.w[r.last-1].Lower) {
			break
		}
		n, sign, takeBack := r.between()
		if n == 0 {
			break
		}
		fixing = fixing || takeBack
		if sign != 0 && sign != ' ' && !fixing {
			r.symbols = append(r.symbols, Symbol{sign, r.w[r.pos].Start, r.w[r.pos+n-1].End})
		}
		if r.known[r.pos].class != other {
			words++
		}
		r.pos += n
		gap++
	}
	r.correct(len(r.symbols))
	r.pos, r.run.To = r.last, r.last
	for len(r.symbols) > start && !alnum(r.symbols[len(r.symbols)-1].C) {
		r.symbols = r.symbols[:len(r.symbols)-1]
	}
	r.run.Symbols = r.symbols[start:len(r.symbols):len(r.symbols)]
	for _, s := range r.run.Symbols {
		switch {
		case s.C >= '0' && s.C <= '9':
			r.run.Digits++
		case s.C >= 'a' && s.C <= 'z':
			r.run.Letters++
		}
	}
	r.run.Cardinal = r.run.Cardinal && r.parts == 1
	r.runs = append(r.runs, r.run)
	return true
}

// correct ends a correction, of which the symbols up to end were said: it takes the place of as many symbols before it,
// within its group. "five five nine, sorry, eight" says 558. It gives how many symbols it took back.
func (r *Reader) correct(end int) int {
	if r.fixed < 0 {
		return 0
	}
	n := min(end-r.fixed, r.fixed-r.group)
	r.symbols = slices.Delete(r.symbols, r.fixed-n, r.fixed)
	r.fixed = -1
	return n
}

// between tells how many words at pos may stand between two symbols, the sign they say, and whether they
// take the last group back. 0 words: the run ends here.
func (r *Reader) between() (n int, sign byte, takeBack bool) {
	w := r.w[r.pos].Lower
	switch w {
	case ",", ".", "(", ")", "*", ";", "…", "\"":
		return 1, ' ', false
	case "-", "/", "+", "_":
		return 1, w[0], false
	case ":", "#":
		return 1, ' ', false
	}
	if r.known[r.pos].begins && r.pos+1 < len(r.w) {
		if e, ok := phrases[[2]string{w, r.w[r.pos+1].Lower}]; ok && e.role >= joiner {
			return 2, e.sign, e.role == fix
		}
	}
	e := r.known[r.pos].entry
	switch e.role {
	case joiner:
		if e.sign == '@' {
			return 0, 0, false
		}
		return 1, e.sign, false
	case filler:
		return 1, ' ', false
	case fix:
		return 1, ' ', true
	}
	return 0, 0, false
}

// element reads one element at pos: digits, a number in words, a letter, a spelling word, a repeat.
func (r *Reader) element() bool {
	i := r.pos
	w := r.w[i]
	switch c := r.known[i].class; {
	case c == mixed && r.split(w):
		r.pos++
		r.parts++
		return true
	case c == mixed && codeWord(w.Lower) && r.parts > 0:
		return false
	case c == allDigits || c == mixed && len(w.Lower) <= 34:
		r.chars(w)
		r.pos++
		r.parts++
		return true
	case c == other:
		return false
	}
	if r.known[i].begins && i+1 < len(r.w) {
		if e, ok := phrases[[2]string{w.Lower, r.w[i+1].Lower}]; ok {
			return e.role == nato && r.beside(i, i+2) && r.letter(e.sign, i, i+2)
		}
	}
	e := r.known[i].entry
	switch e.role {
	case digit, teen, ten:
		return r.cardinal()
	case repeat:
		return r.repeated(e.value)
	case nato:
		return r.letter(e.sign, i, i+1)
	case loose:
		return r.beside(i, i+1) && r.letter(e.sign, i, i+1)
	}
	if w.Lower == "o" && r.zero(i) {
		r.run.Spoken++
		return r.letter('0', i, i+1)
	}
	if len(w.Lower) == 1 && w.Lower[0] >= 'a' && w.Lower[0] <= 'z' && !r.halfDay(i) {
		if n := r.explained(i); n > 0 {
			return r.letter(w.Lower[0], i, i+n)
		}
		return r.beside(i, i+1) && r.letter(w.Lower[0], i, i+1)
	}
	return false
}

// zero reports whether an "o" at word i is the digit: behind a digit with no letter behind it, or at the
// beginning before two digits.
func (r *Reader) zero(i int) bool {
	next := func(k int) bool {
		return k < len(r.w) && (r.saysDigit(k) || r.known[k].class == allDigits || r.w[k].Lower == "o" || r.known[k].entry.role == ten)
	}
	if r.parts == 0 {
		return next(i+1) && next(i+2)
	}
	if n := len(r.symbols); r.last < i-1 || n == 0 || r.symbols[n-1].C > '9' {
		return r.last >= i-1 && next(i+1) && next(i+2)
	}
	return next(i+1) || i+1 >= len(r.w) || len(r.w[i+1].Lower) != 1 || r.known[i+1].class != letters
}

// halfDay reports whether word i begins "p.m." or "p m" behind digits.
func (r *Reader) halfDay(i int) bool {
	if c := r.w[i].Lower; c != "a" && c != "p" || i == 0 || i+1 >= len(r.w) {
		return false
	}
	if r.w[i+1].Lower == "m" {
		return r.parts > 0 && r.last == i && r.known[i-1].class == allDigits
	}
	return i+2 < len(r.w) && r.w[i+1].Lower == "." && r.w[i+2].Lower == "m"
}

// explained gives the length of "b as in boy", "b like boy", "b for boy" at i, 0 if it is none.
func (r *Reader) explained(i int) int {
	word := func(k int) string {
		if i+k < len(r.w) {
			return r.w[i+k].Lower
		}
		return ""
	}
	var n int
	switch {
	case word(1) == "as" && word(2) == "in":
		n = 3
	case word(1) == "like" || word(1) == "for":
		n = 2
	default:
		return 0
	}
	if x := word(n); len(x) > 1 && x[0] == r.w[i].Lower[0] {
		return n + 1
	}
	return 0
}

// beside reports whether a symbol stands directly before word i or behind word j-1: an "i" or a "hotel" alone
// is a word.
func (r *Reader) beside(i, j int) bool {
	word := r.w[i].Lower == "a" || r.w[i].Lower == "i"
	if r.parts > 0 && r.last >= i-2 && (!word || r.known[i-1].class == letters && len(r.w[i-1].Lower) == 1) {
		return true
	}
	for k := j; k < len(r.w) && k < j+2; k++ {
		w := r.w[k].Lower
		e := r.known[k].entry
		if w == "-" || w == "." || e.role == joiner && w != "at" && w != "point" && w != "period" {
			continue
		}
		switch r.known[k].class {
		case allDigits, mixed:
			return true
		case other:
			return false
		}
		switch e.role {
		case digit, teen, ten, nato:
			return true
		case loose:
			return !word
		case repeat:
			return k+1 < len(r.w) && r.known[k+1].class != other
		}
		return len(w) == 1 && w != "a" && w != "i" && w[0] >= 'a' && w[0] <= 'z' ||
			len(w) == 1 && k+1 < len(r.w) && len(r.w[k+1].Lower) == 1 && r.known[k+1].class == letters
	}
	return false
}

func (r *Reader) letter(c byte, i, j int) bool {
	r.symbols = append(r.symbols, Symbol{c, r.w[i].Start, r.w[j-1].End})
	r.pos = j
	r.parts++
	return true
}

// repeated reads "double one", "triple oh", "double b".
func (r *Reader) repeated(times int) bool {
	i := r.pos
	if i+1 >= len(r.w) {
		return false
	}
	next := r.w[i+1].Lower
	var c byte
	switch e := r.known[i+1].entry; {
	case e.role == digit:
		c = '0' + byte(e.value)
		r.run.Spoken++
	case e.role == nato || e.role == loose:
		c = e.sign
	case len(next) == 1 && r.known[i+1].class != other:
		c = next[0]
		if c == 'o' {
			c = '0'
		}
	default:
		return false
	}
	for range times {
		r.symbols = append(r.symbols, Symbol{c, r.w[i].Start, r.w[i+1].End})
	}
	r.pos += 2
	r.parts++
	return true
}

// cardinal reads one number in words: "seven", "forty two", "nineteen", "nine hundred and five", "two
// thousand twelve". A ten takes the digit behind it; the next ten begins a new element, so that "twenty
// twenty six" says 2026.
func (r *Reader) cardinal() bool {
	i := r.pos
	e := r.known[i].entry
	total, part, n := 0, e.value, 1
	open := e.role == ten // a unit may still follow
	big := false
	j := i + 1
loop:
	for j < len(r.w) {
		w := r.w[j].Lower
		k := j
		if w == "-" && open && j+1 < len(r.w) { // twenty-two
			k, w = j+1, r.w[j+1].Lower
			if e := r.known[k].entry; e.role != digit || e.value == 0 || r.w[j].Start != r.w[j-1].End {
				break
			}
		}
		if w == "and" && big && j+1 < len(r.w) {
			k, w = j+1, r.w[j+1].Lower
			if role := r.known[k].entry.role; role != digit && role != teen && role != ten {
				break
			}
		}
		e := r.known[k].entry
		switch {
		case e.role == digit && open && e.value > 0:
			if big && part%100 == 0 && r.saysDigit(k+1) { // one eight hundred five five five
				break loop
			}
			part += e.value
			open = false
		case e.role == hundred && part > 0 && part < 100:
			part *= 100
			big, open = true, true
		case e.role == thousand && part > 0 && part < 1000:
			total += part * 1000
			part = 0
			big, open = true, true
		case (e.role == teen || e.role == ten) && big && part%100 == 0 && open:
			part += e.value
			open = e.role == ten
		default:
			break loop
		}
		n++
		j = k + 1
	}
	value := total + part
	r.pos = j
	r.parts++
	r.run.Spoken += n
	r.run.Cardinal = n > 1 || e.role != digit
	var buf [12]byte
	b := buf[:0]
	if value == 0 {
		b = append(b, '0')
	}
	for v := value; v > 0; v /= 10 {
		b = append(b, byte('0'+v%10))
	}
	for _, v := range slices.Backward(b) {
		r.symbols = append(r.symbols, Symbol{v, r.w[i].Start, r.w[j-1].End})
	}
	return true
}

// saysDigit reports whether word i is a digit or repeats one.
func (r *Reader) saysDigit(i int) bool {
	if i >= len(r.w) {
		return false
	}
	e := r.known[i].entry
	return e.role == digit || e.role == repeat
}
