// Package counttest tests that every counter gives the same counts: for random rows, a fold in plain Go
// says what each query counts.
//
// Zone: AMBER, tests only.
package counttest

import (
	"bytes"
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// Row is one row of the lake: a version of a fact.
type Row struct {
	Kind    fact.Kind
	ID      fact.ID
	Version int64
	At      int64  // microseconds since 1970
	Contact []byte // nil after de-linking
	Values  map[fact.Column]int64

	own int64 // topic of the workspace's own; 0: none
}

func (r Row) get(c fact.Column) int64 { return r.Values[c] } // absent counts as 0, unknown

// Fold is a release.Counter over rows in memory. It is slow and plain.
type Fold struct {
	Rows []Row
}

// folded are the rows of one question's population: one a row, with its leaf.
type folded struct {
	leaf    int
	contact string
	bin     int
	region  int  // -1: the population
	claimed bool // the contact is not verified
}

type counts struct {
	questions []release.Question
	rows      [][]folded
}

// Open folds every question.
func (f *Fold) Open(_ context.Context, snap release.Snapshot, s release.Settings, qs []release.Question) (release.Counts, error) {
	c := &counts{questions: qs}
	spans, verified := map[release.Span][]Placed{}, map[release.Span]map[string]bool{}
	for _, q := range qs {
		if spans[q.Span] == nil {
			spans[q.Span], verified[q.Span] = Place(tellOwn(f.Rows, snap.Own), s, q.Span), f.verified(q.Span)
		}
		var out []folded
		for _, p := range spans[q.Span] {
			leaf, claimed := p.Leaf(q), !verified[q.Span][string(p.Row.Contact)]
			if bin, ok := p.Bin(q.Query); ok {
				out = append(out, folded{leaf, string(p.Row.Contact), bin, -1, claimed})
			}
			for i, region := range q.Regions {
				_, in := p.Bin(region.Of)
				for _, m := range region.Minus {
					if _, taken := p.Bin(m); taken {
						in = false
					}
				}
				if in {
					out = append(out, folded{leaf, string(p.Row.Contact), 0, i, claimed})
				}
			}
		}
		c.rows = append(c.rows, out)
	}
	return c, nil
}

// tellOwn gives the rows with the workspace's own topics as theirs.
func tellOwn(rows []Row, own []release.Own) []Row {
	topics := map[release.Version]int64{}
	for _, o := range own {
		topics[o.Version] = o.Topic
	}
	rows = slices.Clone(rows)
	for i, r := range rows {
		if topic, ok := topics[release.Version{Kind: r.Kind, ID: r.ID, Version: r.Version}]; ok {
			rows[i].own = topic
		}
	}
	return rows
}

// verified are the contacts for whom somebody else than the sender of a row vouches.
func (f *Fold) verified(span release.Span) map[string]bool {
	all := map[string]bool{}
	for _, r := range f.Rows {
		at := time.UnixMicro(r.At)
		if r.get(fact.ColClaimed) != 0 || at.Before(span.Start.Add(-release.Horizon)) || !at.Before(span.End) {
			continue
		}
		who := string(r.Contact)
		if bytes.Equal(r.Contact, fact.Nobody[:]) {
			who = ""
		}
		all[who] = true
	}
	return all
}

// Parts gives every row of every question.
func (f *Fold) Parts(ctx context.Context, snap release.Snapshot, s release.Settings, qs []release.Question, give func(release.Part)) error {
	opened, err := f.Open(ctx, snap, s, qs)
	if err != nil {
		return err
	}
	for question, rows := range opened.(*counts).rows {
		for _, r := range rows {
			if r.region < 0 {
				give(release.Part{Question: question, Leaf: r.leaf, Bin: r.bin, Mark: release.MarkOf([]byte(r.contact)), Verified: !r.claimed})
			}
		}
	}
	return nil
}

// Placed is a row inside a span, the newest version of its fact, with what the queries ask of it.
type Placed struct {
	Row      Row
	settings release.Settings
	reply    optional
	returned optional
	ties     ties
}

type optional struct {
	value int64
	ok    bool
}

// Place gives the rows inside a span.
func Place(rows []Row, s release.Settings, span release.Span) (placed []Placed) {
	rows = newest(rows)
	of := map[string][]Row{} // of each contact
	for _, r := range rows {
		of[string(r.Contact)] = append(of[string(r.Contact)], r)
	}
	for _, r := range rows {
		at := time.UnixMicro(r.At)
		if at.Before(span.Start) || !at.Before(span.End) {
			continue
		}
		p := Placed{Row: r, settings: s}
		all := of[string(r.Contact)]
		p.reply.value, p.reply.ok = p.findReply(all, span)
		p.returned.value, p.returned.ok = p.findReturn(all)
		p.ties = p.findTies(all)
		placed = append(placed, p)
	}
	return placed
}

func (c *counts) Close() error { return nil }

// Count adds up cells.
func (c *counts) Count(_ context.Context, question int, cells [][]int) ([]release.Cell, error) {
	q := c.questions[question]
	out := make([]release.Cell, len(cells))
	for i, cell := range cells {
		out[i].Bins = make([]int64, max(1, len(q.Query.Value.Bins)))
		out[i].Keys = make([]release.Marks, len(out[i].Bins))
		rows := map[string]int64{}
		out[i].Regions = make([]int64, len(q.Regions))
		seen, regions := map[folded]bool{}, make([][2]int64, len(q.Regions))
		for _, r := range c.rows[question] {
			if !slices.Contains(cell, r.leaf) {
				continue
			}
			if r.region < 0 {
				out[i].Bins[r.bin]++
				out[i].Keys[r.bin] = out[i].Keys[r.bin].Plus(release.MarkOf([]byte(r.contact)))
				if rows[r.contact]++; r.contact != "" {
					out[i].Most = max(out[i].Most, rows[r.contact])
				}
			}
			who := folded{contact: r.contact, region: r.region}
			if seen[who] {
				continue
			}
			seen[who] = true
			verified := int64(1)
			if r.claimed {
				verified = 0
			}
			if r.region < 0 {
				out[i].Contacts++
				out[i].Verified += verified
			} else {
				regions[r.region][0]++
				regions[r.region][1] += verified
			}
		}
		for n, r := range regions {
			out[i].Regions[n] = release.RegionOf(r[0], r[1])
		}
	}
	return out, nil
}

// newest keeps the highest version of each fact, the de-linked one among equals, in order of time.
func newest(rows []Row) []Row {
	type key struct {
		kind fact.Kind
		id   fact.ID
	}
	best := map[key]Row{}
	for _, r := range rows {
		k := key{r.Kind, r.ID}
		old, ok := best[k]
		if !ok || r.Version > old.Version || r.Version == old.Version && r.Contact == nil {
			best[k] = r
		}
	}
	var out []Row
	for _, r := range best {
		if bytes.Equal(r.Contact, fact.Nobody[:]) {
			r.Contact = nil // callers who are not shown are linked with nothing
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.ID[:], b.ID[:])) })
	return out
}

