package keyring

import (
	"fmt"
	"io"

	"murmur/internal/workspace"
)

// Opened is a plaintext whose seal was verified by this package: the proof that the bytes were sealed
// by someone who holds the ring, for this topic. It cannot be made anywhere else.
type Opened struct {
	ws      workspace.ID
	topic   string
	id      [16]byte
	version uint8
	b       **[]byte // two pointers: see secret
}

// Workspace is the workspace the record was sealed for.
func (o Opened) Workspace() workspace.ID { return o.ws }

// Topic is the topic the record was sealed for ("inbox", "facts").
func (o Opened) Topic() string { return o.topic }

// Bytes is the plaintext. The caller must not modify it.
func (o Opened) Bytes() []byte {
	if o.b == nil {
		return nil
	}
	return **o.b
}

// Format prints no plaintext.
func (o Opened) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[opened]") }
