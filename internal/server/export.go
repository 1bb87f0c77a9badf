package server

import (
	"context"
	"database/sql"
	"fmt"
	"io"

	"murmur/internal/ledger"
	"murmur/internal/private"
	"murmur/internal/rpc"
)

// export writes the redacted vCon of a call. It does not check who exports; the export is in the ledger before the
// first byte is given out.
func (n *Node) export(ctx context.Context, a rpc.ExportArgs, out io.Writer) error {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return err
	}
	id, err := n.zone.CallID(ws, a.Call)
	if err != nil {
		return err
	}
	rows, err := n.zone.CallRows(ctx, ws, id)
	if err != nil {
		return err
	}
	kept, err := n.crowd.Kept(ctx, ws, id, rows)
	if err != nil {
		return err
	}
	call := private.ExportCall{At: kept.At, Contact: kept.Contact, Direction: kept.Direction, TalkS: kept.TalkS}
	for _, t := range kept.Talks {
		call.Talks = append(call.Talks, private.ExportTalk{Origin: t.Origin, Text: t.Text})
	}
	body, err := n.zone.Export(ctx, ws, a.Call, call)
	if err != nil {
		return err
	}
	err = n.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := n.ledger.Append(ctx, tx, ledger.Access{Workspace: ws.String(), Act: "export", Ref: id[:]})
		return err
	})
	if err != nil {
		return fmt.Errorf("record the export: %w", err)
	}
	_, err = out.Write(append(body, '\n'))
	return err
}
