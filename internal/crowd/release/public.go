package release

import "murmur/internal/fact"

// Public gives the keys of a split and what figures call each, the last name being that of rows with any other key. ok is
// false for a split by the workspace's own labels: which there are follows from what people did.
func Public(s Split) (keys []Key, members []Member, ok bool) {
	switch s {
	case NoSplit:
		return nil, []Member{{}}, true
	case ByTopic, ByReason, ByAct:
	default:
		return nil, nil, false
	}
	t := grow(s, dictionaryOf(s))
	for _, m := range t.members {
		members = append(members, m[0])
	}
	return t.keys, members, true
}

// dictionaryOf has the public names of a split alone.
func dictionaryOf(s Split) (d Dictionary) {
	if s == ByTopic {
		for _, t := range fact.Topics() {
			d.Topics = append(d.Topics, Name{int64(t), t.String()})
		}
	}
	return d
}

// Coarser gives the ways in which the public tree of a split merges its leaves, the finest first: each leaf for itself, then one level of the
// tree less each time, as long as two groups are left.
func Coarser(s Split) (cuts [][][]int) {
	t := grow(s, dictionaryOf(s))
	for depth := t.root.depth(); depth >= 0; depth-- {
		if cut := t.root.cut(depth); len(cuts) == 0 || len(cut) > 1 && len(cut) < len(cuts[len(cuts)-1]) {
			cuts = append(cuts, cut)
		}
	}
	return cuts
}

func (n *node) depth() (most int) {
	for _, k := range n.kids {
		most = max(most, 1+k.depth())
	}
	return most
}

// cut gives the groups of leaves under the nodes of a depth.
func (n *node) cut(depth int) (groups [][]int) {
	if depth == 0 || len(n.kids) == 0 {
		return [][]int{n.leaves()}
	}
	for _, k := range n.kids {
		groups = append(groups, k.cut(depth-1)...)
	}
	return groups
}
