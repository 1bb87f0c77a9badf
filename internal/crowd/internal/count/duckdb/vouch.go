package duckdb

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	"murmur/internal/crowd/release"
)

// vouched are the contacts who were claimed in some row of the questions' spans (rows without a contact have the zero
// key), and the times of their rows that were not claimed, in the spans or up to release.Horizon before, in microseconds,
// rising.
type vouched map[[16]byte][]int64

// vouch finds them. Where the files' statistics tell that no row was claimed, it returns at once.
func (n *counts) vouch(ctx context.Context, r *reader) (vouched, error) {
	span := r.span()
	wide := release.Span{Start: span.Start.Add(-release.Horizon), End: span.End}
	claimed := r.anySQL(person+" AS contact", inside(r.files, span), between(span)+" AND claimed = 1")
	some := false
	if err := n.conn.QueryRowContext(ctx, "SELECT EXISTS ("+claimed+")").Scan(&some); err != nil || !some {
		return nil, err
	}
	all := vouched{}
	query := fmt.Sprintf(`WITH c AS MATERIALIZED (SELECT DISTINCT contact FROM (%s))
SELECT DISTINCT c.contact, v.at FROM c LEFT JOIN (%s) v ON v.contact IS NOT DISTINCT FROM c.contact ORDER BY v.at`,
		claimed, r.anySQL(person+` AS contact, epoch_us("at") AS at`, inside(r.files, wide), between(wide)+" AND coalesce(claimed, 0) = 0"))
	return all, n.scan(ctx, query, func(values []driver.Value) {
		key := keyOf(values[0])
		times := all[key]
		if at, ok := values[1].(int64); ok {
			times = append(times, at)
		}
		all[key] = times
	})
}

func keyOf(contact driver.Value) (key [16]byte) {
	b, _ := contact.([]byte)
	copy(key[:], b)
	return key
}

// claim is what is known of a contact.
type claim struct {
	made  bool // somebody claimed to be the contact
	times []int64
}

func (v vouched) of(key [16]byte) claim {
	times, made := v[key]
	return claim{made, times}
}

// stands reports whether the contact counts as one in a span.
func (c claim) stands(span release.Span) bool {
	if !c.made {
		return true
	}
	i, _ := slices.BinarySearch(c.times, span.Start.Add(-release.Horizon).UnixMicro())
	return i < len(c.times) && c.times[i] < span.End.UnixMicro()
}
