package fact_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
)

// Column numbers are in files: their order is the order of the declarations, without gaps.
func TestEveryColumnIsDeclaredOnce(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i, d := range fact.Schema(fact.Both) {
		if d.Column != fact.Column(i+1) || names[d.Name] || d.Doc == "" || d.Min > d.Max {
			t.Errorf("column %d is declared as %+v", i+1, d)
		}
		names[d.Name] = true
	}
	if n := len(names); n != int(fact.ColLast) {
		t.Errorf("%d columns are declared, the last is number %d", n, fact.ColLast)
	}
	if _, ok := fact.Declared(fact.ColLast + 1); ok {
		t.Error("a column behind the last is declared")
	}
}

// Writing a binding changes exactly one field; together the bindings reach every field of the kind.
func TestBindingsReachEveryField(t *testing.T) {
	t.Parallel()
	bound := map[fact.Column]bool{}
	for _, k := range facttest.Kinds {
		f := fact.New(k)
		if f.Kind() != k || f.Meta() == nil {
			t.Errorf("kind %d gives a fact of kind %d", k, f.Kind())
		}
		seen := map[fact.Column]bool{}
		for i, b := range f.Fields() {
			if seen[b.Column] {
				t.Errorf("kind %d binds column %d twice", k, b.Column)
			}
			seen[b.Column], bound[b.Column] = true, true
			b.Set(int64(1000 + i))
			if got := f.Fields()[i].Get(); got != int64(1000+i) {
				t.Errorf("kind %d, column %d: wrote %d, reads %d", k, b.Column, 1000+i, got)
			}
		}
		v := reflect.ValueOf(f).Elem()
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			_, text := reflect.TypeAssert[anon.Text](v.Field(i))
			if name != "Head" && !text && v.Field(i).IsZero() {
				t.Errorf("kind %d: no binding reaches %s", k, name)
			}
			if text != (f.Words() != nil) && text {
				t.Errorf("kind %d has a text that Words does not give", k)
			}
		}
	}
	for _, d := range fact.Schema(fact.Facts) {
		if d.Column > fact.ColAnonymiser && !bound[d.Column] {
			t.Errorf("no kind binds column %s", d.Name)
		}
	}
}

func TestCheckRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	mk := facttest.New(t)
	head := facttest.Head(1, noon, mk.Contact(1), 1)
	r := rand.New(rand.NewPCG(3, 3))
	for _, k := range facttest.Kinds {
		for range 50 {
			if err := fact.Check(facttest.Random(r, k, head, anon.Text{})); err != nil {
				t.Fatalf("kind %d: a possible fact is refused: %v", k, err)
			}
		}
		f := facttest.Random(r, k, head, anon.Text{})
		f.Meta().Contact = anon.Contact{}
		if err := fact.Check(f); errors.Is(err, fact.ErrNoContact) == (k == fact.KindConsent) {
			t.Errorf("kind %d without a contact: %v", k, err)
		}
		for _, b := range facttest.Random(r, k, head, anon.Text{}).Fields() {
			d, _ := fact.Declared(b.Column)
			for _, v := range []int64{d.Min - 1, d.Max + 1} {
				if v >= d.Min && v <= d.Max {
					continue // the column takes every number
				}
				f := facttest.Random(r, k, head, anon.Text{})
				for _, c := range f.Fields() {
					if c.Column == b.Column {
						c.Set(v)
					}
				}
				if err := fact.Check(f); !errors.Is(err, fact.ErrRange) {
					t.Errorf("kind %d, %s = %d: %v", k, d.Name, v, err)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		f    fact.Fact
		want error
	}{
		"no id":           {&fact.Call{Head: fact.Head{At: head.At, Contact: head.Contact}}, fact.ErrNoID},
		"no time":         {&fact.Call{Head: fact.Head{ID: head.ID, Contact: head.Contact}}, fact.ErrTime},
		"1999":            {&fact.Call{Head: facttest.Head(1, time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), head.Contact, 1)}, fact.ErrTime},
		"seconds as µs":   {&fact.Call{Head: fact.Head{ID: head.ID, Contact: head.Contact, At: fact.Micros(noon.Unix())}}, fact.ErrTime},
		"2100":            {&fact.Call{Head: facttest.Head(1, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), head.Contact, 1)}, fact.ErrTime},
		"csat of 0":       {&fact.Answer{Head: head, Scale: fact.CSAT, Score: 0}, fact.ErrRange},
		"nps of 10":       {&fact.Answer{Head: head, Scale: fact.NPS, Score: 10}, nil},
		"scored comment":  {&fact.Answer{Head: head, Scale: fact.Comment, Score: 3}, fact.ErrRange},
		"longer than all": {&fact.Talk{Head: head, TalkS: 10, MemberS: 11}, fact.ErrOrder},
	} {
		if err := fact.Check(c.f); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
