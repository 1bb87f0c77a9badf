package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"murmur/internal/crowd"
	"murmur/internal/crowd/release"
	"murmur/internal/datadir"
	"murmur/internal/explain"
	"murmur/internal/insight"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// Verify checks a data directory. Where no process has it open, it compares every byte of every file with the
// manifest; then, and where a server has it open, it checks the contents: seals, ledger, counters, tables.
func Verify(ctx context.Context, data string, a rpc.VerifyArgs) (rpc.Verified, error) {
	if c := rpc.Dial(data); c != nil {
		defer c.Close()
		return rpc.Ask[rpc.Verified](ctx, c, "verify", a)
	}
	out := rpc.Verified{Breaches: []rpc.Breach{}, Clean: true}
	found, err := datadir.Verify(ctx, data)
	switch {
	case errors.Is(err, datadir.ErrNoManifest):
		out.Clean = false
	case err != nil:
		return out, err
	}
	for _, b := range found {
		out.Breaches = append(out.Breaches, rpc.Breach{File: b.File, What: b.What})
	}
	if len(found) > 0 && !onlyRows(found) {
		return out, nil // a directory that was changed from outside is not opened
	}
	files, err := countFiles(data)
	if err != nil {
		return out, err
	}
	n, err := Open(ctx, Config{Data: data})
	if part, ok := errors.AsType[*partError](err); ok && part.damaged() {
		if !slices.ContainsFunc(out.Breaches, func(b rpc.Breach) bool { return b.File == part.file }) {
			out.Breaches = append(out.Breaches, rpc.Breach{File: part.file, What: "cannot be opened: " + part.Error()})
		}
		return out, nil
	}
	if err != nil && len(found) > 0 {
		return out, nil // only the names of the files are known
	}
	if err != nil {
		return out, err
	}
	inside, err := n.verify(ctx, a)
	inside.Clean, inside.Files = out.Clean, files
	for _, b := range out.Breaches {
		if !slices.ContainsFunc(inside.Breaches, func(o rpc.Breach) bool { return o.File == b.File }) {
			inside.Breaches = append(inside.Breaches, b)
		}
	}
	return inside, errors.Join(err, n.Close())
}

// onlyRows reports whether nothing but files of rows changed: those are written once and nothing is read from them to
// open the directory, so that what was in them can be counted.
func onlyRows(found []datadir.Breach) bool {
	return !slices.ContainsFunc(found, func(b datadir.Breach) bool {
		return !strings.HasPrefix(b.File, "lake/") || path.Ext(b.File) != ".parquet"
	})
}

// countFiles counts the regular files of a directory that nobody has open.
func countFiles(data string) (n int, err error) {
	err = filepath.WalkDir(data, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count the files: %w", err)
	}
	return n, nil
}

// verify checks the contents of an open directory, one part after the other. A part that cannot be read is a breach of its
// file, and the others are checked all the same.
func (n *Node) verify(ctx context.Context, a rpc.VerifyArgs) (rpc.Verified, error) {
	v := rpc.Verified{Breaches: []rpc.Breach{}}
	breach := func(file, format string, args ...any) {
		v.Breaches = append(v.Breaches, rpc.Breach{File: file, What: fmt.Sprintf(format, args...)})
	}
	for _, part := range []struct {
		file  string
		check func() error
	}{
		{"murmur.db", func() error { return n.verifyLedger(ctx, a, &v, breach) }},
		{keyring.Folder, func() error {
			damage, err := n.ring.Check()
			for _, d := range damage {
				breach(d.File, "%s", d.What)
			}
			return err
		}},
		{"murmur.db", func() error {
			tables, err := n.db.Check(ctx)
			for _, t := range tables {
				breach("murmur.db", "%s", t)
			}
			return err
		}},
		{"catalog.db", func() (err error) {
			var lake []crowd.Breach
			v.Files, lake, err = n.crowd.Verify(ctx)
			for _, b := range lake {
				v.Breaches = append(v.Breaches, rpc.Breach{File: "lake/" + b.File, What: b.What, Lost: b.Rows})
			}
			return err
		}},
		{"recordings", func() error {
			return n.zone.CheckRecordings(ctx, func(file, what string) { breach(file, "%s", what) })
		}},
		{"journal.db", func() error { return n.verifyJournal(ctx, &v, breach) }},
		{"murmur.db", func() error { return n.verifyReleases(ctx, a.Attack, &v, breach) }},
	} {
		if err := part.check(); ctx.Err() != nil {
			return v, ctx.Err()
		} else if err != nil {
			breach(part.file, "cannot be checked: %s", err)
		}
	}
	return v, nil
}

