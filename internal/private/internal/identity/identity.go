// Package identity turns what sources call things into keyed references: an address in any spelling into the person it
// belongs to, a vendor's id into a fact's ID, a name of the business into a Label.
//
// Zone: RED. All references are HMAC-SHA256 under the workspace's key: phone numbers and vendor ids enumerate
// quickly, so an unkeyed hash would be the number itself.
package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"murmur/internal/fact"
	"murmur/internal/keyring"
)

// Ref is the keyed name of a vendor's id of a kind, whatever connection it came through. What people say about a call, by
// its id alone, is kept under it.
func Ref(key keyring.Pseudonym, kind fact.Kind, id string) (r fact.ID) {
	copy(r[:], keyed(key, "fact", byte(kind), id))
	return r
}

// In is the keyed id of a fact: the same vendor id of the same kind in the same connection is the same fact, whichever
// delivery or import it came through. The empty connection is the one space of directories older than connections.
func In(key keyring.Pseudonym, ref fact.ID, connection string) (f fact.ID) {
	if connection == "" {
		return ref
	}
	copy(f[:], keyed(key, "fact in", 0, connection+"\x00"+string(ref[:])))
	return f
}

// DeliveryID is the keyed id of a delivery of a source.
func DeliveryID(key keyring.Pseudonym, source, id string) (d [16]byte) {
	copy(d[:], keyed(key, "delivery", 0, source+"\x00"+id))
	return d
}

// Label is the keyed reference of a business's own name; the same name below another parent is another label.
func Label(key keyring.Pseudonym, dim fact.Dim, parent fact.Label, name string) fact.Label {
	if name == "" {
		return 0
	}
	var p [8]byte
	binary.BigEndian.PutUint64(p[:], uint64(parent))
	l := fact.Label(binary.BigEndian.Uint64(keyed(key, "label", byte(dim), string(p[:])+name)) >> 1) // non-negative
	if l == 0 {
		l = 1
	}
	return l
}

func keyed(key keyring.Pseudonym, what string, kind byte, s string) []byte {
	if !key.Valid() {
		panic("identity: no workspace key") // a wiring fault: an unkeyed reference must never be made
	}
	m := hmac.New(sha256.New, key.Key())
	m.Write([]byte(what))
	m.Write([]byte{0, kind})
	m.Write([]byte(s))
	return m.Sum(nil)
}
