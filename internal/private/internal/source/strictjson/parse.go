// Package strictjson reads all JSON that vendors send.
//
// Zone: RED. Parse accepts RFC 8259 as RFC 7493 (I-JSON) narrows it: one value and nothing after it,
// valid UTF-8, no name twice in an object, and names are compared byte by byte. On top of that it bounds
// what a body may cost: 64 levels, 100,000 values. What it refuses it refuses with a verdict that names a
// reason and, for a field, its name; never a value.
//
// A Value is read through accessors that take a name and remember the first field that had the wrong
// type (see Value.Fault), so that a decoder reads as the list of the fields it uses. Unknown fields are
// simply not asked for.
//
// What it does not protect against: a body that is large (the caller limits bytes), and numbers that
// float64 cannot hold exactly (connectors ask for ids as text).
package strictjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
)

const (
	// MaxDepth is how deep arrays and objects may nest.
	MaxDepth = 64
	// MaxValues is how many values a body may hold: about 10 MB of memory at most.
	MaxValues = 100_000
)

type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

// node is one parsed value.
type node struct {
	kind  kind
	truth bool
	text  string // of a text; the literal of a number
	items []*node
	named map[string]*node
}

// Parse reads one JSON value. The error is a *source.Verdict.
//
// Every webhook and every imported row passes here more than once, so that this is a parser of its own: reading the
// tokens of encoding/json costs seven times as much. A fuzz test holds it to what that package accepts.
func Parse(body []byte) (Value, error) {
	if !utf8.Valid(body) {
		return Value{}, source.Quarantine(fact.WhyEncoding, "body")
	}
	p := parser{s: string(body)}
	p.blanks()
	root, bad := p.value(0)
	if bad != nil {
		return Value{}, bad
	}
	if p.blanks(); p.at < len(p.s) {
		return Value{}, notJSON
	}
	return Value{n: root, fault: new(fault)}, nil
}

var notJSON = source.Quarantine(fact.WhyNotJSON, "body")

// parser builds nodes in one pass and without backtracking. Texts without escapes are parts of s.
type parser struct {
	s      string
	at     int
	values int
	slab   []node // nodes not used yet
}

