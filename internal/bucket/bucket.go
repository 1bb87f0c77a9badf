// Package bucket keeps files as objects of an S3 store, by name below a prefix.
//
// Zone: below both doors. It moves bytes and looks at none. Whoever uses it knows each file's length and hash, and compares.
//
// It promises:
//   - an object is written by one request of known length with a Content-MD5, never in parts: a request that breaks off leaves
//     nothing behind, no part of an upload waits in the bucket unseen. After the store's answer its length is asked for.
//   - every operation ends: after half a minute and what its bytes take at 256 KiB a second.
//   - a request that fails is sent three times, then the error is ErrAway (no answer, or one that says later), ErrTrust (the
//     key or its rights) or ErrMissing.
//   - no proxy, and no plain HTTP except to this machine.
//
// What it does not protect against: the owner of the bucket, who reads every object; a store that loses what it acknowledged.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

var (
	// ErrAway is returned when the store does not answer, or answers that it cannot now.
	ErrAway = errors.New("the bucket does not answer")
	// ErrTrust is returned when the store refuses: the key, or a right that it lacks.
	ErrTrust = errors.New("the bucket refuses murmur's key")
	// ErrMissing is returned for an object or a bucket that is not there.
	ErrMissing = errors.New("there is no such object in the bucket")
	// ErrVersions is returned by Check for a bucket that keeps what is deleted.
	ErrVersions = errors.New("the bucket keeps versions of deleted objects, so what is erased would stay in it")
	// errShort says that the store acknowledged an object and has another.
	errShort = fmt.Errorf("%w as it should: it acknowledged an object and has another length of it", ErrAway)
)

// How long an operation may take: grace, and its bytes at the slowest rate.
const (
	grace   = 30 * time.Second
	slowest = 256 << 10 // bytes a second
	tries   = 3
)

// Bucket is safe for concurrent use.
type Bucket struct {
	at     Address
	client *minio.Client
	rate   time.Duration // what a byte may take; tests shorten both
	grace  time.Duration
}

// Open asks nobody. key is ID:SECRET; empty: what the environment, ~/.aws/credentials or the machine's role say.
func Open(at Address, key string) (*Bucket, error) {
	id, secret, ok := strings.Cut(key, ":")
	from := credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}}})
	if ok && id != "" && secret != "" {
		from = credentials.NewStaticV4(id, secret, "")
	} else if key != "" {
		return nil, ErrKey
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	client, err := minio.New(at.host(), &minio.Options{
		Creds: from, Secure: at.tls(), Region: at.Region, MaxRetries: tries,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: grace, IdleConnTimeout: time.Minute,
			MaxIdleConnsPerHost: 16, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
		},
	})
	if err != nil {
		return nil, errors.Join(ErrAddress, err)
	}
	return &Bucket{at: at, client: client, grace: grace, rate: time.Second / slowest}, nil
}

// String is the address.
func (b *Bucket) String() string { return b.at.String() }

// Limit is how many bytes of copies a machine keeps.
func (b *Bucket) Limit() int64 { return b.at.Limit() }

// Root is the URI below which another engine finds the objects.
func (b *Bucket) Root() string { return strings.TrimSuffix("s3://"+b.at.Bucket+"/"+b.at.Prefix, "/") }

func (b *Bucket) key(name string) string {
	if b.at.Prefix == "" {
		return name
	}
	return b.at.Prefix + "/" + name
}

// within bounds an operation that moves so many bytes.
func (b *Bucket) within(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.grace+time.Duration(size)*b.rate)
}

// Put makes a file an object, whole or not at all. One that is there is replaced.
func (b *Bucket) Put(ctx context.Context, name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	bounded, cancel := b.within(ctx, info.Size())
	defer cancel()
	_, err = b.client.PutObject(bounded, b.at.Bucket, b.key(name), f, info.Size(), minio.PutObjectOptions{DisableMultipart: true, SendContentMd5: true})
	if err != nil {
		return explain(ctx, "write", err)
	}
	there, err := b.client.StatObject(bounded, b.at.Bucket, b.key(name), minio.StatObjectOptions{})
	if err == nil && there.Size != info.Size() {
		return errShort
	}
	return explain(ctx, "look at", err)
}

