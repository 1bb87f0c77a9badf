package redact

import (
	"slices"
	"strings"
	"unicode/utf8"

	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
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
	out := make([]piece, 0, len(s.Marks))
	for _, m := range s.Marks {
		if m.Type == Person || m.Type == Username {
			m.From, m.To = s.edges(m.From, m.To)
			if b := s.At(m.From - 2); m.Type == Person && s.Low(m.From-1) == "." && b.Kind == token.Word && b.End-b.Start == 1 && b.Shape == token.Capital && s.Glued(m.From-1) && s.At(m.From).Shape == token.Capital { // A. Fuentes
				m.From -= 2
			}
		}
		m.From = s.announced(m.From, m.Type)
		if s.Low(m.From-1) == "the" && (m.Type == DateOfBirth && s.NthOf(m.From) > 0 || m.Type == Date && s.Low(m.From) == "day") {
			m.From-- // the twelfth of may, the day after tomorrow
		}
		from, to := int(s.Tokens[m.From].Start), int(s.Tokens[m.To-1].End)
		if m.Type == Age && m.To == m.From+1 && s.Tokens[m.From].Kind == token.Mixed && to-from > 2 && !check.Digit(s.Lower[to-1]) && !check.Digit(s.Lower[to-2]) { // 7th birthday
			to -= 2
		}
		if m.Type == Date && s.Glued(m.To) && s.Low(m.To) == "'s" { // today's
			to = int(s.Tokens[m.To].End)
		}
		a, b := s.Original(from, to)
		out = append(out, piece{a, b, m.Type, m.Score, m.Why, m.Name})
	}
	return fuse(out)
}

// announced gives the beginning of a value of type t at token from with the word that says how it is written: "capital x y n", "plus, one seven".
func (s *turn) announced(from int, t Type) int {
	switch {
	case spokenTypes.Has(t) && s.Low(from-1) == "capital" && len(s.Low(from)) == 1, t == Person && s.Low(from-1) == "capital" && len(s.Low(from)) == 1,
		t == Phone && s.Low(from-1) == "plus":
		return from - 1
	case t == Phone && s.Low(from-1) == "," && s.Low(from-2) == "plus":
		return from - 2
	}
	return from
}

// edges widens a name to the whole of "tina.walsh_3": what a dot or a low line without spaces joins to it.
func (s *turn) edges(from, to int) (int, int) {
	joins := func(i int) bool { return s.Low(i) == "." || s.Low(i) == "_" }
	for joins(to) && s.Glued(to) && s.Glued(to+1) && s.At(to+1).Kind >= token.Word && s.At(to+1).Kind <= token.Mixed && s.At(to+1).Shape == token.Small {
		to += 2
	}
	for from > 1 && joins(from-1) && s.Glued(from) && s.Glued(from-1) && s.At(from-2).Kind >= token.Word && s.At(from-2).Kind <= token.Mixed && s.At(from).Shape == token.Small {
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
		if token.Lexicon[strings.ToLower(text[a.s:a.e])]&token.Near != 0 { // today, March 1st
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
	return len(w) == 1 && check.Letter(w[0]|0x20) && gap[0] == ' ' && gap[len(gap)-1] == ' '
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
			if !spokenTypes.Has(t) {
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
var spokenTypes = kind.Of(Phone, CreditCard, CardExpiry, CVV, SSN, IBAN, BankAcct, ID, Vehicle, PIN, Number, Postcode, Username, Password, Email, URL)

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