func (p *parser) node(k kind) *node {
	if len(p.slab) == 0 {
		p.slab = make([]node, 32)
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	n.kind = k
	return n
}

func (p *parser) blanks() {
	for p.at < len(p.s) && (p.s[p.at] == ' ' || p.s[p.at] == '\n' || p.s[p.at] == '\t' || p.s[p.at] == '\r') {
		p.at++
	}
}

// next takes a mark, with blanks on both sides.
func (p *parser) next(mark byte) bool {
	p.blanks()
	if p.at == len(p.s) || p.s[p.at] != mark {
		return false
	}
	p.at++
	p.blanks()
	return true
}

// words are the values that are words.
var words = [...]struct {
	is string
	kind
}{{"true", boolean}, {"false", boolean}, {"null", null}}

// value reads a value; the caller has skipped blanks.
func (p *parser) value(depth int) (*node, *source.Verdict) {
	if p.at == len(p.s) {
		return nil, notJSON
	}
	if p.values++; p.values > MaxValues {
		return nil, source.Quarantine(fact.WhyTooLarge, "body")
	}
	switch c := p.s[p.at]; c {
	case '{', '[':
		if depth == MaxDepth {
			return nil, source.Quarantine(fact.WhyTooDeep, "body")
		}
		if c == '[' {
			return p.array(depth + 1)
		}
		return p.object(depth + 1)
	case '"':
		s, ok := p.text()
		if !ok {
			return nil, notJSON
		}
		n := p.node(text)
		n.text = s
		return n, nil
	case 't', 'f', 'n':
		for _, w := range words {
			if strings.HasPrefix(p.s[p.at:], w.is) {
				p.at += len(w.is)
				n := p.node(w.kind)
				n.truth = w.is == "true"
				return n, nil
			}
		}
		return nil, notJSON
	}
	return p.number()
}

func (p *parser) array(depth int) (*node, *source.Verdict) {
	n := p.node(array)
	if p.next('['); p.next(']') {
		return n, nil
	}
	for {
		item, bad := p.value(depth)
		if bad != nil {
			return nil, bad
		}
		n.items = append(n.items, item)
		switch {
		case p.next(','):
		case p.next(']'):
			return n, nil
		default:
			return nil, notJSON
		}
	}
}

func (p *parser) object(depth int) (*node, *source.Verdict) {
	n := p.node(object)
	if p.next('{'); p.next('}') {
		return n, nil
	}
	n.named = make(map[string]*node, 8)
	for {
		name, ok := p.text()
		if !ok || !p.next(':') {
			return nil, notJSON
		}
		if _, twice := n.named[name]; twice {
			return nil, source.Quarantine(fact.WhyDuplicateKey, "body")
		}
		field, bad := p.value(depth)
		if bad != nil {
			return nil, bad
		}
		n.named[name] = field
		switch {
		case p.next(','):
		case p.next('}'):
			return n, nil
		default:
			return nil, notJSON
		}
	}
}

// number reads RFC 8259 6 and keeps the literal.
func (p *parser) number() (*node, *source.Verdict) {
	from := p.at
	p.one("-")
	ok := p.one("0") || p.digits()
	if ok && p.one(".") {
		ok = p.digits()
	}
	if ok && p.one("eE") {
		p.one("+-")
		ok = p.digits()
	}
	if !ok {
		return nil, notJSON
	}
	n := p.node(number)
	n.text = p.s[from:p.at]
	return n, nil
}

func (p *parser) one(of string) bool {
	if p.at == len(p.s) || strings.IndexByte(of, p.s[p.at]) < 0 {
		return false
	}
	p.at++
	return true
}

func (p *parser) digits() bool {
	from := p.at
	for p.at < len(p.s) && p.s[p.at] >= '0' && p.s[p.at] <= '9' {
		p.at++
	}
	return p.at > from
}

// text reads RFC 8259 7, from quote to quote.
func (p *parser) text() (string, bool) {
	if !p.one(`"`) {
		return "", false
	}
	for from := p.at; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; {
		case c == '"':
			p.at++
			return p.s[from : p.at-1], true
		case c == '\\':
			return p.escaped(from)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// escaped reads the rest of a text that begins at from and has an escape where the parser stands.
func (p *parser) escaped(from int) (string, bool) {
	b := append(make([]byte, 0, p.at-from+32), p.s[from:p.at]...)
	for p.at < len(p.s) {
		c := p.s[p.at]
		p.at++
		switch {
		case c == '"':
			return string(b), true
		case c < ' ':
			return "", false
		case c != '\\':
			b = append(b, c)
			continue
		}
		if p.at == len(p.s) {
			return "", false
		}
		c = p.s[p.at]
		p.at++
		if c == 'u' {
			r, ok := p.unit()
			if !ok {
				return "", false
			}
			b = utf8.AppendRune(b, r)
			continue
		}
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return "", false
		}
		b = append(b, "\"\\/\b\f\n\r\t"[i])
	}
	return "", false
}

// unit reads the four digits behind \u, and of a pair of surrogates the second escape too. Half a pair is U+FFFD.
func (p *parser) unit() (rune, bool) {
	r, ok := p.hex(p.at)
	if !ok {
		return 0, false
	}
	p.at += 4
	if !utf16.IsSurrogate(r) {
		return r, true
	}
	if strings.HasPrefix(p.s[p.at:], `\u`) {
		if low, ok := p.hex(p.at + 2); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			p.at += 6
			return utf16.DecodeRune(r, low), true
		}
	}
	return utf8.RuneError, true
}

func (p *parser) hex(at int) (r rune, ok bool) {
	if at+4 > len(p.s) {
		return 0, false
	}
	for _, c := range []byte(p.s[at : at+4]) {
		i := strings.IndexByte("0123456789abcdef", c|0x20)
		if i < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(i)
	}
	return r, true
}
