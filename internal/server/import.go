package server

import (
	"context"
	"io"

	"murmur/internal/private"
	"murmur/internal/workspace"
)

// importFile reads a file and waits until every row has its state. With DryRun it shows what would be read.
func (n *Node) importFile(ctx context.Context, a ImportArgs, in io.Reader) (any, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	o := private.ImportOptions{Kind: a.Kind, Map: a.Map, Key: a.Key}
	if a.DryRun {
		return n.preview(ctx, ws, o, in)
	}
	before, err := n.imported(ctx, ws)
	if err != nil {
		return nil, err
	}
	report, err := n.zone.Import(ctx, ws, in, o)
	if err != nil {
		return nil, err
	}
	if err := n.Drain(ctx); err != nil {
		return nil, err
	}
	after, err := n.imported(ctx, ws)
	if err != nil {
		return nil, err
	}
	add(&after, before, -1)
	out := Imported{Counts: after, Unlisted: report.Unlisted}
	for _, b := range report.Bad {
		out.Bad = append(out.Bad, BadRow{Line: b.Line, Why: b.Why})
	}
	return out, nil
}

// imported is what all imports of a workspace came to so far.
func (n *Node) imported(ctx context.Context, ws workspace.ID) (Counts, error) {
	all, err := n.journal.Counts(ctx)
	if err != nil {
		return Counts{}, err
	}
	w, err := n.statusOf(ctx, ws, all[ws])
	return w.BySource[private.ImportSource], err
}

func (n *Node) preview(ctx context.Context, ws workspace.ID, o private.ImportOptions, in io.Reader) (Preview, error) {
	p, err := n.zone.Preview(ctx, ws, in, o)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{Kind: p.Kind}
	for _, c := range p.Columns {
		out.Mapping = append(out.Mapping, MappedColumn{Header: c.Header, Field: c.Field, Note: c.Note})
	}
	for _, row := range p.Rows {
		var cells []PreviewCell
		for _, c := range row {
			cells = append(cells, PreviewCell{c.Field, c.Value})
		}
		out.Rows = append(out.Rows, cells)
	}
	return out, nil
}
