// Package cli is the command line: one file a verb.
//
// A verb prints its result on stdout (for people on a terminal, JSON with --json), progress on stderr when that is
// a terminal, and an error as two lines, "error:" what happened and "hint:" what to do. Verbs other than serve,
// demo, redact, verify, restore and version are carried out by the server that owns the data directory, over its socket, or, where
// none runs, by the same code in this process.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"murmur/internal/explain"
	"murmur/internal/keyring"
	"murmur/internal/private"
	"murmur/internal/rootkey"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

// IO is where a run reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// globals are the flags of every verb.
type globals struct {
	Data    string `help:"Data directory." type:"path" placeholder:"DIR"`
	RootKey string `name:"root-key" help:"The root key apart from the data: a file elsewhere, credential:NAME of systemd, a command that prints it, or the address of a key service that unwraps it; beside the data by default (docs/root-key.md)." placeholder:"FILE|COMMAND|URL"`
	JSON    bool   `name:"json" help:"Print JSON."`
	Config  string `help:"Configuration file: JSON, one key a flag (docs/cli.md)." type:"path" placeholder:"FILE"`
}

type commands struct {
	globals
	Demo      demoCmd      `cmd:"" help:"Invent a business, send its calls, texts, surveys and workflow through the real path, show the figures."`
	Serve     serveCmd     `cmd:"" help:"Take deliveries in, process them, show the pages and the API."`
	Connect   connectCmd   `cmd:"" help:"Add a source, or list, remove and rotate them."`
	Import    importCmd    `cmd:"" help:"Read files: CSV, vCons or native murmur.v1 lines."`
	Export    exportCmd    `cmd:"" help:"Write the redacted vCon of one call."`
	Policy    policyCmd    `cmd:"" help:"What may be used, and how long it is kept."`
	Flow      flowCmd      `cmd:"" help:"The way that calls really go: set a version, show all."`
	Redact    redactCmd    `cmd:"" help:"Mask personal data in text: stdin to stdout."`
	Figures   figuresCmd   `cmd:"" help:"Print every released figure."`
	MCP       mcpCmd       `cmd:"" name:"mcp" help:"Serve the released figures to an assistant, over stdin and stdout."`
	Status    statusCmd    `cmd:"" help:"What became of every delivery."`
	Digest    digestCmd    `cmd:"" help:"The week as a letter: print it, or say who gets it by mail."`
	Alert     alertCmd     `cmd:"" help:"Tell somebody when a figure leaves a range: by mail, webhook or chat."`
	Share     shareCmd     `cmd:"" help:"Make a link to one page of differentially private figures."`
	Erase     eraseCmd     `cmd:"" help:"Erase everything about a contact."`
	Replay    replayCmd    `cmd:"" help:"Process held or quarantined deliveries again."`
	Verify    verifyCmd    `cmd:"" help:"Check every file, the ledger and every receipt."`
	Backup    backupCmd    `cmd:"" help:"Write one consistent backup file."`
	Restore   restoreCmd   `cmd:"" help:"Restore a backup into an empty data directory."`
	Doctor    doctorCmd    `cmd:"" help:"Health with hints; with an event's id: its states and times."`
	Category  categoryCmd  `cmd:"" help:"Reasons for contact of your own, learned from about 20 sentences each."`
	Name      nameCmd      `cmd:"" help:"Give a line, menu or survey the name that people use for it."`
	Workspace workspaceCmd `cmd:"" help:"The operator: make, limit, suspend, resume, export and delete workspaces."`
	Token     tokenCmd     `cmd:"" help:"Make an API token, or list and revoke them."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// run is what a verb gets.
type run struct {
	IO
	globals
	ctx context.Context
}

// usage is an error of the person at the keyboard: exit code 2.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// exit ends a run with a code after everything was printed.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Run carries out one command line and gives the exit code: 0 done, 1 failed, 2 bad usage or input, 3 a check found
// a breach, 4 locked or busy, 5 data newer than this version.
func Run(ctx context.Context, args []string, s IO) int {
	var c commands
	code, exited := 0, false
	options := []kong.Option{
		kong.Name("murmur"),
		kong.Description("murmur hears the crowd, never the caller."),
		kong.DefaultEnvars(envPrefix),
		kong.Vars{"or_recording": ", or a recording"},
		kong.Writers(s.Out, s.Err),
		kong.Exit(func(n int) { code, exited = n, true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	}
	args = helped(args)
	config, err := readSettings(args)
	if err != nil {
		return complain(s.Err, usage{err})
	}
	parser, err := kong.New(&c, append(options, kong.Resolvers(config))...)
	if err != nil {
		return complain(s.Err, usage{err})
	}
	k, err := parser.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		return complain(s.Err, misread(err))
	}
	if c.Data == "" {
		c.Data = defaultData()
	}
	if err := c.useRootKey(); err != nil {
		return complain(s.Err, usage{err})
	}
	return complain(s.Err, k.Run(&run{IO: s, globals: c.globals, ctx: ctx}))
}

// helped reads `murmur help VERB` as `murmur VERB --help`, and nothing as `murmur --help`.
func helped(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// useRootKey has the root key come from where it is kept apart. No confined program may read a file that holds it.
func (g globals) useRootKey() error {
	if g.RootKey == "" {
		return nil
	}
	source, err := rootkey.Find(g.RootKey, g.Data)
	if err != nil {
		return err
	}
	if f, ok := source.(keyring.RootInFile); ok {
		private.Hide(f.Path)
	}
	keyring.Apart(source)
	return nil
}

// defaultData is the user's data directory (XDG Base Directory Specification).
func defaultData() string {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "murmur")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "murmur-data"
	}
	return filepath.Join(home, ".local", "share", "murmur")
}

// misread says in plain words what the parser of the command line did not understand, and which --help to read.
func misread(err error) error {
	murmur := "murmur"
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context.Selected() != nil {
		murmur += " " + p.Context.Selected().Path()
	}
	message := err.Error()
	if what, ok := strings.CutPrefix(message, "expected "); ok {
		message = "missing: " + strings.ReplaceAll(what, `"`, "")
	}
	return &rpc.Problem{Message: message, Hint: murmur + " --help lists the commands and flags", Exit: 2}
}

