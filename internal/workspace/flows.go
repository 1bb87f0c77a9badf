package workspace

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"murmur/internal/ledger"
)

const topicFlow = "flow"

// flowCache holds the flows of workspaces. mu is held while they are read and while one is set.
type flowCache struct {
	mu    sync.Mutex
	known map[ID][]Flow
}

// SetFlow makes f the newest version of its flow; fresh is false when it is the newest already. The ledger keeps who
// changed it, why, and a digest of what it says now.
func (s *Store) SetFlow(ctx context.Context, ws ID, f Flow, reason, author string) (_ Flow, fresh bool, err error) {
	if reason == "" {
		return Flow{}, false, fmt.Errorf("%w: a change needs a reason", ErrPolicy)
	}
	s.flows.mu.Lock()
	defer s.flows.mu.Unlock()
	all, err := s.readFlows(ctx, ws)
	if err != nil {
		return Flow{}, false, err
	}
	from, now := "", s.now()
	f.Version, f.SetAt = 1, now.UTC()
	for _, old := range all {
		if old.Name == f.Name && old.YAML == f.YAML && !slices.ContainsFunc(all, func(o Flow) bool { return o.Name == f.Name && o.Version > old.Version }) {
			return old, false, nil
		}
		if old.Name == f.Name && old.Version >= f.Version {
			f.Version, from = old.Version+1, fmt.Sprintf("%s/%d", old.Name, old.Version)
		}
	}
	if f.Since.IsZero() {
		f.Since = f.SetAt
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		sealed, err := s.seal.SealLasting(ws, topicFlow, flowID(f.Name, f.Version), []byte(f.YAML))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO flows(workspace, name, version, since, set_at, body) VALUES(?,?,?,?,?,?)`,
			ws.String(), f.Name, f.Version, f.Since.UnixMicro(), now.UnixMicro(), sealed); err != nil {
			return err
		}
		to := fmt.Sprintf("%s/%d %s", f.Name, f.Version, letters(f.YAML))
		_, err = s.ledger.Append(ctx, tx, ledger.Policy{Workspace: ws.String(), Key: "flow", From: from, To: to, Reason: reason, Author: author})
		return err
	})
	if err != nil {
		return Flow{}, false, fmt.Errorf("set flow: %w", err)
	}
	delete(s.flows.known, ws)
	return f, true, nil
}

// Flows lists all versions of a workspace's flows, by name and version.
func (s *Store) Flows(ctx context.Context, ws ID) ([]Flow, error) {
	s.flows.mu.Lock()
	defer s.flows.mu.Unlock()
	if all, ok := s.flows.known[ws]; ok {
		return all, nil
	}
	all, err := s.readFlows(ctx, ws)
	if err != nil {
		return nil, err
	}
	if s.flows.known == nil {
		s.flows.known = map[ID][]Flow{}
	}
	s.flows.known[ws] = all
	return all, nil
}

func (s *Store) readFlows(ctx context.Context, ws ID) ([]Flow, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT name, version, since, set_at, body FROM flows WHERE workspace = ? ORDER BY name, version`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read flows: %w", err)
	}
	defer rows.Close()
	var all []Flow
	for rows.Next() {
		var name string
		var version int
		var since, set int64
		var sealed []byte
		if err := rows.Scan(&name, &version, &since, &set, &sealed); err != nil {
			return nil, fmt.Errorf("read flows: %w", err)
		}
		body, err := s.seal.OpenLasting(ws, topicFlow, flowID(name, version), sealed)
		if err != nil {
			return nil, fmt.Errorf("open flow: %w", err)
		}
		f, err := ParseFlow(body)
		if err != nil {
			return nil, fmt.Errorf("read flow: %w", err)
		}
		f.Version, f.Since, f.SetAt = version, time.UnixMicro(since).UTC(), time.UnixMicro(set).UTC()
		all = append(all, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read flows: %w", err)
	}
	return all, nil
}

// FlowAt is the version that calls of a number went by at a moment: of the flow that the vendor named, else of the one
// that has the number, else, where the vendor knows no flow, of the one that is for every number.
func FlowAt(all []Flow, named, number string, at time.Time) (Flow, bool) {
	for _, fits := range []func(Flow) bool{
		func(f Flow) bool { return named != "" && named != number && f.Name == named },
		func(f Flow) bool { return number != "" && slices.Contains(f.Numbers, number) },
		func(f Flow) bool { return (named == "" || named == number) && len(f.Numbers) == 0 },
	} {
		var best Flow
		for _, f := range all {
			if fits(f) && !f.Since.After(at) && (best.Version == 0 || f.Since.After(best.Since) || f.Since.Equal(best.Since) && f.Version > best.Version) {
				best = f
			}
		}
		if best.Version > 0 {
			return best, true
		}
	}
	return Flow{}, false
}

func flowID(name string, version int) (id [16]byte) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", name, version))
	copy(id[:], sum[:])
	return id
}

// letters is a digest in letters: no setting in the ledger has a long number.
func letters(s string) string {
	sum := sha256.Sum256([]byte(s))
	var b strings.Builder
	for _, c := range sum[:16] {
		b.WriteByte('a' + c>>4)
		b.WriteByte('a' + c&15)
	}
	return b.String()
}
