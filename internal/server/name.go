package server

import (
	"context"
	"errors"
	"strings"

	"murmur/internal/crowd"
	"murmur/internal/rpc"
)

// personal reports a masked name in which somebody was named, or can be reached. A place is none: branches are called after them.
func personal(masked string) bool {
	for _, mask := range []string{"[PERSON]", "[NAME]", "[PHONE]", "[EMAIL]", "[URL]", "[CREDIT_CARD]", "[SSN]", "[IBAN]", "[BANK_ACCT]", "…"} {
		if strings.Contains(masked, mask) {
			return true
		}
	}
	return false
}

func (n *Node) rename(ctx context.Context, a rpc.NameArgs) (rpc.NamedAnswer, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.NamedAnswer{}, err
	}
	if personal(n.zone.MaskName(a.To).String()) {
		return rpc.NamedAnswer{}, &rpc.Problem{Message: "a name tells no person, telephone number or address of a mailbox or site", Hint: "it stands in figures that others read: name the line, not who answers it", Exit: 2, Status: 422}
	}
	named, err := n.crowd.Rename(ctx, ws, a.Kind, a.From, a.To)
	if errors.Is(err, crowd.ErrName) {
		return rpc.NamedAnswer{}, &rpc.Problem{Message: err.Error(), Hint: "murmur figures shows what lines, menus and surveys are called", Exit: 2, Status: 422}
	}
	return rpc.NamedAnswer{Named: named}, err
}
