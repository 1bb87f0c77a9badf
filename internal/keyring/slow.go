package keyring

import (
	"crypto/hmac"
	"crypto/sha256"

	"golang.org/x/crypto/argon2"

	"murmur/internal/workspace"
)

// Cost of a slow sum, the least that OWASP's cheat sheet on storing passwords advises for argon2id (RFC 9106). They are part of what
// is stored: another cost needs another purpose. Why these: docs/adr/0017-lasting-refusals-are-slow-to-look-up.md.
const (
	slowTime    = 2
	slowKiB     = 19 * 1024
	slowThreads = 1

	purposeSlow = "murmur slow 1 " // and the workspace
)

// SlowLen is the length of a slow sum in bytes.
const SlowLen = 16

// slowAtOnce bounds the memory that slow sums take: 19 MiB each.
var slowAtOnce = make(chan struct{}, 2)

// Slow is argon2id of a message, under a key of its own that is derived from the root key and the workspace: an attacker
// who has every key and tries all telephone numbers needs its time and memory for each try. ErrUnknown.
func (r *Ring) Slow(ws workspace.ID, message []byte) (sum [SlowLen]byte, err error) {
	if _, err := r.get(ws); err != nil {
		return sum, err
	}
	m := hmac.New(sha256.New, r.root.Derive(purposeSlow + ws.String())[:])
	m.Write(message)
	secret := m.Sum(nil)
	m.Reset()
	m.Write([]byte("salt\x00"))
	salt := m.Sum(nil)[:16]
	slowAtOnce <- struct{}{}
	defer func() { <-slowAtOnce }()
	copy(sum[:], argon2.IDKey(secret, salt, slowTime, slowKiB, slowThreads, SlowLen))
	return sum, nil
}