// Leaf gives the row's leaf of a question.
func (p Placed) Leaf(q release.Question) int {
	r := p.Row
	for i, w := range q.Weeks {
		if at := time.UnixMicro(r.At); !at.Before(w.Start) && at.Before(w.End) {
			return i
		}
	}
	if q.Weeks != nil {
		return len(q.Weeks)
	}
	var k release.Key
	switch q.Query.Split {
	case release.ByNumber:
		k[0] = r.get(fact.ColNumber)
	case release.ByReason:
		k[0], _ = p.reason()
	case release.ByTopic:
		k[0] = cmp.Or(r.own, r.get(fact.ColTopic))
	case release.ByHourOfWeek:
		k[0] = int64(p.hour())
	case release.ByMenu:
		k = release.Key{r.get(fact.ColNode), r.get(fact.ColChoice)}
	case release.BySurvey:
		k = release.Key{r.get(fact.ColSurvey), r.get(fact.ColMedium)}
	case release.ByAct:
		k[0] = r.get(fact.ColAct)
	case release.ByReply:
		k[0] = r.get(fact.ColReply)
	case release.ByKind:
		k[0] = int64(r.Kind)
	default:
		k = p.tiedKey(q.Query.Split)
	}
	if i := slices.Index(q.Leaves, k); i >= 0 {
		return i
	}
	return len(q.Leaves)
}

func (p Placed) hour() int {
	at := time.UnixMicro(p.Row.At).In(p.settings.Zone)
	return (int(at.Weekday())+6)%7*24 + at.Hour()
}

