package private

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// CallTally counts the calls of this process: those that are live and, since it started, the ends that calls came to. One
// call may come to several: released, and opted out later. It names no call and no person.
type CallTally struct {
	Live int       `json:"live"`
	Ends []CallEnd `json:"ends"` // in order
}

// CallEnd is an end of calls: a state of docs/consent.md and the event that led there.
type CallEnd struct {
	State string `json:"state"`
	Why   string `json:"why"`
	Calls int    `json:"calls"`
}

// CallTally gives the counts so far.
func (z *Zone) CallTally() CallTally {
	t := z.book.Tally()
	out := CallTally{Live: t.Live, Ends: []CallEnd{}}
	for e, n := range t.Ends {
		out.Ends = append(out.Ends, CallEnd{State: e.State.String(), Why: e.On.String(), Calls: n})
	}
	slices.SortFunc(out.Ends, func(a, b CallEnd) int { return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Why, b.Why)) })
	return out
}

// Failed is how many recordings of calls were destroyed because a part of murmur failed or got a
// contradictory report.
func (t CallTally) Failed() (n int) {
	for _, e := range t.Ends {
		if e.State == "aborted" && e.Why == "failed" {
			n += e.Calls
		}
	}
	return n
}

func (t CallTally) String() string {
	said := []string{fmt.Sprintf("%d live", t.Live)}
	for _, e := range t.Ends {
		said = append(said, fmt.Sprintf("%d %s (%s)", e.Calls, e.State, e.Why))
	}
	return strings.Join(said, ", ")
}
