package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"

	"murmur/internal/workspace"
)

// Layout of a key file, docs/format/keys.md: 32 slots of 128 bytes. A slot lies inside one sector of the
// disk, so that it is never half written.
const (
	fileSize  = 4096
	slotSize  = 128
	suffix    = ".keys"
	fileMagic = "MURMKEYS"
	version   = 1

	headerSlot    = 0
	pseudonymSlot = 1
	factsSlot     = 2
	firstEpoch    = 3
	epochSlots    = 8

	headerRoot = 48 // offsets in the header slot
	headerMAC  = 64
	headerEnd  = headerMAC + sha256.Size

	slotEpoch = 4
	slotNonce = 8
	slotKey   = 20
	slotEnd   = slotKey + 32 + 16
)

// kind says what a slot holds.
type kind uint8

const (
	free      kind = iota // all 128 bytes are zero
	pseudonym             // lasting
	facts                 // lasting
	epochKey
	destroyed // a crash came between the two passes of Destroy: wraps 32 zero bytes
)

// set is what a key file holds, opened. It is never modified.
type set struct {
	raw       [fileSize]byte
	pseudonym Pseudonym   // not valid: damaged
	facts     cipher.AEAD // nil: damaged
	epochs    map[uint32]cipher.AEAD
	damaged   []int // slots that hold something that does not open
}

func (s *set) alive() []uint32 { return slices.Sorted(maps.Keys(s.epochs)) }

func (s *set) slot(i int) []byte { return s.raw[i*slotSize : (i+1)*slotSize] }

// free is an epoch slot without a key, or -1.
func (s *set) free() int {
	for i := firstEpoch; i < firstEpoch+epochSlots; i++ {
		if zero(s.slot(i)) {
			return i
		}
	}
	return -1
}

// gcm makes AES-256-GCM; the key has the right length by its type.
func gcm(k *[32]byte) cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

func zero(b []byte) bool {
	var or byte
	for _, v := range b {
		or |= v
	}
	return or == 0
}

// newFile makes the content of a fresh key file.
func (r *Ring) newFile(ws workspace.ID) (*[fileSize]byte, error) {
	var b [fileSize]byte
	copy(b[:slotSize], r.header(ws))
	for i, k := range map[int]kind{pseudonymSlot: pseudonym, factsSlot: facts} {
		s, err := r.freshSlot(ws, i, k, 0)
		if err != nil {
			return nil, err
		}
		copy(b[i*slotSize:], s)
	}
	return &b, nil
}

// header makes slot 0: magic, version, workspace, root id, MAC.
func (r *Ring) header(ws workspace.ID) []byte {
	b := make([]byte, slotSize)
	copy(b, fileMagic)
	binary.BigEndian.PutUint32(b[8:], version)
	copy(b[16:], ws[:])
	id := r.root.ID()
	copy(b[headerRoot:], id[:])
	m := hmac.New(sha256.New, r.root.Derive(purposeHeader)[:])
	m.Write(b[:headerMAC])
	copy(b[headerMAC:headerEnd], m.Sum(nil))
	return b
}

// newer reports whether a header was written by a newer version: a damaged one has no valid MAC.
func (r *Ring) newer(b []byte) bool {
	m := hmac.New(sha256.New, r.root.Derive(purposeHeader)[:])
	m.Write(b[:headerMAC])
	return binary.BigEndian.Uint32(b[8:]) > version && hmac.Equal(b[headerMAC:headerEnd], m.Sum(nil))
}

// freshSlot makes a slot with a new random key. The pseudonym key of the default workspace is derived from the root key, so that
// two directories with one root key have the same pseudonyms and publish the same figures; it is never destroyed. That of any
// other workspace is random: once it is destroyed, nobody can make it again.
func (r *Ring) freshSlot(ws workspace.ID, i int, k kind, epoch uint32) ([]byte, error) {
	if k == pseudonym && ws == workspace.Default {
		return r.wrapSlot(ws, i, k, epoch, r.root.Derive(purposePseudonym+ws.String()))
	}
	var key [32]byte
	if _, err := io.ReadFull(r.c.Rand, key[:]); err != nil {
		return nil, fmt.Errorf("random key: %w", err)
	}
	return r.wrapSlot(ws, i, k, epoch, &key)
}

// wrapSlot seals a key into a slot, bound to its workspace, place, kind and epoch.
func (r *Ring) wrapSlot(ws workspace.ID, i int, k kind, epoch uint32, key *[32]byte) ([]byte, error) {
	b := make([]byte, slotSize)
	b[0] = byte(k)
	binary.BigEndian.PutUint32(b[slotEpoch:], epoch)
	if _, err := io.ReadFull(r.c.Rand, b[slotNonce:slotKey]); err != nil {
		return nil, fmt.Errorf("random nonce: %w", err)
	}
	r.wrap.Seal(b[slotKey:slotKey], b[slotNonce:slotKey], key[:], slotAAD(ws, i, k, epoch))
	return b, nil
}

func slotAAD(ws workspace.ID, i int, k kind, epoch uint32) []byte {
	b := append([]byte("murmur key slot 1\x00"), ws[:]...)
	b = append(b, byte(i), byte(k))
	return binary.BigEndian.AppendUint32(b, epoch)
}

// parse opens a key file. A slot that does not open is listed, and only its own key is lost.
// ErrRoot when the file names another root key, ErrDamaged when it names none.
func (r *Ring) parse(ws workspace.ID, b *[fileSize]byte) (*set, error) {
	s := &set{raw: *b, epochs: make(map[uint32]cipher.AEAD, epochSlots)}
	if r.newer(s.slot(headerSlot)) {
		return nil, fmt.Errorf("keys of %s: %w", ws, ErrNewer)
	}
	if !hmac.Equal(r.header(ws), s.slot(headerSlot)) {
		s.damaged = append(s.damaged, headerSlot)
	}
	for i := headerSlot + 1; i < fileSize/slotSize; i++ {
		if !r.parseSlot(ws, s, i) {
			s.damaged = append(s.damaged, i)
		}
	}
	if s.damaged != nil && !s.pseudonym.Valid() && s.facts == nil && len(s.epochs) == 0 {
		if s.damaged[0] != headerSlot || zero(s.slot(headerSlot)[headerRoot:headerMAC]) {
			return nil, fmt.Errorf("keys of %s: nothing opens: %w", ws, ErrDamaged) // cut short: the root key is not at fault
		}
		return nil, fmt.Errorf("keys of %s: nothing opens: %w", ws, ErrRoot)
	}
	return s, nil
}

// parseSlot takes slot i into s and reports whether it is whole.
func (r *Ring) parseSlot(ws workspace.ID, s *set, i int) bool {
	b := s.slot(i)
	if i >= firstEpoch && zero(b) {
		return true
	}
	if i >= firstEpoch+epochSlots || !zero(b[1:slotEpoch]) || !zero(b[slotEnd:]) {
		return false
	}
	k, epoch := kind(b[0]), binary.BigEndian.Uint32(b[slotEpoch:])
	plain, err := r.wrap.Open(nil, b[slotNonce:slotKey], b[slotKey:slotEnd], slotAAD(ws, i, k, epoch))
	if err != nil {
		return false
	}
	key := (*[32]byte)(plain)
	switch {
	case i == pseudonymSlot && k == pseudonym:
		s.pseudonym = newPseudonym(&key)
	case i == factsSlot && k == facts:
		s.facts = gcm(key)
	case i >= firstEpoch && k == epochKey:
		s.epochs[epoch] = gcm(key)
	default:
		return i >= firstEpoch && k == destroyed
	}
	return true
}
