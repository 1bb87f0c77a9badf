package redact

import (
	"bytes"
	"io"
)

// Stream masks lines as they come, order kept. Consecutive labelled lines are one conversation and are held
// until it ends (an unlabelled or empty line, Close) or grows to a limit; an unlabelled line is a document of
// its own. A question stays open from one to the next. What was written never changes. Not safe for
// concurrent use.
type Stream struct {
	d    *Detector
	w    io.Writer
	line []byte // an unfinished line
	conv []Turn
	size int
	talk dialogue
	// Refused counts documents that could not be verified; a line "[WITHHELD]" stands for each of their lines.
	Refused int
	// Foreign counts documents in a language the rules do not know, or that are no text. They are written masked.
	Foreign int
}

const (
	holdTurns = 1000
	holdBytes = 256 << 10
	// longLine is where an endless line is cut, at a space if there is one.
	longLine = 256 << 10
)

// withheld stands for a line that could not be verified clean.
const withheld = "[WITHHELD]"

// Stream makes a Stream that writes to w.
func (d *Detector) Stream(w io.Writer) *Stream { return &Stream{d: d, w: w} }

// Write takes text in pieces of any size. The error is the writer's.
func (s *Stream) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		s.line, p = append(s.line, line...), rest
		for len(s.line) >= longLine {
			cut := longLine
			if sp := bytes.LastIndexByte(s.line[:longLine], ' '); sp > longLine/2 {
				cut = sp + 1
			}
			if err := s.take(string(s.line[:cut]), ""); err != nil {
				return 0, err
			}
			s.line = append(s.line[:0], s.line[cut:]...)
		}
		if ended {
			err := s.take(string(s.line), "\n")
			s.line = s.line[:0]
			if err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// Close writes what is held. It does not close the writer.
func (s *Stream) Close() error {
	if len(s.line) > 0 {
		line := string(s.line)
		s.line = s.line[:0]
		if err := s.take(line, ""); err != nil {
			return err
		}
		if len(s.conv) > 0 {
			return s.flush("")
		}
		return nil
	}
	return s.flush("\n")
}

// take takes one line in; end is the line end behind it, "" for the last or a cut one.
func (s *Stream) take(line, end string) error {
	n := labelLen(line)
	if n > 0 {
		if len(s.conv) >= holdTurns || s.size >= holdBytes {
			if err := s.flush("\n"); err != nil {
				return err
			}
		}
		s.conv = append(s.conv, Turn{Side: ParseSide(line[:n]), Text: line[n:], Label: line[:n]})
		s.size += len(line)
		return nil
	}
	if err := s.flush("\n"); err != nil {
		return err
	}
	return s.emit([]Turn{{Text: line}}, end)
}

// flush writes the conversation that is held.
func (s *Stream) flush(end string) error {
	if len(s.conv) == 0 {
		return nil
	}
	conv := s.conv
	s.conv, s.size = nil, 0
	return s.emit(conv, end)
}

func (s *Stream) emit(turns []Turn, end string) error {
	r, err := s.d.redact(Doc{Turns: turns}, &s.talk)
	out := ""
	if err == nil && r.Verdict() != Unsettled {
		out = r.Masked()
		if r.Verdict() != Clean {
			s.Foreign++
		}
	} else {
		s.Refused++
		for i := range turns {
			if i > 0 {
				out += "\n"
			}
			out += turns[i].Label + withheld
		}
	}
	_, err = io.WriteString(s.w, out+end)
	return err
}
