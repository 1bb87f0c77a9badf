package crowd

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/crowd/internal/enrich"
	"murmur/internal/crowd/internal/noise"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// lastMonth is a day of the last block that is over at townNow.
var lastMonth = time.Date(2026, 10, 14, 9, 0, 0, 0, time.UTC)

// wrote makes n texts of which no reason is told, of as many contacts as there are, each with a word of its own.
func (l *life) wrote(at time.Time, n, contacts int, sentences ...string) (all []fact.Fact) {
	for i := range n {
		words := fmt.Sprintf("%s, %s", sentences[i%len(sentences)], strings.Repeat(string(rune('a'+i%26)), 5+i/26))
		all = append(all, &fact.Message{Head: l.head(at.Add(time.Duration(i)*time.Hour), 5000+l.n-l.n%max(1, n/contacts)), Direction: fact.In,
			Number: 101, Topic: fact.TopicOther, Body: l.mk.Text(words)})
	}
	return all
}

var (
	dogs  = []string{"can my dog come along to the office", "is a dog allowed at your place", "our dog is friendly, may the dog wait inside"}
	yards = []string{"there are wasps in the yard", "a nest of wasps under the roof", "who removes wasps near the window"}
)

// subjects gives what is found two days after the facts came.
func (w *town) subjects(facts ...fact.Fact) Subjects {
	w.t.Helper()
	w.add(workspace.Default, nil, facts...)
	w.now = w.now.Add(48 * time.Hour)
	s, err := w.Subjects(w.t.Context(), workspace.Default)
	w.must(err)
	return s
}

func TestSubjectsAreWhatManyPeopleWrite(t *testing.T) {
	t.Parallel()
	w, l := newTown(t), newLife(t)
	s := w.subjects(append(l.wrote(lastMonth, 40, 40, dogs...), append(l.wrote(lastMonth, 30, 30, yards...),
		l.said(lastMonth, 30, fact.TopicPrice, "how much is it at the office")...)...)...)
	if s.Period != "2026-W41..2026-W44" || len(s.List) != 2 || s.List[0].Contacts != 40 || s.List[0].Words[0] != "dog" || s.List[1].Contacts != 30 || s.List[1].Words[0] != "wasps" {
		t.Fatalf("%+v", s)
	}
	said := strings.Join(append(slices.Clone(dogs), yards...), " ")
	for _, f := range s.List {
		for _, word := range f.Words {
			if !strings.Contains(said, word) {
				t.Errorf("one person's word is shown: %q", word)
			}
		}
	}
	w.policy.Noise = 2
	noised, err := w.Subjects(t.Context(), workspace.Default)
	w.must(err)
	w.must(w.Close())
	w.open()
	again, err := w.Subjects(t.Context(), workspace.Default)
	w.must(err)
	if !reflect.DeepEqual(noised, again) || reflect.DeepEqual(noised, s) {
		t.Errorf("with noise %+v, then %+v", noised, again)
	}
}

// Nine people, one person's hundred texts, and what an own category tells, are no subject.
func TestWhatIsNoSubject(t *testing.T) {
	t.Parallel()
	for name, facts := range map[string]func(l *life) []fact.Fact{
		"nine people":              func(l *life) []fact.Fact { return l.wrote(lastMonth, 9, 9, dogs...) },
		"one person":               func(l *life) []fact.Fact { return l.wrote(lastMonth, 100, 1, dogs...) },
		"a block that is not over": func(l *life) []fact.Fact { return l.wrote(townNow.AddDate(0, 0, -3), 40, 40, dogs...) },
		"words that are gone":      func(l *life) []fact.Fact { return l.wrote(townNow.AddDate(0, 0, -120), 40, 40, dogs...) },
		"nothing":                  func(*life) []fact.Fact { return nil },
	} {
		if s := newTown(t).subjects(facts(newLife(t))...); len(s.List) > 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	w, l := newTown(t), newLife(t)
	if s := w.subjects(l.wrote(lastMonth, 40, 40, dogs...)...); len(s.List) != 1 {
		t.Fatalf("%+v", s)
	}
	w.must(w.taught(workspace.Default, l.mk.Text("Dogs"), l.masked(append(slices.Clone(dogs), "may I bring a dog", "do you mind a dog", "dog in the office",
		"I come with a dog", "is there water for my dog", "what about my dog", "the dog stays with me")...), nil))
	if s, err := w.Subjects(t.Context(), workspace.Default); err != nil || len(s.List) > 0 {
		t.Errorf("told by a category: %+v, %v", s, err)
	}
}

func TestNoSubjectWhileSomebodyIsErased(t *testing.T) {
	t.Parallel()
	w, l := newTown(t), newLife(t)
	w.subjects(l.wrote(lastMonth, 40, 40, dogs...)...)
	w.must(w.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO erasing(workspace, receipt, contact, at) VALUES(?, 'r', x'01', 1)`, workspace.Default.String())
		return err
	}))
	if _, err := w.Subjects(t.Context(), workspace.Default); !errors.Is(err, ErrErasing) {
		t.Errorf("error %v", err)
	}
}

// People are counted, not texts; the noise is of the rows, so that one text more draws it anew, and equal rows give equal noise.
func TestPeopleOfASubjectAreCounted(t *testing.T) {
	t.Parallel()
	texts := []enrich.Said{{Contact: [16]byte{1}}, {Contact: [16]byte{2}}, {Contact: [16]byte{1}}, {Contact: [16]byte{3}}}
	seen, moved := map[int64]bool{}, false
	for key := range byte(40) {
		keys := noise.NewKeys([]byte{key}, "w", "p")
		really, noised := contactsOf(texts, keys, 2)
		if _, again := contactsOf([]enrich.Said{texts[2], texts[3], texts[1], texts[0]}, keys, 2); really != 3 || again != noised {
			t.Errorf("%d people, with noise %d and then %d", really, noised, again)
		}
		_, more := contactsOf(append(slices.Clone(texts), texts[0]), keys, 2)
		seen[noised], moved = true, moved || more != noised
	}
	if len(seen) < 3 || !moved {
		t.Errorf("numbers %v, another text moves them: %v", seen, moved)
	}
	if really, exact := contactsOf(texts, noise.NewKeys([]byte{1}, "w", "p"), 0); really != 3 || exact != 3 {
		t.Errorf("without noise %d and %d", really, exact)
	}
}
