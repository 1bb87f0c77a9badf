// Package keyring keeps the keys and seals what must not be readable tomorrow.
package keyring

// TopicInbox and TopicFacts name what a record was sealed for.
const (
	TopicInbox = "inbox"
	TopicFacts = "facts"
)

// Pseudonym is a workspace's key for pseudonyms and keyed ids. The zero value is refused.
type Pseudonym struct{ k *[32]byte }

// Valid reports whether there is a key.
func (p Pseudonym) Valid() bool { return p.k != nil }

// Key gives the 32 bytes; nil for the zero value.
func (p Pseudonym) Key() []byte {
	if p.k == nil {
		return nil
	}
	return p.k[:]
}
