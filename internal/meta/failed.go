package meta

import (
	"database/sql"
	"errors"
	"slices"

	"modernc.org/sqlite"
)

// storage are SQLite's primary result codes (sqlite.org/rescode.html) that blame the database as a whole.
var storage = []int{
	5,  // BUSY
	6,  // LOCKED
	7,  // NOMEM
	8,  // READONLY
	9,  // INTERRUPT
	10, // IOERR
	11, // CORRUPT
	13, // FULL
	14, // CANTOPEN
	15, // PROTOCOL
	26, // NOTADB
}

// Failed reports whether an error is of a database as a whole (a full disk, a failed read, a damaged page, another
// writer that does not end), and not of what was asked of it.
func Failed(err error) bool {
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) {
		return true
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	return slices.Contains(storage, e.Code()&0xff)
}
