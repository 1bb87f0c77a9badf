// Package models says where the optional weights are.
//
// Zone: none.
package models

import (
	"os"
	"path/filepath"
)

// Dir is the directory of what `make models` fetches, which is no part of a data directory: MURMUR_MODELS, or
// murmur-models among the user's data (XDG Base Directory Specification). It need not exist.
func Dir() string {
	if dir := os.Getenv("MURMUR_MODELS"); dir != "" {
		return dir
	}
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "murmur-models"
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "murmur-models")
}
