package cli

import (
	"context"
	"io"

	"murmur/internal/insight"
	"murmur/internal/mcp"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

type mcpCmd struct {
	Workspace string `default:"default" help:"Workspace."`
	As        string `help:"What the assistant reads: what viewers see, or only what is differentially private." enum:"viewer,outside" default:"viewer" env:"MURMUR_MCP_AS"`
}

func (c *mcpCmd) Run(r *run) error {
	if terminal(r.In) {
		return &rpc.Problem{Message: "this verb speaks to a program, not to a person", Hint: "an assistant starts it; docs/assistants.md shows the configuration", Exit: 2}
	}
	if _, err := c.figures(r); err != nil { // an unknown workspace is an error now, not in an answer to the assistant
		return err
	}
	var insights []insight.Insight
	if c.As == "outside" {
		insights = insight.OutsideInsights()
	}
	return mcp.Run(r.ctx, mcp.Config{
		Version: server.VersionOf().Version, Insights: insights,
		Figures: func(context.Context) ([]insight.Figure, error) { return c.figures(r) },
	}, io.NopCloser(r.In), stayOpen{r.Out})
}

// figures are those that viewers may see, or somebody outside. They are asked for anew each time: without a server the data directory is open
// for that moment only.
func (c *mcpCmd) figures(r *run) ([]insight.Figure, error) {
	return r.figures(rpc.FiguresArgs{Workspace: c.Workspace, As: c.As})
}

// stayOpen is a writer that its reader's end does not close.
type stayOpen struct{ io.Writer }

func (stayOpen) Close() error { return nil }
