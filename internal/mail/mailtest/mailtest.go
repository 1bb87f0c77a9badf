// Package mailtest runs a mail server on this machine for tests.
package mailtest

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Box keeps what its server takes.
type Box struct {
	URL string // smtp://127.0.0.1:PORT

	mu      sync.Mutex
	letters []string
	refuse  map[string]int
}

// Serve runs a server until the test ends. It answers the recipients in refuse with their reply codes.
func Serve(t testing.TB, refuse map[string]int) *Box {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Box{URL: "smtp://" + l.Addr().String(), refuse: refuse}
	s := smtp.NewServer(b)
	s.Domain = "localhost"
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return b
}

// Letters are those taken so far, as they came.
func (b *Box) Letters() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.letters...)
}

// Allow takes letters to a recipient from now on.
func (b *Box) Allow(to string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.refuse, to)
}

// NewSession is smtp.Backend.
func (b *Box) NewSession(*smtp.Conn) (smtp.Session, error) { return session{b}, nil }

type session struct{ *Box }

func (session) Reset()                               {}
func (session) Logout() error                        { return nil }
func (session) Mail(string, *smtp.MailOptions) error { return nil }

func (s session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := s.refuse[to]; code > 0 {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no " + to + " here"}
	}
	return nil
}

func (s session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, string(data))
	return err
}
