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

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

var solarWords = []string{
	"could you quote me for solar panels", "what would solar cost for a three bedroom house", "I want panels on my roof",
	"do you install solar batteries", "how much are solar panels with a battery", "we are thinking about going solar",
	"please send somebody to quote for solar", "is my roof good for panels", "looking for a price for photovoltaics",
	"I would like an estimate for a solar installation", "can you put panels on a garage roof", "interested in solar for our shop",
}

// masked gives texts as the redactor would.
func (l *life) masked(texts ...string) (all []anon.Text) {
	for _, t := range texts {
		all = append(all, l.mk.Text(t))
	}
	return all
}

// said makes n texts of different contacts who say the same.
func (l *life) said(at time.Time, n int, topic fact.Topic, words string) (all []fact.Fact) {
	for range n {
		all = append(all, &fact.Message{Head: l.head(at, 3000+l.n), Direction: fact.In, Number: 101, Topic: topic, Body: l.mk.Text(words)})
	}
	return all
}

// topicTown has 30 texts about solar and 20 about a haircut on each of two days: one in a week that is over, one in this.
func topicTown(t *testing.T) (*town, *life) {
	w := newTown(t, weekly("topics", release.ByTopic, release.Nothing, nil, fact.KindMessage, fact.KindTalk))
	l := newLife(t)
	for _, at := range []time.Time{townNow.AddDate(0, 0, -14), townNow.AddDate(0, 0, -1)} {
		w.add(workspace.Default, nil, append(l.said(at, 30, fact.TopicPrice, "Hi, do you quote for solar panels?"),
			l.said(at, 20, fact.TopicPrice, "how much is a haircut")...)...)
	}
	return w, l
}

// topics gives the rows of each topic by period, as the owner is shown them.
func (w *town) topics() map[string]int64 {
	all := map[string]int64{}
	for _, s := range w.shown() {
		for _, g := range s.Groups {
			if len(g.Bins) == 1 && g.Bins[0] > 0 {
				var names []string
				for _, m := range g.Members {
					names = append(names, m.Name)
				}
				all[s.Period+" "+shortest(names)] = g.Bins[0]
			}
		}
	}
	return all
}

// shortest names a merged group by its first member and how many there are.
func shortest(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprint(names[0], " and ", len(names)-1)
}

func (w *town) wantTopics(want map[string]int64) {
	w.t.Helper()
	got := w.topics()
	for topic, n := range want {
		if got[topic] != n {
			w.t.Errorf("%s: %d, want %d; all: %v", topic, got[topic], n, got)
		}
	}
}

func (w *town) taught(ws workspace.ID, name anon.Text, like, unlike []anon.Text) error {
	_, err := w.SetCategory(w.t.Context(), ws, name, like, unlike)
	return err
}

// id gives the id of a category of the default workspace, "" for none.
func (w *town) id(name string) string {
	all, err := w.Categories(w.t.Context(), workspace.Default)
	w.must(err)
	for _, c := range all {
		if strings.EqualFold(c.Name, name) {
			return c.ID
		}
	}
	return ""
}

func TestACategoryIsATopicFromTheNextCountOn(t *testing.T) {
	t.Parallel()
	w, l := topicTown(t)
	w.release(true)
	_, err := w.Due(t.Context()) // at first everybody is
	w.must(err)
	w.wantTopics(map[string]int64{"2026-W47 price": 50})
	w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	w.release(false)
	w.wantTopics(map[string]int64{"2026-W47 Solar quote": 30, "2026-W47 price": 20})
	if c, err := w.Categories(t.Context(), workspace.Default); err != nil || len(c) != 1 || c[0].Name != "Solar quote" || len(c[0].Like) != len(solarWords) {
		t.Errorf("%v %+v", err, c)
	} else if n, of := c[0].Found(); of != len(solarWords) || n == 0 {
		t.Errorf("%d of %d found", n, of)
	}
	if due, err := w.Due(t.Context()); err != nil || len(due) != 0 {
		t.Errorf("%v %v: it is counted once", due, err)
	}
}

