// Package substrait stands in for github.com/substrait-io/substrait, which is nothing but the files of Substrait's functions:
// iceberg-go parses all of them when a program starts, 130 ms of processor time at every command of murmur. They describe filters
// that arrow-go carries out for iceberg-go; murmur gives iceberg-go no filter (internal/crowd/internal/lake reads whole files).
// The replace directive in go.mod puts this package there; without the directive everything works, and starts later.
package substrait

import "embed"

// One file, which describes no function: substrait-go needs one to begin with.
//
//go:embed extensions/none.yaml
var none embed.FS

// GetSubstraitExtensionsFS gives the files that substrait-go reads.
func GetSubstraitExtensionsFS() embed.FS { return none }
