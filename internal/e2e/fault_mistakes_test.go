package e2e

import (
	"bufio"
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
)

// The mistakes that a negative control plants in a house. They are made here, around the product, and the product has
// no switch for them: the child process is this test binary.
const (
	plantedMistake = "MURMUR_E2E_MISTAKE"

	honest       = ""
	answersFirst = "answers-first" // says 200 before it has stored anything
	neverSyncs   = "never-syncs"   // synchronous=OFF in every database
)

// plant prepares this process for its mistake and gives where the server's output goes.
func plant(mistake string, out io.Writer) io.Writer {
	switch mistake {
	case answersFirst:
		return liar(out)
	case neverSyncs:
		sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, _ string) error {
			_, err := c.ExecContext(context.Background(), "pragma synchronous = off", []driver.NamedValue(nil))
			return err
		})
	}
	return out
}

// liar puts a server in front of the real one that answers a webhook at once and hands it on later. It says on out where
// it listens as soon as the real one says it.
func liar(out io.Writer) io.Writer {
	r, w := io.Pipe()
	go func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			base, ok := strings.CutPrefix(lines.Text(), "listening on ")
			if !ok {
				fmt.Fprintln(out, lines.Text())
				continue
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			go func() { _ = (&http.Server{Handler: promise(base), ReadHeaderTimeout: time.Minute}).Serve(l) }()
			fmt.Fprintf(out, "listening on http://%s\n", l.Addr())
		}
	}()
	return w
}

// promisesLeft is the path where a server that answers first reports how much it has not delivered.
const promisesLeft = "/promises-left"

// promise answers 200 and delivers one after another.
func promise(base string) http.Handler {
	to, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	var left atomic.Int64
	later := make(chan *http.Request, 100_000)
	go func() {
		for r := range later {
			res, err := http.DefaultClient.Do(r)
			if err == nil {
				err = errors.Join(res.Body.Close())
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "a promise is broken")
			}
			left.Add(-1)
		}
	}()
	proxy := httputil.NewSingleHostReverseProxy(to)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if r.URL.Path == promisesLeft {
			fmt.Fprint(w, left.Load())
			return
		}
		if err != nil || !strings.HasPrefix(r.URL.Path, "/in/") {
			proxy.ServeHTTP(w, r)
			return
		}
		r2, err := http.NewRequest(r.Method, base+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r2.Header = r.Header.Clone()
		left.Add(1)
		later <- r2
		_, _ = io.WriteString(w, `{"deliveries":1,"new":1}`)
	})
}
