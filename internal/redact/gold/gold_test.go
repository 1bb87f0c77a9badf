package gold_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"murmur/internal/redact/gold"
)

func TestRecordsAreReadAndSpansSorted(t *testing.T) {
	t.Parallel()
	const file = `{"id":"a-1","group":"g","source":"a","text":"Zoë is 41","spans":[{"start":7,"end":9,"type":"AGE","opt":true},{"start":0,"end":3,"type":"PERSON"}]}` + "\n\n" +
		`{"id":2,"text":"nobody here","spans":[]}`
	var got []gold.Doc
	for d, err := range gold.Read(strings.NewReader(file)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d)
	}
	if len(got) != 2 || got[0].ID != "a-1" || got[0].Group != "g" || got[0].Source != "a" || got[1].ID != "2" || got[1].Text != "nobody here" {
		t.Fatalf("got %+v", got)
	}
	if want := []gold.Span{{Start: 0, End: 3, Type: "PERSON"}, {Start: 7, End: 9, Type: "AGE", Opt: true}}; !slices.Equal(got[0].Spans, want) {
		t.Errorf("spans %+v, want %+v", got[0].Spans, want)
	}
}

func TestABadLineIsNamedByItsNumberAndTheNextIsRead(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`secret 4111`,
		`{"text":"abc","spans":[{"start":1,"end":4111,"type":"PIN"}]}`,
		`{"text":"abc","spans":[{"start":-1,"end":2,"type":"PIN"}]}`,
		`{"text":"abc","spans":[{"start":2,"end":2,"type":"PIN"}]}`,
	} {
		var docs int
		var errs []error
		for _, err := range gold.Read(strings.NewReader("{\"text\":\"a\"}\n" + bad + "\n{\"text\":\"b\"}\n")) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			docs++
		}
		if docs != 2 || len(errs) != 1 || !errors.Is(errs[0], gold.ErrRecord) ||
			!strings.Contains(errs[0].Error(), "line 2") || strings.Contains(errs[0].Error(), "4111") {
			t.Errorf("%s: %d documents, errors %v", bad, docs, errs)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"id":"x","text":"a b","spans":[{"start":0,"end":1,"type":"PERSON"}]}`)
	f.Add("{\"text\":\"\\ud800\",\"spans\":[{\"start\":0,\"end\":9}]}\n[]\nnull")
	f.Fuzz(func(t *testing.T, file string) {
		for d, err := range gold.Read(strings.NewReader(file)) {
			n := len([]rune(d.Text))
			for _, s := range d.Spans {
				if err != nil || s.Start < 0 || s.End > n || s.Start >= s.End {
					t.Fatal("a span outside the text")
				}
			}
		}
	})
}
