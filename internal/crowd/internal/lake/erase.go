package lake

import (
	"context"
	"errors"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Forget drops every row of the contacts in one workspace. A row that was de-linked belongs to no contact
// and stays.
func (l *Lake) Forget(ctx context.Context, ws workspace.ID, contacts []anon.Contact) error {
	gone := contactSet(contacts)
	return wrap("forget", l.drop(ctx, search{
		ws:    ws,
		cols:  []fact.Column{fact.ColWorkspace, fact.ColContact},
		in:    func(_ fact.Table, f dataFile) bool { return f.linked() },
		match: func(h *head, i int) bool { return gone[h.who(i)] },
	}))
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
	return wrap("withdraw", l.drop(ctx, w.search(ws)))
}

// Withdrawable counts the talks that Withdraw would drop.
func (l *Lake) Withdrawable(ctx context.Context, ws workspace.ID, w Withdrawal) (n int, err error) {
	snap, release, err := l.Pin(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	s := w.search(ws)
	for _, f := range snap.files[fact.Facts] {
		rows, err := l.find(ctx, fact.Facts, f, s)
		if err != nil {
			return n, wrap("look for what was withdrawn", err)
		}
		n += len(rows)
	}
	return n, nil
}

// Speakers lists the contacts of whom there are words, in rows that are linked.
func (l *Lake) Speakers(ctx context.Context, ws workspace.ID) (all [][anon.ContactLen]byte, err error) {
	snap, release, err := l.Pin(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	seen := map[[anon.ContactLen]byte]bool{{}: true}
	s := search{
		ws: ws, cols: []fact.Column{fact.ColWorkspace, fact.ColKind, fact.ColContact},
		in: func(t fact.Table, f dataFile) bool { return f.linked() && (t == fact.Texts || f.referring()) },
		match: func(h *head, i int) bool {
			if who := h.who(i); !seen[who] && h.ws(i) == ws && (h.t == fact.Texts || h.kind.Value(i) == int64(fact.KindTalk)) {
				seen[who], all = true, append(all, who)
			}
			return false
		},
	}
	for _, t := range tables {
		for _, f := range snap.files[t] {
			if _, err := l.find(ctx, t, f, s); err != nil {
				return nil, wrap("list who has words", err)
			}
		}
	}
	return all, nil
}

// search says which rows of a workspace are looked for, and where.
type search struct {
	ws    workspace.ID
	cols  []fact.Column // that match looks at
	in    func(fact.Table, dataFile) bool
	match func(h *head, row int) bool
}

func (w Withdrawal) search(ws workspace.ID) search {
	calls, contacts := idSetOf(w.Calls), contactSet(w.Contacts)
	s := search{ws: ws, cols: []fact.Column{fact.ColWorkspace, fact.ColKind}}
	if len(contacts) > 0 {
		s.cols = append(s.cols, fact.ColContact)
	}
	if len(calls) > 0 {
		s.cols = append(s.cols, fact.ColCallHi, fact.ColCallLo)
	}
	s.in = func(t fact.Table, f dataFile) bool {
		said := t == fact.Texts || f.referring() // every talk belongs to a call
		return said && len(contacts) > 0 && f.linked() || t == fact.Facts && len(calls) > 0 && f.referring()
	}
	s.match = func(h *head, i int) bool {
		talk := h.kind.Value(i) == int64(fact.KindTalk)
		return talk && calls[h.refers(i)] || (talk || h.t == fact.Texts) && contacts[h.who(i)]
	}
	return s
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

func idSetOf(ids []fact.ID) map[fact.ID]bool {
	m := make(map[fact.ID]bool, len(ids))
	for _, id := range ids {
		if id != (fact.ID{}) {
			m[id] = true
		}
	}
	return m
}

// find gives the places of the rows of a file that a search looks for.
func (l *Lake) find(ctx context.Context, t fact.Table, f dataFile, s search) (map[int]bool, error) {
	if !f.holds(s.ws) || !s.in(t, f) {
		return nil, nil
	}
	var found map[int]bool
	err := l.heads(ctx, t, f, s.cols, func(h *head, first int) bool {
		for i := range int(h.rec.NumRows()) {
			if s.match(h, i) && h.ws(i) == s.ws {
				if found == nil {
					found = map[int]bool{}
				}
				found[first+i] = true
			}
		}
		return true
	})
	return found, err
}

// drop removes the rows that are looked for, in all days, and with a fact its words. What is in a file that cannot be
// read stays: then the rest goes all the same, and the error says that not everything did.
func (l *Lake) drop(ctx context.Context, s search) error {
	return l.change(ctx, func(m *move) error {
		found := map[string]map[int]bool{}
		for _, t := range tables {
			for _, f := range l.state[t].files {
				rows, err := l.find(ctx, t, f, s)
				if err := m.tolerate(err); err != nil {
					return err
				}
				if rows != nil {
					found[f.path] = rows
				}
			}
		}
		if len(found) == 0 {
			return nil
		}
		if err := l.follow(ctx, m, s.ws, found); err != nil {
			return err
		}
		var groups []group
		for _, t := range tables {
			for _, f := range l.state[t].files {
				if rows := found[f.path]; rows != nil {
					groups = append(groups, group{table: t, files: []dataFile{f}, judge: dropping(rows)})
				}
			}
		}
		return l.rewrite(ctx, m, groups)
	})
}

// follow adds to the rows that were found those that go with them: the words of a fact, and older versions, which
// would otherwise become the newest.
func (l *Lake) follow(ctx context.Context, m *move, ws workspace.ID, found map[string]map[int]bool) error {
	going := map[fact.Table]map[fact.ID]int64{fact.Facts: {}, fact.Texts: {}} // the highest version that goes
	each := func(t fact.Table, all bool, f func(id fact.ID, version int64, there bool) bool) error {
		for _, file := range l.state[t].files {
			if !file.holds(ws) || !all && found[file.path] == nil {
				continue
			}
			err := l.heads(ctx, t, file, []fact.Column{fact.ColWorkspace, fact.ColID, fact.ColVersion}, func(h *head, first int) bool {
				there := found[file.path]
				for i := range h.id.Len() {
					if h.ws(i) == ws && f(fact.ID(h.id.Value(i)), h.version.Value(i), there[first+i]) {
						if there == nil {
							there = map[int]bool{}
							found[file.path] = there
						}
						there[first+i] = true
					}
				}
				return true
			})
			if err := m.tolerate(err); err != nil {
				return err
			}
		}
		return nil
	}
	for _, t := range tables {
		err := each(t, false, func(id fact.ID, version int64, there bool) bool {
			if old, known := going[t][id]; there && (!known || version > old) {
				going[t][id] = version
			}
			return false
		})
		if err != nil {
			return err
		}
	}
	remains := map[fact.ID]bool{} // the same version without a contact: it counts and stays
	err := each(fact.Facts, true, func(id fact.ID, version int64, there bool) bool {
		v, goes := going[fact.Facts][id]
		if goes && version == v && !there {
			remains[id] = true
		}
		return goes && version < v
	})
	if err != nil {
		return err
	}
	return each(fact.Texts, true, func(id fact.ID, version int64, _ bool) bool {
		v, goes := going[fact.Facts][id]
		w, words := going[fact.Texts][id]
		return goes && (version < v || version == v && !remains[id]) || words && version < w
	})
}

// Delink drops the contact's value from the rows of the workspaces and days that cut names. From then on rows of one
// person cannot be joined. A file that cannot be read keeps its links, and its error is given; the others go on.
func (l *Lake) Delink(ctx context.Context, cut func(workspace.ID, Day) bool) error {
	groups, err := l.linked(ctx, cut)
	return wrap("de-link", errors.Join(err, l.rewriteAll(ctx, groups)))
}

// linked gives the files that have a contact's value to cut.
func (l *Lake) linked(ctx context.Context, cut func(workspace.ID, Day) bool) (groups []group, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	judge := func(_ dataFile, r Stored) verdict {
		if r.linked() && cut(r.Workspace, dayAt(r.At)) {
			return unlink
		}
		return stay
	}
	for _, t := range tables {
		for _, f := range l.state[t].files {
			if !f.linked() {
				continue
			}
			for r, bad := range l.scan(ctx, t, f, []fact.Column{fact.ColWorkspace, fact.ColAt, fact.ColContact}) {
				if bad != nil && !isDamage(bad) {
					return nil, bad
				}
				if bad != nil {
					err = errors.Join(err, bad)
					break
				}
				if judge(f, r) == unlink {
					groups = append(groups, group{table: t, files: []dataFile{f}, judge: judge})
					break
				}
			}
		}
	}
	return groups, errors.Join(err, ctx.Err())
}

// DropTexts drops the masked words of all days that ended at or before t, also of files that cannot be read.
func (l *Lake) DropTexts(ctx context.Context, before time.Time) error {
	last := DayOf(before)
	return wrap("drop texts", l.change(ctx, func(m *move) error {
		var groups []group
		for _, f := range l.state[fact.Texts].files {
			switch {
			case f.to < last:
				groups = append(groups, group{table: fact.Texts, files: []dataFile{f}, gone: true})
				l.noteAll(ctx, m, f)
			case f.from < last:
				groups = append(groups, group{table: fact.Texts, files: []dataFile{f}, judge: func(_ dataFile, r Stored) verdict {
					if dayAt(r.At) < last {
						return drop
					}
					return stay
				}})
			}
		}
		return l.rewrite(ctx, m, groups)
	}))
}

// noteAll notes a file's rows as changed, as far as it can be read.
func (l *Lake) noteAll(ctx context.Context, m *move, f dataFile) {
	for r, err := range l.scan(ctx, fact.Texts, f, []fact.Column{fact.ColWorkspace, fact.ColKind, fact.ColAt}) {
		if err != nil {
			return
		}
		m.changed(r)
	}
}
