package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
	"io"
	"sync"
)

// hidden is what every key prints.
const hidden = "[key]"

// secret is 32 bytes behind two pointers: fmt follows one of them with a verb that does not fit, such as %s,
// even through unexported fields, where no Format method is asked.
type secret **[32]byte

func newSecret(b []byte) secret {
	k := (*[32]byte)(b)
	return &k
}

// Pseudonym is a workspace's key for pseudonyms and keyed ids. The zero value is refused.
type Pseudonym struct {
	k    secret
	sums *sync.Pool // of hash.Hash: states that have already absorbed the key, which costs as much as a short message
}

func newPseudonym(k secret) Pseudonym {
	return Pseudonym{k, &sync.Pool{New: func() any { return hmac.New(sha256.New, (*k)[:]) }}}
}

// Sum is HMAC-SHA256 of a message under the key. It panics for the zero value: an unkeyed sum must never be made.
func (p Pseudonym) Sum(message []byte) (sum [sha256.Size]byte) {
	m := p.sums.Get().(hash.Hash)
	m.Reset()
	m.Write(message)
	m.Sum(sum[:0])
	p.sums.Put(m)
	return sum
}

// Same reports whether two are one key.
func (p Pseudonym) Same(q Pseudonym) bool {
	return p.Valid() && q.Valid() && subtle.ConstantTimeCompare((*p.k)[:], (*q.k)[:]) == 1
}

// Valid reports whether there is a key.
func (p Pseudonym) Valid() bool { return p.k != nil }

// Format prints no key.
func (p Pseudonym) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }
