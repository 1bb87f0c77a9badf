package train

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"murmur/internal/redact"
	"murmur/internal/redact/act"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/tag"
)

// tiny is a data folder with two sources of a few texts.
var tiny = fstest.MapFS{
	"pii/slurp.jsonl": {Data: []byte(`{"id":"1","source":"slurp","text":"remind me to ring Odile Quist on friday","spans":[{"start":18,"end":29,"type":"PERSON"},{"start":33,"end":39,"type":"DATE"}]}
{"id":"2","source":"slurp","text":"play the song by Norrland","spans":[{"start":17,"end":25,"type":"PERSON","opt":true}]}
`)},
	"nlp/clinc150.jsonl": {Data: []byte(`{"id":"3","text":"how do I get to Zanzibar by train","label":"travel"}` + "\n")},
}

func config() Config {
	c := Default(tiny)
	c.Epochs, c.Invented = 2, 40
	for _, s := range Sources {
		if s.Name != "slurp" && s.Name != "clinc150" && s.Name != "invent" {
			c.Without = append(c.Without, s.Name)
		}
	}
	return c
}

func file(t *testing.T, c Config) (*tag.Model, []byte) {
	t.Helper()
	m, err := Run(c)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return m, b.Bytes()
}

func TestTheSameDataGiveTheSameFile(t *testing.T) {
	t.Parallel()
	c := config()
	var log bytes.Buffer
	c.Log = &log
	m, a := file(t, c)
	if _, b := file(t, config()); !bytes.Equal(a, b) {
		t.Error("two runs wrote different files")
	}
	if bytes.Count(log.Bytes(), []byte("epoch")) != c.Epochs {
		t.Errorf("a log of %d bytes for %d epochs", log.Len(), c.Epochs)
	}
	var names []string
	for _, in := range m.Header.Inputs {
		names = append(names, in.Name)
	}
	if in := m.Header.Inputs[0]; !slices.Equal(names, []string{"slurp", "clinc150", "invent"}) || in.Documents != 2 || in.Licence != "CC BY 4.0" || len(in.SHA256) != 64 {
		t.Errorf("inputs %+v", m.Header.Inputs)
	}
}

func TestASourceIsLeftOutByNameOrFamily(t *testing.T) {
	t.Parallel()
	left := chosen([]string{"presidio", "sgd"})
	for _, s := range left {
		if s.Family == "presidio" || s.Name == "sgd" {
			t.Errorf("%s is not left out", s.Name)
		}
	}
	if len(left) != len(Sources)-5 {
		t.Errorf("%d of %d sources are left", len(left), len(Sources))
	}
}

func TestAMissingSourceIsAnError(t *testing.T) {
	t.Parallel()
	c := config()
	c.Data = fstest.MapFS{}
	if _, err := Run(c); err == nil {
		t.Error("no error")
	}
}

// shipped is the reader of acts that ships.
func shipped(t *testing.T) *act.Model {
	t.Helper()
	m, err := act.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// labelled gives the words of the copies of a document with their classes.
func labelled(t *testing.T, d gold.Doc, s style) (words []string, want []tag.Label) {
	t.Helper()
	c := newCopier(1, nil)
	turns, pieces := c.write(cut(&d, false), s)
	for n, o := range redact.Observe(turns, shipped(t)) {
		for _, at := range o.Origin {
			words = append(words, turns[n].Text[at[0]:at[1]])
		}
		want = answers(want, &o, pieces[n], false)
	}
	return words, want
}

func TestLabelsFollowTheirWordsThroughCopies(t *testing.T) {
	t.Parallel()
	d := gold.Doc{Text: "Agent: your name?\nCaller: It's Zoë Quist, of Bath.", Spans: []gold.Span{{Start: 31, End: 40, Type: "PERSON"}, {Start: 45, End: 49, Type: "LOCATION"}}}
	for _, c := range []struct {
		style style
		words []string
		want  []tag.Label
	}{
		{style{}, []string{"your", "name", "?", "It", "'s", "Zoë", "Quist", ",", "of", "Bath", "."},
			[]tag.Label{0, 0, 0, 0, 0, tag.Begin(tag.Person), tag.Inside(tag.Person), 0, 0, tag.Begin(tag.Place), 0}},
		{style{lower: true, bare: true}, []string{"your", "name", "it", "'s", "zoë", "quist", "of", "bath"},
			[]tag.Label{0, 0, 0, 0, tag.Begin(tag.Person), tag.Inside(tag.Person), 0, tag.Begin(tag.Place)}},
	} {
		words, want := labelled(t, d, c.style)
		if !slices.Equal(words, c.words) || !slices.Equal(want, c.want) {
			t.Errorf("%+v:\n got %q %v\nwant %q %v", c.style, words, want, c.words, c.want)
		}
	}
}

func TestWhatMayBeEitherIsFree(t *testing.T) {
	t.Parallel()
	d := gold.Doc{Text: "call Ann at Acme", Spans: []gold.Span{{Start: 5, End: 8, Type: "PERSON", Opt: true}, {Start: 12, End: 16, Type: "ORG", Opt: true}}}
	_, want := labelled(t, d, style{})
	if !slices.Equal(want, []tag.Label{0, tag.Free, 0, tag.Begin(tag.Org)}) {
		t.Errorf("labels %v", want)
	}
}

// TestPlainWordsGiveWayAndTheFrameStays: other words stand around a value, its own words and those of closed classes are as they were.
func TestPlainWordsGiveWayAndTheFrameStays(t *testing.T) {
	t.Parallel()
	c := newCopier(1, nil)
	d := gold.Doc{Text: "Agent: please bring the Yellow kettle to Zoë Quist", Spans: []gold.Span{{Start: 41, End: 50, Type: "PERSON"}}}
	turns, _ := c.write(cut(&d, false), style{other: 100})
	got := strings.Fields(turns[0].Text)
	if len(got) != 8 || got[0] != "please" || got[2] != "the" || got[5] != "to" || got[6] != "Zoë" || got[7] != "Quist" || got[3] == "Yellow" || got[4] == "kettle" || !unicode.IsUpper(rune(got[3][0])) {
		t.Errorf("%q", got)
	}
}

// TestNamesAreWordsThatOthersBear: among the names that a copy writes are words of the hands' names.
func TestNamesAreWordsThatOthersBear(t *testing.T) {
	t.Parallel()
	c := newCopier(1, hand.Tuned())
	borne := 0
	for range 400 {
		if slices.Contains(c.borne, c.rename("quist")) {
			borne++
		}
	}
	if len(c.borne) < 100 || borne < 60 || borne > 200 {
		t.Errorf("%d of 400 names, from a list of %d", borne, len(c.borne))
	}
}
