package private

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/vcon"
	"murmur/internal/workspace"
)

// ImportSource is the name under which imported rows are counted.
const ImportSource = "import"

// kindUnreadable marks a row that could not be read: its body is the number of the reason. It is kept as a
// delivery so that every row has a state.
const kindUnreadable = "unreadable"

// ErrUnreadable is returned for a file of which murmur cannot read a single row.
var ErrUnreadable = errors.New("the file cannot be read")

// ImportOptions say what the file is: Kind is calls, messages, surveys, steps, vcon, native or empty (found out); Map is
// the YAML of --map, Key the private key for encrypted vCons (PEM or JWK).
// Source names the connection whose ids the rows use, so that a call in the file and the same call by webhook are one;
// empty: the file's ids are those of files of its shape alone.
type ImportOptions struct {
	Kind, Map, Key string
	Source         string
	Progress       *ImportProgress // counts along; nil: nobody looks
}

// ImportProgress may be read while an import runs.
type ImportProgress struct{ Rows, Known atomic.Int64 }

// ImportReport counts the rows of a file.
type ImportReport struct {
	Rows     int64
	States   [int(fact.Erased) + 1]int64 // by fact.State; Duplicate: known before
	Later    []journal.ID                // new rows whose state may still change: held, or left to the pipeline
	Bad      []BadRow                    // the first badListed rows in quarantine, in order
	Unlisted int64                       // further ones
	Unread   int64                       // new rows whose contact's address cannot be read: they are nobody's
}

// BadRow is a row in quarantine.
type BadRow struct {
	Line int
	Why  string
}

const badListed = 20

// Settler takes deliveries in whose outcomes are known: package pipeline.
type Settler interface {
	// Settle makes deliveries, states and facts durable together and says which deliveries were new. still is asked at
	// that moment; deliveries.ErrMoved when it says no.
	Settle(ctx context.Context, still func() bool, in []journal.Message, outcomes []fact.Outcome) (fresh []bool, err error)
	// Known gives the states of those that were accepted before.
	Known(ctx context.Context, ws workspace.ID, ids []journal.ID) (map[journal.ID]fact.State, error)
}

// Import reads a file of native lines, CSV or vCons; every row is a delivery of its own. The same file twice changes
// nothing, and what was read before an interruption is known the next time. When it returns nil, every row is durable;
// with an error, the rows that the report counts are.
//
// Rows are decided here and not by the pipeline, which would open and decode each once more. What people say meanwhile
// is not missed: see decided.
func (z *Zone) Import(ctx context.Context, ws workspace.ID, r io.Reader, o ImportOptions, to Settler) (ImportReport, error) {
	f, err := z.openFile(ctx, ws, r, o)
	if err == nil {
		err = z.belongs(ctx, ws, &f, o.Source)
	}
	if err != nil {
		return ImportReport{}, err
	}
	im, err := z.importer(ws, f, o, to)
	if err != nil {
		return ImportReport{}, err
	}
	batches := make(chan []importRow)
	g, work := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for rows := range batches {
				if err := im.take(work, rows); err != nil {
					return err
				}
			}
			return nil
		})
	}
	var unread error
	g.Go(func() error {
		defer close(batches)
		unread = fileError(im.cut(work, f, batches))
		return nil
	})
	if err := g.Wait(); err != nil {
		return im.done(), err
	}
	return im.done(), cmp.Or(ctx.Err(), unread)
}

// importRow is one row of a file.
type importRow struct {
	line int
	kind string // of its body
	d    source.Delivery
	bad  error // it could not be cut
}

const (
	batchRows  = 512
	batchBytes = 1 << 20
)

