// Package explain says of an error what may be said: to a person what to do about it (Of), and in a log which part failed
// (Describe, NewLog).
//
// Zone: outside of all zones. It sees errors, whose texts hold no personal data; Describe does not rely on that.
//
// It does not protect against a sentinel whose own text holds somebody's data: explain_test.go lists the errors that are explained.
package explain

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"syscall"

	"murmur/internal/bucket"
	"murmur/internal/crowd"
	"murmur/internal/datadir"
	"murmur/internal/hook"
	"murmur/internal/insight"
	"murmur/internal/job"
	"murmur/internal/journal"
	"murmur/internal/journal/kafka"
	"murmur/internal/journal/relay"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/mail"
	"murmur/internal/meta"
	"murmur/internal/private"
	"murmur/internal/redact/command"
	"murmur/internal/rpc"
	"murmur/internal/stream"
	"murmur/internal/workspace"
)

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
	{keyring.ErrNewer, http.StatusConflict, 5, "the data was written by a newer murmur; use that version"},
	{job.ErrNewer, http.StatusConflict, 5, "the data was written by a newer murmur; use that version"},
	{crowd.ErrNewer, http.StatusConflict, 5, "the data was written by a newer murmur; use that version"},
	{datadir.ErrMode, http.StatusConflict, 1, "others can read the data directory: chmod -R go-rwx on it"},
	{keyring.ErrMode, http.StatusConflict, 1, "others can read the root key: chmod 600 on it"},
	{datadir.ErrDamaged, http.StatusConflict, 3, "murmur verify names what changed; restore a backup, or move the file away if you know why"},
	{datadir.ErrReadOnly, http.StatusConflict, 1, "the data directory cannot be written; check its owner and how the disk is mounted"},
	{datadir.ErrForeign, http.StatusConflict, 2, "name a directory of murmur's own with --data; a new one is made where there is none"},
	{datadir.ErrNotEmpty, http.StatusConflict, 2, "restore into a new directory with --data DIR; it is made where there is none"},
	{private.ErrOtherKeys, http.StatusConflict, 2, "--instead-of names the directory that this backup was made of; where its keys are lost, write down who was erased since: --erasures FILE"},
	{datadir.ErrBackup, http.StatusUnprocessableEntity, 2, "the file is cut off, changed or no backup; use another copy of it"},
	{keyring.ErrRoot, http.StatusConflict, 3, "put back root.key of this very directory, name where it is kept with --root-key, or restore a backup"},
	{keyring.ErrBeside, http.StatusConflict, 2, "move root.key to where --root-key says, then start again"},
	{keyring.ErrDamaged, http.StatusConflict, 3, "murmur verify names the key; restore a backup"},
	{keyring.ErrFull, http.StatusServiceUnavailable, 1, "old epochs could not be destroyed; the log says why, deliveries are taken again once they are"},
	{ledger.ErrKey, http.StatusUnprocessableEntity, 2, "murmur verify --json prints the key of a ledger, one line that begins with murmur-"},
	{ledger.ErrBroken, http.StatusConflict, 3, "murmur verify names the entry; restore a backup, and keep this directory as evidence"},
	{journal.ErrNewer, http.StatusConflict, 5, "the data was written by a newer murmur; use that version"},
	{journal.ErrTaken, http.StatusConflict, 4, "another murmur works on this directory; stop it, or use another --data"},
	{datadir.ErrFull, http.StatusInsufficientStorage, 1, "the disk is full; deliveries are answered 503 and nothing is lost once there is room"},
	{journal.ErrStale, http.StatusServiceUnavailable, 1, "the day ended while it was being accepted; send it again"},
	{journal.ErrAway, http.StatusServiceUnavailable, 1, "docs/runbook/queue.md: the servers of --queue must run and be reached; what was accepted is safe here"},
	{journal.ErrTrust, http.StatusServiceUnavailable, 1, "the user of --queue, its --queue-password, its rights on topics and groups of the prefix, and the servers' certificates must be right"},
	{journal.ErrUnfit, http.StatusConflict, 2, "set the topic as the message says (kafka-configs.sh --alter), or name another prefix: --queue kafka://HOST:PORT/PREFIX"},
	{relay.ErrBusy, http.StatusConflict, 1, "start once more with the old queue until murmur doctor says that nothing waits; --queue lost gives up what waits"},
	{kafka.ErrAddress, http.StatusUnprocessableEntity, 2, "such as kafka://10.0.0.5:9092; none takes facts straight into the lake again"},
	{bucket.ErrAddress, http.StatusUnprocessableEntity, 2, "such as s3://figures/murmur?region=eu-central-1; files takes the lake back into the data directory"},
	{bucket.ErrKey, http.StatusUnprocessableEntity, 2, "--lake-key @FILE reads ID:SECRET from a file; without it the environment is asked, as AWS's own programs do"},
	{bucket.ErrAway, http.StatusServiceUnavailable, 1, "docs/runbook/bucket.md: the bucket of --lake must be reached; what was accepted is safe here"},
	{bucket.ErrTrust, http.StatusServiceUnavailable, 1, "docs/runbook/bucket.md: the key needs to list the bucket, and to read, write and delete objects below the prefix"},
	{bucket.ErrVersions, http.StatusConflict, 2, "switch versioning off, or name another bucket: what is erased must be gone"},
	{bucket.ErrMissing, http.StatusConflict, 1, "docs/runbook/bucket.md: the bucket must exist; murmur verify names objects that are gone"},
	{crowd.ErrTaken, http.StatusConflict, 4, "name another prefix: --lake s3://BUCKET/PREFIX; of two copies of a data directory only one may run"},
	{crowd.ErrOther, http.StatusConflict, 2, "bring it back first: murmur serve --lake files; murmur status --json says where it is"},
	{stream.ErrAddress, http.StatusUnprocessableEntity, 2, "such as --api-base kafka+tls://murmur@10.0.0.5:9093/calls,texts?group=murmur; docs/stream.md"},
	{stream.ErrAway, http.StatusServiceUnavailable, 1, "docs/stream.md: the servers of the stream must run and be reached; what was not read stays there"},
	{stream.ErrTrust, http.StatusServiceUnavailable, 1, "docs/stream.md: the user, the password (murmur connect rotate NAME --secret @FILE), the rights to read topics and group, and the servers' certificates must be right"},
	{stream.ErrTopic, http.StatusConflict, 2, "make the topic first, or name another one in --api-base"},
	{journal.ErrFull, http.StatusServiceUnavailable, 1, "the disk is full; vendors try again, nothing is lost"},
	{workspace.ErrBadID, http.StatusUnprocessableEntity, 2, "use a-z, 0-9 and -, at most 32 characters"},
	{private.ErrUnconfined, http.StatusConflict, 1, Confine},
	{private.ErrListenerReads, http.StatusConflict, 2, "put the transcriber into a folder of its own, and the data directory elsewhere"},
	{command.ErrReader, http.StatusUnprocessableEntity, 2, command.Hint(command.ErrReader)},
	{workspace.ErrPolicy, http.StatusUnprocessableEntity, 2, "murmur policy show lists the keys and what each means"},
	{workspace.ErrFlow, http.StatusUnprocessableEntity, 2, "docs/workflow.md has a flow to begin with, and every field"},
	{workspace.ErrExists, http.StatusConflict, 2, "choose another --name, or remove the old one first"},
	{workspace.ErrNotFound, http.StatusNotFound, 2, "murmur connect list, token list, alert list, digest list and workspace list show what there is"},
	{private.ErrCallEvent, http.StatusUnprocessableEntity, 2, "docs/api.md lists the events of a call and what goes with each"},
	{private.ErrBusy, http.StatusServiceUnavailable, 1, "calls are taken again as others end; record nothing until then"},
	{private.ErrReceipt, http.StatusUnprocessableEntity, 2, "a receipt is the answer of GET /v1/calls/{id}/receipt, byte for byte"},
	{private.ErrNobody, http.StatusUnprocessableEntity, 2, "such as +1 212 555 0123 or ann@example.com"},
	{private.ErrContact, http.StatusUnprocessableEntity, 2, "write a number with + and its country, such as +44 20 7946 0958, an e-mail address, or an id of your platform as id:12345678; numbers without a country are read in the policy's region"},
	{private.ErrImportSource, http.StatusUnprocessableEntity, 2, "--source names the connection, as murmur connect list shows it"},
	{private.ErrVia, http.StatusUnprocessableEntity, 2, "leave it out where none of them fits"},
	{command.ErrDial, http.StatusUnprocessableEntity, 2, command.Hint(command.ErrDial)},
	{command.ErrLine, http.StatusUnprocessableEntity, 2, command.Hint(command.ErrLine)},
	{private.ErrUnreadable, http.StatusUnprocessableEntity, 2, "murmur import --dry-run FILE shows how the file is understood; --map FILE names the columns"},
	{private.ErrNotReleased, http.StatusConflict, 1, "docs/consent.md has the rule; murmur policy show says on what ground transcripts may be used"},
	{private.ErrNoWords, http.StatusNotFound, 2, "the id is the platform's own; masked words are kept for 90 days"},
	{private.ErrNoPolling, http.StatusUnprocessableEntity, 2, "leave out --api-key: this source delivers by webhook"},
	{private.ErrMapping, http.StatusUnprocessableEntity, 2, "docs/surveys.md shows mappings; the message names the key at fault"},
	{private.ErrNoScript, http.StatusNotFound, 2, "murmur connect twilio --then NUMBER says where calls go after the notice"},
	{mail.ErrNoAddress, http.StatusUnprocessableEntity, 2, "such as owner@example.com"},
	{insight.ErrWatch, http.StatusUnprocessableEntity, 2, "murmur alert add missed-call-rate --above 20% ..; without --below and --above it is the usual range"},
	{workspace.ErrAlerts, http.StatusUnprocessableEntity, 2, "murmur alert remove ends one"},
	{hook.ErrAddress, http.StatusUnprocessableEntity, 2, "such as https://example.com/hooks/murmur"},
	{hook.ErrHost, http.StatusUnprocessableEntity, 2, "the operator allows a host with serve --allow-host HOST:PORT, or adds the alert with murmur alert add on the machine"},
	{hook.ErrRedirect, http.StatusBadGateway, 1, "name the other address; murmur follows no redirect"},
	{hook.ErrGone, http.StatusBadGateway, 1, "add the alert again with another address"},
	{hook.ErrRefused, http.StatusBadGateway, 1, "look at the address, and at the receiver's log"},
	{hook.ErrDown, http.StatusBadGateway, 1, "look whether the receiver runs; alerts are tried again for three days"},
	{mail.ErrNone, http.StatusConflict, 1, "start the server with --smtp and --mail-from"},
	{mail.ErrAddress, http.StatusBadGateway, 1, "look at the address"},
	{mail.ErrUnsent, http.StatusBadGateway, 1, "look at the mail server's log; alerts are tried again for three days"},
	{workspace.ErrSuspended, http.StatusForbidden, 1, "ask whoever runs this server; what was accepted before is kept, and nothing of it is processed"},
	{workspace.ErrLimit, http.StatusTooManyRequests, 1, "send it again later: nothing of it was kept; murmur workspace list shows the limits"},
	{workspace.ErrWorks, http.StatusConflict, 2, "murmur workspace suspend NAME first: from then on nothing comes in"},
	{workspace.ErrDeleting, http.StatusConflict, 4, "try again once murmur workspace list shows it no more"},
	{workspace.ErrDefault, http.StatusConflict, 2, "give each business a workspace of its own"},
	{workspace.ErrLimits, http.StatusUnprocessableEntity, 2, "such as --a-second 50; 0 takes a limit away"},
	{workspace.ErrTokenLife, http.StatusUnprocessableEntity, 2, "--days takes 1 to 366; without it a token ends after 90"},
	{private.ErrHost, http.StatusUnprocessableEntity, 2, "name the port where it is not 443"},
	{private.ErrNotAllowed, http.StatusForbidden, 2, "murmur serve --allow-host HOST:PORT allows it to every workspace; murmur connect on the machine itself may name any"},
	{private.ErrAPIBase, http.StatusUnprocessableEntity, 2, "--api-base is https://HOST, as in the vendor's documentation"},
	{private.ErrSignature, http.StatusUnauthorized, 1, "check the signing secret of the source"},
	{private.ErrNoKey, http.StatusServiceUnavailable, 1, "murmur connect rotate NAME --secret S"},
	{private.ErrMalformed, http.StatusBadRequest, 2, "docs/format/murmur.v1.md describes a batch"},
	{private.ErrTooLarge, http.StatusRequestEntityTooLarge, 2, "send smaller deliveries; 1 MiB is the limit"},
	{rpc.ErrArgs, http.StatusBadRequest, 2, "command line and server are of different versions: use the same murmur for both"},
	{context.Canceled, http.StatusServiceUnavailable, 1, "it was interrupted; what was accepted is safe, run it again"},
	{fs.ErrNotExist, http.StatusInternalServerError, 2, "check the path: there is nothing of that name"},
	{fs.ErrPermission, http.StatusInternalServerError, 1, "the user who runs murmur may not open it: check its owner and mode"},
	{syscall.ENOTDIR, http.StatusInternalServerError, 2, "a part of the path is a file where a directory is needed"},
	{syscall.EISDIR, http.StatusInternalServerError, 2, "that is a directory where a file is needed"},
}

// Of turns an error into a Problem.
func Of(err error) *rpc.Problem {
	if p, ok := errors.AsType[*rpc.Problem](err); ok {
		return p
	}
	for _, e := range explanations {
		if errors.Is(err, e.is) {
			return &rpc.Problem{Message: err.Error(), Hint: e.hint, Exit: e.exit, Status: e.status}
		}
	}
	return &rpc.Problem{Message: err.Error(), Exit: 1, Status: http.StatusInternalServerError}
}

// Confine says what murmur needs to run a transcriber.
const Confine = "Linux 5.13 or later with seccomp and Landlock, or with user namespaces; in a container allow one of them"
