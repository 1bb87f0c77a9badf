package identity

import (
	"sync"

	"murmur/internal/private/anon"
	"murmur/internal/private/internal/personal"
)

// Person is somebody a source named, as everything behind the door knows them.
type Person struct {
	// Contact is the pseudonym; anon.Nobody for a caller who is not shown, and for an address that nobody can read.
	Contact anon.Contact
	// Former are pseudonyms under which earlier rules may have known the same person: what was refused or erased under
	// one of them holds.
	Former []anon.Contact
	// Also are the pseudonyms of further addresses by which a source named the same person. Rows never belong to them; what
	// was refused or erased by one of them holds. A caller who is not shown may have some too.
	Also []anon.Contact
	// Unreadable: something stands in the place of the address. It may be somebody who refused.
	Unreadable bool
	// Country is where the number is from, ISO 3166; "" when nobody can say.
	Country func() string
}

// Known reports whether it is somebody in particular.
func (p Person) Known() bool { return p.Contact.Valid() && p.Contact != anon.Nobody() }

// All are the pseudonyms of a person, today's first; none of nobody.
func (p Person) All() []anon.Contact {
	if !p.Known() {
		return nil
	}
	return append([]anon.Contact{p.Contact}, p.Former...)
}

// Stranger is a person of whom the pseudonym alone is known, and the country.
func Stranger(c anon.Contact, country string) Person {
	if !c.Valid() {
		c = anon.Nobody()
	}
	return Person{Contact: c, Country: func() string { return country }}
}

// Parser is Parse with a memory of the most frequent addresses. The zero value is ready; it is safe for concurrent use.
type Parser struct {
	mu    sync.Mutex
	known map[reading]Address
}

type reading struct{ region, text string }

// maxKnown bounds the memory of a Parser.
const maxKnown = 1 << 14

// Parse is Parse.
func (p *Parser) Parse(v personal.Value, region string) Address {
	r := reading{region, v.Reveal()}
	if plainNANP(r.text) || len(r.text) > maxAddress {
		return Parse(v, region)
	}
	p.mu.Lock()
	a, ok := p.known[r]
	p.mu.Unlock()
	if ok {
		return a
	}
	a = Parse(v, region)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxKnown {
		p.known = map[reading]Address{}
	}
	p.known[r] = a
	return a
}
