package train

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact"
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/tag"
)

// piece is a stretch of a turn with one answer.
type piece struct {
	text  string
	class tag.Class
	free  bool // any answer is right
	typ   string
}

// talk is a labelled document cut into turns and pieces.
type talk struct {
	turns  []redact.Turn // without their text
	pieces [][]piece
	bare   bool
}

// classes of the types; a type that is absent is Plain where it may be left, Free where it must not be judged.
var classes = map[string]tag.Class{
	"PERSON": tag.Person, "LOCATION": tag.Place, "ADDRESS": tag.Address, "DATE": tag.Date, "DATE_OF_BIRTH": tag.Date, "ORG": tag.Org,
	"TITLE": tag.Plain, "NRP": tag.Plain, "EVENT": tag.Plain, "RELATION": tag.Plain,
}

// cut makes a talk of a document.
func cut(d *gold.Doc, bare bool) *talk {
	at := make([]int, 0, len(d.Text)+1) // bytes of code points
	for i := range d.Text {
		at = append(at, i)
	}
	at = append(at, len(d.Text))
	spans := make([]gold.Span, 0, len(d.Spans))
	for _, opt := range []bool{false, true} { // what counts goes before what does not
		for _, s := range d.Spans {
			clash := s.Opt != opt
			for _, o := range spans {
				clash = clash || s.Start < o.End && o.Start < s.End
			}
			if !clash {
				spans = append(spans, s)
			}
		}
	}
	t := &talk{bare: bare}
	base := 0
	for _, turn := range redact.ParsePlain(d.Text) {
		base += len(turn.Label)
		answer := make([]*gold.Span, len(turn.Text))
		for k := range spans {
			for i := max(0, at[spans[k].Start]-base); i < min(len(answer), at[spans[k].End]-base); i++ {
				answer[i] = &spans[k]
			}
		}
		var ps []piece
		for i := 0; i < len(answer); {
			j := i + 1
			for j < len(answer) && answer[j] == answer[i] {
				j++
			}
			p := piece{text: turn.Text[i:j]}
			if s := answer[i]; s != nil {
				c, known := classes[s.Type]
				if !known {
					c = tag.Other
				}
				p.class, p.typ = c, s.Type
				p.free = s.Opt && c != tag.Plain && c != tag.Org
			}
			ps = append(ps, p)
			i = j
		}
		base += len(turn.Text) + 1
		turn.Text = ""
		t.turns, t.pieces = append(t.turns, turn), append(t.pieces, ps)
	}
	return t
}

// copier makes copies of talks: as they are, in lower case, without punctuation, with other names, with masks.
type copier struct {
	r                          *rand.Rand
	first, last, places, plain []string
	borne                      []string // words that people of the hands are called by
}

func newCopier(seed uint64, hands []*hand.Hand) *copier {
	c := &copier{r: rand.New(rand.NewPCG(seed, 1))}
	for _, h := range hands {
		for _, w := range h.Book.Borne() {
			if f := gazetteer.Lookup(w); f == 0 || f&gazetteer.Word != 0 {
				c.borne = append(c.borne, w)
			}
		}
	}
	for w, f := range gazetteer.All() {
		if f&gazetteer.Given != 0 {
			c.first = append(c.first, w)
		}
		if f&gazetteer.Sur != 0 {
			c.last = append(c.last, w)
		}
		if f&gazetteer.Place != 0 {
			c.places = append(c.places, w)
		}
		if f == gazetteer.Word && len(w) > 3 && len(w) < 11 && redact.Plain(w) {
			c.plain = append(c.plain, w)
		}
	}
	return c
}

// style is how a copy is written.
type style struct {
	lower, bare, rename, mask bool
	other                     int // of a hundred plain words, how many give way to another
}

// write gives the turns of a copy of t, and their pieces as they came out.
func (c *copier) write(t *talk, s style) ([]redact.Turn, [][]piece) {
	turns := append([]redact.Turn(nil), t.turns...)
	pieces := make([][]piece, len(turns))
	for k, ps := range t.pieces {
		var b strings.Builder
		for _, p := range ps {
			if p.text != "" {
				p = c.piece(p, s)
			}
			b.WriteString(p.text)
			pieces[k] = append(pieces[k], p)
		}
		turns[k].Text = b.String()
	}
	return turns, pieces
}

func (c *copier) piece(p piece, s style) piece {
	if s.mask && p.class != tag.Plain && p.class != tag.Org && !p.free && c.r.IntN(10) < 8 {
		return piece{text: "[" + p.typ + "]"}
	}
	if s.rename && !p.free && c.r.IntN(3) > 0 {
		switch p.class {
		case tag.Person:
			p.text = c.rename(p.text)
		case tag.Place:
			p.text = c.move(p.text)
		case tag.Address:
			p.text = c.readdress(p.text)
		}
	}
	if s.other > 0 && p.class == tag.Plain && !p.free {
		p.text = c.reword(p.text, s.other)
	}
	if s.bare && (p.class == tag.Plain || p.class == tag.Person || p.class == tag.Place || p.class == tag.Org) {
		p.text = unpunctuated(p.text)
	}
	if s.lower {
		p.text = strings.ToLower(p.text)
	}
	return p
}

