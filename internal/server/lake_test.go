package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/bucket"
	"murmur/internal/bucket/buckettest"
	"murmur/internal/crowd"
	"murmur/internal/explain"
	"murmur/internal/rpc"
)

func (h house) metricsText() string {
	w := httptest.NewRecorder()
	h.metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// TestTheLakeIsInABucket: figures are those of a lake in files, also when the flag is not said again, when the lake moves in with
// what it has, from a backup, and when it came back; then the bucket is empty.
func TestTheLakeIsInABucket(t *testing.T) {
	t.Parallel()
	plain := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, plain.Node)
	plain.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 60))
	want60 := plain.figures()
	plain.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(60, 90))
	want90 := plain.figures()
	plain.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(90, 120))
	want120 := plain.figures()
	same := func(when, want, got string) {
		t.Helper()
		if want != got {
			t.Errorf("%s: figures differ:\n%s\n%s", when, want, got)
		}
	}

	s := buckettest.Open(t)
	data := filepath.Join(t.TempDir(), "data")
	n := startAs(t, Config{Data: data, Lake: "", LakeKey: ""})
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 60))
	if n.lakeStatus() != nil {
		t.Error("status names a bucket where there is none")
	}
	stop(t, n.Node)
	n = startAs(t, Config{Data: data, Lake: s.Address("one"), LakeKey: buckettest.Key})
	same("moved in", want60, n.figures())
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(backup, []byte(n.do("backup", nil, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	stop(t, n.Node)
	n = startAs(t, Config{Data: data, Lake: "", LakeKey: ""}) // remembered
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(60, 90))
	same("remembered", want90, n.figures())
	if l := n.lakeStatus(); l == nil || l.Address != s.Address("one") || l.Copies == 0 || l.Error != "" || l.Kept != 0 {
		t.Errorf("status says %+v", l)
	}
	if c := n.checked("lake"); !c.OK {
		t.Errorf("doctor says %+v", c)
	}
	if text := n.metricsText(); !strings.Contains(text, "murmur_bucket_away 0") || !strings.Contains(text, "murmur_bucket_undeleted 0") {
		t.Error("the metrics do not have the bucket")
	}
	if v := n.do("verify", rpc.VerifyArgs{}, ""); !strings.Contains(v, `"files"`) || strings.Contains(v, `"file"`) {
		t.Errorf("verify says %s", v)
	}
	if len(s.Objects(t)) < 5 {
		t.Errorf("%d objects", len(s.Objects(t)))
	}
	stop(t, n.Node)
	if _, err := Open(t.Context(), Config{Data: data, Lake: s.Address("two")}); !errors.Is(err, crowd.ErrOther) || explain.Of(err).Hint == "" {
		t.Errorf("%v: it moved from a bucket to another", err)
	}
	n = startAs(t, Config{Data: data, Lake: LakeFiles, LakeKey: ""})
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(90, 120))
	same("came back", want120, n.figures())
	if n.lakeStatus() != nil || len(s.Objects(t)) > 0 {
		t.Errorf("%d objects are left", len(s.Objects(t)))
	}
	stop(t, n.Node)
	n = startAs(t, Config{Data: data, Lake: "", LakeKey: ""})
	same("in files", want120, n.figures())
	stop(t, n.Node)

	f, err := os.Open(backup)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	restored := filepath.Join(t.TempDir(), "restored")
	if err := Restore(t.Context(), f, nil, Config{Data: restored}); err != nil {
		t.Fatal(err)
	}
	n = startAs(t, Config{Data: restored, Lake: "", LakeKey: ""})
	defer stop(t, n.Node)
	same("restored", want60, n.figures())
}

// TestABucketThatDoesNotDelete: an erasure is not carried out as long as the bucket keeps the rows, and doctor, status and metrics
// say so; then it is, and no object has them.
func TestABucketThatDoesNotDelete(t *testing.T) {
	t.Parallel()
	s := buckettest.Open(t)
	n := startAs(t, Config{Data: filepath.Join(t.TempDir(), "data"), Lake: s.Address("lake"), LakeKey: buckettest.Key})
	defer stop(t, n.Node)
	n.do("import", rpc.ImportArgs{Kind: "native"}, peopleCalls(0, 20))
	n.figures()
	before := s.Objects(t)
	s.Fail(buckettest.Deny(http.MethodDelete))
	_, err := n.erase(t.Context(), rpc.EraseArgs{Contact: "+12125550003"})
	if err == nil || !strings.Contains(err.Error(), bucket.ErrTrust.Error()) {
		t.Errorf("%v, want ErrTrust", err)
	}
	if l := n.lakeStatus(); l.Kept == 0 || l.Error == "" {
		t.Errorf("status says %+v", l)
	}
	if c := n.checked("lake"); c.OK || c.Hint == "" {
		t.Errorf("doctor says %+v", c)
	}
	if text := n.metricsText(); !strings.Contains(text, "murmur_bucket_away 1") || strings.Contains(text, "murmur_bucket_undeleted 0") {
		t.Error("the metrics do not say it")
	}
	s.Fail(nil)
	if err := n.eraseDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := s.Objects(t)
	for name, b := range before {
		if strings.HasSuffix(name, ".parquet") && bytes.Equal(after[name], b) {
			t.Errorf("%s is still there", name) // every file of one day and bucket has a row of theirs
		}
	}
	if l := n.lakeStatus(); l.Kept != 0 || l.Error != "" {
		t.Errorf("status says %+v", l)
	}
}

