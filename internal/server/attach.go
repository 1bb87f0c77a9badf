package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"murmur/internal/datadir"
	"murmur/internal/explain"
	"murmur/internal/rpc"
)

// Attach finds the owner of a data directory: a running server over its socket, or, where none runs, a node of its
// own that works until Close.
func Attach(ctx context.Context, data string) (rpc.Control, error) {
	return attach(ctx, Config{Data: data})
}

func attach(ctx context.Context, c Config) (rpc.Control, error) {
	if r := rpc.Dial(c.Data); r != nil {
		return r, nil
	}
	n, err := Open(ctx, c)
	if errors.Is(err, datadir.ErrLocked) { // a server started between the two looks
		if r := rpc.Dial(c.Data); r != nil {
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
			p := explain.Of(err)
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
