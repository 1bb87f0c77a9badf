package private

import (
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/workspace"
)

func TestAStepIsLocatedInTheFlow(t *testing.T) {
	t.Parallel()
	f, err := workspace.ParseFlow([]byte("flow: desk\nnumbers: [PN1]\nnodes:\n  welcome: {kind: menu, label: Main menu, keys: {1: {label: Sales, to: vm}, 7: {opt_out: true}}, none: vm}\n  vm: {kind: voicemail}\n"))
	if err != nil {
		t.Fatal(err)
	}
	f.Version, f.Since = 3, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	flows := []workspace.Flow{f}
	at := f.Since.AddDate(0, 0, 1)

	s := event.Step{Flow: "PN1", Number: "PN1", Node: "menu", Choice: "1", Label: "Old name", Outcome: fact.StepMatched} // as Quo sends it
	locate(flows, &s, at)
	if s.Flow != "desk" || s.FlowVersion != "3" || s.Node != "welcome" || s.NodeLabel != "Main menu" || s.NodeKind != fact.NodeMenu || s.Label != "Sales" || s.Outcome != fact.StepMatched {
		t.Errorf("%+v", s)
	}
	s = event.Step{Flow: "PN1", Number: "PN1", Node: "menu", Choice: "7", Outcome: fact.StepMatched}
	locate(flows, &s, at)
	if _, refused := refusal(&event.Event{Step: &s}, workspace.DefaultPolicy()); !refused {
		t.Error("the flow's key for an opt-out is none")
	}
	s = event.Step{Flow: "desk", FlowVersion: "v9", Node: "vm"} // a native step
	locate(flows, &s, at)
	if s.FlowVersion != "v9" || s.NodeKind != fact.NodeVoicemail {
		t.Error("a version that the source names is kept, and the kind is the flow's")
	}
	before := event.Step{Flow: "PN1", Number: "PN1", Node: "menu", Choice: "1"}
	s = before
	if locate(flows, &s, f.Since.Add(-time.Second)); s != before {
		t.Error("a step from before the flow was changed")
	}
}