// verifyLedger checks the ledger against itself and against what was kept of it outside.
func (n *Node) verifyLedger(ctx context.Context, a rpc.VerifyArgs, v *rpc.Verified, breach func(string, string, ...any)) error {
	tampered, err := n.ledger.Verify(ctx, ledger.SplitNotes(a.Checkpoints)...)
	if err != nil {
		return err
	}
	for _, b := range tampered {
		breach("murmur.db", "ledger: %s", b)
	}
	v.Key = n.ledger.Key()
	if len(tampered) == 0 {
		c, err := n.ledger.Checkpoint(ctx)
		if err != nil {
			return err
		}
		v.Checkpoint = c.String()
	}
	v.Entries, err = n.ledgerEntries(ctx)
	return err
}

func (n *Node) ledgerEntries(ctx context.Context) (count int64, err error) {
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return 0, err
	}
	for _, ws := range workspaces {
		err := n.ledger.Entries(ctx, ws.String(), ledger.Filter{}, func(ledger.Record) error { count++; return nil })
		if err != nil {
			return 0, err
		}
	}
	return count, nil
}

// verifyJournal checks that every delivery has exactly one state and every kept seal opens.
func (n *Node) verifyJournal(ctx context.Context, v *rpc.Verified, breach func(string, string, ...any)) error {
	status, err := n.Status(ctx)
	if err != nil {
		return err
	}
	for _, ws := range status.Names() {
		if w := status.Workspaces[ws]; w.In != w.Sum() {
			breach("journal.db", "workspace %s: %d deliveries came in, their states sum to %d", ws, w.In, w.Sum())
		}
	}
	damaged, err := n.journal.Check(ctx)
	if err != nil {
		return err
	}
	for _, d := range damaged {
		breach("journal.db", "%s", d)
	}
	unreadable := map[workspace.ID]bool{}
	return n.journal.Sealed(ctx, func(m journal.Message) error {
		_, err := n.ring.Open(m.Workspace, keyring.TopicInbox, m.ID, sealVersion, m.Epoch, m.Payload)
		if errors.Is(err, keyring.ErrSeal) {
			v.Breaches = append(v.Breaches, rpc.Breach{File: "journal.db", What: fmt.Sprintf("the seal of the delivery at position %s does not open", m.Position), Lost: 1})
			return nil
		}
		if err != nil && !errors.Is(err, keyring.ErrDead) && !unreadable[m.Workspace] {
			unreadable[m.Workspace] = true // once: the key file has a line of its own
			breach("journal.db", "deliveries of workspace %s cannot be read: %s", m.Workspace, explain.Describe(err))
		}
		return nil // or its day's key is destroyed, as promised
	})
}

// verifyReleases reads every stored table; with attack it also attacks what is shown of them and what leaves.
func (n *Node) verifyReleases(ctx context.Context, attack bool, v *rpc.Verified, breach func(string, string, ...any)) error {
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		sets, err := n.crowd.Sets(ctx, ws, release.Owner)
		if err != nil {
			breach("murmur.db", "releases of %s: %s", ws, err)
			continue
		}
		for _, s := range sets {
			v.Tables += len(s.Tables())
		}
		if left, err := n.crowd.Outside(ctx, ws); err != nil {
			breach("murmur.db", "releases of %s that left: %s", ws, err)
		} else {
			v.Tables += len(left)
		}
		if found, err := n.audit(ctx, ws); err != nil {
			breach("lake", "workspace %s: what somebody refused could not be looked for: %s", ws, explain.Describe(err))
		} else if found > 0 {
			breach("lake", "workspace %s: %d transcripts that somebody refused were in it; they were taken out", ws, found)
		}
		if !attack {
			continue
		}
		a, err := n.crowd.Attack(ctx, ws, crowd.Reader{Reads: insight.Reads(), Band: insight.BandOf})
		if err != nil {
			breach("murmur.db", "releases of %s could not be attacked: %s", ws, explain.Describe(err))
			continue
		}
		attacked(v, ws, a)
		left, ok, err := n.crowd.Audit(ctx, ws)
		if err != nil {
			breach("murmur.db", "what leaves %s could not be attacked: %s", ws, explain.Describe(err))
		} else if ok {
			audited(v, ws, left)
		}
	}
	return nil
}
