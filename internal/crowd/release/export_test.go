package release

import "slices"

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

// Portions cuts a group's leaves by the children of the lowest node that holds them all; root reports
// whether that is the root.
func Portions(s Split, d Dictionary, leaves []int) (portions [][]int, root bool) {
	t := grow(s, d)
	for n := range homesOf(t.root, [][]int{leaves}) {
		for _, kid := range n.kids {
			var p []int
			for _, l := range kid.leaves() {
				if slices.Contains(leaves, l) {
					p = append(p, l)
				}
			}
			portions = append(portions, p)
		}
		root = n == t.root
	}
	return portions, root
}
