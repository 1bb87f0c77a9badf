package release

// Contains, Disjoint and Open are for tests outside the package, which the reference fold needs.
var (
	Contains = contains
	Disjoint = disjoint
	Open     = open
	Seal     = seal
)

// Leaves gives the keys and members of a split's public tree.
func Leaves(s Split, d Dictionary) ([]Key, [][]Member) {
	t := grow(s, d)
	return t.keys, t.members
}

// LongYear reports whether an ISO year has 53 weeks.
var LongYear = longYear
