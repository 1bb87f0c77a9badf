package fact

import (
	"encoding/binary"
	"errors"
	"fmt"

	"murmur/internal/keyring"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// formatVersion is the first byte of every encoded batch. See docs/format/facts.md.
const formatVersion = 1

// What Decode refuses. The messages give offsets, never content.
var (
	ErrCorrupt = errors.New("fact: the record is damaged")
	ErrNewer   = errors.New("fact: the record was written by a newer version")
)

// Batch is what deliveries of one workspace add to the lake and to the workspace's dictionary.
type Batch struct {
	Workspace workspace.ID
	Facts     []Fact
	Labels    []Named
}

const (
	hasContact = 1 << iota
	hasText
)

// Encode appends the batch to dst, unsealed. The caller seals it for topic facts; nothing else can be
// decoded.
func Encode(dst []byte, b Batch) []byte {
	dst = append(dst, formatVersion)
	dst = appendString(dst, b.Workspace.String())
	dst = binary.AppendUvarint(dst, uint64(len(b.Facts)))
	var scratch []byte
	for _, f := range b.Facts {
		scratch = appendFact(scratch[:0], f)
		dst = binary.AppendUvarint(dst, uint64(len(scratch)))
		dst = append(dst, scratch...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Labels)))
	for _, l := range b.Labels {
		dst = binary.BigEndian.AppendUint64(dst, uint64(l.Label))
		dst = binary.AppendUvarint(dst, uint64(l.Dim))
		dst = binary.BigEndian.AppendUint64(dst, uint64(l.Parent))
		dst = appendName(dst, l)
	}
	return dst
}

func appendFact(dst []byte, f Fact) []byte {
	h, words := f.Meta(), f.Words()
	dst = binary.AppendUvarint(dst, uint64(f.Kind()))
	var flags byte
	if h.Contact.Valid() {
		flags |= hasContact
	}
	if words != nil && words.Valid() {
		flags |= hasText
	}
	dst = append(dst, flags)
	dst = append(dst, h.ID[:]...)
	dst = binary.AppendVarint(dst, h.Version)
	dst = binary.AppendVarint(dst, int64(h.At))
	dst = binary.AppendVarint(dst, int64(h.Source))
	dst = binary.AppendVarint(dst, h.Anonymiser)
	if flags&hasContact != 0 {
		c := h.Contact.Bytes()
		dst = append(dst, c[:]...)
	}
	dst = appendFields(dst, f.Fields())
	if flags&hasText != 0 {
		dst = appendString(dst, words.String())
	}
	return dst
}