// complain prints an error and gives the exit code.
func complain(w io.Writer, err error) int {
	var e exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return int(e)
	}
	p := explain.Of(err)
	if errors.As(err, &usage{}) {
		p.Exit = 2
		if p.Hint == "" {
			p.Hint = "murmur --help, or murmur VERB --help, lists the commands and flags"
		}
	}
	fmt.Fprintf(w, "error: %s\n", strings.ReplaceAll(p.Message, "\n", "; ")) // errors.Join has a line for each
	if p.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", p.Hint)
	}
	return p.Exit
}

// do carries out a verb where the data directory's owner is, and reads its JSON answer.
func (r *run) do(verb string, args, answer any) error {
	var b bytes.Buffer
	if err := r.stream(verb, args, nil, &b); err != nil {
		return err
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(b.Bytes(), answer)
}

// stream is do for verbs that read or write more than a JSON object.
func (r *run) stream(verb string, args any, in io.Reader, out io.Writer) error {
	if err := r.exists(verb, args); err != nil {
		return err
	}
	c, err := server.Attach(r.ctx, r.Data)
	if err != nil {
		return err
	}
	err = c.Do(r.ctx, verb, args, in, out)
	return errors.Join(err, c.Close())
}

// making are the verbs that make a data directory where there is none; all others refuse, because they would answer from an
// empty directory that the person did not mean.
var making = []string{"connect", "import", "token", "digest-add", "alert-add", "share", "flow-set", "name", "category-set", "workspace-create"}

// exists refuses a verb that has nothing to read, as after a slip in --data.
func (r *run) exists(verb string, args any) error {
	change, ok := args.(rpc.PolicyArgs)
	if slices.Contains(making, verb) || ok && len(change.Set) > 0 {
		return nil
	}
	return noDirectory(r.Data)
}

// noDirectory is an error where there is nothing of that name, or an empty directory.
func noDirectory(path string) error {
	inside, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(inside) == 0 {
		return &rpc.Problem{Message: "there is no murmur directory at " + path, Hint: "--data or MURMUR_DATA names another; murmur serve, connect and import make one", Exit: 2}
	}
	return nil // the code that opens it reports other errors
}

// print writes v as JSON with --json, otherwise lets people read it.
func (r *run) print(v any, people func(w io.Writer)) error {
	if !r.JSON {
		people(r.Out)
		return nil
	}
	return json.NewEncoder(r.Out).Encode(v)
}

func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
