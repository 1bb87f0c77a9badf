package server

import (
	"context"
	"errors"

	"murmur/internal/crowd"
)

// NameArgs give something of the business another name on every page.
type NameArgs struct {
	Workspace string `json:"workspace"`
	Kind      string `json:"kind"` // line, flow, step, choice, survey
	From      string `json:"from"` // what it is called now, or by its platform
	To        string `json:"to"`
}

// NamedAnswer says how many things have the name now.
type NamedAnswer struct {
	Named int `json:"named"`
}

func (n *Node) rename(ctx context.Context, a NameArgs) (NamedAnswer, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return NamedAnswer{}, err
	}
	named, err := n.crowd.Rename(ctx, ws, a.Kind, a.From, a.To)
	if errors.Is(err, crowd.ErrName) {
		return NamedAnswer{}, &Problem{Message: err.Error(), Hint: "murmur figures shows what lines, menus and surveys are called", Exit: 2, Status: 422}
	}
	return NamedAnswer{named}, err
}
