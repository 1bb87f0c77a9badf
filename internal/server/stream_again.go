package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private"
	"murmur/internal/stream"
	"murmur/internal/workspace"
)

// Records that wait (their workspace is at its limit, suspended, or its keys cannot be used) are no longer in the stream's way: they
// are read once more from their place, as fast as there is room, while the stream goes on.

const (
	// againEvery is how often it is looked whether what waits may come.
	againEvery = time.Second
	// againFor is how long one workspace's records are read before the next one's.
	againFor = 5 * time.Second
)

// readWaiting reads what waits until something fails.
func (s *streaming) readWaiting(ctx context.Context) error {
	tick := time.NewTicker(againEvery)
	defer tick.Stop()
	for {
		for _, a := range s.waiting() {
			if err := s.readAgain(ctx, a); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// waiting lists the rows that wait, in the order of when their last record came.
func (s *streaming) waiting() (all []workspace.Aside) {
	s.lane.Lock()
	defer s.lane.Unlock()
	for _, a := range s.aside.rows {
		if waits(a.Why) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b workspace.Aside) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Workspace, b.Workspace))
	})
	return all
}

// readAgain takes the records of a row for which there is room now.
func (s *streaming) readAgain(ctx context.Context, a workspace.Aside) error {
	ws, err := workspace.Parse(a.Workspace)
	if err != nil {
		return err
	}
	if _, err := s.node.zone.SourceLabel(ws, s.src.Name); err != nil && a.Why == asideKeys {
		return nil // its keys still cannot be used
	}
	why, err := s.node.letIn(ctx, ws) // for the first of them, before the servers are asked
	if err != nil {
		return err
	}
	if why == asideUnknown {
		return s.forget(ctx, a) // deleted
	}
	if why != "" {
		return nil
	}
	admitted, until := true, time.Now().Add(againFor)
	gone, whole, err := s.config.Again(ctx, stream.Range{Topic: a.Topic, TopicID: a.TopicID, Partition: a.Partition, First: a.First, Last: a.Last},
		func(ctx context.Context, all []stream.Record) (bool, error) {
			full, err := s.takeAgain(ctx, a, ws, all, &admitted)
			return full || time.Now().After(until), err
		})
	if err != nil || !whole {
		return err
	}
	return s.finishAgain(ctx, a, gone)
}

// forget drops a row.
func (s *streaming) forget(ctx context.Context, a workspace.Aside) error {
	s.lane.Lock()
	defer s.lane.Unlock()
	s.aside.end(a)
	return s.aside.store(ctx, s)
}

// takeAgain takes the records of one workspace among those of a range, the first of them without asking where it is admitted
// already. full: there is no room for more.
func (s *streaming) takeAgain(ctx context.Context, a workspace.Aside, ws workspace.ID, all []stream.Record, admitted *bool) (full bool, err error) {
	if err := s.node.room(ctx); err != nil {
		return false, err
	}
	s.lane.Lock()
	defer s.lane.Unlock()
	var mine []stream.Record
	next := a.First
	for _, r := range all {
		if in, why := doorOf(r); in.Workspace == ws && why == "" {
			if !*admitted {
				if why, err = s.node.letIn(ctx, ws); err != nil {
					return false, err
				}
			}
			if *admitted = false; why != "" {
				full = true
				break
			}
			mine = append(mine, r)
		}
		next = r.Offset + 1
	}
	if err := s.acceptAgain(ctx, a, mine, next); err != nil {
		return false, errors.Join(err, s.aside.load(context.WithoutCancel(ctx), s))
	}
	return full, nil
}

// acceptAgain makes records durable and moves their row behind them.
func (s *streaming) acceptAgain(ctx context.Context, a workspace.Aside, mine []stream.Record, next int64) error {
	in := make([]private.Record, len(mine))
	for i, r := range mine {
		in[i], _ = doorOf(r)
	}
	taken, err := s.node.zone.AcceptRecords(ctx, s.src.Name, in)
	if err != nil {
		return err
	}
	for i, t := range taken {
		if t.Broken != nil {
			return t.Broken
		}
		if t.Why != fact.WhyNone {
			s.aside.put(mine[i].Place, a.Workspace, t.Why.String(), s.node.now())
		}
	}
	if row, ok := s.aside.rows[keyOf(a)]; ok {
		row.First, row.Records = min(max(next, row.First), row.Last), max(0, row.Records-int64(len(mine)))
		s.aside.set(row)
	}
	s.went(len(mine))
	return s.aside.store(ctx, s)
}

// finishAgain ends a row that was read to where it ended when it was begun. What the servers had deleted by then is said for good.
func (s *streaming) finishAgain(ctx context.Context, a workspace.Aside, gone bool) error {
	s.lane.Lock()
	defer s.lane.Unlock()
	row, ok := s.aside.rows[keyOf(a)]
	if !ok || row.Last > a.Last {
		return nil // more came meanwhile
	}
	s.aside.end(row)
	if gone && row.Records > 0 {
		s.node.log.Error("the servers of a stream deleted records before there was room for them", "source", s.src.Name, "workspace", row.Workspace, "records", row.Records)
		lost := row
		lost.Why = asideGone
		if before, ok := s.aside.rows[keyOf(lost)]; ok {
			lost.First, lost.Records = before.First, before.Records+row.Records
		}
		s.aside.set(lost)
	}
	return s.aside.store(ctx, s)
}
