package hand

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"murmur/internal/redact/act"
	"murmur/internal/redact/invent"
)

func TestEveryHandIsWhole(t *testing.T) {
	t.Parallel()
	hands, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	if len(Tuned())+len(LeftOut())+len(Fresh()) != len(hands) || len(LeftOut()) != len(leftOut) || len(Fresh()) != len(fresh) {
		t.Errorf("%d tuned, %d left out, %d fresh, %d hands", len(Tuned()), len(LeftOut()), len(Fresh()), len(hands))
	}
	for _, h := range hands {
		for m, least := range map[invent.Manner]int{invent.Spoken: 55, invent.Text: 55, invent.Clean: 90} {
			if n := h.Book.Size(m); n < least {
				t.Errorf("%s: %d templates of %s", h.Name, n, m)
			}
		}
		for _, a := range Acts {
			if _, ok := act.Named(a); !ok || len(h.Prompts[a]) < 60 {
				t.Errorf("%s: %d phrasings of %s", h.Name, len(h.Prompts[a]), a)
			}
		}
		if len(h.Carriers) < 60 {
			t.Errorf("%s: %d carriers", h.Name, len(h.Carriers))
		}
	}
}

// TestNoValueStandsInALine: a number or an address in a template would be unlabelled in every document.
func TestNoValueStandsInALine(t *testing.T) {
	t.Parallel()
	value := regexp.MustCompile(`\d{4}|@|www\.|https?:`)
	slot := regexp.MustCompile(`\{[^}]*\}`)
	calls, _ := fs.Glob(files, "h*/calls.txt")
	texts, _ := fs.Glob(files, "h*/texts.txt")
	if len(calls) == 0 || len(texts) == 0 {
		t.Fatal("no files")
	}
	for _, name := range append(calls, texts...) {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if value.MatchString(slot.ReplaceAllString(line, "")) {
				t.Errorf("%s:%d holds a value of its own", name, i+1)
			}
		}
	}
}

// TestNothingLearnsFromTheLeftOut: the model of the acts names the hands that it has read.
func TestNothingLearnsFromTheLeftOut(t *testing.T) {
	t.Parallel()
	m, err := act.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Header.Hands) != len(Tuned()) {
		t.Errorf("the acts were learned from %v", m.Header.Hands)
	}
	for _, name := range m.Header.Hands {
		for _, h := range append(LeftOut(), Fresh()...) {
			if h.Name == name {
				t.Errorf("the acts were learned from %s, which is left out", name)
			}
		}
	}
}

func TestADamagedHandIsNamed(t *testing.T) {
	t.Parallel()
	good := fstest.MapFS{}
	for _, file := range []string{"calls.txt", "texts.txt", "clean.txt", "names.txt", "prompts.txt"} {
		b, err := files.ReadFile("h01/" + file)
		if err != nil {
			t.Fatal(err)
		}
		good["h01/"+file] = &fstest.MapFile{Data: b}
	}
	for file, line := range map[string]string{"calls.txt": "A: {nobody}", "prompts.txt": "[no-act]\nwhat?", "texts.txt": "a (b|c", "names.txt": "[first]", "clean.txt": "\xff"} {
		bad := fstest.MapFS{}
		for k, v := range good {
			bad[k] = v
		}
		bad["h01/"+file] = &fstest.MapFile{Data: append(append([]byte{}, good["h01/"+file].Data...), []byte(line+"\n")...)}
		if _, err := read(bad); err == nil || !strings.Contains(err.Error(), "h01") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
