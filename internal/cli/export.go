package cli

import "murmur/internal/server"

type exportCmd struct {
	Call      string `arg:"" help:"The platform's own id of the call; of an imported vCon its uuid."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *exportCmd) Run(r *run) error {
	return r.stream("export", server.ExportArgs{Workspace: c.Workspace, Call: c.Call}, nil, r.Out)
}
