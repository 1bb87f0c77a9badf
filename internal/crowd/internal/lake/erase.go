package lake

import (
	"context"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Forget drops every row of the contacts in one workspace. A row that was de-linked is nobody's and stays.
func (l *Lake) Forget(ctx context.Context, ws workspace.ID, contacts []anon.Contact) error {
	gone := contactSet(contacts)
	return wrap("forget", l.drop(ctx, ws, func(r Stored) bool { return gone[r.Contact] }))
}

// Retract drops facts by their ids, in one workspace.
func (l *Lake) Retract(ctx context.Context, ws workspace.ID, ids []fact.ID) error {
	gone := idSet(ids)
	return wrap("retract", l.drop(ctx, ws, func(r Stored) bool { return gone[r.ID] }))
}

// Withdrawal names content that must go because somebody opted out: everything said in the calls, and every
// word of the contacts.
type Withdrawal struct {
	Calls    []fact.ID
	Contacts []anon.Contact
}

// Withdraw drops talks of the calls, and talks and masked words of the contacts, in all days. That a call or a
// message took place stays.
func (l *Lake) Withdraw(ctx context.Context, ws workspace.ID, w Withdrawal) error {
	calls, contacts := idSet(w.Calls), contactSet(w.Contacts)
	return wrap("withdraw", l.drop(ctx, ws, func(r Stored) bool {
		talk := r.Kind == fact.KindTalk
		return talk && calls[r.Call] || contacts[r.Contact] && (talk || r.Table == fact.Texts)
	}))
}

func contactSet(contacts []anon.Contact) map[[anon.ContactLen]byte]bool {
	m := make(map[[anon.ContactLen]byte]bool, len(contacts))
	for _, c := range contacts {
		if c.Valid() { // the zero contact is that of every de-linked row
			m[c.Bytes()] = true
		}
	}
	return m
}

func idSet(ids []fact.ID) map[fact.ID]bool {
	m := make(map[fact.ID]bool, len(ids))
	for _, id := range ids {
		if id != (fact.ID{}) {
			m[id] = true
		}
	}
	return m
}

// drop removes the rows of a workspace that match, in all days; a fact goes with its words. Superseded versions
// go first: without that an old version of a row that is dropped would come to light again.
func (l *Lake) drop(ctx context.Context, ws workspace.ID, match func(Stored) bool) error {
	bucket := bucketOf(ws)
	if err := l.settle(ctx, func(b int32) bool { return b == bucket }); err != nil {
		return err
	}
	return l.change(ctx, func(m *move) error {
		gone, parts := map[fact.ID]bool{}, map[part]bool{}
		for _, t := range tables { // facts first: their ids name the words that go with them
			for p, files := range l.state[t].parts() {
				if p.bucket != bucket {
					continue
				}
				for r, err := range l.scan(ctx, t, files, colHead[t]) {
					if err != nil {
						return err
					}
					if r.Workspace != ws || !match(r) && !gone[r.ID] {
						continue
					}
					parts[p] = true
					if t == fact.Facts {
						gone[r.ID] = true
					}
				}
			}
		}
		return l.rewrite(ctx, m, parts, func(r Stored) Verdict {
			if r.Workspace == ws && (gone[r.ID] || match(r)) {
				return Drop
			}
			return Stay
		})
	})
}

// Delink drops the contact's value from the rows of all days that ended at or before t, but for those that wait.
// From then on rows of one person cannot be joined. Each day is a commit of its own.
func (l *Lake) Delink(ctx context.Context, before time.Time, waits map[Day]bool) error {
	linked, err := l.linked(ctx, DayOf(before))
	for day, parts := range linked {
		if err == nil && !waits[day] {
			err = l.change(ctx, func(m *move) error {
				return l.rewrite(ctx, m, parts, func(Stored) Verdict { return Unlink })
			})
		}
	}
	return wrap("de-link", err)
}

// linked gives the partitions before a day that have a contact's value, by day.
func (l *Lake) linked(ctx context.Context, before Day) (map[Day]map[part]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	out := map[Day]map[part]bool{}
	for _, t := range tables {
		for _, f := range l.state[t].files {
			const contact = int(fact.ColContact) // the same field id in both tables
			if f.part.day >= before || f.ValueCounts()[contact] == f.NullValueCounts()[contact] {
				continue
			}
			if out[f.part.day] == nil {
				out[f.part.day] = map[part]bool{}
			}
			out[f.part.day][f.part] = true
		}
	}
	return out, nil
}

// DropTexts drops the masked words of all days that ended at or before t.
func (l *Lake) DropTexts(ctx context.Context, before time.Time) error {
	if err := l.settle(ctx, everyBucket); err != nil {
		return wrap("drop texts", err)
	}
	err := l.change(ctx, func(m *move) error {
		var old []dataFile
		for _, f := range l.state[fact.Texts].files {
			if f.part.day < DayOf(before) {
				old = append(old, f)
			}
		}
		for r, err := range l.scan(ctx, fact.Texts, old, colChange) {
			if err != nil {
				return err
			}
			m.changed(r)
		}
		return l.replace(ctx, m, fact.Texts, old, nil)
	})
	return wrap("drop texts", err)
}
