package buckettest

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Variable names the program versitygw, an S3 server that keeps objects as files; scripts/cluster builds it.
const Variable = "MURMUR_VERSITYGW"

// startTime is how long the server may take until it answers.
const startTime = time.Minute

// Real starts a real S3 server, on loopback and a free port, with one bucket, behind a way that can fail. Dir has its objects as
// files. Where the program is not named the test is skipped, aloud.
func Real(t testing.TB) *Store {
	t.Helper()
	program := os.Getenv(Variable)
	if program == "" {
		t.Skipf("NOT TESTED: a real S3 server (%s is not set: make test-cluster)", Variable)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	listen, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listen.Addr().String()
	_ = listen.Close()
	id, secret, _ := strings.Cut(Key, ":")
	cmd := exec.CommandContext(context.Background(), program, "--port", at, "--quiet", "posix", "--sidecar", t.TempDir(), dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+id, "ROOT_SECRET_KEY="+secret)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for began := time.Now(); ; <-time.After(20 * time.Millisecond) {
		if c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at); err == nil {
			_ = c.Close()
			break
		}
		select {
		case <-ended:
			t.Fatal("the S3 server ended at once")
		default:
		}
		if time.Since(began) > startTime {
			t.Fatal("the S3 server does not answer")
		}
	}
	s := Before(t, &httputil.ReverseProxy{
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: at})
			r.Out.Host = r.In.Host // it is signed
		},
	})
	s.Dir = filepath.Join(dir, bucket)
	return s
}