// TestFactsWaitForTheBucket: while it fails in whatever way no message is blamed: deliveries are taken, their facts wait, and all of
// them are in the lake when it serves again.
func TestFactsWaitForTheBucket(t *testing.T) {
	t.Parallel()
	s := buckettest.Open(t)
	n := startAs(t, Config{Data: filepath.Join(t.TempDir(), "data"), Lake: s.Address("lake"), LakeKey: buckettest.Key})
	defer stop(t, n.Node)
	for i, fault := range []buckettest.Fault{buckettest.Away, buckettest.Halve, buckettest.Deny(http.MethodPut)} {
		s.Fail(fault)
		err := n.Do(t.Context(), "import", rpc.ImportArgs{Kind: "native"}, strings.NewReader(someCalls(30*i, 30*i+30)), io.Discard)
		if !bucket.Failed(err) {
			t.Errorf("import: %v, want an error of the bucket", err)
		}
		if c := n.counts(); c.Published != int64(30*i+30) {
			t.Errorf("%d are published", c.Published)
		}
		s.Fail(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for n.Drain(ctx) != nil && ctx.Err() == nil { // until the pipeline has tried again
			<-time.After(10 * time.Millisecond)
		}
		cancel()
	}
	if parked, err := n.journal.Parked(t.Context()); err != nil || len(parked) > 0 {
		t.Errorf("parked: %v, %v", parked, err)
	}
	plain := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, plain.Node)
	plain.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 90))
	if want, got := plain.figures(), n.figures(); want != got {
		t.Errorf("figures differ:\n%s\n%s", want, got)
	}
}

// TestNoLakeInABucketThatIsNoGood: a server does not begin with one, and the directory stays as it is. The key is in no file and no error.
func TestNoLakeInABucketThatIsNoGood(t *testing.T) {
	t.Parallel()
	s := buckettest.Open(t)
	data := filepath.Join(t.TempDir(), "data")
	n := startAs(t, Config{Data: data, Lake: "", LakeKey: ""})
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 30))
	want := n.figures()
	stop(t, n.Node)
	_, secret, _ := strings.Cut(buckettest.Key, ":")
	for name, c := range map[string]struct {
		lake, key string
		fault     buckettest.Fault
		want      error
	}{
		"no address":      {"s3:bucket", "", nil, bucket.ErrAddress},
		"no key":          {s.Address("lake"), "key", nil, bucket.ErrKey},
		"another key":     {s.Address("lake"), "else:" + secret, nil, bucket.ErrTrust},
		"another bucket":  {strings.Replace(s.Address("lake"), "figures", "nosuch", 1), buckettest.Key, nil, bucket.ErrMissing},
		"versions":        {s.Address("lake"), buckettest.Key, buckettest.Versions, bucket.ErrVersions},
		"it cannot now":   {s.Address("lake"), buckettest.Key, buckettest.Away, bucket.ErrAway},
		"it keeps all":    {s.Address("lake"), buckettest.Key, buckettest.Deny(http.MethodDelete), bucket.ErrTrust},
		"nobody is there": {"s3://figures?endpoint=http://127.0.0.1:1&region=x", buckettest.Key, nil, bucket.ErrAway},
	} {
		s.Fail(c.fault)
		n, err := Open(t.Context(), Config{Data: data, Lake: c.lake, LakeKey: c.key})
		if !errors.Is(err, c.want) || explain.Of(err).Hint == "" {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err == nil {
			stop(t, n)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error has the key", name)
		}
	}
	s.Fail(nil)
	n = startAs(t, Config{Data: data, Lake: "", LakeKey: ""})
	defer stop(t, n.Node)
	if got := n.figures(); got != want || n.lakeStatus() != nil {
		t.Error("a lake that did not move is not where it was")
	}
	err := filepath.WalkDir(data, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(name)
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			if bytes.Contains(b, []byte(form)) {
				t.Errorf("%s has the key", d.Name())
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
