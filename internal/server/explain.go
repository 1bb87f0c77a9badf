package server

import (
	"errors"
	"net/http"

	"murmur/internal/datadir"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/meta"
	"murmur/internal/private"
	"murmur/internal/workspace"
)

// Problem is an error as people and programs get it (RFC 9457 over HTTP): no content, a hint what to do, and the
// exit code of the command line.
type Problem struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Exit    int    `json:"exit"`
	Status  int    `json:"status"`
}

func (p *Problem) Error() string { return p.Message }

// explanations map the errors that callers branch on to an HTTP status, an exit code and a hint. The first that
// matches wins. docs/errors.md is made from this table.
var explanations = []struct {
	is     error
	status int
	exit   int
	hint   string
}{
	{datadir.ErrLocked, http.StatusConflict, 4, "another murmur serves this directory; stop it, or use another --data"},
	{datadir.ErrNewer, http.StatusConflict, 5, "the data was written by a newer murmur; use that version"},
	{meta.ErrNewer, http.StatusConflict, 5, "the data was written by a newer murmur; use that version"},
	{datadir.ErrMode, http.StatusConflict, 1, "others can read the data directory: chmod -R go-rwx on it"},
	{keyring.ErrMode, http.StatusConflict, 1, "others can read the root key: chmod 600 on it"},
	{datadir.ErrDamaged, http.StatusConflict, 3, "murmur verify names what changed; restore a backup, or move the file away if you know why"},
	{datadir.ErrReadOnly, http.StatusConflict, 1, "the data directory cannot be written; check its owner and how the disk is mounted"},
	{datadir.ErrFull, http.StatusInsufficientStorage, 1, "the disk is full; deliveries are answered 503 and nothing is lost once there is room"},
	{journal.ErrFull, http.StatusServiceUnavailable, 1, "the disk is full; vendors try again, nothing is lost"},
	{workspace.ErrBadID, http.StatusUnprocessableEntity, 2, "use a-z, 0-9 and -, at most 32 characters"},
	{workspace.ErrPolicy, http.StatusUnprocessableEntity, 2, "murmur policy show lists the keys and what each means"},
	{workspace.ErrExists, http.StatusConflict, 2, "choose another --name, or remove the old one first"},
	{workspace.ErrNotFound, http.StatusNotFound, 2, "murmur connect list and murmur status show what there is"},
	{private.ErrNobody, http.StatusUnprocessableEntity, 2, "such as +1 212 555 0123 or ann@example.com"},
	{private.ErrVia, http.StatusUnprocessableEntity, 2, ""},
	{private.ErrUnreadable, http.StatusUnprocessableEntity, 2, "murmur import --dry-run FILE shows how the file is understood; --map FILE names the columns"},
	{private.ErrSignature, http.StatusUnauthorized, 1, "check the signing secret of the source"},
	{private.ErrNoKey, http.StatusServiceUnavailable, 1, "murmur connect rotate NAME --secret S"},
	{private.ErrMalformed, http.StatusBadRequest, 2, "docs/format/murmur.v1.md describes a batch"},
	{private.ErrTooLarge, http.StatusRequestEntityTooLarge, 2, "send smaller deliveries; 1 MiB is the limit"},
	{errBadArgs, http.StatusBadRequest, 2, ""},
}

// Explain turns an error into a Problem.
func Explain(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	for _, e := range explanations {
		if errors.Is(err, e.is) {
			return &Problem{Message: err.Error(), Hint: e.hint, Exit: e.exit, Status: e.status}
		}
	}
	return &Problem{Message: err.Error(), Exit: 1, Status: http.StatusInternalServerError}
}