func TestACategoryCanBeNamedTaughtAndForgotten(t *testing.T) {
	t.Parallel()
	w, l := topicTown(t)
	w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	w.release(true)
	w.must(w.RenameCategory(t.Context(), workspace.Default, w.id("Solar quote"), l.mk.Text("Panels")))
	w.wantTopics(map[string]int64{"2026-W47 Panels": 30}) // before any count
	w.release(false)
	w.wantTopics(map[string]int64{"2026-W47 Panels": 30, "2026-W47 price": 20})
	w.must(w.taught(workspace.Default, l.mk.Text("panels"), l.masked(append(slices.Clone(solarWords), "how much is a haircut", "how much is a haircut please", "what is a haircut")...), nil))
	w.release(false)
	w.wantTopics(map[string]int64{"2026-W47 panels": 50, "2026-W47 price": 0})
	w.must(w.RemoveCategory(t.Context(), workspace.Default, w.id("Panels")))
	w.release(false)
	w.wantTopics(map[string]int64{"2026-W47 price": 50})
	if c, err := w.Categories(t.Context(), workspace.Default); err != nil || len(c) != 0 {
		t.Errorf("%v %+v", err, c)
	}
}

// A week that is final keeps what it shows, and follows a new name.
func TestAFinalWeekKeepsItsCategories(t *testing.T) {
	t.Parallel()
	w, l := topicTown(t)
	w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	w.now = townNow.AddDate(0, 0, 5)
	w.release(true)
	w.must(w.RenameCategory(t.Context(), workspace.Default, w.id("Solar quote"), l.mk.Text("Panels")))
	w.must(w.taught(workspace.Default, l.mk.Text("Panels"), l.masked(append(slices.Clone(solarWords), "solar for a barn")...), nil))
	w.release(true)
	w.wantTopics(map[string]int64{"2026-W45 Panels": 30, "2026-W45 price": 20})
	w.must(w.RemoveCategory(t.Context(), workspace.Default, w.id("Panels")))
	w.release(true)
	w.wantTopics(map[string]int64{"2026-W45 Solar quote": 30, "2026-W45 price": 20})
}

// A category that is made while a count runs is in no half of it, and in the next.
func TestACategoryMadeDuringACountIsInTheNext(t *testing.T) {
	t.Parallel()
	w, l := topicTown(t)
	_, err := w.Due(t.Context()) // it is, and is looked at now
	w.must(err)
	made := false
	w.ticks = func() {
		if !made {
			made = true
			w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
		}
	}
	if _, err := w.Release(t.Context(), workspace.Default, Wish); err != nil || !made {
		t.Fatal(err, made)
	}
	w.wantTopics(map[string]int64{"2026-W47 price": 50})
	if due, err := w.Due(t.Context()); err != nil || !slices.Contains(due, workspace.Default) {
		t.Fatalf("%v %v: the workspace is not looked at again", due, err)
	}
	w.release(false)
	w.wantTopics(map[string]int64{"2026-W47 Solar quote": 30, "2026-W47 price": 20})
}