// Bin gives the bin of the row for a query; false when the row is not in its population.
func (p Placed) Bin(q release.Query) (int, bool) {
	if !slices.Contains(q.Kinds, p.Row.Kind) || q.Open && !p.settings.OpenHours.Has(p.hour()) {
		return 0, false
	}
	for _, f := range q.Where {
		if !slices.Contains(f.In, p.Row.get(f.Column)) {
			return 0, false
		}
	}
	value, ok := p.value(q.Value)
	if !ok || q.Value.Derived == release.Nothing || len(q.Value.Bins) == 0 {
		return 0, ok
	}
	bin := -1
	for i, low := range q.Value.Bins {
		if value >= low {
			bin = i
		}
	}
	return bin, bin >= 0
}

func (p Placed) value(q release.Value) (int64, bool) {
	r := p.Row
	switch q.Derived {
	case release.FromColumn:
		n, ok := r.Values[q.Column]
		return n, ok
	case release.Missed:
		return p.missed()
	case release.MissReason:
		return p.reason()
	case release.AnswerSeconds:
		n, ok := r.Values[fact.ColRingS]
		return n, ok && r.inbound() && r.get(fact.ColResult) == int64(fact.Answered)
	case release.ReplySeconds:
		return p.reply.value, p.reply.ok
	case release.ReturnedIn24h:
		return p.returned.value, p.returned.ok
	case release.Nothing:
		return 0, true
	}
	return p.tiedValue(q.Derived)
}

func (r Row) inbound() bool {
	return r.Kind == fact.KindCall && r.get(fact.ColDirection) == int64(fact.In)
}

func (r Row) reached() bool {
	res := fact.Result(r.get(fact.ColResult))
	return res == fact.Answered || res == fact.AIHandled || res == fact.Forwarded
}

func (r Row) unreached() bool {
	res := fact.Result(r.get(fact.ColResult))
	return res == fact.Missed || res == fact.Failed
}

func (p Placed) short() bool {
	ring, ok := p.Row.Values[fact.ColRingS]
	return ok && ring < p.settings.ShortAbandonS
}

func (p Placed) missed() (int64, bool) {
	switch {
	case !p.Row.inbound():
	case p.Row.reached():
		return 0, true
	case p.Row.unreached() && !p.short():
		return 1, true
	}
	return 0, false
}

func (p Placed) reason() (int64, bool) {
	switch {
	case !p.Row.inbound() || !p.Row.unreached():
		return 0, false
	case p.short():
		return int64(fact.ShortAbandoned), true
	case !p.settings.OpenHours.Has(p.hour()):
		return int64(fact.OutOfHours), true
	}
	return p.Row.get(fact.ColReason), true
}

// findReply walks the conversation with the contact.
func (p Placed) findReply(all []Row, span release.Span) (int64, bool) {
	if p.Row.Contact == nil || p.Row.get(fact.ColDirection) != int64(fact.In) || !p.Row.human() {
		return 0, false
	}
	first, after := true, false
	for _, o := range all {
		at := time.UnixMicro(o.At)
		if !o.human() || !bytes.Equal(o.Contact, p.Row.Contact) || o.Contact == nil ||
			at.Before(span.Start.Add(-release.Horizon)) || !at.Before(span.End.Add(release.Horizon)) {
			continue
		}
		out := o.get(fact.ColDirection) == int64(fact.Out)
		switch {
		case o.ID == p.Row.ID:
			if !first {
				return 0, false
			}
			after = true
		case !after:
			first = out
		case out:
			return (o.At - p.Row.At) / 1e6, true
		}
	}
	return 0, false
}

// human reports whether the row is a text that asks or answers.
func (r Row) human() bool {
	d := r.get(fact.ColDirection)
	return r.Kind == fact.KindMessage && r.get(fact.ColAutomatic) == 0 && (d == int64(fact.In) || d == int64(fact.Out))
}

func (p Placed) findReturn(all []Row) (int64, bool) {
	if m, ok := p.missed(); !ok || m == 0 || p.Row.Contact == nil {
		return 0, false
	}
	for _, o := range all {
		if !bytes.Equal(o.Contact, p.Row.Contact) || o.Contact == nil || o.At <= p.Row.At || o.At > p.Row.At+24*3600*1e6 {
			continue
		}
		out := o.get(fact.ColDirection) == int64(fact.Out)
		if o.Kind == fact.KindCall && (out || o.inbound() && o.reached()) || out && o.human() {
			return 1, true
		}
	}
	return 0, true
}

// Hide turns some contacts into callers who withhold their number.
func Hide(rows []Row) {
	for i, r := range rows {
		if len(r.Contact) > 0 && r.Contact[0]%8 == 3 {
			rows[i].Contact = fact.Nobody[:]
		}
	}
}

