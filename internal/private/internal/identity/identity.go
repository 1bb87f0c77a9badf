// Package identity turns what sources call things into keyed references: an address in any spelling into the person it
// belongs to, a vendor's id into a fact's ID, a name of the business into a Label.
//
// Zone: RED. All references are HMAC-SHA256 under the workspace's key: phone numbers and vendor ids enumerate
// quickly, so an unkeyed hash would be the number itself.
package identity

import (
	"crypto/sha256"
	"encoding/binary"

	"murmur/internal/fact"
	"murmur/internal/keyring"
)

// Ref is the keyed name of a vendor's id of a kind, whatever connection it came through. What people say about a call, by
// its id alone, is kept under it.
func Ref(key keyring.Pseudonym, kind fact.Kind, id string) (r fact.ID) {
	sum := keyed(key, "fact", byte(kind), id)
	copy(r[:], sum[:])
	return r
}

// In is the keyed id of a fact: the same vendor id of the same kind in the same connection is the same fact, whichever
// delivery or import it came through. The empty connection is the one space of directories older than connections.
func In(key keyring.Pseudonym, ref fact.ID, connection string) (f fact.ID) {
	if connection == "" {
		return ref
	}
	sum := keyed(key, "fact in", 0, connection+"\x00"+string(ref[:]))
	copy(f[:], sum[:])
	return f
}

// DeliveryID is the keyed id of a delivery of a source.
func DeliveryID(key keyring.Pseudonym, source, id string) (d [16]byte) {
	sum := keyed(key, "delivery", 0, source+"\x00"+id)
	copy(d[:], sum[:])
	return d
}

// Label is the keyed reference of a business's own name; the same name below another parent is another label.
func Label(key keyring.Pseudonym, dim fact.Dim, parent fact.Label, name string) fact.Label {
	if name == "" {
		return 0
	}
	var p [8]byte
	binary.BigEndian.PutUint64(p[:], uint64(parent))
	sum := keyed(key, "label", byte(dim), string(p[:])+name)
	l := fact.Label(binary.BigEndian.Uint64(sum[:]) >> 1) // non-negative
	if l == 0 {
		l = 1
	}
	return l
}

func keyed(key keyring.Pseudonym, what string, kind byte, s string) [sha256.Size]byte {
	if !key.Valid() {
		panic("identity: no workspace key") // a wiring fault: an unkeyed reference must never be made
	}
	var room [128]byte
	b := append(room[:0], what...)
	b = append(b, 0, kind)
	return key.Sum(append(b, s...))
}
