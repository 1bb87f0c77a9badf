package ledger

import (
	"slices"
	"testing"
)

// chained puts the entries of a filled ledger back into the first format, as its version wrote them.
func chained(t *testing.T) *book {
	b := newBook(t)
	b.fill(t)
	prev := make([]byte, 32)
	all := b.rows(t)
	for _, r := range all {
		hash := r.link(prev)
		b.exec(t, `INSERT INTO ledger_chain(seq, at, workspace, kind, body, prev, hash, mac) VALUES(?,?,?,?,?,?,?,?)`,
			r.seq, r.at, r.workspace, r.kind, r.body, prev, hash, b.seal("entry", r.seq, [32]byte(hash)))
		prev = hash
	}
	b.exec(t, `INSERT INTO ledger_chain_head(one, seq, hash, mac) VALUES(1, ?, ?, ?)`, len(all), prev, b.seal("head", int64(len(all)), [32]byte(prev)))
	for _, table := range []string{"ledger", "ledger_tree", "ledger_head", "checkpoints"} {
		b.exec(t, `DELETE FROM `+table)
	}
	editFile(t, b, func(string) string { return "murmur-ledger-1 4 2026-11-24T12:00:00.000000Z 00 AA==\n" })
	return b
}

func TestAChainBecomesATree(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   string
		want []Breach
	}{
		"untouched":   {`SELECT 1`, nil},
		"body edited": {`UPDATE ledger_chain SET body = CAST(replace(CAST(body AS TEXT), 'opted-out', 'opted-in') AS BLOB) WHERE seq = 1`, []Breach{{Rebuilt, 1}}},
		"deleted":     {`DELETE FROM ledger_chain WHERE seq = 3`, []Breach{{Deleted, 3}}},
		"truncated":   {`DELETE FROM ledger_chain WHERE seq > 8`, []Breach{{Truncated, 8}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := chained(t)
			b.exec(t, c.do)
			b.reopen(t, [32]byte{7})
			if found := b.verify(t); !slices.Equal(found, c.want) {
				t.Errorf("found %v, want %v", found, c.want)
			}
			if c.want != nil {
				return
			}
			b.fill(t)
			b.reopen(t, [32]byte{7})
			if found := b.verify(t); len(found) != 0 || len(b.rows(t)) != 20 {
				t.Errorf("%d entries after the conversion, found %v", len(b.rows(t)), found)
			}
		})
	}
}
