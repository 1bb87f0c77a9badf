package lake

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// A version may move its event to another day, so a fresh id has to be looked up in all days. Ids are keyed hashes:
// their first eight bytes, in one sorted list, are enough to find the few that occur twice, and only of those the
// rows are compared.

// settleSlice is how many fresh ids are looked up at a time: it bounds the memory, each more costs another look at
// the ids of all files.
const settleSlice = 1 << 20

// settle drops the rows that a higher version of their id supersedes, in whatever day. It reads the ids of the
// buckets that have fresh files, and nothing when there are none. Loose rows wait for their days first.
func (l *Lake) settle(ctx context.Context) error {
	l.mu.Lock()
	err := l.refresh(ctx)
	fresh := map[int32]bool{}
	for p := range l.fresh {
		if f, there := l.state[fact.Facts].files[p]; there && !f.part.loose {
			fresh[f.part.bucket] = true
		}
	}
	l.mu.Unlock()
	for b := range fresh {
		if ctx.Err() == nil {
			err = errors.Join(err, l.change(ctx, func(m *move) error { return l.settleBucket(ctx, m, b, settleSlice) }))
		}
	}
	return errors.Join(err, ctx.Err())
}

func (l *Lake) settleBucket(ctx context.Context, m *move, bucket int32, slice int64) error {
	s := &settling{l: l, lost: map[string]map[int]bool{}}
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			if p.loose || p.bucket != bucket {
				continue
			}
			for _, f := range files {
				fresh := t == fact.Facts && l.fresh[f.path]
				if s.files = append(s.files, candidate{f, t, fresh}); fresh {
					s.rows += f.Count()
					m.settled[f.path] = true
				}
			}
		}
	}
	slices.SortFunc(s.files, func(a, b candidate) int { return cmp.Compare(a.path, b.path) })
	s.slices = 1 + uint64(s.rows/slice)
	for n := range s.slices {
		if err := s.search(ctx, n); err != nil {
			return err
		}
	}
	var groups []group
	for _, f := range s.files {
		if lost := s.lost[f.path]; lost != nil {
			groups = append(groups, group{table: f.table, files: []dataFile{f.dataFile}, judge: dropping(lost)})
		}
	}
	err := l.rewrite(ctx, m, groups)
	return errors.Join(append(m.damaged, err)...) // all or nothing: an id is looked up once
}

// dropping is the verdict on rows of one file by their place.
func dropping(lost map[int]bool) func(dataFile, Stored) verdict {
	return func(_ dataFile, r Stored) verdict {
		if lost[r.n] {
			return drop
		}
		return stay
	}
}

// candidate is a file that may have a superseded row.
type candidate struct {
	dataFile
	table fact.Table
	fresh bool
}

// settling looks for ids of fresh files that stand in more than one row of a bucket.
type settling struct {
	l      *Lake
	files  []candidate
	rows   int64  // of fresh files
	slices uint64 // ids are looked at in so many slices
	lost   map[string]map[int]bool
}

// contender is a row whose id may stand elsewhere too.
type contender struct {
	id      fact.ID
	ws      *workspace.ID // one pointer a workspace
	version int64
	day     Day
	file, n int32
	words   bool // a row of texts
	linked  bool
}

