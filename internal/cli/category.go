package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"murmur/internal/rpc"
	"murmur/internal/web"
)

type categoryCmd struct {
	Set    categorySetCmd    `cmd:"" help:"Make a category from about 20 sentences, or teach one anew."`
	List   categoryListCmd   `cmd:"" help:"List the categories, and how often what is told to be one is right."`
	Rename categoryRenameCmd `cmd:"" help:"Call a category something else, in every period."`
	Remove categoryRemoveCmd `cmd:"" help:"Forget a category and its sentences. Weeks that are final keep what they show."`
}

type categorySetCmd struct {
	Name      string `arg:"" help:"What people want, such as 'Solar quote'."`
	Like      string `required:"" help:"A file of sentences that are it, as people write or say them, one a line; - is stdin." placeholder:"FILE"`
	Unlike    string `help:"A file of sentences that may be taken for it and are not. Sentences of your own texts tell most." placeholder:"FILE"`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *categorySetCmd) Run(r *run) error {
	a := rpc.CategoryArgs{Workspace: c.Workspace, Name: c.Name}
	var err error
	if a.Like, err = linesOf(r, c.Like); err != nil {
		return err
	}
	if c.Unlike != "" {
		if a.Unlike, err = linesOf(r, c.Unlike); err != nil {
			return err
		}
	}
	var made web.Category
	if err := r.do("category-set", a, &made); err != nil {
		return err
	}
	return r.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "%s is told from %d sentences, masked. Of those that it had not seen, it knew %d of %d. It is a topic from the next count on.\n",
			made.Name, len(made.Like), made.Found, made.Of)
	})
}

// mostSentences is how many bytes of sentences are read.
const mostSentences = 1 << 20

// linesOf reads the lines of a file that have anything on them.
func linesOf(r *run, name string) (lines []string, err error) {
	in := r.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, usage{err}
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, mostSentences))
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, err
}

type categoryListCmd struct {
	Workspace string `default:"default" help:"Workspace."`
}

func (c *categoryListCmd) Run(r *run) error {
	list := []web.Category{}
	if err := r.do("category-list", rpc.WorkspaceArgs{Workspace: c.Workspace}, &list); err != nil {
		return err
	}
	return r.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "There is none yet: murmur category set 'Solar quote' --like FILE")
			return
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "CATEGORY\tSENTENCES\tKNEW UNSEEN\tSHARE\tOF 100 TOLD ARE RIGHT")
		for _, c := range list {
			share := "-"
			if c.Period != "" {
				share = fmt.Sprintf("%.0f %% in %s", 100*c.Share, c.Period)
			}
			right := "not known yet"
			if p := c.Precision; p != nil {
				right = fmt.Sprintf("%.0f (%.0f to %.0f)", 100*p.Value, 100*p.Low, 100*p.High)
			}
			fmt.Fprintf(t, "%s\t%d, and %d that are not\t%d of %d\t%s\t%s\n", c.Name, len(c.Like), len(c.Unlike), c.Found, c.Of, share, right)
		}
		_ = t.Flush()
	})
}

type categoryRenameCmd struct {
	Name      string `arg:"" help:"What it is called now."`
	To        string `arg:"" help:"What it is called from now on."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *categoryRenameCmd) Run(r *run) error {
	var a web.Category
	if err := r.do("category-rename", rpc.CategoryNameArgs{Workspace: c.Workspace, Name: c.Name, To: c.To}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "It is called %s.\n", a.Name) })
}

type categoryRemoveCmd struct {
	Name      string `arg:"" help:"What it is called."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *categoryRemoveCmd) Run(r *run) error {
	var a web.Category
	if err := r.do("category-remove", rpc.CategoryNameArgs{Workspace: c.Workspace, Name: c.Name}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "%s is forgotten, with its sentences.\n", a.Name) })
}
