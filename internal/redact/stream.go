package redact

import (
	"bytes"
	"io"
	"strings"
)

// Stream masks lines as they come, order kept. Consecutive labelled lines are one conversation, other consecutive lines one
// text: it is held until it ends (an empty line, a line of the other kind, Close), grows to a limit or is flushed. A question
// stays open from one to the next. What was written never changes. Not safe for concurrent use.
type Stream struct {
	d    *Detector
	w    io.Writer
	line []byte // an unfinished line
	held []Turn // a conversation, or the lines of a text
	said bool   // it is a conversation
	size int
	talk dialogue
	rest bool // what comes is the rest of a line that was cut
	// Refused counts documents that could not be verified; a line "[WITHHELD]" stands for each of their lines.
	Refused int
	// Foreign counts documents in a language the rules do not know, or that are no text. They are written masked.
	Foreign int
}

const (
	holdTurns = 1000
	holdBytes = 256 << 10
	// longLine is where an endless line is cut, at a space if there is one. The second reader reads no more of such a line: its time
	// for one document is bounded.
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
			s.line, s.rest = append(s.line[:0], s.line[cut:]...), true
		}
		if ended {
			err := s.take(string(s.line), "\n")
			s.line, s.rest = s.line[:0], false
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
		return s.flush("")
	}
	return s.flush("\n")
}

// FlushText writes the lines of a text that are held, though more of it may come: whoever types does not wait. A conversation is
// held on: its next line may say what the one before was.
func (s *Stream) FlushText() error {
	if s.said {
		return nil
	}
	return s.flush("\n")
}

// take takes one line in; end is the line end behind it, "" for the last or a cut one.
func (s *Stream) take(line, end string) error {
	n := labelLen(line)
	said := n > 0
	if line == "" || said != s.said || len(s.held) >= holdTurns || s.size >= holdBytes {
		if err := s.flush("\n"); err != nil {
			return err
		}
	}
	if line == "" {
		return s.emit([]Turn{{}}, end)
	}
	s.said, s.size = said, s.size+len(line)
	s.held = append(s.held, Turn{Side: ParseSide(line[:n]), Text: line[n:], Label: line[:n]})
	if (end == "" || s.rest) && !said { // a line that is cut, its rest, or the last
		return s.flush(end)
	}
	return nil
}

// flush writes what is held.
func (s *Stream) flush(end string) error {
	if len(s.held) == 0 {
		return nil
	}
	held := s.held
	s.held, s.size = nil, 0
	if !s.said {
		for _, line := range held[1:] {
			held[0].Text += "\n" + line.Text
		}
		held = held[:1]
	}
	return s.emit(held, end)
}

func (s *Stream) emit(turns []Turn, end string) error {
	d := s.d
	if s.rest {
		d = d.WithoutReader()
	}
	r, err := d.redact(Doc{Turns: turns}, &s.talk)
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
			out += turns[i].Label + withheld + strings.Repeat("\n"+withheld, strings.Count(turns[i].Text, "\n"))
		}
	}
	_, err = io.WriteString(s.w, out+end)
	return err
}
