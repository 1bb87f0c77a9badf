package crowd

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/workspace"
)

// A number that is called something else is so in every period, open and closed; who is behind a figure stays as it was.
func TestTheNewestNameIsShownInEveryPeriod(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	l := &life{rng: rand.New(rand.NewPCG(6, 6)), mk: facttest.New(t)}
	named := func(name string, version int64) []fact.Named {
		return []fact.Named{{Label: 101, Dim: fact.DimNumber, Name: l.mk.Text(name), Version: version}}
	}
	w.add(workspace.Default, append(named("Front desk", 1), numbers(3)[1:]...), l.facts(300, 20)...)
	w.now = townNow.AddDate(0, 0, 2)
	w.release(false)
	before := w.shown()
	if i := slices.IndexFunc(before, func(s shown) bool { return s.Closed }); i < 0 || i == len(before)-1 {
		t.Fatal("the test needs closed and open periods")
	}
	for _, step := range []struct {
		name, want string
		version    int64
	}{
		{"Reception", "Reception", 20}, {"Basement", "Reception", 10}, {"Reception", "Reception", 30}, {"Lobby", "Lobby", 31},
	} {
		w.add(workspace.Default, named(step.name, step.version))
		if w.release(true) > 0 {
			t.Error("a new name had periods counted again")
		}
		after := w.shown()
		for i, s := range after {
			for j, g := range s.Groups {
				for k, m := range g.Members {
					if m.Dim == "number" && m.Key == 101 && m.Name != step.want {
						t.Errorf("%s version %d: %s of %s is called %q", step.name, step.version, s.Query.Name, s.Period, m.Name)
					}
					if m.Key != before[i].Groups[j].Members[k].Key || g.Contacts != before[i].Groups[j].Contacts {
						t.Errorf("%s of %s counts others", s.Query.Name, s.Period)
					}
				}
			}
		}
		w.must(w.Close()) // what is called what is not only remembered
		w.open()
	}
}

// The owner's name for a line stays, whatever its platform says later.
func TestAnOwnersNameStays(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	l := &life{rng: rand.New(rand.NewPCG(8, 8)), mk: facttest.New(t)}
	w.add(workspace.Default, append([]fact.Named{{Label: 101, Dim: fact.DimNumber, Name: l.mk.Text("PNmain"), Version: 1}}, numbers(3)[1:]...), l.facts(300, 20)...)
	w.release(false)
	for _, wrong := range [][3]string{{"line", "nothing", "Desk"}, {"person", "PNmain", "Desk"}, {"line", "PNmain", " "}, {"survey", "PNmain", "Desk"}} {
		if _, err := w.Rename(t.Context(), workspace.Default, wrong[0], wrong[1], wrong[2]); !errors.Is(err, ErrName) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	if n, err := w.Rename(t.Context(), workspace.Default, "line", "PNmain", " Front  desk"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for _, later := range []int64{2, 1 << 50, 1 << 55} { // events, days and years later
		w.add(workspace.Default, []fact.Named{{Label: 101, Dim: fact.DimNumber, Name: l.mk.Text("PNmain"), Version: later}})
		seen := 0
		for _, s := range w.shown() {
			for _, g := range s.Groups {
				for _, m := range g.Members {
					if m.Dim == "number" && m.Key == 101 {
						seen++
						if m.Name != "Front desk" {
							t.Fatalf("version %d: %s of %s is called %q", later, s.Query.Name, s.Period, m.Name)
						}
					}
				}
			}
		}
		if seen == 0 {
			t.Fatal("the line is in no table")
		}
		w.must(w.Close())
		w.open()
	}
	if n, err := w.Rename(t.Context(), workspace.Default, "line", "Front desk", "Reception"); n != 1 || err != nil {
		t.Error("its name of today is not found", n, err)
	}
}

// A question that joins the catalogue leaves closed periods as they were published.
func TestAClosedPeriodKeepsItsTables(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	l := &life{rng: rand.New(rand.NewPCG(7, 7)), mk: facttest.New(t)}
	w.add(workspace.Default, numbers(3), l.facts(300, 20)...)
	w.now = townNow.AddDate(0, 0, 2)
	w.release(false)
	before := w.shown()
	w.must(w.Close())
	w.queries = append(townQueries(), weekly("later", release.NoSplit, release.Nothing, nil, fact.KindMessage))
	w.open()
	w.release(true)
	var later int
	for _, s := range w.shown() {
		if s.Query.Name == "later" {
			later++
			if s.Closed {
				t.Errorf("%s was closed and has another table", s.Period)
			}
		} else if i := slices.IndexFunc(before, func(o shown) bool { return o.Period == s.Period && o.Query.Name == s.Query.Name }); i < 0 {
			t.Errorf("%s of %s was not there", s.Query.Name, s.Period)
		}
	}
	if later == 0 {
		t.Error("the new question is answered nowhere")
	}
}
