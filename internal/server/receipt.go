package server

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/private"
	"murmur/internal/receipt"
)

// CheckedReceipt is the answer of verify for a receipt of a call.
type CheckedReceipt struct {
	Breaches []Breach `json:"breaches"`
	Call     string   `json:"call"`
	Signer   string   `json:"signer"`  // fingerprint of the key that signed: the first 16 bytes of its SHA-256
	Trusted  bool     `json:"trusted"` // it is the key of the data directory's own ledger
}

// VerifyReceipt checks a receipt by itself. Where the data directory is the one it came from, the signature must be that
// of its ledger; elsewhere the receipt's own key is taken, and its fingerprint is for people to compare.
func VerifyReceipt(data string, file []byte) (CheckedReceipt, error) {
	out := CheckedReceipt{Breaches: []Breach{}}
	var key ed25519.PublicKey
	root, err := keyring.LoadRoot(data)
	switch {
	case err == nil:
		key, out.Trusted = ledger.PublicKeyOf(root.Derive(ledger.Purpose)), true
	case !errors.Is(err, keyring.ErrRoot):
		return out, err
	}
	found, err := private.CheckReceipt(file, key)
	if err != nil {
		return out, err
	}
	var r receipt.Call
	if err := json.Unmarshal(file, &r); err != nil {
		return out, err
	}
	out.Call = r.Call
	if len(r.Chains) > 0 {
		sum := sha256.Sum256(r.Chains[0].Key)
		out.Signer = hex.EncodeToString(sum[:16])
	}
	for _, f := range found {
		out.Breaches = append(out.Breaches, Breach{"receipt", f})
	}
	return out, nil
}
