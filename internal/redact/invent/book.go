package invent

import (
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"murmur/internal/redact/gold"
)

// A Book is what one writer wrote: templates of conversations, texts and clean turns, and names of the writer's own.
type Book struct {
	name      string
	templates map[string][]template
	own       *names
}

// names are a writer's own.
type names struct{ first, last, nick, towns, roads, business []string }

// ownShare is how many of a hundred names in a book are its writer's own; the rest come from the lists of this package.
const ownShare = 70

// Manner is how the documents of a book are said or written.
type Manner int

const (
	Spoken   Manner = iota // conversations as a recogniser writes them: numbers in words, capitals and points or none
	Written                // conversations as somebody typed them
	Bare                   // spoken, all lower case, no punctuation
	Misheard               // bare, with names, codes and numbers garbled
	Text                   // single texts
	Clean                  // single turns without personal data
	Manners
)

var mannerNames = [Manners]string{"spoken", "written", "bare", "misheard", "texts", "clean"}

func (m Manner) String() string { return mannerNames[m] }

// kind is the section of templates that a manner fills.
func (m Manner) kind() string {
	switch m {
	case Text:
		return "sms"
	case Clean:
		return "clean"
	}
	return "calls"
}

// ReadBook parses calls.txt, texts.txt, clean.txt and names.txt of the folder f. The error names file and line.
func ReadBook(name string, f fs.FS) (*Book, error) {
	b := &Book{name: name, templates: map[string][]template{}}
	for _, file := range []string{"calls.txt", "texts.txt", "clean.txt"} {
		text, err := fs.ReadFile(f, file)
		if err != nil {
			return nil, fmt.Errorf("invent: %w", err)
		}
		all, err := parseFile(name+"/"+file, string(text))
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			b.templates[t.kind] = append(b.templates[t.kind], t)
		}
	}
	text, err := fs.ReadFile(f, "names.txt")
	if err != nil {
		return nil, fmt.Errorf("invent: %w", err)
	}
	b.own, err = parseNames(name+"/names.txt", string(text))
	return b, err
}

// Sections reads lines under headings in brackets, "[first]". The error names the line.
func Sections(name, text string) (map[string][]string, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("invent: %s: is not UTF-8", name)
	}
	out, section := map[string][]string{}, ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = strings.Trim(line, "[]")
			out[section] = nil
		case section == "":
			return nil, fmt.Errorf("invent: %s:%d: stands in no section", name, i+1)
		default:
			out[section] = append(out[section], line)
		}
	}
	return out, nil
}

func parseNames(name, text string) (*names, error) {
	s, err := Sections(name, text)
	if err != nil {
		return nil, err
	}
	for _, k := range []string{"first", "last", "nick", "towns", "roads", "business"} {
		if len(s[k]) < 5 {
			return nil, fmt.Errorf("invent: %s: %d names under [%s]", name, len(s[k]), k)
		}
	}
	return &names{s["first"], s["last"], s["nick"], s["towns"], s["roads"], s["business"]}, nil
}

// Borne are the first names, surnames and nicknames of the writer's own that are one word, in lower case.
func (b *Book) Borne() (words []string) {
	for _, list := range [][]string{b.own.first, b.own.last, b.own.nick} {
		for _, w := range list {
			if !strings.ContainsAny(w, " -'.") {
				words = append(words, strings.ToLower(w))
			}
		}
	}
	return words
}

// Size is how many templates the book has in a manner.
func (b *Book) Size(m Manner) int { return len(b.templates[m.kind()]) }

// Documents yields every template of a manner, so many copies of each, filled and spoilt differently. The same seed
// gives the same documents. Their group is the template, their source the book and the manner.
func (b *Book) Documents(m Manner, seed uint64, copies int) iter.Seq[gold.Doc] {
	return func(yield func(gold.Doc) bool) {
		for c := range copies {
			for k, t := range b.templates[m.kind()] {
				w := b.writer(m, seed, uint64(c)<<32|uint64(k))
				d := w.write(t)
				d.ID, d.Group, d.Source = fmt.Sprintf("%s-%s-%d-%d", b.name, m, k, c), t.id, b.name+" "+m.String()
				if d.Text != "" && !yield(d) {
					return
				}
			}
		}
	}
}

// Fill writes one line with slots in a manner.
func (b *Book) Fill(line string, m Manner, seed, n uint64) (gold.Doc, error) {
	say, rest, err := parseNodes(line, false)
	if err != nil || rest != "" {
		return gold.Doc{}, fmt.Errorf("invent: %q is no line: %w", line, err)
	}
	w := b.writer(m, seed, n)
	w.nodes(say)
	return w.finish(), nil
}

func (b *Book) writer(m Manner, seed, n uint64) *writer {
	r := rand.New(rand.NewPCG(seed+uint64(m)<<56, n))
	return &writer{r: r, style: m.style(r), said: map[string]string{}, own: b.own}
}

// style picks the style of one document.
func (m Manner) style(r *rand.Rand) style {
	var s style
	switch m {
	case Written:
		return pickStyle(r, "invent_calls_written")
	case Text:
		return pickStyle(r, "invent_sms")
	case Clean:
		if s = pickStyle(r, "invent_calls_spoken"); r.IntN(2) == 0 {
			s = pickStyle(r, "invent_calls_written")
		}
		s.slips, s.typos, s.mishear = 0, 0, 0
		return s
	}
	s = pickStyle(r, "invent_calls_spoken")
	s.mishear = 0
	if m != Spoken {
		s.letters, s.bare, s.commas = lowerCase, true, false
	}
	if m == Misheard {
		s.mishear, s.slips = 30+r.IntN(40), 2+r.IntN(4)
	}
	return s
}

// With is a book of the same writer's names with other templates, written under their headings as in calls.txt and texts.txt.
func (b *Book) With(lines string) (*Book, error) {
	all, err := parseFile(b.name, lines)
	out := &Book{name: b.name, templates: map[string][]template{}, own: b.own}
	for _, t := range all {
		out.templates[t.kind] = append(out.templates[t.kind], t)
	}
	return out, err
}
