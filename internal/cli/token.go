package cli

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

type tokenCmd struct {
	Make   tokenMakeCmd   `cmd:"" default:"withargs" help:"Make an API token; it is shown once (the word make may be left out)."`
	List   tokenListCmd   `cmd:"" help:"List the tokens and the signed-in browsers of a workspace."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token or a browser's session at once."`
}

type tokenMakeCmd struct {
	Workspace string `default:"default" help:"Workspace."`
	Role      string `default:"viewer" env:"MURMUR_TOKEN_ROLE" enum:"owner,viewer,privacy,outside" help:"owner, viewer, privacy or outside (differentially private figures alone)."`
	Days      int    `default:"90" env:"MURMUR_TOKEN_DAYS" help:"Days until it ends, 1 to 366."`
}

func (c *tokenMakeCmd) Run(r *run) error {
	if c.Days < 1 {
		return usage{workspace.ErrTokenLife}
	}
	var token string
	if err := r.do("token", rpc.TokenArgs{Workspace: c.Workspace, Role: c.Role, Days: c.Days}, &token); err != nil {
		return err
	}
	_, err := fmt.Fprintln(r.Out, token)
	return err
}

type tokenListCmd struct {
	Workspace string `default:"default" help:"Workspace."`
}

func (c *tokenListCmd) Run(r *run) error {
	var list []workspace.Pass
	if err := r.do("token-list", rpc.WorkspaceArgs{Workspace: c.Workspace}, &list); err != nil {
		return err
	}
	return r.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "No token and no browser opens this workspace.")
			return
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "ID\tROLE\tPAGE\tMADE\tENDS")
		for _, p := range list {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Role, dash(p.Page), p.Created.Format(time.DateOnly), p.Ends.Format(time.DateOnly))
		}
		_ = t.Flush()
	})
}

type tokenRevokeCmd struct {
	ID        string `arg:"" help:"The id that murmur token list shows."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *tokenRevokeCmd) Run(r *run) error {
	var a rpc.Revoked
	if err := r.do("token-revoke", rpc.RevokeArgs{Workspace: c.Workspace, ID: c.ID}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "%s gives no access any more.\n", a.ID) })
}
