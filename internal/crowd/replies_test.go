package crowd

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// replyTown counts replies in blocks.
func replyTown(t *testing.T) *town {
	q := weekly("replies", release.ByReply, release.Nothing, nil, fact.KindMessage)
	q.Grain = release.Block
	return newTown(t, q)
}

// replies makes n texts that members sent to different contacts, each with words of its own.
func (l *life) replies(label fact.Label, at time.Time, n int, words func(i int) string) (all []fact.Fact) {
	for i := range n {
		all = append(all, &fact.Message{Head: l.head(at.Add(time.Duration(i)*time.Minute), 2000+i), Direction: fact.Out, Number: 101,
			Delivered: fact.Arrived, Reply: label, Body: l.mk.Text(words(i))})
	}
	return all
}

// replyNames gives the names of replies by the period that shows them.
func (w *town) replyNames(a release.Audience) map[string][]string {
	names := map[string][]string{}
	for _, s := range w.shownTo(a) {
		for _, g := range s.Groups {
			for _, m := range g.Members {
				if m.Dim == "reply" && m.Key > 0 {
					names[s.Period] = append(names[s.Period], m.Name)
				}
			}
		}
	}
	return names
}

// wantReply wants one name in every period, and one period at least.
func (w *town) wantReply(a release.Audience, name string) {
	w.t.Helper()
	all := w.replyNames(a)
	for period, names := range all {
		if !slices.Equal(names, []string{name}) {
			w.t.Errorf("%s: %q", period, names)
		}
	}
	if len(all) == 0 {
		w.t.Error("no reply has a name")
	}
}

// What replies are called follows from the texts alone: not from their order, nor from when it was counted in between.
func TestTheNamesOfRepliesDoNotDependOnOrder(t *testing.T) {
	t.Parallel()
	l := newLife(t)
	noon := townNow.AddDate(0, 0, -3)
	const ten = "Ten people got this one of them all"
	facts := l.replies(601, noon, 30, func(i int) string {
		return []string{"We open at 9 and close at 5", "we open at 9 and close at 5", "We open at 9 & close at 5"}[i%3]
	})
	facts = append(facts, l.replies(602, noon, 9, func(int) string { return ten })...)
	newer := *facts[29].(*fact.Message) // a version that says something else
	newer.Version, newer.Reply, newer.Body = 2, 602, l.mk.Text(ten)
	facts = append(facts, &newer)
	var want map[string][]string
	for order := range 4 {
		rand.New(rand.NewPCG(uint64(order), 1)).Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		w := replyTown(t)
		for some := range slices.Chunk(facts, 13) {
			w.add(workspace.Default, nil, some...)
			w.release(true)
			w.must(w.Close())
			w.open()
		}
		got := w.replyNames(release.Owner)
		if want == nil {
			if want = got; len(want) == 0 {
				t.Fatal("no reply has a name")
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("order %d: %v, before %v", order, got, want)
		}
		for period, names := range got {
			if !slices.Contains(names, ten) {
				t.Errorf("order %d: %s names %q, and not the reply that a newer version gave its tenth contact", order, period, names)
			}
		}
	}
}

// A name shows no word that only a few people were written.
func TestTheNameOfAReplyHasSharedWordsOnly(t *testing.T) {
	t.Parallel()
	w := replyTown(t)
	l := newLife(t)
	w.add(workspace.Default, nil, l.replies(601, townNow.AddDate(0, 0, -3), 20, func(i int) string {
		return "Your table is free at " + strings.Repeat("x", i+1) + " o'clock"
	})...)
	w.release(true)
	w.wantReply(release.Owner, "Your table is free at … o'clock")
}

// Others are shown no name that today's texts make.
func TestOthersSeeNoNameOfToday(t *testing.T) {
	t.Parallel()
	w := replyTown(t)
	w.policy.Noise = 2
	l := newLife(t)
	w.add(workspace.Default, nil, l.replies(601, townNow.AddDate(0, 0, -2), 40, func(int) string { return "We open at nine in the morning" })...)
	w.add(workspace.Default, nil, l.replies(602, townNow.Add(-time.Hour), 40, func(int) string { return "Today we close at five in the evening" })...)
	w.release(true)
	w.wantReply(release.Others, "We open at nine in the morning")
}

// The words of texts are gone after 90 days: what is counted then for the first time has no names, whatever is still there.
func TestOldRepliesHaveNoName(t *testing.T) {
	t.Parallel()
	w := replyTown(t)
	l := newLife(t)
	w.add(workspace.Default, nil, l.replies(601, townNow.AddDate(0, 0, -89), 40, func(int) string { return "We open at nine in the morning" })...)
	w.release(true)
	if got := w.replyNames(release.Owner); len(got) > 0 {
		t.Errorf("a block that begins more than %d days ago: %v", textDays, got)
	}
}