// What is broken in one workspace stops its own count, with an error that says nothing of what was said, and no other's.
func TestABrokenCategoryIsItsWorkspacesAlone(t *testing.T) {
	t.Parallel()
	w, l := topicTown(t)
	other, err := workspace.Parse("other")
	w.must(err)
	w.add(other, nil, l.said(townNow.AddDate(0, 0, -1), 30, fact.TopicPrice, "Hi, do you quote for solar panels?")...)
	for _, ws := range []workspace.ID{workspace.Default, other} {
		w.must(w.taught(ws, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	}
	w.must(w.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE categories SET learned = ? WHERE workspace = ?`, []byte(`{"name":"solar`), workspace.Default.String())
		return err
	}))
	if _, err := w.Release(t.Context(), workspace.Default, Wish); err == nil || strings.Contains(err.Error(), "solar") {
		t.Errorf("error %v", err)
	}
	if n, err := w.Release(t.Context(), other, Wish); err != nil || n == 0 {
		t.Errorf("%d periods, %v", n, err)
	}
}

func TestWhatCannotBeACategoryIsRefused(t *testing.T) {
	t.Parallel()
	w, l := topicTown(t)
	set := func(name string, like ...string) error {
		return w.taught(workspace.Default, l.mk.Text(name), l.masked(like...), nil)
	}
	for name, like := range map[string][]string{
		"":                      solarWords,
		"[PERSON]":              solarWords,
		strings.Repeat("x", 41): solarWords,
		"Order status":          solarWords,
		"Few":                   solarWords[:7],
		"The same":              slices.Repeat(solarWords[:4], 3),
		"No words":              slices.Repeat([]string{"[PHONE]", "[PERSON]"}, 6),
	} {
		if err := set(name, like...); !errors.Is(err, ErrCategory) {
			t.Errorf("%q of %d: %v", name, len(like), err)
		}
	}
	for i := range mostCategories {
		w.must(set(fmt.Sprint("Category ", string(rune('a'+i))), solarWords...))
	}
	if err := set("One more", solarWords...); !errors.Is(err, ErrCategory) {
		t.Errorf("%v", err)
	}
	if err := w.RenameCategory(t.Context(), workspace.Default, w.id("Category a"), l.mk.Text("category b")); !errors.Is(err, ErrCategory) {
		t.Errorf("%v", err)
	}
	if err := w.RemoveCategory(t.Context(), workspace.Default, "00000000"); !errors.Is(err, ErrNoCategory) {
		t.Errorf("%v", err)
	}
}

// Nine people are too few to be shown by themselves, whatever they are told to be.
func TestACategoryOfAFewIsNotShown(t *testing.T) {
	t.Parallel()
	w := newTown(t, content("topics"))
	l := newLife(t)
	w.add(workspace.Default, nil, append(l.said(townNow.AddDate(0, 0, -1), 9, fact.TopicPrice, "Hi, do you quote for solar panels?"),
		l.said(townNow.AddDate(0, 0, -1), 60, fact.TopicPrice, "how much is a haircut")...)...)
	w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	w.release(true)
	if n, ok := w.topics()["2026-W47 Solar quote"]; ok {
		t.Errorf("%d texts of nine people are shown", n)
	}
	w.add(workspace.Default, nil, l.said(townNow.AddDate(0, 0, -1), 1, fact.TopicPrice, "Hi, do you quote for solar panels?")...)
	w.release(true)
	w.wantTopics(map[string]int64{"2026-W47 Solar quote": 10})
}

// Teaching shows others nothing: they see a category when the week is shown to them anew.
func TestOthersSeeACategoryWhenTheWeekIsShown(t *testing.T) {
	t.Parallel()
	w := newTown(t, content("topics"))
	w.policy.Noise = 2
	l := newLife(t)
	w.add(workspace.Default, nil, l.said(townNow.AddDate(0, 0, -2), 60, fact.TopicPrice, "Hi, do you quote for solar panels?")...)
	w.release(true)
	before := w.viewed()
	w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	w.release(true)
	if now := w.viewed(); len(now) == 0 || !reflect.DeepEqual(before, now) {
		t.Errorf("before %v, now %v", before, now)
	}
	for range 5 {
		w.now = w.now.AddDate(0, 0, 1)
		w.look(Schedule)
	}
	if now := fmt.Sprint(w.viewed()); !strings.Contains(now, "Solar quote") {
		t.Errorf("when the week is over: %s", now)
	}
}

// content counts topics as the catalogue does: from words, so that ten people must stand behind each.
func content(name string) release.Query {
	q := weekly(name, release.ByTopic, release.Nothing, nil, fact.KindMessage, fact.KindTalk)
	q.Content = true
	return q
}

// A text is told once: what was told of a file is used again, for a new file the texts of that file alone are read. Files that are written anew
// are told anew, and of an erased text nothing is kept.
func TestTextsAreToldOnce(t *testing.T) {
	t.Parallel()
	w, l := topicTown(t)
	w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	w.release(true)
	told := func() map[string][]release.Own { return w.categories.models[workspace.Default].told }
	w.wantTopics(map[string]int64{"2026-W47 Solar quote": 30, "2026-W47 price": 20})
	before := len(told())
	for file := range told() {
		told()[file] = nil // a lie, to see that it is believed
	}
	erased := l.n + 1
	w.add(workspace.Default, nil, l.said(townNow.AddDate(0, 0, -1), 15, fact.TopicPrice, "Hi, do you quote for solar panels?")...)
	w.release(true)
	w.wantTopics(map[string]int64{"2026-W47 Solar quote": 15, "2026-W47 price": 50})
	if len(told()) != before+1 {
		t.Errorf("%d files are told, then %d", before, len(told()))
	}
	_, err := w.Forget(t.Context(), workspace.Default, []anon.Contact{l.mk.Contact(3000 + erased - 1)})
	w.must(err)
	for _, own := range told() {
		for _, o := range own {
			if o.ID == facttest.ID(erased) {
				t.Error("what an erased text is about is kept")
			}
		}
	}
	w.must(w.Compact(t.Context()))
	w.release(true)
	w.wantTopics(map[string]int64{"2026-W47 Solar quote": 44, "2026-W47 price": 20})
}
