package kafka

import (
	"errors"
	"testing"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"kafka://a:1/p":            "kafka://a:1/p",
		"kafka://a:1,[::1]:2/p-_9": "kafka://a:1,[::1]:2/p-_9",
		"kafka://a:1":              "kafka://a:1/",
	} {
		if c, err := Address(in); err != nil || c.String() != want {
			t.Errorf("%s: %s, %v", in, c, err)
		}
	}
	for _, in := range []string{"", "a:1", "http://a:1", "kafka://", "kafka://a", "kafka://a:1,", "kafka://a:1/", "kafka://a:1/x.y", "kafka://a:1/x/y", "kafka://u:p@a:1/x", "kafka://:1"} {
		if _, err := Address(in); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v, want ErrAddress", in, err)
		}
	}
}
