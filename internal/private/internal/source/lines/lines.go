// Package lines reads a text file line by line in bounded memory.
//
// Zone: RED. A line longer than the limit is skipped to its end and reported as such, so that one bad
// line does not end a file and none can fill the memory.
package lines

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// Reader reads lines ending in LF or CRLF.
type Reader struct {
	r     *bufio.Reader
	limit int
	line  []byte
	count int
}

// NewReader reads lines of up to limit bytes.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), limit: limit}
}

// Next is the next line without its end, valid until the next call, with its number (from 1). A line over
// the limit comes with long set, and as a digest. At the end of the file the error is io.EOF.
func (r *Reader) Next() (line []byte, number int, long bool, err error) {
	r.line = r.line[:0]
	var digest hash.Hash
	for {
		part, err := r.r.ReadSlice('\n')
		if !long && len(r.line)+len(part) > r.limit+2 {
			digest, long = sha256.New(), true
			digest.Write(r.line)
		}
		if long {
			digest.Write(part)
		} else {
			r.line = append(r.line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(r.line) == 0 && !long:
			return nil, r.count, false, io.EOF
		case err != nil && err != io.EOF:
			return nil, r.count, false, err
		}
		r.count++
		if long {
			return digest.Sum(nil), r.count, true, nil
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(r.line, []byte("\n")), []byte("\r")), r.count, false, nil
	}
}