// unpunctuated takes signs out of s that end or join words, not those inside numbers.
func unpunctuated(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',', '.', '?', '!', ';', ':', '"', '(', ')':
			inside := i > 0 && i+1 < len(s) && s[i-1] != ' ' && s[i+1] != ' '
			if !inside {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// rename puts other words in the place of the words of a name, in the same case. A spelled name stays.
func (c *copier) rename(name string) string {
	words := strings.Fields(name)
	for _, w := range words {
		if len(w) < 3 || strings.ContainsAny(w, "0123456789@.-_") {
			return name
		}
	}
	made, word := c.r.IntN(3) == 0, c.r.IntN(12)
	for i, w := range words {
		list := c.last
		if i == 0 {
			list = c.first
		}
		switch { // people are called Patience and Shorty: only the words around it tell
		case word < 2:
			words[i] = likeCase(c.plain[c.r.IntN(len(c.plain))], w)
			continue
		case word < 5 && len(c.borne) > 0:
			words[i] = likeCase(c.borne[c.r.IntN(len(c.borne))], w)
			continue
		}
		other := list[c.r.IntN(len(list))]
		if made { // a name that is in no list
			a, b := []rune(other), []rune(list[c.r.IntN(len(list))])
			other = string(a[:min(len(a), 2+c.r.IntN(3))]) + string(b[max(0, len(b)-2-c.r.IntN(3)):])
		}
		words[i] = likeCase(other, w)
	}
	return strings.Join(words, " ")
}

// reword puts other plain words in the place of some of s, so that what is said around a value is not known by heart. Words of
// closed classes stay: they make the frame.
func (c *copier) reword(s string, share int) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		if len(w) > 3 && c.r.IntN(100) < share && letters(w) && redact.Plain(strings.ToLower(w)) {
			words[i] = likeCase(c.plain[c.r.IntN(len(c.plain))], w)
		}
	}
	return strings.Join(words, " ")
}

// letters reports whether w is nothing but letters.
func letters(w string) bool {
	return !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) })
}

// move puts another place in the place of one.
func (c *copier) move(place string) string {
	if strings.ContainsAny(place, ",0123456789(") || len(place) < 4 {
		return place
	}
	words := strings.Fields(c.places[c.r.IntN(len(c.places))])
	if c.r.IntN(8) == 0 {
		words = []string{c.plain[c.r.IntN(len(c.plain))], c.plain[c.r.IntN(len(c.plain))]}[c.r.IntN(2):]
	}
	for i := range words {
		words[i] = likeCase(words[i], place)
	}
	return strings.Join(words, " ")
}

// readdress puts other words in the place of those of a street: names and plain words. Numbers, kinds of streets and short
// words stay.
func (c *copier) readdress(street string) string {
	words := strings.Split(street, " ")
	for i, w := range words {
		if i > 0 && roads[strings.ToLower(w)] && c.r.IntN(4) == 0 { // streets have more kinds than any list
			words[i] = likeCase(kinds[c.r.IntN(len(kinds))], w)
			continue
		}
		if len(w) < 4 || strings.ContainsAny(w, "0123456789.,\n-'") || !redact.Plain(strings.ToLower(w)) || c.r.IntN(3) == 0 {
			continue
		}
		list := c.last
		if c.r.IntN(2) == 0 {
			list = c.plain
		}
		words[i] = likeCase(list[c.r.IntN(len(list))], w)
	}
	return strings.Join(words, " ")
}

// roads are kinds of streets that are kept from nothing else; kinds are others that streets end in.
var (
	roads = map[string]bool{"street": true, "road": true, "avenue": true, "lane": true, "drive": true, "court": true, "close": true, "place": true, "way": true, "boulevard": true, "crescent": true, "terrace": true}
	kinds = strings.Fields(`fold brow side top head bank croft garth gate wynd vale green mount view bottom end common moor nook cove landing moorings key bay crest glen hollow meadow estate
		extension colony nagar enclave layout main marg chowk bazaar bund quay wharf yard parade rise dene mead lea copse spinney orchard paddock mill bridge cross chase drove reach warren pointe bend
		bluff branch brook causeway creek dale ferry fork gateway haven isle knoll lodge manor spur summit trace track turnpike viaduct vista approach concourse circus esplanade promenade
		mews close walk gardens grove row hill street lane crescent square`)
)

// likeCase writes lower-case w with the capitals of like.
func likeCase(w, like string) string {
	r, n := utf8.DecodeRuneInString(like)
	if !unicode.IsUpper(r) {
		return w
	}
	if second, _ := utf8.DecodeRuneInString(like[n:]); unicode.IsUpper(second) {
		return strings.ToUpper(w)
	}
	r, n = utf8.DecodeRuneInString(w)
	return string(unicode.ToUpper(r)) + w[n:]
}
