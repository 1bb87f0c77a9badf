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
		"kafka+tls://a:1":          "kafka+tls://a:1/",
		"kafka+tls://u@a:1,b:2/p":  "kafka+tls://u@a:1,b:2/p",
	} {
		if c, err := Address(in); err != nil || c.String() != want {
			t.Errorf("%s: %s, %v", in, c, err)
		}
	}
	for _, in := range []string{"", "a:1", "http://a:1", "kafka://", "kafka://a", "kafka://a:1,", "kafka://a:1/", "kafka://a:1/x.y", "kafka://a:1/x/y", "kafka://u:p@a:1/x", "kafka://u@a:1", "kafka+tls://u:p@a:1", "kafka+tls://@a:1", "kafka+tls://a:1,u@b:2", "kafka://:1"} {
		if _, err := Address(in); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v, want ErrAddress", in, err)
		}
	}
}
