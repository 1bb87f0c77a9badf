package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// ErrKey is returned for a text that is no verifier key.
var ErrKey = errors.New("ledger: not a verifier key")

// Verifier checks what a ledger signed: checkpoints and statements.
type Verifier = note.Verifier

// ParseKey reads a verifier key as Ledger.Key prints it. ErrKey.
func ParseKey(key string) (Verifier, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("text of %d bytes: %w", len(key), ErrKey)
	}
	return v, nil
}

// Key is the key that verifies what this ledger signs, as a line of text (golang.org/x/mod/sumdb/note):
// its name, a short hash, and the Ed25519 public key.
func (l *Ledger) Key() string { return l.key.text }

// KeyOf is the verifier key of the ledger with that key, without opening it.
func KeyOf(key *[32]byte) string { return signerOf(key).text }

// Sign signs a statement that is no checkpoint: Ed25519 (RFC 8032) over its format's name, a line feed and its bytes.
func (l *Ledger) Sign(format string, statement []byte) []byte {
	return ed25519.Sign(l.key.private, said(format, statement))
}

// Signed reports whether v's ledger signed the statement.
func Signed(v Verifier, format string, statement, signature []byte) bool {
	return v.Verify(said(format, statement), signature)
}

func said(format string, statement []byte) []byte { return append([]byte(format+"\n"), statement...) }

// signer signs notes with a key that is derived, not stored.
type signer struct {
	note.Verifier
	private ed25519.PrivateKey
	text    string // the verifier key
}

var _ note.Signer = signer{}

func signerOf(key *[32]byte) signer {
	private := ed25519.NewKeyFromSeed(derive(key, "sign"))
	public := private.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(public)
	text, err := note.NewEd25519VerifierKey(fmt.Sprintf("murmur-%x", sum[:4]), public)
	if err != nil {
		panic(err) // only for keys of another length
	}
	v, err := note.NewVerifier(text)
	if err != nil {
		panic(err) // it was made one line above
	}
	return signer{v, private, text}
}

// Sign implements note.Signer.
func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }
