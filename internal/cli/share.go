package cli

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

type shareCmd struct {
	Page      string `arg:"" help:"calls, topics or satisfaction."`
	Workspace string `default:"default" help:"Workspace."`
	Days      int    `default:"30" env:"MURMUR_SHARE_DAYS" help:"Days until the link ends, 1 to 366."`
}

func (c *shareCmd) Run(r *run) error {
	if c.Days < 1 {
		return usage{workspace.ErrTokenLife}
	}
	var l rpc.Shared
	if err := r.do("share", rpc.ShareArgs{Workspace: c.Workspace, Page: c.Page, Days: c.Days}, &l); err != nil {
		return err
	}
	return r.print(l, func(w io.Writer) {
		fmt.Fprintf(w, "Until %s whoever has this link sees the page: %s\nmurmur token list shows it, murmur token revoke %s ends it.\n", l.Ends.Format(time.DateOnly), cmp.Or(l.URL, l.Path), l.ID)
	})
}
