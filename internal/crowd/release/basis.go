package release

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Basis is a hash of everything beside the rows that tables are made from: the catalogue, the settings and the names that
// shape the public trees. Equal rows and an equal basis give equal tables.
func Basis(queries []Query, s Settings, d Dictionary) (string, error) {
	b, err := json.Marshal(struct {
		Queries    []Query
		Settings   storedSettings
		Dictionary Dictionary
	}{queries, storable(s), d})
	if err != nil {
		return "", fmt.Errorf("basis of a release: %w", err)
	}
	sum := sha256.Sum256(b)
	return string(sum[:]), nil
}