// cut reads the file and hands out its rows in batches, until ctx ends.
func (im *importer) cut(ctx context.Context, f file, batches chan<- []importRow) error {
	var batch []importRow
	size := 0
	flush := func() bool {
		select {
		case batches <- batch:
			batch, size = make([]importRow, 0, batchRows), 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	chain := sha256.New() // of all rows so far, also those that cannot be read: tells such a row by its place in this very file
	io.WriteString(chain, f.ids)
	err := f.Rows(func(line int, body []byte, bad *source.Verdict) bool {
		chain.Write(body)
		row := importRow{line: line, kind: f.kind}
		if bad == nil {
			row.d = f.delivery(body)
		} else {
			row.kind, row.bad = kindUnreadable, bad
			row.d.ID = fmt.Sprintf("row\x00%d\x00%s", line, base64.RawURLEncoding.EncodeToString(chain.Sum(nil)))
			row.d.Body = strconv.AppendInt(nil, int64(bad.Why), 10)
		}
		if f.name != "" { // the same row of another connection is another delivery
			row.d.ID = "source\x00" + f.name + "\x00" + deliveryName(row.d)
		}
		batch, size = append(batch, row), size+len(row.d.Body)
		return len(batch) < batchRows && size < batchBytes || flush()
	})
	if len(batch) > 0 {
		flush()
	}
	return err
}

// importer carries out one import.
type importer struct {
	zone     *Zone
	ws       workspace.ID
	name     string // of the source
	ids      string // the connection whose ids the rows use
	key      keyring.Pseudonym
	label    fact.Label // of name
	to       Settler
	progress *ImportProgress
	repeated atomic.Bool // rows of the last batch were known before

	mu     sync.Mutex
	report ImportReport
	bad    []BadRow
}

func (z *Zone) importer(ws workspace.ID, f file, o ImportOptions, to Settler) (*importer, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	im := &importer{zone: z, ws: ws, name: ImportSource, ids: f.ids, key: key, to: to, progress: o.Progress}
	im.label = identity.Label(key, fact.DimSource, 0, im.name)
	im.repeated.Store(true) // a resumed import begins with known rows
	if im.progress == nil {
		im.progress = new(ImportProgress)
	}
	return im, nil
}

// take makes a batch durable with its outcomes.
func (im *importer) take(ctx context.Context, rows []importRow) error {
	if err := im.zone.admit(ctx, im.ws, len(rows)); err != nil {
		return err
	}
	ids := make([]journal.ID, len(rows))
	for i, row := range rows {
		ids[i] = identity.DeliveryID(im.key, im.name, deliveryName(row.d))
	}
	known, err := im.known(ctx, ids)
	if err != nil {
		return err
	}
	for range 2 { // these very rows may contain the statement because of which the decisions no longer hold
		err := im.settle(ctx, rows, ids, known)
		if !errors.Is(err, deliveries.ErrMoved) && !errors.Is(err, journal.ErrStale) {
			return err
		}
	}
	return im.hand(ctx, rows, ids)
}

// known asks which rows were accepted before: of every batch while rows are, else of none, because Settle finds a few
// without being told.
func (im *importer) known(ctx context.Context, ids []journal.ID) (map[journal.ID]fact.State, error) {
	if !im.repeated.Load() {
		return nil, nil
	}
	return im.to.Known(ctx, im.ws, ids)
}

// settle decides the rows and takes them in.
func (im *importer) settle(ctx context.Context, rows []importRow, ids []journal.ID, known map[journal.ID]fact.State) error {
	still, err := im.zone.mark(ctx, im.ws)
	if err != nil {
		return err
	}
	now := im.zone.now()
	in, outcomes := make([]journal.Message, len(rows)), make([]fact.Outcome, len(rows))
	bad := make([]error, len(rows))
	told := memo{addresses: true}
	for i, row := range rows {
		in[i] = journal.Message{Topic: journal.Inbox, ID: ids[i], Workspace: im.ws, Source: im.label, Key: binary.BigEndian.Uint64(ids[i][:8]), At: now}
		if state, ok := known[ids[i]]; ok {
			outcomes[i].State = fact.Duplicate
			if state == fact.Quarantined {
				_, said := decode(row.envelope(im.name, im.ids), now)
				bad[i] = cmp.Or(row.bad, said)
			}
			continue
		}
		env := row.envelope(im.name, im.ids)
		if outcomes[i], bad[i], err = im.zone.judge(ctx, in[i], env, &told); err != nil {
			return err
		}
		bad[i] = quarantined(outcomes[i], cmp.Or(row.bad, bad[i]))
		if deliveries.Settled(outcomes[i].State) {
			continue // nothing of it is kept
		}
		in[i].Epoch, in[i].Payload, err = im.zone.ring.Seal(im.ws, keyring.TopicInbox, ids[i], sealVersion, env.bytes())
		if err != nil {
			return fmt.Errorf("seal row: %w", err)
		}
	}
	if err := im.zone.register.Tell(ctx, told.take()); err != nil { // before still is asked: a refusal finds them, or is seen there
		return err
	}
	fresh, err := im.to.Settle(ctx, still, in, outcomes)
	if err != nil {
		return err
	}
	im.count(rows, in, outcomes, bad, fresh)
	return nil
}

// quarantined is why a row is in quarantine: what was said when it was read, else its outcome's reason. Nil when it is
// not in quarantine.
func quarantined(o fact.Outcome, said error) error {
	switch {
	case o.State != fact.Quarantined:
		return nil
	case said != nil:
		return said
	}
	return source.Quarantine(o.Why, "")
}

func (row importRow) envelope(name, ids string) envelope {
	return envelope{origin: origin{name, row.kind, ids}, delivery: row.d}
}

// mark gives a function that reports whether the statements that decisions about rows rest on (consent, erasure,
// policy) are unchanged since mark was called. Every statement is stored here before it reaches the journal; so a
// decision that still holds inside a transaction of the journal comes before any later statement, in the journal and
// in the lake.
func (z *Zone) mark(ctx context.Context, ws workspace.ID) (still func() bool, err error) {
	said, err := z.register.Changes(ctx, ws)
	if err != nil {
		return nil, err
	}
	set := z.store.Changes()
	return func() bool {
		now, err := z.register.Changes(ctx, ws)
		return err == nil && now == said && z.store.Changes() == set
	}, nil
}

// hand gives rows to the pipeline, which decides one batch after the other.
func (im *importer) hand(ctx context.Context, rows []importRow, ids []journal.ID) error {
	known, err := im.to.Known(ctx, im.ws, ids)
	if err != nil {
		return err
	}
	if _, err := im.zone.appendRows(ctx, im.ws, im.name, im.ids, rows); err != nil {
		return err
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	again := 0
	for _, id := range ids {
		if _, ok := known[id]; ok {
			again++
			continue
		}
		known[id] = fact.Pending // a row that stands twice in the batch
		im.report.Later = append(im.report.Later, id)
	}
	im.report.States[fact.Duplicate] += int64(again)
	im.progressed(len(rows), again)
	return nil
}

// count notes what became of rows that are durable.
func (im *importer) count(rows []importRow, in []journal.Message, outcomes []fact.Outcome, bad []error, fresh []bool) {
	im.mu.Lock()
	defer im.mu.Unlock()
	again := 0
	for i, o := range outcomes {
		if !fresh[i] {
			o.State = fact.Duplicate
			again++
		}
		if o.State == fact.Held { // another row may agree to it
			im.report.Later = append(im.report.Later, in[i].ID)
		} else {
			im.report.States[o.State]++
		}
		if o.Unread && fresh[i] {
			im.report.Unread++
		}
		if bad[i] != nil {
			im.bad = append(im.bad, BadRow{rows[i].line, reason(bad[i])})
		}
	}
	im.repeated.Store(again > 0)
	im.progressed(len(rows), again)
	if len(im.bad) > 4*badListed {
		im.cutBad()
	}
}

// progressed counts rows that are durable; mu is held.
func (im *importer) progressed(rows, again int) {
	im.report.Rows += int64(rows)
	im.progress.Rows.Add(int64(rows))
	im.progress.Known.Add(int64(again))
}

// cutBad keeps the first bad rows and counts the others. Batches come in any order.
func (im *importer) cutBad() {
	slices.SortFunc(im.bad, func(a, b BadRow) int { return cmp.Compare(a.Line, b.Line) })
	if n := len(im.bad) - badListed; n > 0 {
		im.report.Unlisted += int64(n)
		im.bad = im.bad[:badListed]
	}
}

func (im *importer) done() ImportReport {
	im.cutBad()
	im.report.Bad = im.bad
	return im.report
}

// reason says why a row was not read, without a value of it.
func reason(bad error) string {
	var v *source.Verdict
	if !errors.As(bad, &v) {
		return fact.WhyBadField.String()
	}
	why := v.Why.String()
	var r *vcon.Refusal
	switch {
	case errors.As(bad, &r) && r.Where != "":
		why += " (" + r.Where + ": " + r.What + ")"
	case r != nil:
		why += " (" + r.What + ")"
	case v.Field != "":
		why += " (" + v.Field + ")"
	}
	return why
}

// appendRows journals rows to be decided later, in runs of one kind.
func (z *Zone) appendRows(ctx context.Context, ws workspace.ID, name, ids string, rows []importRow) (total Accepted, err error) {
	for lo := 0; lo < len(rows); {
		hi := lo
		var run []source.Delivery
		for ; hi < len(rows) && rows[hi].kind == rows[lo].kind; hi++ {
			run = append(run, rows[hi].d)
		}
		a, err := z.append(ctx, ws, origin{name, rows[lo].kind, ids}, run)
		if err != nil {
			return total, err
		}
		total.Deliveries, total.Fresh = total.Deliveries+a.Deliveries, total.Fresh+a.Fresh
		lo = hi
	}
	return total, nil
}

// unreadable is the outcome of a row that could not be read.
func unreadable(body []byte) fact.Outcome {
	why, err := strconv.ParseInt(string(body), 10, 64)
	if err != nil {
		why = int64(fact.WhyBadField)
	}
	return fact.Outcome{State: fact.Quarantined, Why: fact.Why(why)}
}
