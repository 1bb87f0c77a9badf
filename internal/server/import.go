package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync/atomic"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// interruptible is a file that ends with the context's error: also one whose first line never ends.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.Reader.Read(p)
}

// importing is an import under way.
type importing struct {
	rows    private.ImportProgress
	storing atomic.Bool
}

// importFile reads a file and waits until every row has its state and is in the lake. With DryRun it shows what would
// be read.
func (n *Node) importFile(ctx context.Context, a rpc.ImportArgs, in io.Reader) (any, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	in = interruptible{ctx, in}
	now := new(importing)
	o := private.ImportOptions{Kind: a.Kind, Map: a.Map, Key: a.Key, Source: a.Source, Progress: &now.rows}
	if a.DryRun {
		return n.preview(ctx, ws, o, in)
	}
	if a.ID != "" {
		n.imports.Store(a.ID, now)
		defer n.imports.Delete(a.ID)
	}
	way := n.way.Import()
	defer way.End()
	report, err := n.zone.Import(ctx, ws, in, o, way)
	way.Read()
	if errors.Is(err, context.Canceled) {
		return nil, &rpc.Problem{Message: fmt.Sprintf("interrupted after %d rows", report.Rows), Hint: "they are kept; the same command goes on where it was", Exit: 1, Status: 503}
	}
	if err != nil {
		return nil, err
	}
	now.storing.Store(true)
	if err := n.until(ctx, func() (bool, error) { return way.Stored(), nil }); err != nil {
		return nil, err
	}
	if n.jobs == nil { // without a server this process must carry out what the rows caused: an agreement, a replay
		if err := n.Drain(ctx); err != nil {
			return nil, err
		}
	}
	out, err := n.importedOf(ctx, ws, report)
	if err == nil && out.Published > 0 {
		err = n.crowd.Compact(ctx)
	}
	return out, err
}

// importedOf waits until every row has its state and counts what became of them, whatever else comes in.
func (n *Node) importedOf(ctx context.Context, ws workspace.ID, r private.ImportReport) (rpc.Imported, error) {
	var later map[journal.ID]fact.State
	err := n.until(ctx, func() (bool, error) {
		var err error
		later, err = n.journal.Known(ctx, ws, r.Later)
		return !slices.Contains(slices.Collect(maps.Values(later)), fact.Pending), err
	})
	if err != nil {
		return rpc.Imported{}, err
	}
	for _, s := range later {
		r.States[s]++
	}
	if err := n.crowd.Landed(ctx, ws); err != nil {
		return rpc.Imported{}, err
	}
	out := rpc.Imported{Counts: countsOf(deliveries.Tally{In: r.Rows, States: r.States}), Unlisted: r.Unlisted, Unread: r.Unread}
	for _, b := range r.Bad {
		out.Bad = append(out.Bad, rpc.BadRow{Line: b.Line, Why: b.Why})
	}
	return out, nil
}

// importProgress says how far an import is; nothing yet of one that has not begun.
func (n *Node) importProgress(_ context.Context, a rpc.ProgressArgs) (rpc.Progress, error) {
	v, ok := n.imports.Load(a.ID)
	if !ok {
		return rpc.Progress{}, nil
	}
	now := v.(*importing)
	return rpc.Progress{Rows: now.rows.Rows.Load(), Known: now.rows.Known.Load(), Storing: now.storing.Load()}, nil
}

func (n *Node) preview(ctx context.Context, ws workspace.ID, o private.ImportOptions, in io.Reader) (rpc.Preview, error) {
	p, err := n.zone.Preview(ctx, ws, in, o)
	if err != nil {
		return rpc.Preview{}, err
	}
	out := rpc.Preview{Kind: p.Kind, In: p.In, Unlisted: p.Unlisted, Unread: p.Unread}
	for _, b := range p.Bad {
		out.Bad = append(out.Bad, rpc.BadRow{Line: b.Line, Why: b.Why})
	}
	for _, c := range p.Columns {
		out.Mapping = append(out.Mapping, rpc.MappedColumn{Header: c.Header, Field: c.Field, Note: c.Note})
	}
	for _, row := range p.Rows {
		var cells []rpc.PreviewCell
		for _, c := range row {
			cells = append(cells, rpc.PreviewCell{Field: c.Field, Value: c.Value})
		}
		out.Rows = append(out.Rows, cells)
	}
	return out, nil
}
