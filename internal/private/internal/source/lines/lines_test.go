package lines

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestNext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"nothing":          {"", nil},
		"no last line end": {"a\nb", []string{"1 a", "2 b"}},
		"CRLF":             {"a\r\n\r\nb\r\n", []string{"1 a", "2 ", "3 b"}},
		"at the limit":     {"12345678\r\n", []string{"1 12345678"}},
		"over the limit":   {"a\n" + strings.Repeat("x", 200_000) + "\nb\n", []string{"1 a", "2 long", "3 b"}},
		"long last line":   {strings.Repeat("x", 200_000), []string{"1 long"}},
	} {
		r := NewReader(iotest.HalfReader(strings.NewReader(c.file)), 8)
		var got []string
		for {
			line, number, long, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if long {
				line = []byte("long")
			}
			got = append(got, fmt.Sprintf("%d %s", number, line))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %d lines, want %d", name, len(got), len(c.want))
		}
	}
}
