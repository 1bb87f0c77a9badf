package consent

import (
	"errors"
	"fmt"
	"slices"
)

// ErrTrace is returned for a trace that the rule does not allow.
var ErrTrace = errors.New("consent: the trace is not one the rule allows")

// ParseState reads the name of a state; false for anything else.
func ParseState(s string) (State, bool) {
	i := slices.Index(stateNames[:], s)
	return State(i), i >= 0
}

// ParseEvent reads the name of an event; false for anything else.
func ParseEvent(s string) (EventKind, bool) {
	i := slices.Index(eventNames[:], s)
	return EventKind(i), i >= 0
}

// Replay takes a call through its trace again and gives the state at its end. ErrTrace names the first move that the
// table does not have, or whose notice ended before it began.
func Replay(trace []Move) (State, error) {
	state := New
	var notice Move
	for i, m := range trace {
		if row := lookup(moves, state, m.On); row.to != m.To {
			return state, fmt.Errorf("move %d: %s in %s leads to %s, not to %s: %w", i+1, m.On, state, row.to, m.To, ErrTrace)
		}
		switch m.On {
		case NoticeStarted:
			notice = m
		case NoticeEnded:
			if notice.On != NoticeStarted && !m.To.Over() || m.At.Before(notice.At) {
				return state, fmt.Errorf("move %d: the notice ended before it began: %w", i+1, ErrTrace)
			}
		}
		state = m.To
	}
	return state, nil
}
