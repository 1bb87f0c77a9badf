package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"murmur/internal/datadir"
	"murmur/internal/journal/relay"
	"murmur/internal/keyring"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// Restore unpacks a backup into an empty directory and checks every file. Before the directory appears under its name,
// everything that the backup knows to be erased or refused is taken out again, and so is whoever `erasures` names:
// people erased after the backup was made, one a line (docs/runbook/restore.md). nil: nobody. So is whatever the register of
// c.InsteadOf says.
func Restore(ctx context.Context, r, erasures io.Reader, c Config) error {
	lines, err := readErasures(erasures)
	if err != nil {
		return err
	}
	return datadir.Restore(ctx, r, c.Data, func(dir string) (err error) {
		beside := c
		beside.Data, beside.Queue = dir, relay.Lost // whoever restores says whether it joins its queue: serve --queue
		keyed, err := keyring.Keyed(dir)            // before Open makes keys where there are none
		if err != nil {
			return err
		}
		n, err := Open(ctx, beside)
		if err != nil {
			return err
		}
		defer func() {
			if closed := n.Close(); err == nil {
				err = closed
			}
		}()
		if err := n.keyed(ctx, keyed); err != nil {
			return err
		}
		return n.restored(ctx, lines, c.InsteadOf)
	})
}

// keyed refuses a backup that lacks the keys of the default workspace: Open has made others, under which nobody would be found in
// its rows, to be erased. Any other workspace without keys stands still, and status names it.
func (n *Node) keyed(ctx context.Context, has []workspace.ID) error {
	all, err := n.store.List(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(all, workspace.Default) && !slices.Contains(has, workspace.Default) {
		return fmt.Errorf("the keys of workspace %s are missing: %w", workspace.Default, datadir.ErrBackup)
	}
	return nil
}

// restored makes a directory that was unpacked fit to be opened.
func (n *Node) restored(ctx context.Context, erasures []erasure, insteadOf string) error {
	if pos, err := n.crowd.Position(ctx, 0); err != nil {
		return err
	} else if pos != "" {
		if err := n.journal.PassOver(ctx, pos); err != nil {
			return err
		}
	}
	for _, e := range erasures {
		if _, _, err := n.promiseErasure(ctx, rpc.EraseArgs{Workspace: e.workspace, Contact: e.contact}); err != nil {
			return fmt.Errorf("line %d of the erasures: %w", e.line, err)
		}
	}
	if err := n.deleteAgain(ctx, insteadOf); err != nil {
		return err
	}
	if err := n.pauseStreams(ctx); err != nil {
		return err
	}
	return n.eachWorkspace(ctx, "carry out erasures again", func(ws workspace.ID) error {
		if insteadOf != "" {
			if err := n.zone.Adopt(ctx, ws, insteadOf, datadir.MetaOf(insteadOf)); err != nil {
				return err
			}
		}
		if err := n.zone.OrderAgain(ctx, ws); err != nil {
			return err
		}
		if err := n.eraseOf(ctx, ws); err != nil {
			return err
		}
		return errors.Join(n.takeOutRefused(ctx, ws), n.crowd.Restored(ctx, ws))
	})
}

// deleteAgain deletes the workspaces that were deleted in the directory which a restore replaces, whether or not the name was
// given to another since.
func (n *Node) deleteAgain(ctx context.Context, insteadOf string) error {
	if insteadOf == "" {
		return nil
	}
	gone, err := n.store.DeletedSince(ctx, datadir.MetaOf(insteadOf))
	if err != nil {
		return err
	}
	for _, ws := range gone {
		if err := errors.Join(n.store.Suspend(ctx, ws), n.orderDeletion(ctx, ws)); err != nil {
			return err
		}
		if err := n.vacate(ctx, ws); err != nil {
			return err
		}
	}
	return nil
}

// takeOutRefused removes refused content from the lake: the copy of the register may be newer than that of the
// lake.
func (n *Node) takeOutRefused(ctx context.Context, ws workspace.ID) error {
	calls, contacts, err := n.zone.Refused(ctx, ws, n.now())
	if err != nil {
		return err
	}
	speakers, err := n.crowd.Speakers(ctx, ws)
	if err != nil {
		return err
	}
	long, err := n.zone.RefusedAmong(ctx, ws, speakers) // what was refused long ago names nobody
	if err != nil || len(calls)+len(contacts)+len(long) == 0 {
		return err
	}
	_, err = n.crowd.Against(ctx, ws, calls, append(contacts, long...))
	return err
}

// erasure is one line of a list of people.
type erasure struct {
	line               int
	workspace, contact string
}

// readErasures reads a list of people erased after a backup: one a line, a contact as for `murmur erase`, with its
// workspace and a tab before it where that is not the default one. Empty lines and those that begin with # are skipped.
func readErasures(r io.Reader) (list []erasure, err error) {
	if r == nil {
		return nil, nil
	}
	lines := bufio.NewScanner(r)
	for i := 1; lines.Scan(); i++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		e := erasure{line: i, workspace: workspace.Default.String(), contact: text}
		if name, contact, ok := strings.Cut(text, "\t"); ok {
			if _, err := workspace.Parse(name); err != nil {
				return nil, fmt.Errorf("line %d of the erasures: %w", i, err)
			}
			e.workspace, e.contact = name, strings.TrimSpace(contact)
		}
		list = append(list, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the erasures: %w", err)
	}
	return list, nil
}
