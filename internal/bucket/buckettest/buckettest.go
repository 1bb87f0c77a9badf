// Package buckettest is an S3 store in memory, and faults on the way to a store, for tests alone.
package buckettest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Key is the key that a Store takes.
const Key = "murmur-test:a secret of the tests"

const bucket = "figures"

// Store is a store behind a way that can fail.
type Store struct {
	Endpoint string
	Dir      string // of Real: the objects, as files

	backend gofakes3.Backend
	closing chan struct{}
	mu      sync.Mutex
	fault   Fault
	calls   map[string]int
}

// Fault handles a request instead of the store, or says that it did not.
type Fault func(w http.ResponseWriter, r *http.Request, store http.Handler) bool

// Open starts a store in memory that has one bucket.
func Open(t testing.TB) *Store {
	t.Helper()
	s := &Store{backend: s3mem.New()}
	if err := s.backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	s.serve(t, keyed(gofakes3.New(s.backend, gofakes3.WithTimeSkewLimit(0)).Server()))
	return s
}

// Before starts a way to a store that runs elsewhere.
func Before(t testing.TB, store http.Handler) *Store {
	t.Helper()
	s := &Store{}
	s.serve(t, store)
	return s
}

func (s *Store) serve(t testing.TB, store http.Handler) {
	s.calls, s.closing = map[string]int{}, make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		fault := s.fault
		s.calls[r.Method]++
		s.mu.Unlock()
		if fault == nil || !fault(w, r, store) {
			store.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { close(s.closing); server.CloseClientConnections(); server.Close() })
	s.Endpoint = server.URL
}

// keyed answers as a store does that does not know the key.
func keyed(store http.Handler) http.Handler {
	id, _, _ := strings.Cut(Key, ":")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential="+id+"/") {
			refuse(w, http.StatusForbidden, "InvalidAccessKeyId")
			return
		}
		store.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
}

// Address is that of a prefix in the store's bucket.
func (s *Store) Address(prefix string) string {
	return "s3://" + bucket + "/" + prefix + "?endpoint=" + s.Endpoint + "&region=us-east-1"
}

// Fail has requests fail in a way; nil: none does.
func (s *Store) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Calls is how many requests of a method came.
func (s *Store) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Deny refuses requests of a method: GET also lists.
func Deny(method string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if r.Method == method {
			refuse(w, http.StatusForbidden, "AccessDenied")
		}
		return r.Method == method
	}
}

// Away answers nothing that one could use.
func Away(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
	refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable")
	return true
}

// Hang never answers.
func (s *Store) Hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	select {
	case <-s.closing:
	case <-r.Context().Done():
	}
	panic(http.ErrAbortHandler)
}

// Break ends the connection in the middle of what is written.
func Break(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if r.Method != http.MethodPut {
		return false
	}
	_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
	panic(http.ErrAbortHandler)
}

// Halve has the store keep half of what is written, and say that all is well.
func Halve(w http.ResponseWriter, r *http.Request, store http.Handler) bool {
	if r.Method != http.MethodPut {
		return false
	}
	b, _ := io.ReadAll(r.Body)
	b = b[:len(b)/2]
	half := r.Clone(r.Context())
	half.Body, half.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	for _, h := range []string{"Content-Md5", "X-Amz-Decoded-Content-Length", "X-Amz-Content-Sha256"} {
		half.Header.Del(h)
	}
	half.Header.Set("Content-Length", strconv.Itoa(len(b)))
	store.ServeHTTP(w, half)
	return true
}

// Cut ends the connection in the middle of what is read.
func Cut(w http.ResponseWriter, r *http.Request, store http.Handler) bool {
	if r.Method != http.MethodGet || strings.Contains(r.URL.RawQuery, "=") {
		return false
	}
	answer := httptest.NewRecorder()
	store.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
	panic(http.ErrAbortHandler)
}

// Versions has the store say that it keeps versions.
func Versions(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if r.Method != http.MethodGet || !r.URL.Query().Has("versioning") {
		return false
	}
	_, _ = io.WriteString(w, `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>`)
	return true
}

// Objects gives everything in the store, by key.
func (s *Store) Objects(t testing.TB) map[string][]byte {
	t.Helper()
	list, err := s.backend.ListBucket(bucket, nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, o := range list.Contents {
		object, err := s.backend.GetObject(bucket, o.Key, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(object.Contents)
		if err != nil {
			t.Fatal(err)
		}
		all[o.Key] = b
	}
	return all
}

// Change replaces an object's bytes.
func (s *Store) Change(t testing.TB, key string, b []byte) {
	t.Helper()
	if _, err := s.backend.PutObject(bucket, key, map[string]string{}, bytes.NewReader(b), int64(len(b)), nil); err != nil {
		t.Fatal(err)
	}
}

// Lose removes an object.
func (s *Store) Lose(t testing.TB, key string) {
	t.Helper()
	if _, err := s.backend.DeleteObject(bucket, key); err != nil {
		t.Fatal(err)
	}
}
