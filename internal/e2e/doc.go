// Package e2e tests the whole house from outside: over HTTP with signed webhooks, over the control socket, with the
// figures it prints and the files it leaves.
//
// Zone: outside, tests only; nothing links it. What it asks of the house it asks as a vendor, an operator or a thief
// would: house_test.go runs servers in this process and in child processes that can be killed, fold_test.go says in
// plain Go what the figures of a synthetic business must be, and every other file is one promise.
//
// The default run is short. `make test-faults` tries faults more often, MURMUR_FULL=1 asks for the memory of a
// server that takes a million events. What cannot run here (a power cut without root) is skipped and says
// "NOT TESTED".
//
// What it does not show: how good the redactor is on real language (package redact measures that), and how the house
// stands under load.
package e2e
