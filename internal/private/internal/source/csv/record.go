package csv

import (
	"errors"
	"io"
	"strings"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/lines"
)

// record is one row: its cells, or why it has none and one cell that tells it from another.
type record struct {
	line  int // where it begins, from 1
	size  int
	cells []string
	bad   *source.Verdict
}

// textLine is one decoded line of the file; a bad one as it stands, or a digest of it.
type textLine struct {
	text   string
	number int
	bad    *source.Verdict
}

// records reads RFC 4180 rows with any delimiter. Unlike encoding/csv it recovers: a row whose quoting is
// broken, or whose quote is not closed within maxRecord bytes, is given up at its first line and reading
// goes on with the second, so one stray quote costs one row. Looking ahead is linear in the file: a line
// that leaves a quote open holds an odd number of quotes, and no such line can lie inside a quote that
// stays open past it.
type records struct {
	lines     *lines.Reader
	coding    *coding
	delimiter byte
	pending   []textLine // lines to be read again
}

// line is the next line that is not blank.
func (r *records) line() (textLine, error) {
	for {
		l, err := r.rawLine()
		if err != nil || l.bad != nil || strings.TrimSpace(l.text) != "" {
			return l, err
		}
	}
}

func (r *records) rawLine() (textLine, error) {
	if len(r.pending) > 0 {
		l := r.pending[0]
		r.pending = r.pending[1:]
		return l, nil
	}
	b, number, long, err := r.lines.Next()
	if err != nil {
		return textLine{}, err
	}
	if long {
		return textLine{text: string(b), number: number, bad: source.Quarantine(fact.WhyTooLarge, "row")}, nil
	}
	text, ok := r.coding.decode(b)
	if !ok {
		return textLine{text: string(b), number: number, bad: source.Quarantine(fact.WhyEncoding, "row")}, nil
	}
	return textLine{text: text, number: number}, nil
}

// read is the next row. The error is of the file, never of the row.
func (r *records) read() (record, error) {
	first, err := r.line()
	if err != nil {
		return record{}, err
	}
	rec := record{line: first.number, size: len(first.text), bad: first.bad}
	if rec.bad != nil {
		rec.cells = []string{first.text}
		return rec, nil
	}
	s := splitter{delimiter: r.delimiter}
	var more []textLine
	ok := s.feed(first.text)
	for ok && s.state == quoted {
		next, err := r.rawLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return record{}, err
		}
		if errors.Is(err, io.EOF) {
			ok = false
			break
		}
		more = append(more, next)
		rec.size += len(next.text) + 1
		if ok = next.bad == nil && rec.size <= maxRecord; ok {
			s.cell.WriteByte('\n')
			ok = s.feed(next.text)
		}
	}
	if !ok {
		if len(more) > 0 {
			r.pending = append(more, r.pending...)
		}
		rec.bad, rec.cells = source.Quarantine(fact.WhyBadField, "quoting"), []string{first.text}
		return rec, nil
	}
	s.endCell()
	rec.cells = s.cells
	return rec, nil
}

type state uint8

const (
	start state = iota // of a cell
	bare
	quoted
	closing // behind a quote inside a quoted cell: the end of it, or half of an escaped quote
)

// splitter cuts a row into cells; a quoted cell may go on over several lines.
type splitter struct {
	delimiter byte
	state     state
	cell      strings.Builder
	cells     []string
}

// feed takes one line; false says that the quoting is broken.
func (s *splitter) feed(line string) bool {
	for i := range len(line) {
		c := line[i]
		switch {
		case s.state == quoted && c == '"':
			s.state = closing
		case s.state == quoted:
			s.cell.WriteByte(c)
		case c == s.delimiter:
			s.endCell()
		case s.state == closing && c == '"':
			s.cell.WriteByte(c)
			s.state = quoted
		case s.state == start && c == '"':
			s.state = quoted
		case s.state == bare && c == '"' && s.cell.String() == "=": // ="+1212", see unguarded
			s.cell.Reset()
			s.state = quoted
		case s.state == closing, c == '"':
			return false
		default:
			s.cell.WriteByte(c)
			s.state = bare
		}
	}
	return true
}

func (s *splitter) endCell() {
	s.cells = append(s.cells, unguarded(strings.TrimSpace(s.cell.String())))
	s.cell.Reset()
	s.state = start
}

// unguarded takes off what exports put around a number so that a spreadsheet leaves it alone: ="+1212" and '+1212.
func unguarded(cell string) string {
	if inner, ok := strings.CutPrefix(cell, `="`); ok && strings.HasSuffix(inner, `"`) {
		cell = strings.TrimSuffix(inner, `"`)
	} else if len(cell) > 1 && cell[0] == '\'' && (cell[1] == '+' || cell[1] >= '0' && cell[1] <= '9') {
		return cell[1:]
	}
	return cell
}

// split cuts one line; nil when its quoting is broken.
func split(line string, delimiter byte) []string {
	s := splitter{delimiter: delimiter}
	if !s.feed(line) || s.state == quoted {
		return nil
	}
	s.endCell()
	return s.cells
}

// delimiterOf is the mark that cuts a line of headers into the most cells.
func delimiterOf(line string) byte {
	best, most := byte(','), 0
	for _, d := range []byte{',', ';', '\t', '|'} {
		if n := len(split(line, d)); n > most {
			best, most = d, n
		}
	}
	return best
}
