package train

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"murmur/internal/redact"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
)

// TestAJudgedDocumentKeepsItsAnswersAndMasks: whatever was masked stands on what it covered, cut where an answer begins or ends.
func TestAJudgedDocumentKeepsItsAnswersAndMasks(t *testing.T) {
	t.Parallel()
	d := gold.Doc{ID: "1", Source: "s", Text: "Agent: é who\nCustomer: Zoë Quist now", Spans: []gold.Span{{Start: 23, End: 32, Type: "PERSON"}}}
	e := Judged(&d, []redact.Span{{Start: 9, End: 12, Type: redact.Location}, {Start: 27, End: 36, Type: redact.Person}})
	want := []Spoken{
		{Side: redact.Member, Pieces: []Stretch{{Text: "é "}, {Text: "who", Mask: "LOCATION"}}},
		{Side: redact.Contact, Pieces: []Stretch{{Text: "Zoë ", Type: "PERSON"}, {Text: "Quist", Type: "PERSON", Mask: "PERSON"}, {Text: " now", Mask: "PERSON"}}},
	}
	if len(e.Turns) != 2 || e.Turns[0].Side != want[0].Side || !slices.Equal(e.Turns[0].Pieces, want[0].Pieces) || e.Turns[1].Side != want[1].Side || !slices.Equal(e.Turns[1].Pieces, want[1].Pieces) {
		t.Errorf("%+v", e.Turns)
	}
}

// data is a folder with one document in every file that a source names.
func data(t *testing.T) fstest.MapFS {
	t.Helper()
	fs := fstest.MapFS{}
	for _, s := range Sources {
		if s.file == "" {
			continue
		}
		b, err := json.Marshal(gold.Doc{ID: "1", Text: "Customer: " + s.Name + " said Zebedee", Spans: []gold.Span{}})
		if err != nil {
			t.Fatal(err)
		}
		fs[s.file] = &fstest.MapFile{Data: append(b, '\n')}
	}
	return fs
}

// TestNothingIsExportedThatMayNotShip: no source under a share-alike licence, no social media, no hand that is left out, and the same
// bytes for the same seed.
func TestNothingIsExportedThatMayNotShip(t *testing.T) {
	t.Parallel()
	c := Config{Data: data(t), Seed: 1, Invented: 20, Exchanges: 2}
	for _, h := range hand.Tuned()[1:] {
		c.Without = append(c.Without, h.Name)
	}
	var once, again bytes.Buffer
	inputs, err := Export(c, &once)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Export(c, &again); err != nil || !bytes.Equal(once.Bytes(), again.Bytes()) {
		t.Errorf("a second export differs: %v", err)
	}
	var names []string
	for _, in := range inputs {
		names = append(names, in.Name)
		if strings.Contains(in.Licence, "SA") || in.Name == "btc" || in.Name == "wnut17" {
			t.Errorf("%s, %s, is exported", in.Name, in.Licence)
		}
	}
	for _, want := range []string{"hands", "exchanges", "invent", "presidio_v2"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not exported", want)
		}
	}
	values := 0
	for r := json.NewDecoder(&once); ; {
		var e Example
		if err := r.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, turn := range e.Turns {
			for _, p := range turn.Pieces {
				if e.Source == "exchanges" && p.Type != "" {
					values++
				}
				if strings.ContainsAny(p.Text, "{}\x00") {
					t.Errorf("%s: a slot is not filled: %q", e.Source, p.Text)
				}
			}
		}
	}
	if values < 3 {
		t.Errorf("%d values in exchanges", values)
	}
}
