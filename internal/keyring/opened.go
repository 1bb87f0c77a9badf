package keyring

// Opened is a plaintext whose seal was verified by this package: the proof that the bytes were sealed
// by someone who holds the ring, for this topic. It cannot be made anywhere else.
type Opened struct {
	topic string
	b     []byte
}

// Topic is the topic the record was sealed for ("inbox", "facts").
func (o Opened) Topic() string { return o.topic }

// Bytes is the plaintext. The caller must not modify it.
func (o Opened) Bytes() []byte { return o.b }
