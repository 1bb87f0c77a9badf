// Package hook sends messages to receivers over HTTP, signed as Standard Webhooks requires (standardwebhooks.com, version
// 1).
//
// Zone: open. It sends bytes that other packages wrote and keeps nothing. It promises: it connects only to hosts that
// package outbound allows, checked when it connects; it follows no redirect; one try takes at most its time; it uses only
// the status of an answer. Its errors are of a closed set and hold neither the address, which is a secret at many chats, nor
// the answer.
//
// What it does not protect against: a receiver that keeps or passes on what it is sent.
package hook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"murmur/internal/outbound"
)

// Errors of Check and Send.
var (
	ErrAddress  = errors.New("a receiver is an https address of a host, without a password in it")
	ErrHost     = errors.New("the address leads to no host of the internet that takes https on port 443, and the operator did not allow it")
	ErrRedirect = errors.New("the receiver sends elsewhere")
	ErrGone     = errors.New("the receiver says that it is gone")
	ErrRefused  = errors.New("the receiver refused the message")
	ErrDown     = errors.New("the receiver did not answer in time, or with an error of its own")
)

// Receiver is where messages go.
type Receiver struct {
	URL    string
	Secret string   // whsec_ and base64; empty: messages are not signed
	Named  []string // HOST:PORT that the operator named: they may be private, loopback and http
	// Timeout is how long one try may take; 0: 15 s.
	Timeout time.Duration
}

// mostURL is the longest address, in bytes.
const mostURL = 2048

// HostOf gives HOST:PORT of an address. ErrAddress.
func HostOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > mostURL || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return "", ErrAddress
	}
	return outbound.HostPort(u), nil
}

// Check refuses an address that Send would not use: an invalid one, and http or another port than 443 where the host is not
// named. Send checks the address behind the name when it connects. ErrAddress, ErrHost.
func (r Receiver) Check() error {
	host, err := HostOf(r.URL)
	if err != nil {
		return err
	}
	if outbound.Named(r.Named, host) {
		return nil
	}
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Scheme != "https":
		return ErrAddress
	case u.Port() != "" && u.Port() != "443":
		return ErrHost
	}
	return nil
}

// NewSecret draws a signing secret of 32 bytes.
func NewSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return "whsec_" + base64.StdEncoding.EncodeToString(b[:])
}

// Send sends a JSON message and returns when the receiver took it (2xx). id is the same at every try of a message, so that
// the receiver can recognise a message that it already has. at is the time of this try.
func (r Receiver) Send(ctx context.Context, id string, at time.Time, body []byte) error {
	if err := r.Check(); err != nil {
		return err
	}
	wait := r.Timeout
	if wait == 0 {
		wait = 15 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return ErrAddress
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "murmur")
	if r.Secret != "" {
		if err := sign(req.Header, r.Secret, id, at, body); err != nil {
			return err
		}
	}
	transport := outbound.Transport(r.Named)
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	var nowhere *net.DNSError
	switch {
	case err != nil && (outbound.Refused(err) || errors.As(err, &nowhere)): // nobody learns which names there are inside
		return ErrHost
	case err != nil:
		return ErrDown
	}
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // read the rest, so that the receiver does not see a broken connection
	res.Body.Close()
	return judge(res.StatusCode)
}

func sign(h http.Header, secret, id string, at time.Time, body []byte) error {
	key, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return errors.New("the signing secret is no base64")
	}
	signature, err := key.Sign(id, at, body)
	if err != nil {
		return fmt.Errorf("sign the message: %w", err)
	}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return nil
}

// judge reads a status as Standard Webhooks does: 2xx means taken, 410 that the receiver wants no
// more messages.
func judge(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return ErrRedirect
	case status == http.StatusGone:
		return ErrGone
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return ErrDown
	}
	return ErrRefused
}
