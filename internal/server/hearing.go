package server

import "murmur/internal/private"

// hearing says which recogniser hears recordings, and how.
func (d *Diagnosis) hearing() {
	c := Check{Name: "recordings", OK: true}
	switch found, isolated := private.Hearing(""); {
	case found == "":
		c.Said, c.Hint = "no recogniser hears them", "make voice installs one; without it a recording needs a transcript with times"
	case !isolated:
		c.Said, c.Hint = "heard by "+found, "this system allows no namespaces: the recogniser runs with its network"
	default:
		c.Said = "heard by " + found + ", without network"
	}
	d.Checks = append(d.Checks, c)
}
