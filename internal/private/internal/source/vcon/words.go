package vcon

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	maxParts   = 100
	maxNesting = 8
)

// words are the text of a body of a media type (RFC 2046), and how many of its parts are none. Of alternatives the plain
// one is read, else the HTML one.
func words(mediatype string, body []byte) (text string, others int) {
	m := message{left: maxParts}
	m.part(mediatype, "", body, 0)
	if m.plain.Len() == 0 {
		return strings.TrimSpace(m.html.String()), m.others
	}
	return strings.TrimSpace(m.plain.String()), m.others
}

// message gathers the parts of one message.
type message struct {
	plain, html strings.Builder
	others      int
	left        int // parts that may still come
}

func (m *message) part(mediatype, coding string, body []byte, depth int) {
	kind, params, err := mime.ParseMediaType(mediatype)
	if err != nil && mediatype != "" {
		kind, _, _ = strings.Cut(mediatype, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	if m.left--; m.left < 0 || depth > maxNesting {
		return
	}
	switch {
	case strings.HasPrefix(kind, "multipart/") && params["boundary"] != "":
		m.parts(params["boundary"], body, depth)
	case kind == "" || kind == "text/plain":
		join(&m.plain, decode(params["charset"], uncoded(coding, body)))
	case kind == "text/html":
		join(&m.html, plain(decode(params["charset"], uncoded(coding, body))))
	case kind == "message/rfc822":
		m.mail(body, depth)
	default:
		m.others++
	}
}

func (m *message) parts(boundary string, body []byte, depth int) {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for m.left > 0 {
		p, err := r.NextRawPart()
		if err != nil {
			return // the end, or what cannot be read further
		}
		b, _ := io.ReadAll(p)
		m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), b, depth+1)
	}
}

// mail is a whole message with its headers (RFC 5322). They are left out.
func (m *message) mail(body []byte, depth int) {
	head, rest, ok := bytes.Cut(body, []byte("\r\n\r\n"))
	if !ok {
		if head, rest, ok = bytes.Cut(body, []byte("\n\n")); !ok {
			return
		}
	}
	h := map[string]string{}
	last := ""
	for line := range strings.Lines(string(head)) {
		name, value, ok := strings.Cut(line, ":")
		switch {
		case strings.TrimLeft(line, " \t") != line && last != "":
			h[last] += " " + strings.TrimSpace(line)
		case ok:
			last = strings.ToLower(strings.TrimSpace(name))
			h[last] = strings.TrimSpace(value)
		}
	}
	m.part(h["content-type"], h["content-transfer-encoding"], rest, depth+1)
}

func join(b *strings.Builder, text string) {
	if text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")); text == "" {
		return
	}
	if b.Len() > 0 {
		b.WriteString("\n\n")
	}
	b.WriteString(text)
}

// uncoded undoes a Content-Transfer-Encoding (RFC 2045 6).
func uncoded(coding string, body []byte) []byte {
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "quoted-printable":
		b, _ := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
		return b
	case "base64":
		b, _ := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body)))
		return b
	}
	return body
}

// decode gives UTF-8. What is in no charset that is known, and is not UTF-8 either, is read as Windows-1252: the
// redactor sees every letter of ASCII in any case.
func decode(charset string, b []byte) string {
	if utf8.Valid(b) && !strings.HasPrefix(strings.ToLower(charset), "iso-2022") {
		return string(b)
	}
	text, _ := charmap.Windows1252.NewDecoder().Bytes(b)
	return strings.ToValidUTF8(string(text), "\ufffd")
}

var (
	unseen = regexp.MustCompile(`(?is)<(style|script|head)\b.*?</(style|script|head)\s*>|<!--.*?-->`)
	breaks = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>`)
	tags   = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`[ \t]*\n\s*`)
)

// plain is the text of HTML.
func plain(s string) string {
	s = unseen.ReplaceAllString(s, " ")
	s = tags.ReplaceAllString(breaks.ReplaceAllString(s, "\n"), " ") // a blank: two cells are two words
	return strings.TrimSpace(blanks.ReplaceAllString(html.UnescapeString(s), "\n"))
}
