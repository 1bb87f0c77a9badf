// Package setting keeps secrets among what a data directory remembers about itself: the password of its queue, the key of its
// bucket.
//
// Zone: outside of all zones. It sees the operator's secrets, which are sealed under a lasting key before they are stored.
//
// It does not protect against whoever has the directory and its root key: both open what is sealed.
package setting

import (
	"context"
	"encoding/base64"
	"fmt"

	"murmur/internal/keyring"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// KeepSecret remembers a secret, sealed as secrets of sources are.
func KeepSecret(ctx context.Context, db *meta.DB, ring *keyring.Ring, key, secret string) error {
	if err := ring.Create(workspace.Default); err != nil {
		return fmt.Errorf("make the workspace's keys: %w", err)
	}
	sealed, err := ring.SealLasting(workspace.Default, key, [16]byte{}, []byte(secret))
	if err != nil {
		return fmt.Errorf("seal %s: %w", key, err)
	}
	return db.Set(ctx, map[string]string{key: base64.StdEncoding.EncodeToString(sealed)})
}

// Secret is what is remembered under a key; empty: nothing.
func Secret(ctx context.Context, db *meta.DB, ring *keyring.Ring, key string) (string, error) {
	text, err := db.Setting(ctx, key)
	if err != nil || text == "" {
		return "", err
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	secret, err := ring.OpenLasting(workspace.Default, key, [16]byte{}, sealed)
	return string(secret), err
}
