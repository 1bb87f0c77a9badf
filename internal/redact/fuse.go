package redact

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// piece is one masked stretch of a text: bytes [s, e) of it.
type piece struct {
	s, e  int
	t     Type
	score uint8
	why   Why
	name  string // of an identifier that the business taught
}

// spans gives the marks of the scan as pieces of the text that was read, in order, none touching another's
// bytes: where marks overlap all of both is masked, and the surer one says what it is.
func (s *turn) spans() []piece {
	out := make([]piece, 0, len(s.marks))
	for _, m := range s.marks {
		if m.t == Person || m.t == Username {
			m.from, m.to = s.edges(m.from, m.to)
			if b := s.at(m.from - 2); m.t == Person && s.low(m.from-1) == "." && b.kind == word && b.e-b.s == 1 && b.shape == capital && s.glued(m.from-1) && s.at(m.from).shape == capital { // A. Fuentes
				m.from -= 2
			}
		}
		m.from = s.announced(m.from, m.t)
		if s.low(m.from-1) == "the" && (m.t == DateOfBirth && s.nthOf(m.from) > 0 || m.t == Date && s.low(m.from) == "day") {
			m.from-- // the twelfth of may, the day after tomorrow
		}
		from, to := int(s.tok[m.from].s), int(s.tok[m.to-1].e)
		if m.t == Age && m.to == m.from+1 && s.tok[m.from].kind == mixed && to-from > 2 && !num(s.lower[to-1]) && !num(s.lower[to-2]) { // 7th birthday
			to -= 2
		}
		if m.t == Date && s.glued(m.to) && s.low(m.to) == "'s" { // today's
			to = int(s.tok[m.to].e)
		}
		a, b := s.original(from, to)
		out = append(out, piece{a, b, m.t, m.score, m.why, m.name})
	}
	return fuse(out)
}

// announced gives the beginning of a value of type t at token from with the word that says how it is written: "capital x y n", "plus, one seven".
func (s *turn) announced(from int, t Type) int {
	switch {
	case spokenTypes.has(t) && s.low(from-1) == "capital" && len(s.low(from)) == 1, t == Person && s.low(from-1) == "capital" && len(s.low(from)) == 1,
		t == Phone && s.low(from-1) == "plus":
		return from - 1
	case t == Phone && s.low(from-1) == "," && s.low(from-2) == "plus":
		return from - 2
	}
	return from
}

// edges widens a name to the whole of "tina.walsh_3": what a dot or a low line without spaces joins to it.
func (s *turn) edges(from, to int) (int, int) {
	joins := func(i int) bool { return s.low(i) == "." || s.low(i) == "_" }
	for joins(to) && s.glued(to) && s.glued(to+1) && s.at(to+1).kind >= word && s.at(to+1).kind <= mixed && s.at(to+1).shape == small {
		to += 2
	}
	for from > 1 && joins(from-1) && s.glued(from) && s.glued(from-1) && s.at(from-2).kind >= word && s.at(from-2).kind <= mixed && s.at(from).shape == small {
		from -= 2
	}
	return from, to
}

// fuse sorts pieces and joins those that overlap.
func fuse(p []piece) []piece {
	slices.SortFunc(p, func(a, b piece) int {
		if a.s != b.s {
			return a.s - b.s
		}
		return b.e - a.e
	})
	out := p[:0]
	for _, q := range p {
		if n := len(out); n > 0 && q.s < out[n-1].e {
			last := &out[n-1]
			if q.score > last.score {
				last.t, last.score, last.why, last.name = q.t, q.score, q.why, q.name
			}
			last.e = max(last.e, q.e)
			continue
		}
		out = append(out, q)
	}
	return out
}

// masking is one turn on its way: its text, what is masked of it so far, and the text with masks.
type masking struct {
	text   string
	pieces []piece // of text
	masked string
	at, to []int // where the masks begin and end in masked
	fresh  int   // pieces already learned by the memory
}

