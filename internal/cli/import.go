package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"murmur/internal/rpc"
)

type importCmd struct {
	Workspace string   `default:"default" help:"Workspace."`
	Kind      string   `enum:"auto,calls,messages,surveys,steps,vcon,native" default:"auto" help:"What the file holds: calls, messages, surveys, steps, vcon or native; auto finds out."`
	Map       string   `help:"YAML file: canonical field to the file's header." type:"existingfile" placeholder:"FILE"`
	Key       string   `help:"Private key that opens encrypted vCons: PEM or JWK." type:"existingfile" placeholder:"FILE"`
	Source    string   `help:"The connection the file is an export of: a call in it and the same call by webhook are then one. Without it the ids of files with other headers are other calls." placeholder:"NAME"`
	DryRun    bool     `help:"Show the column mapping, the first rows, masked, and which rows of the file cannot be read; import nothing."`
	File      []string `arg:"" help:"CSV, JSONL or vCon files; - is stdin."`
}

// Help is what --help says beyond the flags.
func (c *importCmd) Help() string {
	return "Each row is one delivery. What was imported before is known: a file may be repeated, and an import that was interrupted goes on with the same command. Rows that cannot be read are named by their line and kept sealed; the others are imported."
}

func (c *importCmd) Run(r *run) error {
	args := rpc.ImportArgs{Workspace: c.Workspace, Kind: c.Kind, Source: c.Source, DryRun: c.DryRun}
	if c.Kind == "auto" {
		args.Kind = ""
	}
	if c.Map != "" {
		b, err := os.ReadFile(c.Map)
		if err != nil {
			return usage{err}
		}
		args.Map = string(b)
	}
	if c.Key != "" {
		b, err := os.ReadFile(c.Key)
		if err != nil {
			return usage{err}
		}
		args.Key = string(b)
	}
	var total rpc.Imported
	unread := 0 // files of which nothing could be read
	for _, name := range c.File {
		got, err := c.one(r, args, name)
		if err != nil {
			return err
		}
		if c.DryRun {
			continue
		}
		if bad := int64(len(got.Bad)) + got.Unlisted; bad > 0 && bad == got.In {
			unread++
		}
		for i := range got.Bad {
			if len(c.File) > 1 {
				got.Bad[i].File = name
			}
		}
		total.Add(got)
	}
	if c.DryRun {
		return nil
	}
	if err := c.print(r, total); err != nil || unread == 0 {
		return err
	}
	return &rpc.Problem{Message: fmt.Sprintf("no row could be read of %d of %d files", unread, len(c.File)), Hint: "the reason stands with each; murmur import --dry-run FILE shows how a file is understood", Exit: 2}
}

func (c *importCmd) print(r *run, total rpc.Imported) error {
	return r.print(total, func(w io.Writer) {
		fmt.Fprintf(w, "%d rows in: %d published, %d known before, %d ignored, %d refused, %d held, %d quarantined.\n",
			total.In, total.Published, total.Duplicate, total.Ignored, total.Refused, total.Held, total.Quarantined)
		printBad(w, total.Bad, total.Unlisted)
		printUnread(w, total.Unread)
	})
}

// printUnread counts the rows that belong to nobody although they name somebody.
func printUnread(w io.Writer, n int64) {
	if n > 0 {
		fmt.Fprintf(w, "%d rows name a contact that cannot be read: they count as nobody's, and no erasure or opt-out finds them.\n", n)
	}
}

// printBad names the rows that cannot be read.
func printBad(w io.Writer, bad []rpc.BadRow, unlisted int64) {
	for _, q := range bad {
		if q.File != "" {
			fmt.Fprintf(w, "  %s", q.File)
		}
		fmt.Fprintf(w, "  line %d: %s\n", q.Line, q.Why)
	}
	if unlisted > 0 {
		fmt.Fprintf(w, "  and %d more\n", unlisted)
	}
}

func (c *importCmd) one(r *run, args rpc.ImportArgs, name string) (got rpc.Imported, err error) {
	in, size := io.NopCloser(r.In), int64(0)
	if name != "-" {
		f, err := opened(r.ctx, name)
		if err != nil {
			return got, usage{fmt.Errorf("open the file: %w", err)}
		}
		if st, err := f.Stat(); err == nil {
			if st.IsDir() {
				_ = f.Close()
				return got, &rpc.Problem{Message: name + " is a directory", Hint: "name the files in it: murmur import " + filepath.Join(name, "*.csv"), Exit: 2}
			}
			if st.Mode()&os.ModeDevice != 0 {
				_ = f.Close()
				return got, &rpc.Problem{Message: name + " is a device", Hint: "name a file, or - for what is piped in", Exit: 2}
			}
			size = st.Size()
		}
		in = f
	}
	if args.Kind == "" && args.Map == "" && strings.HasSuffix(name, ".vcon") {
		args.Kind = "vcon"
	}
	defer in.Close()
	var answer strings.Builder
	if err := r.importing(args, in, size, &answer); err != nil {
		return got, err
	}
	if args.DryRun {
		return got, c.preview(r, answer.String())
	}
	return got, unmarshal(answer.String(), &got)
}

// opened opens a file, unless ctx ends first: a FIFO waits for its writer. What then opens it is left to the end of the process.
func opened(ctx context.Context, name string) (*os.File, error) {
	type got struct {
		f   *os.File
		err error
	}
	done := make(chan got, 1)
	go func() {
		f, err := os.Open(name)
		done <- got{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case g := <-done:
		return g.f, g.err
	}
}

func (c *importCmd) preview(r *run, answer string) error {
	var p rpc.Preview
	if err := unmarshal(answer, &p); err != nil {
		return err
	}
	return r.print(p, func(w io.Writer) {
		if p.Kind == "vcon" || p.Kind == "native" {
			fmt.Fprintf(w, "The file looks like %s. It begins with:\n\n", p.Kind)
		} else {
			fmt.Fprintf(w, "The file looks like %s. Columns:\n\n", p.Kind)
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, m := range p.Mapping {
			to := m.Field
			if to == "" {
				to = "(not used)"
			}
			fmt.Fprintf(t, "  %s\t-> %s\t%s\n", m.Header, to, m.Note)
		}
		fmt.Fprintln(t)
		for i, row := range p.Rows {
			fmt.Fprintf(t, "row %d\t\n", i+1)
			for _, cell := range row {
				fmt.Fprintf(t, "  %s\t%s\n", cell.Field, cell.Value)
			}
		}
		_ = t.Flush()
		if bad := int64(len(p.Bad)) + p.Unlisted; bad > 0 {
			fmt.Fprintf(w, "\n%d of %d rows cannot be read and would be quarantined:\n", bad, p.In)
			printBad(w, p.Bad, p.Unlisted)
		} else {
			fmt.Fprintf(w, "\nAll %d rows can be read.\n", p.In)
		}
		printUnread(w, p.Unread)
		fmt.Fprintln(w, "Nothing was imported. Without --dry-run the rows are read as shown.")
	})
}
