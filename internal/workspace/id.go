// Package workspace names tenants and holds what a tenant may set.
//
// A workspace is one business: the unit of isolation. Its ID is a fixed array, not a string, so that
// it can stand in a fact and so that no path, key or query is ever built from unchecked text.
package workspace

import (
	"bytes"
	"errors"
	"fmt"
)

// IDLen is the longest workspace name, in bytes.
const IDLen = 32

// ErrBadID is returned for a name outside [a-z0-9-]{1,32}.
var ErrBadID = errors.New("a name is 1 to 32 characters from a-z, 0-9 and -")

// ID names one workspace: a lower-case slug, zero-padded. The zero value is no workspace.
type ID [IDLen]byte

// Default is the workspace of a single-tenant installation.
var Default = MustParse("default")

// Parse reads a workspace name. It refuses everything outside [a-z0-9-]{1,32}.
func Parse(s string) (ID, error) {
	var id ID
	if s == "" || len(s) > IDLen {
		return ID{}, fmt.Errorf("workspace name of %d bytes: %w", len(s), ErrBadID)
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return ID{}, fmt.Errorf("workspace name, byte %d: %w", i, ErrBadID)
		}
		id[i] = c
	}
	return id, nil
}

// MustParse is Parse for constants; it panics on a bad name.
func MustParse(s string) ID {
	id, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return id
}

// String gives the name back.
func (id ID) String() string {
	if i := bytes.IndexByte(id[:], 0); i >= 0 {
		return string(id[:i])
	}
	return string(id[:])
}

// Valid reports whether id names a workspace.
func (id ID) Valid() bool { return id[0] != 0 }

// MarshalText and UnmarshalText let an ID stand in JSON and configuration.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText refuses what Parse refuses.
func (id *ID) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	if err == nil {
		*id = v
	}
	return err
}
