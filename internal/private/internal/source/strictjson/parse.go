// Package strictjson is the one door through which a vendor's JSON comes in.
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
	"bytes"
	"encoding/json"
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
func Parse(body []byte) (Value, error) {
	if !utf8.Valid(body) {
		return Value{}, source.Quarantine(fact.WhyEncoding, "body")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	p := parser{tokens: d}
	root, bad := p.value(0)
	if bad != nil {
		return Value{}, bad
	}
	if len(bytes.TrimLeft(body[d.InputOffset():], " \t\r\n")) > 0 {
		return Value{}, notJSON
	}
	return Value{n: root, fault: new(fault)}, nil
}

var notJSON = source.Quarantine(fact.WhyNotJSON, "body")

// parser builds nodes from the decoder's tokens, in one pass and without backtracking.
type parser struct {
	tokens *json.Decoder
	values int
}

func (p *parser) value(depth int) (*node, *source.Verdict) {
	t, err := p.tokens.Token()
	if err != nil {
		return nil, notJSON
	}
	if p.values++; p.values > MaxValues {
		return nil, source.Quarantine(fact.WhyTooLarge, "body")
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == MaxDepth {
			return nil, source.Quarantine(fact.WhyTooDeep, "body")
		}
		if t == '[' {
			return p.array(depth + 1)
		}
		return p.object(depth + 1)
	case string:
		return &node{kind: text, text: t}, nil
	case json.Number:
		return &node{kind: number, text: t.String()}, nil
	case bool:
		return &node{kind: boolean, truth: t}, nil
	}
	return &node{kind: null}, nil
}

func (p *parser) array(depth int) (*node, *source.Verdict) {
	n := &node{kind: array}
	for p.tokens.More() {
		item, bad := p.value(depth)
		if bad != nil {
			return nil, bad
		}
		n.items = append(n.items, item)
	}
	return n, p.end()
}

func (p *parser) object(depth int) (*node, *source.Verdict) {
	n := &node{kind: object}
	for p.tokens.More() {
		t, err := p.tokens.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, notJSON
		}
		if _, twice := n.named[name]; twice {
			return nil, source.Quarantine(fact.WhyDuplicateKey, "body")
		}
		field, bad := p.value(depth)
		if bad != nil {
			return nil, bad
		}
		if n.named == nil {
			n.named = make(map[string]*node)
		}
		n.named[name] = field
	}
	return n, p.end()
}

// end reads the closing bracket; the decoder has matched it with the opening one.
func (p *parser) end() *source.Verdict {
	if _, err := p.tokens.Token(); err != nil {
		return notJSON
	}
	return nil
}
