// Package arch tests the rules of the architecture that the compiler does not enforce.
//
// A rule reads the syntax, the types and the import graph of the whole module and reports findings. What a
// rule allows is listed beside it with the reason, finding by finding; an entry that nothing matches any more
// fails, so the lists cannot outlive what they excuse. For every rule the test plants files in memory that
// break it, and the rule must find them: this proves that the rule can fail.
//
// Zone: outside of all zones. It has only tests.
//
// What it does not protect against: somebody who edits this package in the same change. A reviewer should
// look at its lists first.
package arch

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// rule is one promise about the code. find returns one line a finding, "package verb thing".
type rule struct {
	name  string
	find  func(*house) []string
	allow map[string]string // finding to reason
	red   []plant           // each must be found
}

// rules is the list of promises.
var rules = []rule{
	zones, offline, furnished, plainUse, pure, // imports_test.go
	facts, doors, // types_test.go
	gates, noUnsafe, noTableRewrites, // calls_test.go
	comments, quiet, noSleep, binary, // habits_test.go
}

var tree = sync.OnceValues(load)

func open(t *testing.T) *house {
	t.Helper()
	h, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRulesHold(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			found := r.find(h)
			for _, f := range r.faults(found) {
				t.Error(f)
			}
			for f := range r.allow {
				if !slices.Contains(found, f) {
					t.Errorf("%q is allowed but does not occur: take it off the list", f)
				}
			}
		})
	}
}

func TestRulesGoRed(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if len(r.red) == 0 {
				t.Fatal("nothing is planted against this rule")
			}
			for i, p := range r.red {
				g, _ := h.with(t, p)
				faults := r.faults(r.find(g))
				if len(faults) == 0 {
					t.Errorf("plant %d in %s is not found", i, p.pkg)
				}
				for _, f := range faults {
					t.Logf("plant %d: %s", i, f)
				}
			}
		})
	}
}

// faults are the findings that are not allowed, each once.
func (r rule) faults(found []string) []string {
	out := slices.DeleteFunc(slices.Clone(found), func(f string) bool { return r.allow[f] != "" })
	slices.SortFunc(out, strings.Compare)
	return slices.Compact(out)
}
