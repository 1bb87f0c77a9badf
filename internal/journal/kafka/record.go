package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// header names what is said of a message; its value begins with formatVersion (docs/format/queue.md).
const (
	header        = "murmur"
	formatVersion = 1
	headerSize    = 1 + 16 + 8 + 8 + 8 + 4 + 1 + 1 + 3*16 // without the workspace
)

// errRecord is the error for a record that murmur did not write, or that a later version wrote.
var errRecord = errors.New("the record is not a message")

// record is a message as the servers keep it.
func (q *Queue) record(m *journal.Message) *kgo.Record {
	b := make([]byte, 0, headerSize+workspace.IDLen)
	b = append(b, formatVersion)
	b = append(b, m.ID[:]...)
	for _, v := range []uint64{uint64(m.Source), m.Key, uint64(m.At.UnixMicro())} { //nolint:gosec // bits, read back as such
		b = binary.BigEndian.AppendUint64(b, v)
	}
	b = binary.BigEndian.AppendUint32(b, m.Epoch)
	b = append(b, byte(m.Why), byte(m.State))
	b = append(b, m.Contact[:]...)
	b = append(b, m.About.Call[:]...)
	b = append(b, m.About.Contact[:]...)
	b = append(b, m.Workspace.String()...)
	return &kgo.Record{
		Topic: q.name(m.Topic), Partition: int32(m.Key % uint64(q.config.Partitions)), //nolint:gosec // under an int32
		Key: m.ID[:], Value: m.Payload, Headers: []kgo.RecordHeader{{Key: header, Value: b}},
	}
}

// message reads a record.
func message(topic journal.Topic, id kadm.TopicID, r *kgo.Record) (m journal.Message, err error) {
	var b []byte
	for _, h := range r.Headers {
		if h.Key == header {
			b = h.Value
		}
	}
	if len(b) <= headerSize || b[0] != formatVersion || len(r.Value) > journal.MaxPayload {
		return m, errRecord
	}
	next := func(n int) (part []byte) {
		part, b = b[:n], b[n:]
		return part
	}
	number := func() uint64 { return binary.BigEndian.Uint64(next(8)) }
	next(1)
	m = journal.Message{Topic: topic, Partition: r.Partition, Position: position(id, r.Offset), Payload: r.Value}
	copy(m.ID[:], next(16))
	m.Source, m.Key, m.At = fact.Label(number()), number(), time.UnixMicro(int64(number())) //nolint:gosec // bits
	m.Epoch = binary.BigEndian.Uint32(next(4))
	m.Why, m.State = fact.Why(next(1)[0]), fact.State(next(1)[0])
	copy(m.Contact[:], next(16))
	copy(m.About.Call[:], next(16))
	copy(m.About.Contact[:], next(16))
	if m.Workspace, err = workspace.Parse(string(b)); err != nil {
		return m, errRecord
	}
	return m, nil
}

// A position is the topic's identity on its servers and an offset, so that a topic that was made anew, or another
// cluster's, is not taken for the same.
func position(id kadm.TopicID, offset int64) journal.Position {
	return journal.Position(fmt.Sprintf("%x/%d", id[:], offset))
}

// offsetOf reads a position of the topic.
func offsetOf(id kadm.TopicID, p journal.Position) (int64, error) {
	topic, offset, _ := strings.Cut(string(p), "/")
	if topic != fmt.Sprintf("%x", id[:]) {
		return 0, fmt.Errorf("it was of another topic: %w", journal.ErrAhead)
	}
	return strconv.ParseInt(offset, 10, 64)
}
