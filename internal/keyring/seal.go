package keyring

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	"murmur/internal/workspace"
)

// Overhead is how much longer a sealed record is than its plaintext: nonce and tag, in bytes.
const Overhead = nonceSize + 16

const nonceSize = 12

// errTopic is a mistake of the caller, not of the data.
var errTopic = errors.New("keyring: no such topic")

// Seal seals a record: nonce | AES-256-GCM(plaintext), bound to workspace, topic, id and version. The epoch
// names the key; it is 0 for facts. The key is durable before Seal returns. A random nonce bounds what
// one key may seal to 2^32 records (NIST SP 800-38D 8.3).
func (r *Ring) Seal(ws workspace.ID, topic string, id [16]byte, version uint8, plaintext []byte) (epoch uint32, sealed []byte, err error) {
	var key cipher.AEAD
	switch topic {
	case TopicInbox, TopicRecordings:
		if epoch, err = r.Current(ws); err == nil {
			key, err = r.todays(ws, epoch)
		}
	case TopicFacts:
		key, err = r.factsKey(ws)
	default:
		err = errTopic
	}
	if err != nil {
		return 0, nil, fmt.Errorf("seal: %w", err)
	}
	sealed, err = r.sealWith(key, plaintext, recordAAD(ws, topic, id, version))
	return epoch, sealed, err
}

func (r *Ring) sealWith(key cipher.AEAD, plaintext, aad []byte) ([]byte, error) {
	out := make([]byte, nonceSize, len(plaintext)+Overhead)
	if _, err := io.ReadFull(r.c.Rand, out); err != nil {
		return nil, fmt.Errorf("seal: random nonce: %w", err)
	}
	return key.Seal(out, out, plaintext, aad), nil
}

// Open opens what Seal sealed with the same arguments. ErrDead when the epoch's key was destroyed, ErrSeal
// when the record was changed or belongs elsewhere.
func (r *Ring) Open(ws workspace.ID, topic string, id [16]byte, version uint8, epoch uint32, sealed []byte) (Opened, error) {
	var key cipher.AEAD
	var err error
	switch topic {
	case TopicInbox, TopicRecordings:
		key, err = r.epochKey(ws, epoch)
	case TopicFacts:
		key, err = r.factsKey(ws)
	default:
		err = errTopic
	}
	if err != nil {
		return Opened{}, fmt.Errorf("open record: %w", err)
	}
	b, err := openWith(key, sealed, recordAAD(ws, topic, id, version))
	if err != nil {
		return Opened{}, err
	}
	p := &b
	return Opened{ws: ws, topic: topic, id: id, version: version, b: &p}, nil
}

func openWith(key cipher.AEAD, sealed, aad []byte) ([]byte, error) {
	if len(sealed) >= Overhead {
		if b, err := key.Open(nil, sealed[:nonceSize], sealed[nonceSize:], aad); err == nil {
			return b, nil
		}
	}
	return nil, fmt.Errorf("open record of %d bytes: %w", len(sealed), ErrSeal)
}

// SealLasting seals something of the workspace that lives as long as the workspace does: a signing secret,
// an API key. topic is any name but those of the journal.
func (r *Ring) SealLasting(ws workspace.ID, topic string, id [16]byte, plaintext []byte) ([]byte, error) {
	key, err := r.lastingKey(ws, topic)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return r.sealWith(key, plaintext, recordAAD(ws, topic, id, 0))
}

// OpenLasting opens what SealLasting sealed with the same arguments. ErrSeal.
func (r *Ring) OpenLasting(ws workspace.ID, topic string, id [16]byte, sealed []byte) ([]byte, error) {
	key, err := r.lastingKey(ws, topic)
	if err != nil {
		return nil, fmt.Errorf("open record: %w", err)
	}
	return openWith(key, sealed, recordAAD(ws, topic, id, 0))
}

func (r *Ring) lastingKey(ws workspace.ID, topic string) (cipher.AEAD, error) {
	if topic == "" || len(topic) > 255 || topic == TopicInbox || topic == TopicFacts || topic == TopicRecordings {
		return nil, errTopic
	}
	return r.factsKey(ws)
}

// Reseal seals an opened record again under today's key. Deliveries that are held or quarantined, and recordings
// younger than raw-hours, must be resealed to outlive the key of their day.
func (r *Ring) Reseal(o Opened) (epoch uint32, sealed []byte, err error) {
	if o.topic == TopicFacts {
		return 0, nil, fmt.Errorf("reseal: %w", errTopic)
	}
	return r.Seal(o.ws, o.topic, o.id, o.version, o.Bytes())
}

// recordAAD is what a record is bound to, docs/format/keys.md.
func recordAAD(ws workspace.ID, topic string, id [16]byte, version uint8) []byte {
	b := make([]byte, 0, 96)
	b = append(b, "murmur record 1\x00"...)
	b = append(b, ws[:]...)
	b = append(b, byte(len(topic)))
	b = append(b, topic...)
	b = append(b, id[:]...)
	return append(b, version)
}

func (r *Ring) factsKey(ws workspace.ID) (cipher.AEAD, error) {
	h, err := r.get(ws)
	if err != nil {
		return nil, err
	}
	if h.facts == nil {
		return nil, fmt.Errorf("facts key of %s: %w", ws, ErrDamaged)
	}
	return h.facts, nil
}

// epochKey is an epoch's key for reading. Another process may have made it a moment ago: look once more.
func (r *Ring) epochKey(ws workspace.ID, epoch uint32) (cipher.AEAD, error) {
	h, err := r.get(ws)
	if err != nil {
		return nil, err
	}
	if k := h.epochs[epoch]; k != nil {
		return k, nil
	}
	if h, err = r.reload(ws); err != nil {
		return nil, err
	}
	if k := h.epochs[epoch]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("epoch %d of %s: %w", epoch, ws, ErrDead)
}

// todays is the day's key for writing; the first record of the day makes it.
func (r *Ring) todays(ws workspace.ID, epoch uint32) (cipher.AEAD, error) {
	h, err := r.get(ws)
	if err != nil {
		return nil, err
	}
	if k := h.epochs[epoch]; k != nil {
		return k, nil
	}
	h, err = r.change(ws, func(s *set) ([]write, error) {
		if s.epochs[epoch] != nil {
			return nil, nil
		}
		i := s.free()
		if i < 0 {
			return nil, fmt.Errorf("keys of %s: %w", ws, ErrFull)
		}
		b, err := r.freshSlot(ws, i, epochKey, epoch)
		return []write{{slot: i, b: b}}, err
	})
	if err != nil {
		return nil, err
	}
	if k := h.epochs[epoch]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("epoch %d of %s: %w", epoch, ws, ErrDead)
}
