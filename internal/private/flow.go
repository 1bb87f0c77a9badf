package private

import (
	"strconv"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/workspace"
)

// nodeKinds are the kinds of nodes by the words of a flow's file.
var nodeKinds = map[string]fact.NodeKind{
	"hours": fact.NodeHours, "greeting": fact.NodeGreeting, "notice": fact.NodeNotice, "menu": fact.NodeMenu, "ring_group": fact.NodeRingGroup,
	"queue": fact.NodeQueue, "voicemail": fact.NodeVoicemail, "forward": fact.NodeForward, "auto_reply": fact.NodeAutoReply, "ai_agent": fact.NodeAIAgent,
}

// locate says of a step which version of the business's own flow it belongs to, and what its node is. Where the flow
// says nothing, the vendor's own words stay. A key that the flow marks with opt_out is an opt-out.
func locate(flows []workspace.Flow, s *event.Step, at time.Time) {
	f, ok := workspace.FlowAt(flows, s.Flow, s.Number, at)
	if !ok {
		return
	}
	s.Flow = f.Name
	if s.FlowVersion == "" {
		s.FlowVersion = strconv.Itoa(f.Version)
	}
	n, ok := f.Node(s.Node, s.Choice, s.Label)
	if !ok {
		return
	}
	s.Node, s.NodeLabel, s.NodeKind = n.Name, n.Label, nodeKinds[n.Kind]
	if k, ok := n.Key(s.Choice); ok {
		s.Label = k.Label
		if k.OptOut {
			s.Outcome = fact.StepOptOut
		}
	}
}
