// Package anon makes the only two types that carry a person across the first door: Text, words with
// every personal value masked, and Contact, a keyed pseudonym.
//
// Zone: the door of RED. Both are concrete structs with unexported fields. A Text can be made from a
// detection result, a Contact from a personal value and the workspace's key; neither argument can be
// had outside the private zone. The zero value of both is invalid and refused by every consumer.
//
// What it does not protect against: a detector that misses a value. Its measured leak rate is
// published with it.
package anon

import (
	"errors"

	"murmur/internal/keyring"
	"murmur/internal/private/internal/personal"
	"murmur/internal/redact"
)

// ErrForeign is returned when bytes that were not sealed as facts are offered as facts.
var ErrForeign = errors.New("anon: the record was not sealed as facts")

// Text is masked words.
type Text struct {
	s  string
	ok bool
}

// Of makes the Text of a finished redaction. A nil or unverified redaction gives the invalid Text.
func Of(r *redact.Redaction) Text {
	if r == nil || !r.Verified() {
		return Text{}
	}
	return Text{s: r.Masked(), ok: true}
}

// Valid reports whether the text was made by a redaction. An empty text can be valid.
func (t Text) Valid() bool { return t.ok }

// String gives the masked words.
func (t Text) String() string { return t.s }

// MarshalJSON refuses: a Text leaves the process only inside a sealed fact or a lake file.
func (t Text) MarshalJSON() ([]byte, error) { return nil, errors.New("anon: a text has no JSON form") }

// ReadText takes bytes i to j of a sealed fact record back as a Text.
func ReadText(o keyring.Opened, i, j int) (Text, error) {
	b := o.Bytes()
	if o.Topic() != keyring.TopicFacts || i < 0 || j < i || j > len(b) {
		return Text{}, ErrForeign
	}
	return Text{s: string(b[i:j]), ok: true}, nil
}

// ContactLen is the length of a Contact, in bytes.
const ContactLen = 16

// Contact is a person's pseudonym inside one workspace: the first 16 bytes of
// HMAC-SHA256(workspace key, canonical address). An attacker with the key can try all phone numbers
// (1.2e11), so the pseudonym protects only as long as the key is secret; the key is destroyed with
// the workspace.
type Contact struct{ h [ContactLen]byte }

// Pseudonym makes the Contact of a canonical address (E.164 or a lower-case e-mail address).
func Pseudonym(key keyring.Pseudonym, canonical personal.Value) Contact {
	var c Contact
	if !key.Valid() || canonical.Empty() {
		return c
	}
	sum := key.Sum([]byte("contact\x00" + canonical.Reveal()))
	copy(c.h[:], sum[:])
	return c
}

// Nobody is the contact of rows whose person is not known: callers who withhold their number, unreadable addresses. It is
// the same in every workspace, so that its rows can be told from a person's: they are not linked with other rows, and all
// such rows of a workspace count as one unit, which alone is never a minimum group.
func Nobody() Contact { return Contact{nobody} }

var nobody = [ContactLen]byte{ContactLen - 1: 1}

// Stored makes a Contact of a pseudonym that this zone stored (an erasure to be carried out again). Its caller
// holds the workspace's key, and could compute the pseudonym of anybody.
func Stored(key keyring.Pseudonym, b [ContactLen]byte) Contact {
	if !key.Valid() {
		return Contact{}
	}
	return Contact{b}
}

// Valid reports whether c stands for someone, or for Nobody.
func (c Contact) Valid() bool { return c != Contact{} }

// Person reports whether c is the pseudonym of somebody in particular.
func (c Contact) Person() bool { return c.Valid() && c != Nobody() }

// Bytes is the pseudonym as stored in rows until the rows are de-linked.
func (c Contact) Bytes() [ContactLen]byte { return c.h }

// MarshalJSON refuses: a pseudonym is still personal and never leaves in a figure.
func (c Contact) MarshalJSON() ([]byte, error) {
	return nil, errors.New("anon: a contact has no JSON form")
}

// ReadContact takes 16 bytes at i of a sealed fact record back as a Contact.
func ReadContact(o keyring.Opened, i int) (Contact, error) {
	b := o.Bytes()
	if o.Topic() != keyring.TopicFacts || i < 0 || i+ContactLen > len(b) {
		return Contact{}, ErrForeign
	}
	var c Contact
	copy(c.h[:], b[i:])
	return c, nil
}