// appendFields leaves zeros out and writes an absent number as a column alone.
func appendFields(dst []byte, fields []Binding) []byte {
	n := 0
	for _, b := range fields {
		if b.Get() != 0 {
			n++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for _, b := range fields {
		switch v := b.Get(); v {
		case 0:
		case Absent:
			dst = binary.AppendUvarint(dst, uint64(b.Column)<<1|1)
		default:
			dst = binary.AppendUvarint(dst, uint64(b.Column)<<1)
			dst = binary.AppendVarint(dst, v)
		}
	}
	return dst
}

// A label's name and its version follow a byte that says which of them there are.
const (
	labelNamed = 1 << iota
	labelVersioned
)

func appendName(dst []byte, l Named) []byte {
	var has byte
	if l.Name.Valid() {
		has |= labelNamed
	}
	if l.Version != 0 {
		has |= labelVersioned
	}
	dst = append(dst, has)
	if l.Name.Valid() {
		dst = appendString(dst, l.Name.String())
	}
	if l.Version != 0 {
		dst = binary.AppendVarint(dst, l.Version)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Decode reads what Encode wrote, from bytes whose seal for topic facts was verified. It refuses a batch
// of a newer format or with a kind it does not know (ErrNewer) and skips columns it does not know.
// What it allocates is bounded by the length of the record.
func Decode(o keyring.Opened) (Batch, error) {
	if o.Topic() != keyring.TopicFacts {
		return Batch{}, anon.ErrForeign
	}
	d := decoder{o: o, b: o.Bytes()}
	b := d.batch()
	if d.err != nil {
		return Batch{}, fmt.Errorf("%w, byte %d of %d", d.err, d.at, len(d.b))
	}
	return b, nil
}

// decoder reads the record from its beginning; after the first error every read gives zero.
type decoder struct {
	o   keyring.Opened
	b   []byte
	at  int
	err error
}

func (d *decoder) batch() (b Batch) {
	if d.byte() != formatVersion {
		d.fail(ErrNewer)
		return b
	}
	if i, j := d.span(); d.err == nil {
		id, err := workspace.Parse(string(d.b[i:j]))
		if err != nil {
			d.fail(ErrCorrupt)
		}
		b.Workspace = id
	}
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		if f := d.fact(); d.err == nil {
			b.Facts = append(b.Facts, f)
		}
	}
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		l := Named{Label: Label(d.fixed()), Dim: Dim(d.uvarint()), Parent: Label(d.fixed())}
		has := d.byte()
		if has&labelNamed != 0 {
			l.Name = d.text()
		}
		if has&labelVersioned != 0 {
			l.Version = d.varint()
		}
		if has&^(labelNamed|labelVersioned) != 0 {
			d.fail(ErrNewer)
		}
		b.Labels = append(b.Labels, l)
	}
	if d.at != len(d.b) {
		d.fail(ErrCorrupt)
	}
	return b
}

func (d *decoder) fact() Fact {
	_, end := d.peekSpan()
	f := New(Kind(d.uvarint()))
	if f == nil {
		d.fail(ErrNewer)
		return nil
	}
	flags := d.byte()
	h := f.Meta()
	h.ID = d.id()
	h.Version = d.varint()
	h.At = Micros(d.varint())
	h.Source = Label(d.varint())
	h.Anonymiser = d.varint()
	if flags&hasContact != 0 {
		h.Contact = d.contact()
	}
	d.fields(f.Fields())
	if flags&hasText != 0 {
		t := d.text()
		if w := f.Words(); w != nil {
			*w = t
		}
	}
	if d.at > end {
		d.fail(ErrCorrupt)
	}
	if d.err == nil {
		d.at = end // what a newer version added behind
	}
	return f
}

func (d *decoder) fields(fields []Binding) {
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		c := d.uvarint()
		var v int64 = Absent
		if c&1 == 0 {
			v = d.varint()
		}
		for _, b := range fields {
			if uint64(b.Column) == c>>1 && d.err == nil {
				b.Set(v)
			}
		}
	}
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// take moves over n bytes and reports whether they are there.
func (d *decoder) take(n int) bool {
	if d.err != nil || n < 0 || n > len(d.b)-d.at {
		d.fail(ErrCorrupt)
		return false
	}
	d.at += n
	return true
}

func (d *decoder) byte() byte {
	if !d.take(1) {
		return 0
	}
	return d.b[d.at-1]
}

func (d *decoder) uvarint() uint64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Uvarint(d.b[d.at:])
	if n <= 0 || !d.take(n) {
		d.fail(ErrCorrupt)
		return 0
	}
	return v
}

func (d *decoder) varint() int64 {
	u := d.uvarint() // zigzag, as binary.AppendVarint writes it
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) fixed() int64 {
	if !d.take(8) {
		return 0
	}
	return int64(binary.BigEndian.Uint64(d.b[d.at-8:]))
}

func (d *decoder) id() (id ID) {
	if d.take(len(id)) {
		copy(id[:], d.b[d.at-len(id):])
	}
	return id
}

// peekSpan reads a length and gives where the span begins and ends, without moving over it.
func (d *decoder) peekSpan() (i, j int) {
	n := d.uvarint()
	if d.err != nil || n > uint64(len(d.b)-d.at) {
		d.fail(ErrCorrupt)
		return 0, 0
	}
	return d.at, d.at + int(n)
}

func (d *decoder) span() (i, j int) {
	i, j = d.peekSpan()
	d.take(j - i)
	return i, j
}

func (d *decoder) contact() anon.Contact {
	if !d.take(anon.ContactLen) {
		return anon.Contact{}
	}
	c, err := anon.ReadContact(d.o, d.at-anon.ContactLen)
	if err != nil {
		d.fail(err)
	}
	return c
}

func (d *decoder) text() anon.Text {
	i, j := d.span()
	if d.err != nil {
		return anon.Text{}
	}
	t, err := anon.ReadText(d.o, i, j)
	if err != nil {
		d.fail(err)
	}
	return t
}
