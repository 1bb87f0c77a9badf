package cli

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestAnAssistantStartsMurmur: an assistant that starts the command lists the insights of an empty data directory.
func TestAnAssistantStartsMurmur(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if made := Run(t.Context(), []string{"policy", "set", "region=US", "--reason", "a test", "--data", data}, IO{In: &bytes.Buffer{}, Out: io.Discard, Err: io.Discard}); made != 0 {
		t.Fatal("no data directory: exit code", made)
	}
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	var said bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- Run(t.Context(), []string{"mcp", "--data", data}, IO{In: fromClient, Out: toClient, Err: &said})
		_ = toClient.Close()
	}()
	c, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(t.Context(), &mcp.IOTransport{Reader: fromServer, Writer: toServer}, nil)
	if err != nil {
		t.Fatal(err, said.String())
	}
	res, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_insights"})
	if err != nil || res.IsError || !strings.Contains(res.Content[0].(*mcp.TextContent).Text, "missed-call-rate") {
		t.Errorf("%v %+v", err, res)
	}
	_ = c.Close()
	_ = toServer.Close()
	if got := <-code; got != 0 || said.Len() > 0 {
		t.Errorf("exit %d, stderr %q", got, said.String())
	}
}

// TestAnAssistantOfNoWorkspace: a workspace that does not exist is an error of the command line.
func TestAnAssistantOfNoWorkspace(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	code := Run(context.Background(), []string{"mcp", "--workspace", "nowhere", "--data", filepath.Join(t.TempDir(), "data")}, IO{In: strings.NewReader(""), Out: io.Discard, Err: &said})
	if code != 2 || !strings.Contains(said.String(), "hint: ") {
		t.Errorf("exit %d: %s", code, said.String())
	}
}
