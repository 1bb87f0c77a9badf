package release

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"murmur/internal/fact"
)

// Dictionary is the public side of a workspace's labels: what a split's leaves are called.
type Dictionary struct {
	Labels []Label
	Topics []Name // in the order of the taxonomy
}

// Label is one entry: a label, what it names, its masked name and its parent (a choice's node, a node's
// flow; 0: none).
type Label struct {
	Key    int64
	Dim    fact.Dim
	Parent int64
	Name   string
}

// Name is a key and what figures call it.
type Name struct {
	Key  int64
	Name string
}

// tree is the public tree of a split. Leaf len(keys) holds all rows with another key.
type tree struct {
	root    *node
	keys    []Key
	members [][]Member // by leaf; none for the whole
}

// node has children, or is a leaf.
type node struct {
	kids []*node
	leaf int // when it has no kids
}

var (
	reasonNames = []Name{
		{int64(fact.ShortAbandoned), "short_abandoned"}, {int64(fact.OutOfHours), "out_of_hours"},
		{int64(fact.NoMemberAvailable), "no_member_available"}, {int64(fact.MembersDidNotAnswer), "members_did_not_answer"},
		{int64(fact.AbandonedInMenu), "abandoned_in_menu"}, {int64(fact.Abandoned), "abandoned"},
	}
	actNames = []Name{
		{int64(fact.Noticed), "noticed"}, {int64(fact.OptedIn), "opted_in"}, {int64(fact.OptedOut), "opted_out"},
		{int64(fact.Withdrawn), "withdrawn"}, {int64(fact.Violation), "violation"},
	}
	mediumNames = []Name{
		{int64(fact.MediumCall), "call"}, {int64(fact.MediumText), "text"}, {int64(fact.MediumEmail), "email"},
		{int64(fact.MediumWeb), "web"}, {0, "unknown"},
	}
)

var (
	kindNames  = []Name{{int64(fact.KindCall), "call"}, {int64(fact.KindMessage), "text"}}
	delayNames = []Name{{1, "5_minutes"}, {2, "15_minutes"}, {3, "1_hour"}, {4, "4_hours"}, {5, "24_hours"}}
	yesNo      = []Name{{1, "yes"}, {2, "no"}}
	// replyCases are the strata in which callers and writers with and without an automatic reply are alike.
	replyCases = []Name{{1, "call_open"}, {2, "call_closed"}, {3, "text_open"}, {4, "text_closed"}}
	// drivers are the dimensions of what may have moved a score.
	drivers = map[Split]string{ByMissed: "missed_call", ByLongWait: "long_wait", ByReturn: "repeat_contact", ByAgent: "ai_agent"}
)

// Delays are the upper ends of the buckets of ByDelay.
var Delays = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour}

// other names the leaf of everything that has no public key.
const other = "other"

// grow makes the public tree of a split: it depends on names and settings, never on counts.
func grow(s Split, d Dictionary) *tree {
	t := &tree{}
	switch s {
	case NoSplit:
		t.root = &node{}
		t.members = [][]Member{nil}
		return t
	case ByHourOfWeek:
		t.root = t.hours()
		return t
	case ByNumber:
		t.root = binary(t.named("number", d.labels(fact.DimNumber, 0)))
	case ByReason:
		t.root = binary(t.named("reason", reasonNames))
	case ByTopic:
		t.root = binary(t.named("topic", d.Topics))
	case ByAct:
		t.root = binary(t.named("act", actNames))
	case ByMenu:
		t.root = t.menu(d)
	case BySurvey:
		t.root = t.surveys(d)
	case ByReply:
		t.root = binary(t.named("reply", d.byKey(fact.DimReply))) // the texts of a block name them
	case ByKind:
		t.root = binary(t.named("medium", kindNames))
	case ByDelay:
		t.root = binary(t.named("delay", delayNames))
	case ByTurn:
		t.root = t.crossed("from", kindNames, "to", kindNames)
	case ByAutoReply:
		t.root = t.crossed("auto_reply", yesNo, "case", replyCases)
	case ByMissed, ByLongWait, ByReturn, ByAgent:
		t.root = binary(t.named(drivers[s], yesNo))
	}
	rest := t.add(Key{}, t.others(s)...)
	t.keys = t.keys[:rest.leaf] // reached by having none of the others' keys
	if t.root == nil {
		t.root = rest
	} else {
		t.root = &node{kids: []*node{t.root, rest}}
	}
	return t
}

func (t *tree) others(s Split) []Member {
	switch s {
	case ByNumber:
		return []Member{{"number", 0, other}}
	case ByReason:
		return []Member{{"reason", 0, "unknown"}}
	case ByTopic:
		return []Member{{"topic", 0, "unclassified"}}
	case ByMenu:
		return []Member{{"flow", 0, other}, {"node", 0, other}, {"choice", 0, other}}
	case BySurvey:
		return []Member{{"survey", 0, other}, {"medium", 0, other}}
	case ByReply:
		return []Member{{"reply", 0, other}}
	case ByKind:
		return []Member{{"medium", 0, other}}
	case ByDelay:
		return []Member{{"delay", 0, other}}
	case ByTurn:
		return []Member{{"from", 0, other}, {"to", 0, other}}
	case ByAutoReply:
		return []Member{{"auto_reply", 0, other}, {"case", 0, other}}
	case ByMissed, ByLongWait, ByReturn, ByAgent:
		return []Member{{drivers[s], 0, other}}
	}
	return []Member{{"act", 0, other}}
}

