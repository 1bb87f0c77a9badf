package release

import "murmur/internal/fact"

// Public gives the keys of a split and what figures call each, the last name being that of rows with any other key. ok is
// false for a split by the workspace's own labels: which there are follows from what people did.
func Public(s Split) (keys []Key, members []Member, ok bool) {
	var d Dictionary
	switch s {
	case NoSplit:
		return nil, []Member{{}}, true
	case ByTopic:
		for _, t := range fact.Topics() {
			d.Topics = append(d.Topics, Name{int64(t), t.String()})
		}
	case ByReason, ByAct:
	default:
		return nil, nil, false
	}
	t := grow(s, d)
	for _, m := range t.members {
		members = append(members, m[0])
	}
	return t.keys, members, true
}
