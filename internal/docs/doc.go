// Package docs holds the pages for people to what the house does: links lead somewhere, commands run, tables agree with
// the code, tests that a page calls upon exist, and no page names somebody's machine.
//
// Zone: outside, tests only; nothing links it. docs/tour.md has a package of its own.
//
// What it does not show: that a sentence is true.
package docs
