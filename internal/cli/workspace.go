package cli

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

type workspaceCmd struct {
	List    workspaceListCmd    `cmd:"" help:"List the workspaces and how they stand."`
	Create  workspaceCreateCmd  `cmd:"" help:"Make a workspace and a token of its owner."`
	Limit   workspaceLimitCmd   `cmd:"" help:"Set what a workspace may have at most; a limit that is left out is taken away."`
	Suspend workspaceSuspendCmd `cmd:"" help:"Take nothing in for a workspace, process and show nothing of it, and keep what it has."`
	Resume  workspaceResumeCmd  `cmd:"" help:"Have a suspended workspace work again."`
	Export  workspaceExportCmd  `cmd:"" help:"Write what the workspace's owner set and was shown, as JSON."`
	Delete  workspaceDeleteCmd  `cmd:"" help:"Delete a suspended workspace: its keys, then everything else. Nobody can undo it."`
}

type workspaceListCmd struct{}

func (c *workspaceListCmd) Run(r *run) error {
	var list []workspace.Tenant
	if err := r.do("workspace-list", rpc.WorkspaceArgs{}, &list); err != nil {
		return err
	}
	return r.print(list, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "WORKSPACE\tSTATE\tMADE\tA SECOND\tA DAY\tOPEN")
		for _, ws := range list {
			made := "-"
			if ws.Created != nil {
				made = ws.Created.Format(time.DateOnly)
			}
			l := ws.Limits
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", ws.Workspace, ws.State, made, most(l.Second), most(l.Day), most(l.Open))
		}
		_ = t.Flush()
	})
}

// most prints a limit.
func most(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

type workspaceCreateCmd struct {
	Name string `arg:"" help:"Its name: 1 to 32 of a-z, 0-9 and -. Names stay in the ledger: take a number of yours, not a person's name."`
}

func (c *workspaceCreateCmd) Run(r *run) error {
	var made rpc.TenantMade
	if err := r.do("workspace-create", rpc.WorkspaceArgs{Workspace: c.Name}, &made); err != nil {
		return err
	}
	return r.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "Workspace %s is made. The token of its owner, shown once:\n%s\n", made.Workspace, made.Token)
	})
}

type workspaceLimitCmd struct {
	Name   string `arg:"" help:"The workspace."`
	Second int64  `name:"a-second" help:"Deliveries a second by webhook; more is answered 429." placeholder:"N"`
	Day    int64  `name:"a-day" help:"Deliveries a UTC day, however they come." placeholder:"N"`
	Open   int64  `name:"open" help:"Deliveries that wait: not yet processed, held, in quarantine." placeholder:"N"`
}

func (c *workspaceLimitCmd) Run(r *run) error {
	var ws workspace.Tenant
	a := rpc.LimitArgs{Workspace: c.Name, Limits: workspace.Limits{Second: c.Second, Day: c.Day, Open: c.Open}}
	if err := r.do("workspace-limit", a, &ws); err != nil {
		return err
	}
	return r.print(ws, func(w io.Writer) {
		l := ws.Limits
		fmt.Fprintf(w, "Workspace %s may have: %s a second, %s a day, %s open.\n", ws.Workspace, most(l.Second), most(l.Day), most(l.Open))
	})
}

type workspaceSuspendCmd struct {
	Name string `arg:"" help:"The workspace."`
}

func (c *workspaceSuspendCmd) Run(r *run) error { return r.tenant("workspace-suspend", c.Name) }

type workspaceResumeCmd struct {
	Name string `arg:"" help:"The workspace."`
}

func (c *workspaceResumeCmd) Run(r *run) error { return r.tenant("workspace-resume", c.Name) }

type workspaceDeleteCmd struct {
	Name string `arg:"" help:"The workspace, which must be suspended."`
}

func (c *workspaceDeleteCmd) Run(r *run) error { return r.tenant("workspace-delete", c.Name) }

// tenant does something with a workspace and prints how it stands then.
func (r *run) tenant(verb, name string) error {
	var ws workspace.Tenant
	if err := r.do(verb, rpc.WorkspaceArgs{Workspace: name}, &ws); err != nil {
		return err
	}
	said := map[string]string{"works": "works", "suspended": "is suspended", "deleting": "is being deleted", "deleted": "is deleted"}
	return r.print(ws, func(w io.Writer) {
		fmt.Fprintf(w, "Workspace %s %s.\n", ws.Workspace, cmp.Or(said[ws.State], ws.State))
		if ws.Receipt != "" {
			fmt.Fprintf(w, "Receipt: %s\n", ws.Receipt)
		}
	})
}

type workspaceExportCmd struct {
	Name string `arg:"" help:"The workspace."`
}

func (c *workspaceExportCmd) Run(r *run) error {
	return r.stream("workspace-export", rpc.WorkspaceArgs{Workspace: c.Name}, nil, r.Out)
}
