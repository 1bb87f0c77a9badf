package csv

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// coding is the character encoding of a file. UTF-16 is told by its mark or its zero bytes. Without a
// mark the first line that is not ASCII decides: UTF-8 if it is valid, else Windows-1252.
type coding struct {
	reader io.Reader // gives UTF-8, or bytes not decided yet
	is     string    // empty: nothing but ASCII so far
}

const (
	utf8Name    = "utf-8"
	utf16Name   = "utf-16"
	windowsName = "windows-1252"
)

func newCoding(r *bufio.Reader) *coding {
	head, _ := r.Peek(512)
	order, wide := utf16Order(head)
	switch {
	case wide:
		decoder := unicode.UTF16(order, unicode.UseBOM).NewDecoder()
		return &coding{reader: transform.NewReader(r, decoder), is: utf16Name}
	case bytes.HasPrefix(head, []byte("\ufeff")):
		_, _ = r.Discard(3)
		return &coding{reader: r, is: utf8Name}
	}
	return &coding{reader: r}
}

// utf32 reports the mark of UTF-32, which begins like that of UTF-16.
func utf32(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xFF, 0xFE, 0, 0}) || bytes.HasPrefix(head, []byte{0, 0, 0xFE, 0xFF})
}

// lineEnds gives a file whose lines end in CR alone, as Excel for the Mac once wrote them, LF instead.
func lineEnds(from io.Reader) io.Reader {
	r := bufio.NewReaderSize(from, 64<<10)
	if head, _ := r.Peek(sampleLines); bytes.IndexByte(head, '\r') < 0 || bytes.IndexByte(head, '\n') >= 0 {
		return r
	}
	return crReader{r}
}

// sampleLines is how many bytes tell how lines end.
const sampleLines = 8 << 10

type crReader struct{ from io.Reader }

// Read implements io.Reader.
func (r crReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	for i := range p[:n] {
		if p[i] == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

func utf16Order(head []byte) (unicode.Endianness, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return unicode.BigEndian, true
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch few := len(head) / 4; {
	case zeros[1] > few && zeros[0] == 0:
		return unicode.LittleEndian, true
	case zeros[0] > few && zeros[1] == 0:
		return unicode.BigEndian, true
	}
	return unicode.BigEndian, false
}

// decode gives the text of a line, and false when it is not in the file's encoding.
func (c *coding) decode(line []byte) (string, bool) {
	if c.is == "" && !ascii(line) {
		c.is = windowsName
		if utf8.Valid(line) {
			c.is = utf8Name
		}
	}
	if c.is == windowsName {
		text, err := charmap.Windows1252.NewDecoder().Bytes(line)
		return string(text), err == nil
	}
	return string(line), utf8.Valid(line)
}

func (c *coding) name() string {
	if c.is == "" {
		return utf8Name
	}
	return c.is
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
