// Package docs tests the pages for people against the program: links lead somewhere, commands run, tables agree with
// the code, tests that a page names exist, and no page names a particular machine.
//
// Zone: outside, tests only; nothing links it. docs/tour.md has a package of its own.
//
// What it does not check: whether a sentence is true.
package docs
