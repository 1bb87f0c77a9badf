package cli

import (
	"murmur/internal/rpc"
)

type exportCmd struct {
	Call      string `arg:"" help:"The platform's own id of the call; of an imported vCon its uuid."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *exportCmd) Run(r *run) error {
	return r.stream("export", rpc.ExportArgs{Workspace: c.Workspace, Call: c.Call}, nil, r.Out)
}