// ranks is the order of contenders: rows of one id together, facts before words, the one that counts first.
func ranks(a, b contender) int {
	return cmp.Or(bytes.Compare(a.id[:], b.id[:]), bytes.Compare(a.ws[:], b.ws[:]), falseFirst(a.words, b.words),
		cmp.Compare(b.version, a.version), cmp.Compare(b.day, a.day), falseFirst(a.linked, b.linked), cmp.Compare(a.file, b.file), cmp.Compare(a.n, b.n))
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// search finds the superseded rows among one slice of the ids.
func (s *settling) search(ctx context.Context, slice uint64) error {
	again, err := s.repeated(ctx, slice)
	if err != nil || len(again.ids) == 0 {
		return err
	}
	var rows []contender
	spaces := map[workspace.ID]*workspace.ID{}
	for n, f := range s.files {
		for r, err := range s.l.scan(ctx, f.table, f.dataFile, []fact.Column{fact.ColWorkspace, fact.ColID, fact.ColVersion, fact.ColAt, fact.ColContact}) {
			if err != nil {
				return err
			}
			if !again.has(binary.BigEndian.Uint64(r.ID[:])) {
				continue
			}
			if spaces[r.Workspace] == nil {
				spaces[r.Workspace] = &r.Workspace
			}
			rows = append(rows, contender{id: r.ID, ws: spaces[r.Workspace], version: r.Version, day: dayAt(r.At),
				file: int32(n), n: int32(r.n), words: f.table == fact.Texts, linked: r.linked()})
		}
	}
	slices.SortFunc(rows, ranks)
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].id == rows[0].id && rows[n].ws == rows[0].ws {
			n++
		}
		s.judge(rows[:n])
		rows = rows[n:]
	}
	return nil
}

// judge gives up all rows of one id, in the order of ranks, but the first fact and the words of its version.
func (s *settling) judge(rows []contender) {
	best := rows[0]
	words := false
	for _, r := range rows[1:] {
		if r.words && !words && !best.words && r.version == best.version && r.day == best.day {
			words = true
			continue
		}
		path := s.files[r.file].path
		if s.lost[path] == nil {
			s.lost[path] = map[int]bool{}
		}
		s.lost[path][int(r.n)] = true
	}
}

// version is one version of an id, by the id's first eight bytes.
type version struct {
	id uint64
	n  int64
}

// repeated gives the ids of a slice that a fresh file has and that another row of facts has too, or words of another
// version.
func (s *settling) repeated(ctx context.Context, slice uint64) (*idSet, error) {
	var fresh []version
	for _, f := range s.files {
		if f.fresh {
			if err := s.versions(ctx, f, slice, func(v version) { fresh = append(fresh, v) }); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(fresh, func(a, b version) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(b.n, a.n)) })
	ids := make([]uint64, len(fresh))
	var again []uint64
	for i, v := range fresh {
		if ids[i] = v.id; i > 0 && ids[i-1] == v.id {
			again = append(again, v.id)
		}
	}
	known := newIDSet(ids)
	for _, f := range s.files {
		if f.fresh {
			continue
		}
		err := s.versions(ctx, f, slice, func(v version) {
			if i, there := known.find(v.id); there && (f.table == fact.Facts || fresh[i].n != v.n) {
				again = append(again, v.id)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(again)
	return newIDSet(slices.Compact(again)), nil
}

// versions yields a file's rows that belong to a slice.
func (s *settling) versions(ctx context.Context, f candidate, slice uint64, yield func(version)) error {
	return s.l.heads(ctx, f.table, f.dataFile, []fact.Column{fact.ColID, fact.ColVersion}, func(h *head, _ int) bool {
		for i := range h.id.Len() {
			if id := binary.BigEndian.Uint64(h.id.Value(i)); s.slices == 1 || id%s.slices == slice {
				yield(version{id, h.version.Value(i)})
			}
		}
		return true
	})
}

// idSet is a sorted list of ids behind a sieve: almost every id that is not in it costs one look into a bitmap.
type idSet struct {
	ids   []uint64
	sieve []uint64
	shift int
}

func newIDSet(sorted []uint64) *idSet {
	shift := 58 // 64 bits at least
	for shift > 34 && 1<<(64-shift) < 8*len(sorted) {
		shift--
	}
	s := &idSet{sorted, make([]uint64, 1<<(64-shift)/64), shift}
	for _, id := range sorted {
		s.sieve[id>>shift>>6] |= 1 << (id >> shift & 63)
	}
	return s
}

func (s *idSet) has(id uint64) bool {
	_, there := s.find(id)
	return there
}

// find gives the first place of an id in the list.
func (s *idSet) find(id uint64) (int, bool) {
	if s.sieve[id>>s.shift>>6]&(1<<(id>>s.shift&63)) == 0 {
		return 0, false
	}
	return slices.BinarySearch(s.ids, id)
}
