package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"murmur/internal/insight"
	"murmur/internal/insight/table"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

func unmarshal(s string, v any) error { return json.Unmarshal([]byte(s), v) }

type figuresCmd struct {
	Workspace string `help:"Workspace; all by default." placeholder:"W"`
	Insight   string `help:"One insight by its slug." placeholder:"SLUG"`
	Refresh   bool   `help:"First compute what is due."`
	Out       string `help:"Write them as a table into this file: FILE.csv or FILE.parquet." type:"path" placeholder:"FILE"`
	As        string `help:"Whose view: the owner's has exact counts of activity, a viewer's has noise on every count, and its weeks change when they are over, the outside's is differentially private and made once a month." enum:"owner,viewer,outside" default:"owner"`
	Explain   string `help:"What a specification of differentially private figures gives and costs, and what is left of the budget: the default, or the file FILE. Nothing is spent." placeholder:"default|FILE"`
}

func (c *figuresCmd) Run(r *run) error {
	if c.Explain != "" {
		return c.explain(r)
	}
	args := rpc.FiguresArgs{Workspace: c.Workspace, Insight: c.Insight, Refresh: c.Refresh, As: c.As}
	if c.Out != "" {
		return c.write(r, args)
	}
	if r.JSON {
		return r.stream("figures", args, nil, r.Out)
	}
	figures, err := r.figures(args)
	if err != nil {
		return err
	}
	if len(figures) == 0 {
		none := "No figure yet. Connect a source (murmur connect quo) or import a file, then: murmur figures --refresh"
		if c.As == "outside" {
			none = "No month was released yet. With murmur policy set outside=monthly murmur releases each month two days after its end; murmur figures --explain default shows which figures."
		}
		_, err := fmt.Fprintln(r.Out, none)
		return err
	}
	newest := insight.Newest(figures)
	if len(newest) == 0 {
		_, err := fmt.Fprintf(r.Out, "%d figures, and none of them shows something yet: nothing was counted, or too few people stand behind it. --json says which.\n", len(figures))
		return err
	}
	t := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PERIOD\tINSIGHT\tMEASURE\tOF\tVALUE\t95 % INTERVAL\tBASE\tPEOPLE")
	for _, f := range newest {
		value, low, high := f.Said()
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s to %s\t%d\t%s\n", f.Period, f.Insight, f.Measure, short(insight.SplitText(f.Split)), value, low, high, f.Base, f.Contacts)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Out, "\n%d of %d figures: the newest period of each insight that shows something. --json prints all, --out FILE.csv writes them as a table.\n", len(newest), len(figures))
	return err
}

// short cuts a text for a column of a table.
func short(text string) string {
	const most = 56
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// figures asks for figures where the data directory's owner is.
func (r *run) figures(args rpc.FiguresArgs) (figures []insight.Figure, err error) {
	var b bytes.Buffer
	if err := r.stream("figures", args, nil, &b); err != nil {
		return nil, err
	}
	for d := json.NewDecoder(&b); d.More(); {
		var f insight.Figure
		if err := d.Decode(&f); err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// write makes the file of --out; a file that is there is replaced when the new one is whole.
func (c *figuresCmd) write(r *run, args rpc.FiguresArgs) error {
	form := map[string]func(io.Writer, []insight.Figure) error{".csv": table.CSV, ".parquet": table.Parquet}[filepath.Ext(c.Out)]
	if form == nil {
		return usage{errors.New("--out takes FILE.csv or FILE.parquet")}
	}
	figures, err := r.figures(args)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(c.Out), ".murmur-*")
	if err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	defer os.Remove(f.Name()) // once it has its name there is nothing to remove
	if err := errors.Join(form(f, figures), f.Close()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	if err := os.Rename(f.Name(), c.Out); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return r.print(map[string]int{"figures": len(figures)}, func(w io.Writer) { fmt.Fprintf(w, "%d figures in %s\n", len(figures), c.Out) })
}

type statusCmd struct{}

func (c *statusCmd) Run(r *run) error {
	var a rpc.Status
	if err := r.do("status", nil, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "WORKSPACE\tSOURCE\tCONTROL\tIN\tPENDING\tHELD\tPUBLISHED\tDUPLICATE\tIGNORED\tREFUSED\tQUARANTINED\tERASED\t")
		row := func(ws, source, control string, c rpc.Counts) {
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", ws, source, control, c.In, c.Pending, c.Held, c.Published, c.Duplicate, c.Ignored, c.Refused, c.Quarantined, c.Erased)
		}
		for _, ws := range a.Names() {
			s := a.Workspaces[ws]
			for _, src := range slices.Sorted(maps.Keys(s.BySource)) {
				row(ws, src, s.Control[src], s.BySource[src])
			}
			row(ws, "all", "", s.Counts)
		}
		_ = t.Flush()
		if a.Queue != nil {
			fmt.Fprintf(w, "Queue %s.\n", a.Queue)
		}
		if a.Lake != nil {
			fmt.Fprintf(w, "Lake %s.\n", a.Lake)
		}
		for _, s := range a.Streams {
			fmt.Fprintf(w, "Stream %s.\n", s)
		}
		for _, ws := range a.Names() {
			if r := a.Workspaces[ws].Recordings; r != nil {
				fmt.Fprintf(w, "Recordings of %s: %d stored, %d transcribed, %d wait, %d may not be transcribed: %s.\n", ws, r.Stored, r.Heard, r.Waiting, r.Denied, r.Said)
			}
		}
		for _, ws := range a.Names() {
			if a.Workspaces[ws].ReaderOff {
				fmt.Fprintf(w, "Second reader of %s: off; more names are left in its texts. murmur policy set reader=on\n", ws)
			}
		}
		for _, ws := range slices.Sorted(maps.Keys(a.Erasing)) {
			fmt.Fprintf(w, "Erasures of %s: %d wait to be carried out; nothing of the erased is read or counted meanwhile.\n", ws, a.Erasing[ws])
		}
		if a.Calls.Live > 0 || len(a.Calls.Ends) > 0 {
			fmt.Fprintf(w, "Calls since the start: %s.\n", a.Calls)
		}
	})
}

type doctorCmd struct {
	Event     string `arg:"" optional:"" help:"Id of a delivery, as its vendor calls it (webhook-id, event_id, delivery_id)."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *doctorCmd) Run(r *run) error {
	var a rpc.Diagnosis
	if err := r.do("doctor", rpc.DoctorArgs{Workspace: c.Workspace, Event: c.Event}, &a); err != nil {
		return err
	}
	err := r.print(a, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, check := range a.Checks {
			mark := "ok"
			switch {
			case !check.OK:
				mark = "!!"
			case check.Hint != "":
				mark = "--"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\n", mark, check.Name, check.Said)
			if check.Hint != "" {
				fmt.Fprintf(t, "\t\thint: %s\n", check.Hint)
			}
		}
		_ = t.Flush()
	})
	if err == nil && !a.Healthy() {
		return exit(1)
	}
	return err
}

type verifyCmd struct {
	Attack     bool   `help:"Also attack the figures of this data: by subtraction, and as somebody who knows everybody but one person; what leaves with differential privacy, against its claim. Takes some seconds a workspace."`
	Checkpoint string `help:"Compare the ledger with checkpoints that were kept outside the data directory: a copy of ledger.checkpoints, or one printed checkpoint." placeholder:"FILE"`
	Receipt    string `help:"Check this receipt of a call instead. It is trusted under the key of the data directory's ledger, or under --key." placeholder:"FILE"`
	Key        string `help:"The verifier key of the ledger that signed the receipt, as murmur verify --json prints it." placeholder:"KEY"`
}

func (c *verifyCmd) Run(r *run) error {
	if c.Receipt != "" {
		return c.receipt(r)
	}
	args := rpc.VerifyArgs{Attack: c.Attack}
	if c.Checkpoint != "" {
		kept, err := os.ReadFile(c.Checkpoint)
		if err != nil {
			return usage{fmt.Errorf("read the checkpoint: %w", err)}
		}
		if args.Checkpoints = string(kept); len(bytes.TrimSpace(kept)) == 0 {
			return usage{errors.New("the file has no checkpoint")}
		}
	}
	if c.Attack && terminal(r.Err) {
		fmt.Fprintln(r.Err, "attacking the figures of the last weeks, some seconds a workspace ..")
	}
	if err := noDirectory(r.Data); err != nil {
		return err
	}
	a, err := server.Verify(r.ctx, r.Data, args)
	if err != nil {
		return err
	}
	err = r.print(a, func(w io.Writer) {
		for _, b := range a.Breaches {
			fmt.Fprintf(w, "%s: %s%s\n", b.File, b.What, lost(b))
		}
		fmt.Fprintf(w, "%d files, %d ledger entries, %d stored tables checked: %d breaches.\n", a.Files, a.Entries, a.Tables, len(a.Breaches))
		for _, line := range a.Attacks {
			fmt.Fprintln(w, line)
		}
		for _, attacked := range a.Attacked {
			fmt.Fprint(w, attacked)
		}
		for _, left := range a.Outside {
			fmt.Fprint(w, left)
		}
	})
	if err == nil && len(a.Breaches) > 0 {
		return exit(3)
	}
	return err
}

// lost says how much went with a place.
func lost(b rpc.Breach) string {
	if b.Lost == 0 {
		return ""
	}
	return fmt.Sprintf("; %d records are lost at most", b.Lost)
}

func (c *verifyCmd) receipt(r *run) error {
	file, err := os.ReadFile(c.Receipt)
	if err != nil {
		return usage{fmt.Errorf("read the receipt: %w", err)}
	}
	a, err := server.VerifyReceipt(r.Data, file, c.Key)
	if err != nil {
		return err
	}
	err = r.print(a, func(w io.Writer) {
		for _, b := range a.Breaches {
			fmt.Fprintf(w, "%s: %s\n", b.File, b.What)
		}
		fmt.Fprintf(w, "Receipt of call %s, key %s: %d breaches.\n", a.Call, a.Key, len(a.Breaches))
	})
	if err == nil && len(a.Breaches) > 0 {
		return exit(3)
	}
	return err
}
