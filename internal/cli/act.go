package cli

import (
	"fmt"
	"io"

	"murmur/internal/server"
)

type eraseCmd struct {
	Contact   string `arg:"" help:"A phone number, an e-mail address, or the platform's own id of a person."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *eraseCmd) Run(r *run) error {
	var a server.Erased
	if err := r.do("erase", server.EraseArgs{Workspace: c.Workspace, Contact: c.Contact}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) {
		fmt.Fprintf(w, "Everything about this contact up to now is erased, whether there was anything or not.\nReceipt: %s\n", a.Receipt)
	})
}

type replayCmd struct {
	Workspace string   `default:"default" help:"Workspace."`
	State     []string `default:"held,quarantined" help:"Which deliveries: held, quarantined."`
}

func (c *replayCmd) Run(r *run) error {
	var a server.Replayed
	if err := r.do("replay", server.ReplayArgs{Workspace: c.Workspace, States: c.State}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "%d deliveries are processed again.\n", a.Deliveries) })
}

type tokenCmd struct {
	Workspace string `default:"default" help:"Workspace."`
	Role      string `default:"viewer" env:"MURMUR_TOKEN_ROLE" enum:"owner,viewer,privacy" help:"owner, viewer or privacy."`
}

func (c *tokenCmd) Run(r *run) error {
	var token string
	if err := r.do("token", server.TokenArgs{Workspace: c.Workspace, Role: c.Role}, &token); err != nil {
		return err
	}
	_, err := fmt.Fprintln(r.Out, token)
	return err
}

type versionCmd struct{}

func (c *versionCmd) Run(r *run) error {
	v := server.VersionOf()
	return r.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "murmur %s, data format %d, redactor %d\n", v.Version, v.Data, v.Redactor)
	})
}
