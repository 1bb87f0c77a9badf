package crowd

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// ErrName is returned for an unknown name, and for an invalid new one.
var ErrName = errors.New("name")

// Named are the kinds of things that the owner may give another name, and their dimensions.
var Named = map[string]fact.Dim{
	"line": fact.DimNumber, "flow": fact.DimFlow, "step": fact.DimNode, "choice": fact.DimChoice, "survey": fact.DimSurvey,
}

// longestOwn is how long a name of the owner's is at most, in code points.
const longestOwn = 60

// seen is a name without what does not show or turns what follows around, words joined by one space: two names that look alike are
// one.
func seen(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsSpace(r) && unicode.In(r, unicode.C, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, name)
	return strings.Join(strings.Fields(name), " ")
}

// ownVersion is that of a name of the owner's: later than any event.
const ownVersion = math.MaxInt64 / 2

// Rename calls everything of a kind that is called from now on to. The owner's name stays, whatever a source says later, and
// is shown in every period. It gives how many things have it.
func (c *Crowd) Rename(ctx context.Context, ws workspace.ID, kind, from, to string) (int, error) {
	to = seen(to)
	dim, ok := Named[kind]
	if n := utf8.RuneCountInString(to); !ok || n == 0 || n > longestOwn || !utf8.ValidString(to) {
		return 0, fmt.Errorf("%w: a line, flow, step, choice or survey has a name of 1 to %d characters", ErrName, longestOwn)
	}
	n, err := c.names.rename(ctx, ws, dim, from, to)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: nothing of that kind is called so", ErrName)
	}
	return n, err
}

// names reports whether somebody means a thing by its name: a number that is shown as its last digits (…0100) is meant by those
// digits alone too.
func names(from, name string) bool {
	return from == name || strings.HasPrefix(name, "…") && from == strings.TrimPrefix(name, "…")
}

func (d *dictionary) rename(ctx context.Context, ws workspace.ID, dim fact.Dim, from, to string) (renamed int, err error) {
	all, err := d.read(ctx, ws)
	if err != nil {
		return 0, err
	}
	called, err := d.renamed(ctx, ws)
	if err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		renamed = 0
		for _, l := range all.Labels {
			if l.Dim != dim || !names(from, l.Name) && from != called[l.Key] {
				continue
			}
			sealed, err := d.seal.SealLasting(ws, topicName, nameID(fact.Label(l.Key)), []byte(to))
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE labels SET called = ?, version = ? WHERE workspace = ? AND label = ?`,
				sealed, int64(ownVersion), ws.String(), l.Key); err != nil {
				return err
			}
			renamed++
		}
		return nil
	})
	delete(d.known, ws)
	return renamed, err
}
