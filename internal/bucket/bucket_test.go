package bucket

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/bucket/buckettest"
)

func opened(t *testing.T, s *buckettest.Store, key string) *Bucket {
	t.Helper()
	at, err := Parse(s.Address("a/b"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(at, key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fileOf(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestObjects: what is written is read, listed below its folder alone, and deleted.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := buckettest.Open(t)
	b := opened(t, s, buckettest.Key)
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("figures "), 1<<20)
	for _, name := range []string{"facts/data/at_day=2026-11-02/x.parquet", "facts/metadata/0.json", "factsandmore/x"} {
		if err := b.Put(t.Context(), name, fileOf(t, content)); err != nil {
			t.Fatal(err)
		}
	}
	var got bytes.Buffer
	if err := b.Get(t.Context(), "facts/metadata/0.json", int64(len(content)), &got); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	names, err := b.List(t.Context(), "facts")
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"facts/data/at_day=2026-11-02/x.parquet", "facts/metadata/0.json"}) {
		t.Errorf("%q, %v", names, err)
	}
	for range 2 {
		if err := b.Remove(t.Context(), "facts/metadata/0.json"); err != nil {
			t.Error(err)
		}
	}
	if err := b.Get(t.Context(), "facts/metadata/0.json", 1, &got); !errors.Is(err, ErrMissing) {
		t.Errorf("%v, want ErrMissing", err)
	}
}

// TestAStoreThatFails: every fault has its error, in bounded time, and none leaves half an object that is taken for whole.
func TestAStoreThatFails(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("figures "), 1<<10)
	for name, c := range map[string]struct {
		fault func(*buckettest.Store) buckettest.Fault
		key   string
		did   func(context.Context, *Bucket, *os.File) error
		want  error
	}{
		"a wrong key":                     {key: "somebody:else", did: put, want: ErrTrust},
		"no right to write":               {fault: is(buckettest.Deny(http.MethodPut)), did: put, want: ErrTrust},
		"no right to delete":              {fault: is(buckettest.Deny(http.MethodDelete)), did: check, want: ErrTrust},
		"no right to read":                {fault: is(buckettest.Deny(http.MethodGet)), did: check, want: ErrTrust},
		"it keeps versions":               {fault: is(buckettest.Versions), did: check, want: ErrVersions},
		"it cannot now":                   {fault: is(buckettest.Away), did: put, want: ErrAway},
		"it hangs while it is written to": {fault: func(s *buckettest.Store) buckettest.Fault { return s.Hang }, did: put, want: ErrAway},
		"it hangs while it is listed":     {fault: func(s *buckettest.Store) buckettest.Fault { return s.Hang }, did: list, want: ErrAway},
		"it breaks off a write":           {fault: is(buckettest.Break), did: put, want: ErrAway},
		"it has half and says all":        {fault: is(buckettest.Halve), did: put, want: ErrAway},
		"it breaks off an answer":         {fault: is(buckettest.Cut), did: check, want: ErrAway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := buckettest.Open(t)
			if c.key == "" {
				c.key = buckettest.Key
			}
			b := opened(t, s, c.key)
			b.grace, b.rate = 300*time.Millisecond, 0
			if c.fault != nil {
				s.Fail(c.fault(s))
			}
			err := c.did(t.Context(), b, fileOf(t, content))
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "a/b") || strings.Contains(err.Error(), "secret")) {
				t.Errorf("the error says too much: %v", err)
			}
		})
	}
}

func is(f buckettest.Fault) func(*buckettest.Store) buckettest.Fault {
	return func(*buckettest.Store) buckettest.Fault { return f }
}

func put(ctx context.Context, b *Bucket, f *os.File) error   { return b.Put(ctx, "facts/x", f) }
func check(ctx context.Context, b *Bucket, _ *os.File) error { return b.Check(ctx) }
func list(ctx context.Context, b *Bucket, _ *os.File) error {
	_, err := b.List(ctx, "facts")
	return err
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"s3://figures", "s3://figures/murmur/lake", "s3://my.bucket-1/p?region=eu-central-1", "s3://figures/p?endpoint=https://10.0.0.5:9000&region=us-east-1&cache=20",
		"s3://figures?endpoint=http://127.0.0.1:9000", "s3://figures?endpoint=http://[::1]:9000",
	} {
		a, err := Parse(s)
		if err != nil || a.String() != s {
			t.Errorf("%s: %q, %v", s, a, err)
		}
	}
	for _, s := range []string{
		"", "figures", "file:///x", "s3://", "s3://Figures", "s3://id:secret@figures", "s3://figures/../x", "s3://figures/a//b", "s3://figures#x",
		"s3://figures?endpoint=http://10.0.0.5:9000", "s3://figures?endpoint=https://h/path", "s3://figures?region=", "s3://figures?cache=0", "s3://figures?cache=-1",
		"s3://figures?key=x", "s3://figures?region=a&region=b", "s3://figures?endpoint=ftp://h",
	} {
		if a, err := Parse(s); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %q, %v", s, a, err)
		}
	}
	for _, key := range []string{"x", ":x", "x:"} {
		if _, err := Open(Address{Bucket: "figures"}, key); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", key, err)
		}
	}
}