// Get writes an object of so many bytes to w. It may have written some when it fails. A shorter object is no error, and of
// a longer one comes one byte more.
func (b *Bucket) Get(ctx context.Context, name string, size int64, w io.Writer) error {
	bounded, cancel := b.within(ctx, size)
	defer cancel()
	body, _, _, err := minio.Core{Client: b.client}.GetObject(bounded, b.at.Bucket, b.key(name), minio.GetObjectOptions{})
	if err != nil {
		return explain(ctx, "read", err)
	}
	defer func() { _ = body.Close() }()
	_, err = io.Copy(w, io.LimitReader(source{body}, size+1))
	if broken, ok := errors.AsType[*readError](err); ok {
		return explain(ctx, "read", broken.err)
	}
	return err
}

// source tells an error in reading from one in writing.
type source struct{ io.Reader }

type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func (s source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{err}
	}
	return n, err
}

// Remove deletes an object; it is no error when there is none.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	bounded, cancel := b.within(ctx, 0)
	defer cancel()
	return explain(ctx, "delete", b.client.RemoveObject(bounded, b.at.Bucket, b.key(name), minio.RemoveObjectOptions{}))
}

// List gives the names of all objects below a folder, in no promised order.
func (b *Bucket) List(ctx context.Context, folder string) (names []string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slow := time.AfterFunc(b.grace, cancel) // for each page of a thousand
	defer slow.Stop()
	below := b.key("")
	for o := range b.client.ListObjectsIter(ctx, b.at.Bucket, minio.ListObjectsOptions{Prefix: b.key(folder + "/"), Recursive: true}) {
		if o.Err != nil {
			return nil, explain(context.Background(), "list", o.Err)
		}
		slow.Reset(b.grace)
		names = append(names, strings.TrimPrefix(o.Key, below))
	}
	return names, nil
}

// Check tries what the lake needs: it writes, reads, lists and deletes an object of its own, and asks whether the bucket keeps
// what is deleted (a key that may not ask is no error).
func (b *Bucket) Check(ctx context.Context) error {
	v, err := b.client.GetBucketVersioning(ctx, b.at.Bucket)
	if err == nil && v.Enabled() {
		return ErrVersions
	}
	const name, text = "murmur-check/probe", "murmur"
	f, err := probe(text)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := b.Put(ctx, name, f); err != nil {
		return err
	}
	var got strings.Builder
	if err := b.Get(ctx, name, int64(len(text)), &got); err != nil {
		return err
	}
	names, err := b.List(ctx, "murmur-check")
	if err != nil {
		return err
	}
	if got.String() != text || len(names) == 0 {
		return fmt.Errorf("read what was written: %w", ErrMissing)
	}
	return b.Remove(ctx, name)
}

// probe is an unnamed file.
func probe(text string) (*os.File, error) {
	f, err := os.CreateTemp("", "murmur-probe-")
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(text)
	return f, errors.Join(err, os.Remove(f.Name()))
}

// Failed reports whether an error is of the bucket as a whole, and not of what was asked of it.
func Failed(err error) bool {
	return errors.Is(err, ErrAway) || errors.Is(err, ErrTrust) || errors.Is(err, ErrVersions) || errors.Is(err, ErrMissing)
}

// refused are the codes of a store that knows the key and says no, or does not know it.
var refused = map[string]bool{
	"AccessDenied": true, "InvalidAccessKeyId": true, "SignatureDoesNotMatch": true, "AllAccessDisabled": true, "ExpiredToken": true,
	"InvalidToken": true, "AuthorizationHeaderMalformed": true, "AccountProblem": true, "RequestTimeTooSkewed": true, "UnauthorizedAccess": true,
}

// explain gives an error of the client one of this package's names. It says what was done and the store's code, no object.
func explain(ctx context.Context, did string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	answer := minio.ToErrorResponse(err)
	switch {
	case answer.Code == "NoSuchKey" || answer.Code == "NoSuchBucket":
		return fmt.Errorf("%s: %w (%s)", did, ErrMissing, answer.Code)
	case refused[answer.Code] || answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w (%s)", did, ErrTrust, answer.Code)
	case answer.Code != "":
		return fmt.Errorf("%s: %w (%s)", did, ErrAway, answer.Code)
	}
	if request, ok := errors.AsType[*url.Error](err); ok {
		err = request.Err // without the object's address
	}
	if strings.Contains(err.Error(), "://") {
		err = io.ErrUnexpectedEOF // the client puts it into the words for a connection that broke off
	}
	return fmt.Errorf("%s: %w: %w", did, ErrAway, err)
}
