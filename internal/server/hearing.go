package server

import (
	"murmur/internal/explain"
	"murmur/internal/private"
	"murmur/internal/rpc"
)

// transcriber says which transcriber is used for recordings, and how it is confined.
func transcriber() rpc.Check {
	c := rpc.Check{Name: "recordings", OK: true}
	switch found, held := private.Hearing(""); {
	case found == "":
		c.Said, c.Hint = "no transcriber is installed", "make voice installs one; without it a recording needs a transcript with times"
	case !held.Runs:
		c.OK, c.Said = false, "the transcriber "+found+" does not run: this system has no "+held.Lacks
		c.Hint = explain.Confine
	case held.Lacks != "":
		c.Said, c.Hint = "transcribed by "+found+", without sockets and without files of others", "this system does not give it "+held.Lacks
	default:
		c.Said = "transcribed by " + found + ", without sockets, network, files and processes of others"
	}
	return c
}
