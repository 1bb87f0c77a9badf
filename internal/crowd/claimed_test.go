package crowd

import (
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// survey adds an answer of each contact; claimed ones stand in a hidden field that anybody may fill in.
func (w *town) survey(l *life, at time.Time, claimed fact.Bool, contacts ...int) {
	w.t.Helper()
	var facts []fact.Fact
	for _, c := range contacts {
		h := l.head(at, c)
		h.Claimed = claimed
		facts = append(facts, &fact.Answer{Head: h, Survey: 501, Scale: fact.CSAT, Score: 5, Medium: fact.MediumWeb})
	}
	w.add(workspace.Default, nil, facts...)
}

// scores gives the groups of the survey's table in the week of a moment.
func (w *town) scores(a release.Audience, at time.Time) []release.Group {
	w.t.Helper()
	week := release.Weeks(time.UTC, at, at.Add(1))[0].Name
	for _, s := range w.shownTo(a) {
		if s.Query.Name == "scores" && s.Period == week {
			return s.Groups
		}
	}
	w.t.Fatalf("no table of %s", week)
	return nil
}

func many(first, n int) (all []int) {
	for i := range n {
		all = append(all, first+i)
	}
	return all
}

// The attack: nine invented contacts around the one who is asked about, in a survey's hidden field or in events of the
// attacker's own. What is left of the group is that one's score.
func TestInventedContactsIsolateNobody(t *testing.T) {
	t.Parallel()
	scores := weekly("scores", release.NoSplit, release.FromColumn, []int64{0, 3, 4}, fact.KindAnswer)
	scores.Value.Column, scores.Content = fact.ColScore, true
	w := newTown(t, scores, weekly("calls", release.NoSplit, release.Nothing, nil, fact.KindCall))
	k, l := w.policy.MinGroupContent, newLife(t)
	week := func(n int) time.Time { return time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC).AddDate(0, 0, -7*n) }
	called := func(at time.Time, claimed fact.Bool, contacts ...int) {
		for _, c := range contacts {
			h := l.head(at, c)
			h.Claimed = claimed
			w.add(workspace.Default, nil, &fact.Call{Head: h, Direction: fact.In, Result: fact.Answered, Number: 7})
		}
	}
	invented := many(7000, k-1)
	// The person and the invented ones; events of the attacker's own are no better than the hidden field.
	w.survey(l, week(0), 1, append(invented, 1)...)
	called(week(0), 0, 1)
	called(week(0), 1, invented...)
	// As many people who called, some time before they answered, and the invented ones beside them.
	called(week(4), 0, many(100, k)...)
	w.survey(l, week(2), 1, append(invented, many(100, k)...)...)
	// The same too long after their calls.
	called(week(12), 0, many(200, k)...)
	w.survey(l, week(6), 1, many(200, k)...)
	// The business's own list needs nobody to vouch for it.
	w.survey(l, week(8), 0, many(300, k)...)
	for _, c := range []struct {
		what               string
		week               time.Time
		hidden             release.Hidden
		contacts, verified int64
	}{
		{"one person and nine invented", week(0), release.SmallGroup, 0, 0},
		{"ten who called and nine invented", week(2), release.Shown, int64(2*k - 1), int64(k)},
		{"ten who called long ago", week(6), release.SmallGroup, 0, 0},
		{"an imported list", week(8), release.Shown, int64(k), int64(k)},
	} {
		w.policy.Noise = 0
		w.look(Wish)
		g := w.scores(release.Owner, c.week)
		if len(g) != 1 || g[0].Hidden != c.hidden || g[0].Contacts != c.contacts || g[0].Verified != c.verified {
			t.Errorf("%s: %+v", c.what, g)
		}
		w.policy.Noise = 2
		w.look(Wish)
		if g := w.scores(release.Others, c.week); c.hidden != release.Shown && g[0].Hidden == release.Shown {
			t.Errorf("%s, seen by others: %+v", c.what, g)
		}
	}
}
