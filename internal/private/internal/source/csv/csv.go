// Package csv turns the exports of phone and survey systems into native murmur.v1 lines, so that one
// decoder reads imports and webhooks.
//
// Zone: RED. Open finds out what a file is from its beginning: encoding (UTF-8, UTF-16, Windows-1252),
// delimiter, the row of headers, what each column means, whether 03/04 is in March or April. All of it is
// shown by Preview before anything is imported, and a mapping given by the user wins over every guess.
// Rows then streams: memory does not grow with the file.
//
// An unreadable row (broken quoting, an invalid date) becomes a verdict with its line number, and the next
// row is read. Cells are data: a formula is a text like any other and is never evaluated. The same row
// gives the same delivery id in every import, so importing a file twice changes nothing.
//
// What it does not protect against: a column whose dates are all ambiguous is read by the custom of the
// file's other marks and says "assumed"; two different events whose rows are equal in every cell and carry
// no id are taken for one.
package csv

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/lines"
)

// ErrNoKind says that no row near the top of the file has headers of a known kind.
var ErrNoKind = errors.New("csv: the headers fit no kind: calls, messages, surveys or steps")

// ErrArchive is returned for an Excel workbook, or another archive.
var ErrArchive = errors.New("csv: this is an Excel workbook or an archive, and no table in plain text: save it as CSV and import that")

// ErrUTF32 says that the file is in an encoding that no export has.
var ErrUTF32 = errors.New("csv: the file is in UTF-32; save it as UTF-8")

const (
	maxRecord  = 64 << 10 // bytes of one row, quoted line breaks included
	headerRows = 10       // rows at the top among which the headers are looked for
	sampleRows = 200      // rows read ahead to decide formats
	sampleSize = 1 << 20  // and their bytes
	shownRows  = 5
)

// Options say what the caller knows about the file.
type Options struct {
	// Kind is calls, messages, surveys or steps; empty: from the headers.
	Kind string
	// Map gives the header of a canonical field and wins over the guess (see ParseMap).
	Map map[string]string
	// Zone is where times without a zone were written; nil is UTC.
	Zone *time.Location
}

// File is an opened export. Use it from one goroutine.
type File struct {
	kind    string
	records *records
	columns []column
	sample  []record
	build   builder
	coding  *coding
}

// Preview is what was found out about a file. Values are personal: the caller masks them.
type Preview struct {
	Kind      string
	Encoding  string // "utf-8", "utf-16", "windows-1252"
	Delimiter string
	Columns   []Column
	Rows      [][]Field // the first rows, as they will be imported
}

// Column is one column of the file and the canonical field it feeds; Field is empty when it is not used.
type Column struct {
	Header personal.Value
	Field  string
	Note   string // how its values are read, in words
}

// Field is one named value of a row.
type Field struct {
	Name  string
	Value personal.Value
}

// Open reads the beginning of r. Errors: ErrNoKind, ErrArchive, ErrUTF32, a mapping that names an absent header or an unknown
// field, and those of r.
func Open(r io.Reader, o Options) (*File, error) {
	begin := bufio.NewReaderSize(r, 64<<10)
	switch head, _ := begin.Peek(4); { // an error of the reader comes again below
	case string(head) == "PK\x03\x04":
		return nil, ErrArchive
	case utf32(head):
		return nil, ErrUTF32
	}
	coding := newCoding(begin)
	f := &File{coding: coding, records: &records{lines: lines.NewReader(lineEnds(coding.reader), maxRecord), coding: coding}}
	if err := f.findHeaders(o); err != nil {
		return nil, err
	}
	for size := 0; len(f.sample) < sampleRows && size < sampleSize; {
		rec, err := f.records.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("csv: read the first rows: %w", err)
		}
		f.sample = append(f.sample, rec)
		size += rec.size
	}
	f.build = newBuilder(f.kind, f.columns, f.sample, f.records.delimiter, o.Zone)
	return f, nil
}

// findHeaders takes the first of the top rows that fits a kind; what stands above it is a title.
func (f *File) findHeaders(o Options) error {
	var top []textLine
	for len(top) < headerRows {
		l, err := f.records.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("csv: read the headers: %w", err)
		}
		top = append(top, l)
	}
	fault := ErrNoKind
	for i, l := range top {
		if l.bad != nil {
			continue
		}
		delimiter := delimiterOf(l.text)
		kind, columns, err := mapHeaders(split(l.text, delimiter), o)
		if err != nil {
			if !errors.Is(err, ErrNoKind) {
				fault = err
			}
			continue
		}
		f.kind, f.columns = kind, columns
		f.records.delimiter = delimiter
		f.records.pending = append(top[i+1:], f.records.pending...)
		return nil
	}
	return fault
}

// Shape tells files of one kind of export from others: a digest of the kind and the headers.
func (f *File) Shape() string {
	h := sha256.New()
	io.WriteString(h, f.kind)
	for _, c := range f.columns {
		io.WriteString(h, "\x00"+strings.ToLower(strings.TrimSpace(c.header)))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Preview tells what Rows will do.
func (f *File) Preview() Preview {
	p := Preview{
		Kind: f.kind, Encoding: f.coding.name(),
		Delimiter: map[byte]string{',': "comma", ';': "semicolon", '\t': "tab", '|': "pipe"}[f.records.delimiter],
	}
	for i, c := range f.columns {
		p.Columns = append(p.Columns, Column{personal.New(c.header), c.field, f.build.note(i)})
	}
	for _, rec := range f.sample {
		if len(p.Rows) == shownRows {
			break
		}
		if rec.bad != nil {
			continue
		}
		if e, bad := f.build.event(rec.cells); bad == nil {
			p.Rows = append(p.Rows, e.fields())
		}
	}
	return p
}

// Rows gives every row as a native line.
func (f *File) Rows(yield func(line int, native []byte, bad *source.Verdict) bool) error {
	give := func(rec record) bool {
		e, bad := nativeEvent(nil), rec.bad
		if bad == nil {
			e, bad = f.build.event(rec.cells)
		}
		if bad != nil {
			return yield(rec.line, []byte(strings.Join(rec.cells, "\x00")), bad)
		}
		return yield(rec.line, e.native(f.kind), nil)
	}
	for _, rec := range f.sample {
		if !give(rec) {
			return nil
		}
	}
	f.sample = nil
	for {
		rec, err := f.records.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("csv: read: %w", err)
		}
		if !give(rec) {
			return nil
		}
	}
}

var _ source.Lines = (*File)(nil)
