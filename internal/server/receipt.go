package server

import (
	"encoding/json"
	"errors"

	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/private"
	"murmur/internal/receipt"
	"murmur/internal/rpc"
)

// VerifyReceipt checks a receipt by itself. It is trusted only under the key of the data directory's own ledger or, when
// the caller names a key, under that key: a receipt that verifies only under the key inside it is a breach.
func VerifyReceipt(data string, file []byte, named string) (rpc.CheckedReceipt, error) {
	out := rpc.CheckedReceipt{Breaches: []rpc.Breach{}}
	key, err := trustedKey(data, named)
	if err != nil {
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
	out.Call, out.Key = r.Call, r.Key
	if key == nil {
		found = append(found, "it was checked only against the key inside it; name the ledger's key")
	}
	for _, f := range found {
		out.Breaches = append(out.Breaches, rpc.Breach{File: "receipt", What: f})
	}
	out.Trusted = len(found) == 0
	return out, nil
}

// trustedKey is the named verifier key, or else that of the data directory's ledger; nil when there is neither.
func trustedKey(data, named string) (ledger.Verifier, error) {
	if named == "" {
		root, err := keyring.LoadRoot(data)
		if errors.Is(err, keyring.ErrRoot) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		named = ledger.KeyOf(root.Derive(ledger.Purpose))
	}
	return ledger.ParseKey(named)
}