func (t *tree) add(k Key, m ...Member) *node {
	t.keys = append(t.keys, k)
	t.members = append(t.members, m)
	return &node{leaf: len(t.keys) - 1}
}

// crossed is the second dimension > the first > all.
func (t *tree) crossed(first string, names []Name, second string, under []Name) *node {
	var kids []*node
	for _, a := range names {
		var below []*node
		for _, b := range under {
			below = append(below, t.add(Key{a.Key, b.Key}, Member{first, a.Key, a.Name}, Member{second, b.Key, b.Name}))
		}
		kids = append(kids, binary(below))
	}
	return binary(kids)
}

func (t *tree) named(dim string, names []Name) (kids []*node) {
	for _, n := range names {
		kids = append(kids, t.add(Key{n.Key}, Member{dim, n.Key, n.Name}))
	}
	return kids
}

// hours is hour > that hour of all weekdays, or of the weekend > two hours > four hours > weekdays or weekend > all:
// a business that is quiet at noon is quiet at noon every day, so days merge before hours do.
func (t *tree) hours() *node {
	return &node{kids: []*node{t.dayHours(0, 5), t.dayHours(5, 7)}}
}

func (t *tree) dayHours(first, last int) *node {
	days := &node{}
	for four := 0; four < 24; four += 4 {
		b := &node{}
		for two := four; two < four+4; two += 2 {
			p := &node{}
			for hour := two; hour < two+2; hour++ {
				same := &node{}
				for day := first; day < last; day++ {
					h := int64(day*24 + hour)
					same.kids = append(same.kids, t.add(Key{h}, Member{"hour_of_week", h, strconv.FormatInt(h, 10)}))
				}
				p.kids = append(p.kids, same)
			}
			b.kids = append(b.kids, p)
		}
		days.kids = append(days.kids, b)
	}
	return days
}

// menu is choice > node > flow > all; each node has the choice "none": nothing was pressed.
func (t *tree) menu(d Dictionary) *node {
	var flows []*node
	for _, f := range d.labels(fact.DimFlow, 0) {
		var nodes []*node
		for _, n := range d.labels(fact.DimNode, f.Key) {
			flow, at := Member{"flow", f.Key, f.Name}, Member{"node", n.Key, n.Name}
			var choices []*node
			for _, c := range d.labels(fact.DimChoice, n.Key) {
				choices = append(choices, t.add(Key{n.Key, c.Key}, flow, at, Member{"choice", c.Key, c.Name}))
			}
			choices = append(choices, t.add(Key{n.Key, 0}, flow, at, Member{"choice", 0, "none"}))
			nodes = append(nodes, binary(choices))
		}
		if len(nodes) > 0 {
			flows = append(flows, binary(nodes))
		}
	}
	return binary(flows)
}

// surveys is medium > survey > all.
func (t *tree) surveys(d Dictionary) *node {
	var surveys []*node
	for _, s := range d.labels(fact.DimSurvey, 0) {
		var media []*node
		for _, m := range mediumNames {
			media = append(media, t.add(Key{s.Key, m.Key}, Member{"survey", s.Key, s.Name}, Member{"medium", m.Key, m.Name}))
		}
		surveys = append(surveys, binary(media))
	}
	return binary(surveys)
}

// labels gives the entries of a dimension under a parent (0: all), by name, each key once.
func (d Dictionary) labels(dim fact.Dim, parent int64) (names []Name) {
	seen := map[int64]bool{0: true}
	for _, l := range d.Labels {
		if l.Dim == dim && (parent == 0 || l.Parent == parent) && !seen[l.Key] {
			seen[l.Key] = true
			names = append(names, Name{l.Key, l.Name})
		}
	}
	slices.SortFunc(names, func(a, b Name) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key)) })
	return names
}

// byKey are the labels of a dimension in an order that their names have no part in.
func (d Dictionary) byKey(dim fact.Dim) []Name {
	names := d.labels(dim, 0)
	slices.SortFunc(names, func(a, b Name) int { return cmp.Compare(a.Key, b.Key) })
	return names
}

// binary hangs nodes under a balanced binary tree in their order; nil when there are none.
func binary(kids []*node) *node {
	switch len(kids) {
	case 0:
		return nil
	case 1:
		return kids[0]
	}
	half := (len(kids) + 1) / 2
	return &node{kids: []*node{binary(kids[:half]), binary(kids[half:])}}
}

// leaves lists the leaves under a node in order.
func (n *node) leaves() (all []int) {
	if len(n.kids) == 0 {
		return []int{n.leaf}
	}
	for _, k := range n.kids {
		all = append(all, k.leaves()...)
	}
	return all
}
