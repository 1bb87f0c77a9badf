package rampart

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"murmur/internal/models"
	"murmur/internal/redact"
)

var loaded = sync.OnceValues(func() (*Model, error) {
	return Load(os.DirFS(filepath.Join(models.Dir(), Name)), Bias(redact.Strict))
})

// model is the real one, where make models has put it.
func model(tb testing.TB) *Model {
	tb.Helper()
	m, err := loaded()
	if errors.Is(err, fs.ErrNotExist) {
		tb.Skip("NOT TESTED: the second reader of texts. Its weights are not here; `make models` fetches them")
	}
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestFindsWhatNoListHas(t *testing.T) {
	t.Parallel()
	m := model(t)
	for _, c := range []struct {
		text string
		want []string // type:text
	}{
		{"Zoë O'Brien-Žižek lives at 12 Rue de l'Église in Köln.", []string{"PERSON:Zoë O'Brien-Žižek", "ADDRESS:12 Rue de l'Église", "LOCATION:Köln"}},
		{"we spoke to oluwaseun adeyinka about the leaking boiler", []string{"PERSON:oluwaseun adeyinka"}},
		{"ask thandiwe if the parcel for 47 Hollow Lane, Bexhill came back", []string{"PERSON:thandiwe", "ADDRESS:47 Hollow Lane", "LOCATION:Bexhill"}},
		{"My passport is X4417702 and the driver licence D0817-22910.", []string{"ID:X4417702", "ID:D0817-22910"}},
		{"The invoice for the new tyres is ready, thanks for waiting.", nil},
		{"[PERSON] called about [ADDRESS]", nil},
		{"", nil},
		{"\xff\xfe\x00", nil},
	} {
		var got []string
		for _, f := range m.Find(c.text) {
			got = append(got, f.Type.String()+":"+c.text[f.Start:f.End])
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q gives %q, want %q", c.text, got, c.want)
		}
	}
}

func TestALongTextIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	m := model(t)
	for _, filler := range []string{"The parts are not here yet. ", "9-", "é"} {
		text := strings.Repeat(filler, 600/len(filler)) + " and then we spoke to oluwaseun adeyinka about the leaking boiler"
		found := m.Find(text)
		if n := len(found); n == 0 || text[found[n-1].Start:found[n-1].End] != "oluwaseun adeyinka" {
			t.Errorf("behind many %q the name is not found", filler)
		}
		for _, f := range found {
			if f.Start < 0 || f.Start >= f.End || f.End > len(text) {
				t.Fatalf("%d-%d is no place in a text of %d bytes", f.Start, f.End, len(text))
			}
		}
	}
}

func TestRedactedTextStaysAsItIs(t *testing.T) {
	t.Parallel()
	d, err := redact.New(redact.Config{Dial: redact.Strict, Recognizer: model(t)})
	if err != nil {
		t.Fatal(err)
	}
	const call = "Agent: who is this for?\nCustomer: we spoke to oluwaseun adeyinka, the flat is at 47 Hollow Lane in Bexhill\n" +
		"Agent: and a number\nCustomer: oh one six one, four nine six, oh one two three, ask for thandiwe"
	once, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(call)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"oluwaseun", "adeyinka", "thandiwe", "Hollow", "six"} {
		if strings.Contains(once.Masked(), name) {
			t.Errorf("%s is left", name)
		}
	}
	twice, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(once.Masked())})
	if err != nil {
		t.Fatal(err)
	}
	if twice.Masked() != once.Masked() || !once.Verified() {
		t.Errorf("read again it changes (verified: %v)", once.Verified())
	}
}

// The vectors were made with the tokenizer that the model's authors used (Python package tokenizers 0.22).
func TestPiecesAreThoseOfTheOriginalTokenizer(t *testing.T) {
	t.Parallel()
	m := model(t)
	file, err := os.ReadFile("testdata/pieces.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		var want struct {
			Text    string
			IDs     []int32
			Offsets [][2]int // code points
		}
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		got := m.words.pieces(new(cutter), want.Text)
		if len(got) != len(want.IDs) {
			t.Errorf("%q: %d pieces, want %d", want.Text, len(got), len(want.IDs))
			continue
		}
		for i, p := range got {
			at := [2]int{len([]rune(want.Text[:p.start])), len([]rune(want.Text[:p.end]))}
			if p.id != want.IDs[i] || at != want.Offsets[i] {
				t.Errorf("%q: piece %d is %d at %v, want %d at %v", want.Text, i, p.id, at, want.IDs[i], want.Offsets[i])
			}
		}
	}
}

func TestAnotherModelIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := Load(fstest.MapFS{}, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Load(fstest.MapFS{modelFile: {Data: []byte("x")}, vocabularyFile: {Data: []byte("x")}}, 0); !errors.Is(err, ErrModel) {
		t.Errorf("another file: %v", err)
	}
}

func TestGuessNeedsMoreThanEverythingElse(t *testing.T) {
	t.Parallel()
	var logits [labels]float32
	for i := range logits {
		logits[i] = -20
	}
	logits[0], logits[1], logits[3] = 3, 1.5, 1.5 // O, given name, surname: together a person
	if g := (&Model{}).best(&logits); g.kind != redact.None {
		t.Errorf("a doubtful token is %s without a bias", g.kind)
	}
	if g := (&Model{bias: 3}).best(&logits); g.kind != redact.Person || g.score < .5 || g.score > 1 {
		t.Errorf("with a bias it is %s at %g", g.kind, g.score)
	}
}

// BenchmarkFind reads a text of some windows; tok/s is of one core.
func BenchmarkFind(b *testing.B) {
	m := model(b)
	text := strings.Repeat("we spoke to oluwaseun adeyinka about the leaking boiler at 47 Hollow Lane and the van is late again. ", 20)
	n := len(m.words.pieces(new(cutter), text))
	b.ReportAllocs()
	for b.Loop() {
		m.Find(text)
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "tok/s")
}
