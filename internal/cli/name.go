package cli

import (
	"fmt"
	"io"

	"murmur/internal/rpc"
)

type nameCmd struct {
	Kind      string `arg:"" enum:"line,flow,step,choice,survey" help:"line, flow, step, choice or survey."`
	From      string `arg:"" help:"What it is called now, or by its platform."`
	To        string `arg:"" help:"What pages, mails and figures call it from now on."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *nameCmd) Run(r *run) error {
	var a rpc.NamedAnswer
	if err := r.do("name", rpc.NameArgs{Workspace: c.Workspace, Kind: c.Kind, From: c.From, To: c.To}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "%d named %q.\n", a.Named, c.To) })
}
