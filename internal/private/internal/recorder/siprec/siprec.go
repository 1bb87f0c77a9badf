// Package siprec reads what a session recording client sends beside the session description: the multipart body
// (RFC 7866 9.1) and the metadata (RFC 7865) that say whose voice a stream is.
//
// Zone: RED. The metadata names people by number and address; those are personal.Value and leave the package so.
//
// What it does not protect against: a client that lies. Whose call it is, is what the client says.
package siprec

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"murmur/internal/private/internal/personal"
)

// MaxBytes bounds a body; sipgo takes no longer message.
const MaxBytes = 64 << 10

// maxParts and maxNodes bound what is looked at.
const (
	maxParts = 8
	maxNodes = 10_000
)

var (
	// ErrType is returned for a body of a type that no call begins with.
	ErrType = errors.New("body is neither a session description nor one with recording metadata")
	// ErrFormat is returned for a body that is not what its type says.
	ErrFormat = errors.New("body does not fit its type")
)

// Split gives the session description of an INVITE and its metadata; metadata is nil for a call that is no copy.
func Split(contentType string, body []byte) (sdp, metadata []byte, err error) {
	if len(body) > MaxBytes {
		return nil, nil, fmt.Errorf("%w: %d bytes", ErrFormat, len(body))
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, nil, ErrType
	}
	switch kind {
	case "application/sdp":
		return body, nil, nil
	case "multipart/mixed":
		return parts(body, params["boundary"])
	}
	return nil, nil, ErrType
}

func parts(body []byte, boundary string) (sdp, metadata []byte, err error) {
	if boundary == "" {
		return nil, nil, ErrFormat
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxParts {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, ErrFormat
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return nil, nil, ErrFormat
		}
		switch kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind {
		case "application/sdp":
			sdp = b
		case "application/rs-metadata+xml", "application/rs-metadata":
			metadata = b
		}
	}
	if sdp == nil || metadata == nil {
		return nil, nil, ErrFormat
	}
	return sdp, metadata, nil
}

// Metadata is what the recorder uses of a recording document.
type Metadata struct {
	Session string // the id of the call as the client knows it: its SIP session (RFC 7865 6.3), else the session's own
	Parties []Party
}

// Party is a participant and the labels of the streams that carry its voice.
type Party struct {
	Address personal.Value // a telephone number or a SIP address
	Number  bool           // Address is a whole telephone number: extensions are shorter
	Labels  []string
}

// document is RFC 7865 7, as far as it is used. Names are matched in any namespace: clients differ.
type document struct {
	Sessions []struct {
		ID  string   `xml:"session_id,attr"`
		SIP []string `xml:"sipSessionID"`
	} `xml:"session"`
	Participants []struct {
		ID    string `xml:"participant_id,attr"`
		Names []struct {
			Address string `xml:"aor,attr"`
		} `xml:"nameID"`
	} `xml:"participant"`
	Streams []struct {
		ID    string `xml:"stream_id,attr"`
		Label string `xml:"label"`
	} `xml:"stream"`
	Sends []struct {
		Participant string   `xml:"participant_id,attr"`
		Streams     []string `xml:"send"`
	} `xml:"participantstreamassoc"`
}

// Read reads a recording document.
func Read(metadata []byte) (Metadata, error) {
	if len(metadata) > MaxBytes || nodes(metadata) > maxNodes {
		return Metadata{}, ErrFormat
	}
	var d document
	if err := xml.Unmarshal(metadata, &d); err != nil {
		return Metadata{}, ErrFormat // the decoder's error quotes the document
	}
	var m Metadata
	for _, s := range d.Sessions {
		if m.Session = strings.TrimSpace(s.ID); len(s.SIP) > 0 {
			m.Session = strings.TrimSpace(s.SIP[0])
		}
	}
	labels := map[string]string{}
	for _, s := range d.Streams {
		labels[s.ID] = strings.TrimSpace(s.Label)
	}
	for _, p := range d.Participants {
		var party Party
		for _, n := range p.Names {
			party.Address, party.Number = personal.New(n.Address), digits(user(n.Address)) >= 7
		}
		for _, s := range d.Sends {
			if s.Participant != p.ID {
				continue
			}
			for _, id := range s.Streams {
				if l := labels[strings.TrimSpace(id)]; l != "" {
					party.Labels = append(party.Labels, l)
				}
			}
		}
		m.Parties = append(m.Parties, party)
	}
	return m, nil
}

// nodes counts the tags: what takes memory beyond the bytes themselves.
func nodes(b []byte) int { return bytes.Count(b, []byte{'<'}) }

// user is what stands before the host of a SIP, SIPS or TEL address (RFC 3261 19.1, RFC 3966).
func user(uri string) string {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(uri), ":")
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
	default:
		ok = false
	}
	if !ok {
		return uri
	}
	rest, _, _ = strings.Cut(rest, ";")
	u, _, _ := strings.Cut(rest, "@")
	return u
}

// digits counts those of a telephone number; 0 for what is none.
func digits(s string) int {
	n := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			n++
		case !strings.ContainsRune("+-.()", c):
			return 0
		}
	}
	return n
}
