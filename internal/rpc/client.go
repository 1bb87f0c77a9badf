package rpc

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

// Problem is an error as people and programs get it (RFC 9457 over HTTP): no content, a hint what to do, and the
// exit code of the command line.
type Problem struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Exit    int    `json:"exit"`
	Status  int    `json:"status"`
	Why     string `json:"why,omitempty"` // of a vendor's refusal: its workspace.Trouble
}

func (p *Problem) Error() string { return p.Message }

// ErrArgs is returned for arguments of a verb that cannot be read.
var ErrArgs = errors.New("the arguments of the verb cannot be read")

// Control carries out verbs: in the server that owns the data directory, or in this process.
type Control interface {
	// Do carries out a verb. args is its argument (nil: none), in its input where it reads a file, out receives the
	// answer: JSON, or a file for the verbs that make one.
	Do(ctx context.Context, verb string, args any, in io.Reader, out io.Writer) error
	Close() error
}

// client speaks to a running server: POST /VERB over its socket, arguments in the query, a file in the body.
type client struct{ http http.Client }

// Dial reaches the server that has a data directory open; nil: none runs.
func Dial(data string) Control {
	path := datadir.Socket(data)
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	_ = conn.Close()
	return &client{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}}
}

func (c *client) Do(ctx context.Context, verb string, args any, in io.Reader, out io.Writer) error {
	b, err := json.Marshal(args)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://murmur/"+verb+"?args="+url.QueryEscape(string(b)), in)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
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
	if h, ok := out.(Headed); ok {
		maps.Copy(h.Header(), res.Header)
	}
	if _, err = io.Copy(out, res.Body); err != nil {
		return fmt.Errorf("read the answer of the running server: %w", err)
	}
	return nil
}

func (c *client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Ask carries out a verb and reads its answer.
func Ask[R any](ctx context.Context, c Control, verb string, args any) (R, error) {
	var r R
	var b bytes.Buffer
	if err := c.Do(ctx, verb, args, nil, &b); err != nil {
		return r, err
	}
	return r, json.Unmarshal(b.Bytes(), &r)
}

// LeftOut is the header of an answer to backup that says how many deliveries could not be processed and are not in it.
const LeftOut = "Murmur-Left-Out"

// Headed is an output that has a word about itself beside its bytes: an HTTP answer, or a file of the command line.
type Headed interface{ Header() http.Header }