// add takes pieces of the masked text in as pieces of the text; it reports whether any was new.
func (m *masking) add(found []piece) bool {
	for i, q := range found {
		found[i].s, found[i].e = m.origin(q.s, false), m.origin(q.e, true)
	}
	return m.insert(found)
}

// insert takes pieces of the text in; it reports whether any was new.
func (m *masking) insert(found []piece) bool {
	fresh := found[:0:0]
	for _, q := range found {
		k, same := slices.BinarySearchFunc(m.pieces, q.s, func(p piece, at int) int { return p.s - at })
		if !same {
			k--
		}
		if inside := k >= 0 && q.e <= m.pieces[k].e; !inside && q.s < q.e {
			fresh = append(fresh, q)
		}
	}
	if len(fresh) == 0 {
		return false
	}
	m.pieces = join(m.text, fuse(append(m.pieces, fresh...)))
	return true
}

// join makes one span of what belongs together: a first name and a surname, a day and its date, the lines of
// an address.
func join(text string, p []piece) []piece {
	out := p[:0]
	for _, q := range p {
		if n := len(out); n > 0 && joins(&out[n-1], &q, text) {
			out[n-1].e = q.e
			out[n-1].score = max(out[n-1].score, q.score)
			continue
		}
		out = append(out, q)
	}
	return out
}

func joins(a, b *piece, text string) bool {
	gap := text[a.e:b.s]
	switch {
	case a.t == b.t && a.t != Date && hesitates(gap, a.t):
		return true
	case len(gap) == 0 || len(gap) > 5:
		return false
	case a.t == Person && b.t == Person:
		return gap == " " || initial(gap)
	case a.t == Date && b.t == Date:
		if lexicon[strings.ToLower(text[a.s:a.e])]&near != 0 { // today, March 1st
			return gap == " "
		}
		return gap == " " || gap == ", " || gap == "., " || gap == ". " || gap == ", on " || gap == " the " || gap == " of " || gap == " on "
	case a.t == Location && b.t == Person:
		return gap == ". " // St. Helena
	case a.t == Address && b.t == Address:
		return strings.Trim(gap, " ,") == ""
	}
	return false
}

// initial reports whether the text between two parts of a name is one letter: "Dmitri B. Valdivia".
func initial(gap string) bool {
	w := strings.TrimSuffix(strings.TrimSpace(gap), ".")
	return len(w) == 1 && letter(w[0]|0x20) && gap[0] == ' ' && gap[len(gap)-1] == ' '
}

// hesitates reports whether the text between two pieces of one value is no more than a hesitation or a correction:
// "four one, um, no wait, five". It belongs to the value.
func hesitates(gap string, t Type) bool {
	if len(gap) > 30 {
		return false
	}
	n := 0
	for w := range strings.FieldsFuncSeq(strings.ToLower(gap), func(r rune) bool { return r == ' ' || r == ',' || r == '.' || r == '-' || r == '\n' || r == '…' }) {
		switch w {
		case "uh", "um", "er", "erm", "ah", "hmm":
		case "no", "wait", "sorry", "oops", "correction", "scratch", "i", "mean", "that", "then", "and", "hold", "on", "hang", "dash", "hyphen", "slash", "dot", "space":
			if !spokenTypes.has(t) {
				return false
			}
		default:
			return false
		}
		n++
	}
	return n > 0 && !strings.Contains(gap, "\n")
}

// spokenTypes are said digit by digit, letter by letter, with corrections in between.
var spokenTypes = of(Phone, CreditCard, CardExpiry, CVV, SSN, IBAN, BankAcct, ID, Vehicle, PIN, Number, Postcode, Username, Password, Email, URL)

// origin maps an offset of the masked text to the text. Inside a mask it is the masked stretch's edge.
func (m *masking) origin(i int, end bool) int {
	k, same := slices.BinarySearch(m.at, i)
	if !same || end {
		k-- // the last mask that begins before i
	}
	if k < 0 {
		return i
	}
	p, behind := m.pieces[k], m.to[k]
	switch {
	case i >= behind:
		return p.e + i - behind
	case end:
		return p.e
	}
	return p.s
}

