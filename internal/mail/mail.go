// Package mail sends letters through an SMTP server (RFC 5321), encrypted (RFC 3207, RFC 8314) unless the server is on this
// machine.
//
// Zone: open. It carries the address of a reader to the server and keeps nothing. Its errors name what went wrong and the
// server's reply code, never an address or the server's words, which may repeat one.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	smtp "github.com/wneessen/go-mail"
)

// Server is the mail server that takes the letters, and their sender.
type Server struct {
	Host           string
	Port           int
	Implicit       bool // TLS from the first byte (smtps); otherwise STARTTLS, which must succeed
	Plain          bool // no TLS: a server on this machine
	User, Password string
	From           string        // an address, or a name and an address
	Timeout        time.Duration // of one letter; 0: 30 s
}

// ErrServer is the parent of what is wrong with the name of a server.
var ErrServer = errors.New("mail server")

// ErrNone is why a letter cannot be sent where no server was named.
var ErrNone = errors.New("no mail server is named")

// ParseServer reads smtp://[USER@]HOST[:PORT] (port 587, STARTTLS) or smtps://[USER@]HOST[:PORT] (port 465).
func ParseServer(address, password, from string) (Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return Server{}, fmt.Errorf("%w: it is named smtp://USER@HOST:587 or smtps://USER@HOST:465", ErrServer)
	}
	if _, set := u.User.Password(); set {
		return Server{}, fmt.Errorf("%w: the password does not stand in the address; it comes from a file or the environment", ErrServer)
	}
	if _, err := mail.ParseAddress(from); err != nil {
		return Server{}, fmt.Errorf("%w: the sender is an address, such as murmur@example.com", ErrServer)
	}
	s := Server{Host: u.Hostname(), Port: 587, Implicit: u.Scheme == "smtps", User: u.User.Username(), Password: password, From: from}
	if s.Implicit {
		s.Port = 465
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, fmt.Errorf("%w: a port is a number from 1 to 65535", ErrServer)
		}
	}
	if ip := net.ParseIP(s.Host); !s.Implicit && (s.Host == "localhost" || ip != nil && ip.IsLoopback()) {
		s.Plain = true
	}
	return s, nil
}

// Message is one letter to one reader.
type Message struct {
	To                  string
	Subject, Text, HTML string
	ID                  string // of the message, without brackets: the same letter sent twice has the same one
	Unsubscribe         string // an https address that ends these letters at one POST (RFC 8058), or an http one for people; may be empty
}

// ErrNoAddress is returned for an invalid e-mail address.
var ErrNoAddress = errors.New("that is not an e-mail address")

// Address reads an e-mail address, with or without a name before it, and gives the address alone.
func Address(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || len(a.Address) > 254 || strings.ContainsFunc(a.Address, unseen) { // RFC 5321 4.5.3.1.3
		return "", ErrNoAddress
	}
	if smtp.NewMsg().To(a.Address) != nil { // what no letter can be addressed to, such as a quoted local part
		return "", ErrNoAddress
	}
	return a.Address, nil
}

// unseen reports a character that has no place in an address and does not show: one that turns what follows around, for example.
func unseen(r rune) bool { return unicode.In(r, unicode.C, unicode.Z) }

// Errors of Send.
var (
	// ErrAddress: no server will ever take a letter to this address.
	ErrAddress = errors.New("the address takes no mail")
	// ErrUnsent: the letter was not taken now; it may be tried again.
	ErrUnsent = errors.New("the mail server did not take the letter")
)

// Send hands a letter to the server and returns when the server has taken it.
func (s Server) Send(ctx context.Context, m Message) error {
	msg, err := s.message(m)
	if err != nil {
		return err
	}
	client, err := smtp.NewClient(s.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("%w: its settings are wrong", ErrServer)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return judged(err)
	}
	return nil
}

func (s Server) options() []smtp.Option {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	o := []smtp.Option{smtp.WithPort(s.Port), smtp.WithTimeout(timeout)}
	switch {
	case s.Implicit:
		o = append(o, smtp.WithSSL())
	case s.Plain:
		o = append(o, smtp.WithTLSPolicy(smtp.NoTLS))
	default:
		o = append(o, smtp.WithTLSPolicy(smtp.TLSMandatory))
	}
	if s.User != "" {
		o = append(o, smtp.WithSMTPAuth(smtp.SMTPAuthAutoDiscover), smtp.WithUsername(s.User), smtp.WithPassword(s.Password))
	}
	return o
}

func (s Server) message(m Message) (*smtp.Msg, error) {
	msg := smtp.NewMsg(smtp.WithNoDefaultUserAgent())
	if err := msg.From(s.From); err != nil {
		return nil, fmt.Errorf("%w: the sender is no address", ErrServer)
	}
	if err := msg.To(m.To); err != nil {
		return nil, ErrAddress
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(m.ID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 5: no automatic replies, please
	if m.Unsubscribe != "" {
		msg.SetListUnsubscribe("<" + m.Unsubscribe + ">")
		msg.SetListUnsubscribePost()
	}
	msg.SetBodyString(smtp.TypeTextPlain, m.Text)
	msg.AddAlternativeString(smtp.TypeTextHTML, m.HTML)
	return msg, nil
}

// judged tells from a failure whether another try may help, and adds the server's reply code (RFC 5321
// 4.2.1).
func judged(err error) error {
	var e *smtp.SendError
	if !errors.As(err, &e) {
		return ErrUnsent
	}
	code := e.ErrorCode()
	if !e.IsTemp() && code >= 550 && code <= 553 {
		return fmt.Errorf("%w (reply %d)", ErrAddress, code)
	}
	return fmt.Errorf("%w (reply %d)", ErrUnsent, code)
}
