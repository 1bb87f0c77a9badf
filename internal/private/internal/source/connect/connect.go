// Package connect knows every connector by the name of its kind.
//
// Zone: RED. The list is a plain switch: nothing registers itself.
package connect

import (
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/private/internal/source/quo"
	"murmur/internal/private/internal/source/typeform"
)

// Kinds are the names that For knows, in alphabetical order.
func Kinds() []string { return []string{"native", "quo", "typeform"} }

// For is the connector of a kind, as in `murmur connect KIND` and POST /in/KIND/TOKEN.
func For(kind string) (source.Source, bool) {
	switch kind {
	case "native":
		return native.Source{}, true
	case "quo":
		return quo.Source{}, true
	case "typeform":
		return typeform.Source{}, true
	}
	return nil, false
}