func (m *masking) render(d *Detector) {
	if len(m.pieces) == 0 {
		return
	}
	var b strings.Builder
	b.Grow(len(m.text) + 8*len(m.pieces))
	at := 0
	m.at, m.to = m.at[:0], m.to[:0]
	for i := range m.pieces {
		p := &m.pieces[i]
		b.WriteString(m.text[at:p.s])
		m.at = append(m.at, b.Len())
		b.WriteString(d.mask(p, m.text[p.s:p.e]))
		m.to = append(m.to, b.Len())
		at = p.e
	}
	b.WriteString(m.text[at:])
	m.masked = b.String()
}

// Span is one masked stretch: code points [Start, End) of the text of turn Turn.
type Span struct {
	Turn, Start, End int
	Type             Type
	Score            float64 // 0 .. 1, how sure the rule is; not a probability
	Why              Why
}

// Redaction is a masked document. It is made by this package only.
type Redaction struct {
	turns   []string
	labels  []string
	lengths []int // code points of the turns as they were given
	spans   []Span
	verdict Verdict
}

// finish makes a Redaction of the turns, or parts of turns (of says whose), that were masked.
func finish(given []Turn, turns []masking, of []int, verdict Verdict) *Redaction {
	r := &Redaction{turns: make([]string, len(given)), labels: make([]string, len(given)), lengths: make([]int, len(given)), verdict: verdict}
	for i := range given {
		r.labels[i] = given[i].Label
	}
	for part := range turns {
		m, i := &turns[part], part
		if of != nil {
			i = of[part]
		}
		at, n := 0, r.lengths[i]
		for _, p := range m.pieces {
			n += utf8.RuneCountInString(m.text[at:p.s])
			from := n
			n += utf8.RuneCountInString(m.text[p.s:p.e])
			at = p.e
			r.spans = append(r.spans, Span{i, from, n, p.t, float64(p.score) / 100, p.why})
		}
		r.lengths[i] = n + utf8.RuneCountInString(m.text[at:])
		if of == nil {
			r.turns[i] = m.masked
		}
	}
	for from, to := 0, 0; from < len(of); from = to {
		var whole strings.Builder
		for to = from; to < len(of) && of[to] == of[from]; to++ {
			whole.WriteString(turns[to].masked)
		}
		r.turns[of[from]] = whole.String()
	}
	return r
}

// Masked is the whole document: labels and masked turns, one a line.
func (r *Redaction) Masked() string {
	n := 0
	for i, t := range r.turns {
		n += len(r.labels[i]) + len(t) + 1
	}
	var b strings.Builder
	b.Grow(n)
	for i, t := range r.turns {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(r.labels[i])
		b.WriteString(t)
	}
	return b.String()
}

// MaskedTurns are the turns, masked, without labels.
func (r *Redaction) MaskedTurns() []string { return slices.Clone(r.turns) }

// Spans are all masked stretches in order.
func (r *Redaction) Spans() []Span { return slices.Clone(r.spans) }

// Flat gives the spans in code points of the whole text that ParsePlain cut into turns; Turn is 0.
func (r *Redaction) Flat() []Span {
	out := make([]Span, len(r.spans))
	base, k := 0, 0
	for i := range r.turns {
		base += utf8.RuneCountInString(r.labels[i])
		for ; k < len(r.spans) && r.spans[k].Turn == i; k++ {
			sp := r.spans[k]
			sp.Turn, sp.Start, sp.End = 0, sp.Start+base, sp.End+base
			out[k] = sp
		}
		base += r.lengths[i] + 1
	}
	return out
}

// Verified reports whether the text may be stored: its verdict is Clean.
func (r *Redaction) Verified() bool { return r.verdict == Clean }

// Verdict says why a redaction is not verified.
func (r *Redaction) Verdict() Verdict { return r.verdict }

// Version of the rules that made it.
func (r *Redaction) Version() int { return Version }
