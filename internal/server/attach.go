package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"

	"murmur/internal/datadir"
)

// Control carries out verbs: in the server that owns the data directory, or in this process.
type Control interface {
	// Do carries out a verb. args is its argument (nil: none), in its input where it reads a file, out receives the
	// answer: JSON, or a file for the verbs that make one.
	Do(ctx context.Context, verb string, args any, in io.Reader, out io.Writer) error
	Close() error
}

// Attach finds the owner of a data directory: a running server over its socket, or, where none runs, a node of its
// own that works until Close.
func Attach(ctx context.Context, data string) (Control, error) {
	return attach(ctx, Config{Data: data})
}

func attach(ctx context.Context, c Config) (Control, error) {
	if r := dialSocket(c.Data); r != nil {
		return r, nil
	}
	n, err := Open(ctx, c)
	if errors.Is(err, datadir.ErrLocked) { // a server started between the two looks
		if r := dialSocket(c.Data); r != nil {
			return r, nil
		}
	}
	if err != nil {
		return nil, err
	}
	_ = n.catchUp(ctx) // a failure here does not stop the verb; the next verb tries again
	n.Start(ctx)
	return n, nil
}

// remote speaks to a running server: POST /VERB over its socket, arguments in the query, a file in the body.
type remote struct{ http http.Client }

func dialSocket(data string) Control {
	path := datadir.Socket(data)
	c, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	_ = c.Close()
	return &remote{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}}
}

func (r *remote) Do(ctx context.Context, verb string, args any, in io.Reader, out io.Writer) error {
	b, err := json.Marshal(args)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://murmur/"+verb+"?args="+url.QueryEscape(string(b)), in)
	if err != nil {
		return err
	}
	res, err := r.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // its address is the socket's, which does not help a person
			err = u.Err
		}
		return fmt.Errorf("ask the running server: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		p := &Problem{Message: "the running server answered " + res.Status, Exit: 1}
		_ = json.NewDecoder(res.Body).Decode(p) // keeps the plain message when it is no problem
		return p
	}
	if h, ok := out.(headed); ok {
		maps.Copy(h.Header(), res.Header)
	}
	if _, err = io.Copy(out, res.Body); err != nil {
		return fmt.Errorf("read the answer of the running server: %w", err)
	}
	return nil
}

func (r *remote) Close() error {
	r.http.CloseIdleConnections()
	return nil
}

// socketHandler serves the verbs of a node. It listens on a socket that only the data directory's owner can open.
func socketHandler(n *Node) http.Handler {
	metrics := n.metrics()
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/metrics" {
			metrics.ServeHTTP(w, req)
			return
		}
		var b bytes.Buffer
		out := io.Writer(&b)
		verb := req.URL.Path[1:]
		if verb == "backup" { // too large to hold
			out = &streamed{ResponseWriter: w}
		}
		err := n.do(req.Context(), verb, []byte(req.URL.Query().Get("args")), req.Body, out)
		if s, ok := out.(*streamed); ok && err != nil && s.begun {
			panic(http.ErrAbortHandler) // the client sees an answer that was cut off, never an error for the file's bytes
		}
		if err != nil {
			w.Header().Del("Content-Length")
			p := Explain(err)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(max(p.Status, 400))
			_ = json.NewEncoder(w).Encode(p)
			return
		}
		_, _ = b.WriteTo(w)
	})
}

// streamed is an answer that may be half sent when something fails.
type streamed struct {
	http.ResponseWriter
	begun bool
}

func (s *streamed) Write(p []byte) (int, error) {
	s.begun = true
	return s.ResponseWriter.Write(p)
}

// ask carries out a verb and reads its answer.
func ask[R any](ctx context.Context, c Control, verb string, args any) (R, error) {
	var r R
	var b bytes.Buffer
	if err := c.Do(ctx, verb, args, nil, &b); err != nil {
		return r, err
	}
	return r, json.Unmarshal(b.Bytes(), &r)
}
