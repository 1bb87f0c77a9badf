package cli

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"murmur/internal/rpc"
)

type flowCmd struct {
	Show flowShowCmd `cmd:"" default:"withargs" help:"Print the versions of the flows, and the newest of each."`
	Set  flowSetCmd  `cmd:"" help:"Make a file the newest version of its flow; the ledger keeps who and why."`
}

type flowShowCmd struct {
	Workspace string `default:"default" help:"Workspace."`
	Name      string `arg:"" optional:"" help:"One flow."`
}

func (c *flowShowCmd) Run(r *run) error {
	var all []rpc.FlowSet
	if err := r.do("flow-show", rpc.FlowArgs{Workspace: c.Workspace, Name: c.Name}, &all); err != nil {
		return err
	}
	return r.print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "There is no flow yet. docs/workflow.md has one to begin with; murmur flow set FILE")
		}
		for _, f := range all {
			fmt.Fprintf(w, "# %s, version %d: %d nodes, %d keys, since %s\n", f.Flow, f.Version, f.Nodes, f.Keys, f.Since.Format(time.DateOnly))
			if f.YAML != "" {
				fmt.Fprintln(w, strings.TrimRight(f.YAML, "\n"))
			}
		}
	})
}

type flowSetCmd struct {
	Workspace string `default:"default" help:"Workspace."`
	Reason    string `help:"Why: it is kept in the ledger." default:"set on the command line"`
	Author    string `help:"Who: it is kept in the ledger. The user's login by default."`
	File      string `arg:"" help:"YAML file (docs/workflow.md); - is stdin."`
}

func (c *flowSetCmd) Run(r *run) error {
	in := r.In
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return usage{fmt.Errorf("open the file: %w", err)}
		}
		defer f.Close()
		in = f
	}
	args := rpc.FlowArgs{Workspace: c.Workspace, Reason: c.Reason, Author: c.Author}
	if args.Author == "" {
		args.Author = "unknown"
		if u, err := user.Current(); err == nil {
			args.Author = u.Username
		}
	}
	var answer strings.Builder
	if err := r.stream("flow-set", args, in, &answer); err != nil {
		return err
	}
	var f rpc.FlowSet
	if err := unmarshal(answer.String(), &f); err != nil {
		return err
	}
	return r.print(f, func(w io.Writer) {
		said := "is version"
		if !f.Fresh {
			said = "was set before: it is version"
		}
		fmt.Fprintf(w, "The flow %s %d of %s: %d nodes, %d keys. Steps from %s on belong to it.\n", said, f.Version, f.Flow, f.Nodes, f.Keys, f.Since.Format(time.DateTime))
	})
}
