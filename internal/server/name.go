package server

import (
	"context"
	"errors"

	"murmur/internal/crowd"
	"murmur/internal/rpc"
)

func (n *Node) rename(ctx context.Context, a rpc.NameArgs) (rpc.NamedAnswer, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.NamedAnswer{}, err
	}
	named, err := n.crowd.Rename(ctx, ws, a.Kind, a.From, a.To)
	if errors.Is(err, crowd.ErrName) {
		return rpc.NamedAnswer{}, &rpc.Problem{Message: err.Error(), Hint: "murmur figures shows what lines, menus and surveys are called", Exit: 2, Status: 422}
	}
	return rpc.NamedAnswer{Named: named}, err
}
