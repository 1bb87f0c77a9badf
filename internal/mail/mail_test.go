package mail

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"murmur/internal/mail/mailtest"
)

// serve runs a mail server on this machine and names it.
func serve(t *testing.T, refuse map[string]int) (Server, *mailtest.Box) {
	t.Helper()
	b := mailtest.Serve(t, refuse)
	server, err := ParseServer(b.URL, "", "murmur <murmur@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	return server, b
}

var letter = Message{To: "reader@example.org", Subject: "The week of Ü", Text: "plain — words\n", HTML: "<p>words</p>", ID: "week-1@murmur.invalid", Unsubscribe: "https://murmur.example.com/unsubscribe/abc"}

func TestALetterArrives(t *testing.T) {
	t.Parallel()
	s, b := serve(t, nil)
	for range 2 {
		if err := s.Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	letters := b.Letters()
	if len(letters) != 2 {
		t.Fatalf("%d letters", len(letters))
	}
	m, err := netmail.ReadMessage(strings.NewReader(letters[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != letter.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<week-1@murmur.invalid>", "Auto-Submitted": "auto-generated",
		"List-Unsubscribe": "<https://murmur.example.com/unsubscribe/abc>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{letter.Text, letter.HTML} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(p) // quoted-printable is undone by the reader
		if err != nil || strings.TrimSpace(strings.ReplaceAll(string(got), "\r\n", "\n")) != strings.TrimSpace(want) {
			t.Errorf("part %q, want %q", got, want)
		}
	}
}

// TestRefusalsAreNamedWithoutTheAddress: what will never be taken is told from what may be tried again, and no error repeats
// the reader's address or the server's words.
func TestRefusalsAreNamedWithoutTheAddress(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, map[string]int{"gone@example.org": 550, "busy@example.org": 451})
	for to, want := range map[string]error{"gone@example.org": ErrAddress, "busy@example.org": ErrUnsent, "no address": ErrAddress} {
		m := letter
		m.To = to
		if err := s.Send(t.Context(), m); !errors.Is(err, want) || strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: %v, want %v", to, err, want)
		}
	}
}

// TestNothingIsSentInTheClear: a server elsewhere that offers no encryption, or lies about it, gets no letter.
func TestNothingIsSentInTheClear(t *testing.T) {
	t.Parallel()
	plain, b := serve(t, nil)
	plain.Plain = false // as if it were on another machine
	if err := plain.Send(t.Context(), letter); !errors.Is(err, ErrUnsent) || len(b.Letters()) > 0 {
		t.Errorf("%v, %d letters", err, len(b.Letters()))
	}
	liar, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = liar.Close() })
	go func() {
		for {
			c, err := liar.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "220 localhost\r\n250-localhost\r\n250 STARTTLS\r\n220 go on\r\n250 clear text\r\n250 clear text\r\n")
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	s, err := ParseServer("smtp://"+liar.Addr().String(), "", "murmur@example.com")
	if err != nil {
		t.Fatal(err)
	}
	s.Plain, s.Timeout = false, time.Second
	if err := s.Send(t.Context(), letter); !errors.Is(err, ErrUnsent) {
		t.Errorf("a server that lies about TLS: %v", err)
	}
}

// TestAServerThatHangsIsLeft: the caller's context ends a try.
func TestAServerThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			accepted <- c
		}
	}()
	s, err := ParseServer("smtp://"+l.Addr().String(), "", "murmur@example.com")
	if err != nil {
		t.Fatal(err)
	}
	s.Timeout = 200 * time.Millisecond
	done := make(chan error, 1)
	go func() { done <- s.Send(ctx, letter) }()
	c := <-accepted
	if err := <-done; !errors.Is(err, ErrUnsent) {
		t.Error(err)
	}
	cancel()
	_ = c.Close()
}

func TestServersAreNamed(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://u:secret@mail.example.com", "smtp://mail.example.com:0", "smtp://mail.example.com:99999", "smtp://mail.example.com/x", "smtp://%zz"} {
		if _, err := ParseServer(bad, "", "a@example.com"); !errors.Is(err, ErrServer) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := ParseServer("smtp://mail.example.com", "", "nobody"); !errors.Is(err, ErrServer) {
		t.Error("a sender without an address")
	}
	s, err := ParseServer("smtps://ann@mail.example.com", "p", "a@example.com")
	if err != nil || s.Port != 465 || !s.Implicit || s.Plain || s.User != "ann" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := ParseServer("smtp://mail.example.com", "", "a@example.com"); err != nil || s.Port != 587 || s.Plain {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestWhatTakesNoMailIsNoAddress: an address is taken only if a letter can be sent to it, and shows all of itself.
func TestWhatTakesNoMailIsNoAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ann@shop.example": "ann@shop.example", "Ann Lee <ann@shop.example>": "ann@shop.example",
		`"a b"@shop.example`: "", "\u202ea@shop.example": "", "a\u200bb@shop.example": "", "a\u00a0b@shop.example": "", "ann": "", "a@shop.example\r\nBcc: b@shop.example": "",
	} {
		if got, err := Address(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%+q: %q, %v", in, got, err)
		}
	}
}
