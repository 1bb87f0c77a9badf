package invent

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// The templates, by trade. lines/README.txt explains how a line is written.
//
//go:embed lines
var lines embed.FS

// A template is one text or one conversation with slots.
type template struct {
	id    string // "dental.txt:41", the file and line it begins on
	kind  string // the section it stands in: "calls", "sms", "commands", "forms", "clean"
	turns []turn // a text has one, without a side
}

// A turn is one line of a conversation.
type turn struct {
	side  byte // 'A' the business, 'C' the customer, 'B' somebody else on the customer's line; 0 for a text
	maybe bool // said in half of the documents
	say   []node
}

// A node is literal text, a slot or a choice between alternatives: exactly one of the three.
type node struct {
	text      string
	slot, mod string
	alts      [][]node
}

// library holds all templates by kind. The small talk that may open, interrupt and close any call is in the
// kinds "openers", "interludes" and "closers".
var library = sync.OnceValue(func() map[string][]template {
	all := map[string][]template{}
	names, err := fs.Glob(lines, "lines/*.txt")
	if err != nil {
		panic(err)
	}
	slices.Sort(names)
	for _, name := range names {
		text, err := lines.ReadFile(name)
		if err != nil {
			panic(err)
		}
		base := strings.TrimPrefix(name, "lines/")
		if base == "README.txt" {
			continue
		}
		templates, err := parseFile(base, string(text))
		if err != nil {
			panic(err) // a test reads every file
		}
		for _, t := range templates {
			all[t.kind] = append(all[t.kind], t)
		}
	}
	return all
})

var kinds = []string{"calls", "sms", "commands", "forms", "clean", "openers", "interludes", "closers"}

func parseFile(name, text string) (all []template, err error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("invent: %s: is not UTF-8", name)
	}
	kind, open := "", false
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " ")
		id := name + ":" + strconv.Itoa(i+1)
		switch {
		case line == "":
			open = false
			continue
		case line[0] == '#':
			continue
		case line[0] == '[':
			kind, open = strings.Trim(line, "[]"), false
			if !slices.Contains(kinds, kind) {
				return nil, fmt.Errorf("invent: %s: no kind %s", id, line)
			}
			continue
		}
		t, err := parseTurn(line)
		if err != nil || kind == "" {
			return nil, fmt.Errorf("invent: %s: %w", id, err)
		}
		if open && t.side != 0 {
			last := &all[len(all)-1]
			last.turns = append(last.turns, t)
			continue
		}
		all = append(all, template{id, kind, []turn{t}})
		open = t.side != 0
	}
	return all, nil
}

func parseTurn(line string) (t turn, err error) {
	s, maybe := strings.CutPrefix(line, "?")
	if len(s) > 3 && s[1] == ':' && strings.IndexByte("ABC", s[0]) >= 0 {
		t.side, t.maybe, s = s[0], maybe, s[3:]
	} else {
		s = strings.ReplaceAll(line, `\n`, "\n")
	}
	var rest string
	t.say, rest, err = parseNodes(s, false)
	if err == nil && rest != "" {
		err = fmt.Errorf("a bracket too many: %q", rest)
	}
	return t, err
}

// parseNodes reads until the end, or inside a choice until "|" or ")", which it leaves.
func parseNodes(s string, inside bool) (out []node, rest string, err error) {
	for s != "" {
		i := strings.IndexAny(s, "{(|)")
		if i < 0 {
			i = len(s)
		}
		if i > 0 {
			out = append(out, node{text: s[:i]})
			s = s[i:]
			continue
		}
		switch s[0] {
		case '{':
			name, after, ok := strings.Cut(s[1:], "}")
			slot, mod, _ := strings.Cut(name, ":")
			if _, known := slots[strings.TrimRight(slot, others)]; !ok || !known || !goodMod(mod) {
				return nil, "", fmt.Errorf("no slot {%s}", name)
			}
			out, s = append(out, node{slot: slot, mod: mod}), after
		case '(':
			var n node
			for s[0] != ')' {
				var alt []node
				if alt, s, err = parseNodes(s[1:], true); err != nil {
					return nil, "", err
				}
				if s == "" {
					return nil, "", fmt.Errorf("a choice without end")
				}
				n.alts = append(n.alts, alt)
			}
			out, s = append(out, n), s[1:]
		default:
			if !inside {
				return nil, "", fmt.Errorf("%q outside a choice", s[0])
			}
			return out, s, nil
		}
	}
	return out, "", nil
}

// goodMod reports whether a modifier names a part: a word or "1/4".
func goodMod(mod string) bool {
	if slices.Contains([]string{"", "spell", "initial", "last4", "uk", "day", "month", "year"}, mod) {
		return true
	}
	return len(mod) == 3 && mod[1] == '/' && '1' <= mod[0] && mod[0] <= mod[2] && mod[2] <= '9'
}

// others are the digits behind a slot's name that make it another person's or another number.
const others = "23456789"
