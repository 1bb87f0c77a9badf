package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// An inserter stores rows of a table many at a time: most of what a statement costs is its beginning and its end.
type inserter struct {
	columns int
	stmts   []*sql.Stmt // of insertSizes
	args    []any       // of rows that are not stored yet
	bytes   int         // of their blobs
}

// insertSizes are how many rows one statement stores.
var insertSizes = []int{64, 8, 1}

// insertBytes bounds what is kept for one statement.
const insertBytes = 4 << 20

func (i *inserter) prepare(ctx context.Context, conn *sql.Conn, table string, columns int) error {
	i.columns = columns
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	for _, n := range insertSizes {
		stmt, err := conn.PrepareContext(ctx, "insert into "+table+" values "+row+strings.Repeat(", "+row, n-1))
		if err != nil {
			return fmt.Errorf("prepare an insert into %s: %w", table, err)
		}
		i.stmts = append(i.stmts, stmt)
	}
	return nil
}

// add takes a row.
func (i *inserter) add(ctx context.Context, bytes int, row ...any) error {
	i.args = append(i.args, row...)
	if i.bytes += bytes; len(i.args) < insertSizes[0]*i.columns && i.bytes < insertBytes {
		return nil
	}
	return i.flush(ctx)
}

// flush stores the rows.
func (i *inserter) flush(ctx context.Context) error {
	args := i.args
	for k, n := range insertSizes {
		for size := n * i.columns; len(args) >= size; args = args[size:] {
			if _, err := i.stmts[k].ExecContext(ctx, args[:size]...); err != nil {
				return err
			}
		}
	}
	i.forget()
	return nil
}

// forget drops the rows that are not stored.
func (i *inserter) forget() {
	clear(i.args)
	i.args, i.bytes = i.args[:0], 0
}

// close finalises the statements.
func (i *inserter) close() {
	for _, stmt := range i.stmts {
		_ = stmt.Close()
	}
}