// Claim has some rows be claimed, all versions alike, and all rows of some contacts.
func Claim(rows []Row) {
	for _, r := range rows {
		if r.ID[0]%4 == 0 || len(r.Contact) > 0 && r.Contact[0]%5 == 1 {
			r.Values[fact.ColClaimed] = 1
		}
	}
}

// OwnTopic is the topic of the workspace's own that Own gives.
const OwnTopic = 1 << 41

// Own says of some rows that they are about it, and of rows that there are not.
func Own(rows []Row) (own []release.Own) {
	for _, r := range rows {
		if v := (release.Version{Kind: r.Kind, ID: r.ID, Version: r.Version}); r.ID[1]%3 == 0 {
			own = append(own, release.Own{Version: v, Topic: OwnTopic})
			v.Version--
			own = append(own, release.Own{Version: v, Topic: OwnTopic})
		}
	}
	return own
}

// Random makes n facts of some contacts around a span, some in several versions, out of order and doubled,
// some after de-linking.
func Random(rng *rand.Rand, n, contacts int, span release.Span) []Row {
	var rows []Row
	length := span.End.Sub(span.Start)
	for i := range n {
		r := Row{Kind: fact.Kind(1 + rng.IntN(6)), Version: int64(rng.IntN(100)), Contact: make([]byte, 16)}
		if rng.IntN(3) > 0 {
			r.Kind = fact.Kind(1 + rng.IntN(2))
		}
		r.ID[0], r.ID[1], r.ID[2], r.ID[15] = byte(rng.IntN(256)), byte(i), byte(i>>8), byte(i>>16)
		r.At = span.Start.Add(-length / 4).Add(time.Duration(rng.Int64N(int64(length) * 3 / 2))).UnixMicro()
		if rng.IntN(3) == 0 { // equal times occur
			r.At -= r.At % (48 * 3600 * 1e6)
		}
		who := min(rng.IntN(contacts), rng.IntN(contacts))
		r.Contact[0], r.Contact[1] = byte(who), byte(who>>8)
		if last := len(rows) - 1; last >= 0 && rows[last].Contact != nil && rng.IntN(2) == 0 { // soon after the one before
			r.Contact, r.At = bytes.Clone(rows[last].Contact), rows[last].At+rng.Int64N([]int64{hour / 10, hour, 25 * hour}[rng.IntN(3)])
		}
		if rng.IntN(20) == 0 {
			r.Contact = nil
		}
		r.Values = values(rng)
		rows = append(rows, r)
		for rng.IntN(4) == 0 { // another version, perhaps at another time
			again := r
			again.Version += int64(1 + rng.IntN(50))
			again.Values = values(rng)
			if rng.IntN(3) == 0 {
				again.At += int64(rng.IntN(int(length.Microseconds()))) - length.Microseconds()/2
			}
			rows = append(rows, again)
			r.Version = again.Version
		}
		if rng.IntN(5) == 0 {
			again := rows[len(rows)-1]
			if rng.IntN(4) == 0 {
				again.Contact = nil // the file before a rewrite is still read beside the one after it
			}
			rows = append(rows, again)
		}
	}
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

// values draws every column, some absent; labels are skewed so that some leaves are small.
func values(rng *rand.Rand) map[fact.Column]int64 {
	v := map[fact.Column]int64{}
	put := func(c fact.Column, low, n int) {
		if rng.IntN(12) > 0 {
			v[c] = int64(low + min(rng.IntN(n), rng.IntN(n)))
		}
	}
	put(fact.ColDirection, 1, 2)
	put(fact.ColNumber, 101, 7)
	put(fact.ColResult, 1, 5)
	put(fact.ColReason, 1, 6)
	put(fact.ColRingS, 0, 40)
	put(fact.ColAutomatic, 0, 2)
	put(fact.ColTopic, 1, 9)
	put(fact.ColSentiment, -100, 200)
	put(fact.ColNode, 301, 4)
	put(fact.ColChoice, 401, 8)
	put(fact.ColNodeKind, 1, 5)
	put(fact.ColSurvey, 501, 3)
	put(fact.ColScale, 1, 3)
	put(fact.ColScore, 0, 11)
	put(fact.ColMedium, 1, 4)
	put(fact.ColAct, 1, 5)
	put(fact.ColVoicemail, 0, 2)
	put(fact.ColReply, 601, 4)
	return v
}
