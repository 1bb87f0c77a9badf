package private

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/detect"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/private/internal/source/csv"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/private/internal/source/strictjson"
	"murmur/internal/private/internal/source/vcon"
	"murmur/internal/workspace"
)

// ImportSource is the name under which imported rows are counted.
const ImportSource = "import"

// kindUnreadable marks a row that could not be read: its body is the number of the reason. It is kept as a
// delivery so that every row has a state.
const kindUnreadable = "unreadable"

// ErrUnreadable is returned for a file that is not understood at all.
var ErrUnreadable = errors.New("the file cannot be read")

// ImportOptions say what the file is: Kind is calls, messages, surveys, steps, vcon, native or empty (found out); Map is
// the YAML of --map, Key the private key for encrypted vCons (PEM or JWK).
type ImportOptions struct{ Kind, Map, Key string }

// ImportReport counts the rows of a file.
type ImportReport struct {
	Rows, Fresh int64
	Bad         []BadRow // the first badListed rows that could not be read
	Unlisted    int64    // further ones
}

// BadRow is a row in quarantine.
type BadRow struct {
	Line int
	Why  string
}

const badListed = 20

// file is an opened file: its rows are deliveries of a kind. csv is set for one that has columns.
type file struct {
	source.Lines
	kind string
	csv  *csv.File
}

// Import reads a file of native lines, CSV or vCons; every row is a delivery of its own. The same file twice changes
// nothing. When it returns nil, every row is durable.
func (z *Zone) Import(ctx context.Context, ws workspace.ID, r io.Reader, o ImportOptions) (ImportReport, error) {
	f, err := z.openFile(ctx, ws, r, o)
	if err != nil {
		return ImportReport{}, err
	}
	var (
		report  ImportReport
		batch   []source.Delivery
		kinds   []string
		failure error
	)
	chain := sha256.New() // of all rows so far: tells an unreadable row by its place in this very file
	flush := func() bool {
		failure = z.appendRows(ctx, ws, kinds, batch, &report)
		batch, kinds = batch[:0], kinds[:0]
		return failure == nil
	}
	err = f.Rows(func(line int, row []byte, bad *source.Verdict) bool {
		report.Rows++
		chain.Write(row)
		kind, d := f.kind, source.Delivery{}
		if bad == nil {
			d = f.delivery(row)
			report.note(line, f.judge(d))
		} else {
			report.note(line, bad)
			kind, d = kindUnreadable, source.Delivery{
				ID:   fmt.Sprintf("row\x00%d\x00%s", line, base64.RawURLEncoding.EncodeToString(chain.Sum(nil))),
				Body: strconv.AppendInt(nil, int64(bad.Why), 10),
			}
		}
		batch, kinds = append(batch, d), append(kinds, kind)
		return len(batch) < 512 || flush()
	})
	if failure == nil {
		flush()
	}
	switch {
	case failure != nil:
		return report, failure
	case err != nil:
		return report, fileError(err)
	}
	return report, nil
}

// fileError tells a file that is not what it should be from one that the system cannot read.
func fileError(err error) error {
	for _, bad := range []error{vcon.ErrNotJSON, vcon.ErrTooLong, vcon.ErrWrongKey} {
		if errors.Is(err, bad) {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
	}
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return nil
}

// judge reads a row before it is journalled, so that whoever imports learns the line of what will be quarantined.
func (f file) judge(d source.Delivery) error {
	src, _ := connect.For(f.kind)
	_, err := src.Decode(d)
	var v *source.Verdict
	if errors.As(err, &v) && v.State == fact.Quarantined {
		return err
	}
	return nil
}

// delivery names a native line by the delivery_id it carries; without one the caller's hash stands for it, as for vCons.
func (f file) delivery(row []byte) source.Delivery {
	switch {
	case f.csv != nil:
		return source.Delivery{ID: csv.DeliveryID(row), Body: row}
	case f.kind != "native":
		return source.Delivery{Body: row}
	}
	if doc, err := strictjson.Parse(row); err == nil && doc.Has("type") {
		return source.Delivery{ID: doc.Text("delivery_id"), Body: row}
	}
	if all, err := (native.Source{}).Split(source.Delivery{Body: row}); err == nil && len(all) == 1 {
		return all[0] // an array or envelope of one
	}
	return source.Delivery{Body: row}
}

func (r *ImportReport) note(line int, bad error) {
	if bad == nil {
		return
	}
	if len(r.Bad) == badListed {
		r.Unlisted++
		return
	}
	r.Bad = append(r.Bad, BadRow{line, reason(bad)})
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

// appendRows journals a batch, in runs of one kind.
func (z *Zone) appendRows(ctx context.Context, ws workspace.ID, kinds []string, all []source.Delivery, r *ImportReport) error {
	for lo := 0; lo < len(all); {
		hi := lo + 1
		for hi < len(all) && kinds[hi] == kinds[lo] {
			hi++
		}
		a, err := z.append(ctx, ws, ImportSource, kinds[lo], all[lo:hi])
		if err != nil {
			return err
		}
		r.Fresh += int64(a.Fresh)
		lo = hi
	}
	return nil
}

// openFile finds out what a file has: native lines, vCons or CSV.
func (z *Zone) openFile(ctx context.Context, ws workspace.ID, r io.Reader, o ImportOptions) (file, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	start, err := buffered.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return file{}, fmt.Errorf("read the file: %w", err)
	}
	if len(bytes.TrimSpace(start)) == 0 {
		return file{}, fmt.Errorf("%w: it is empty", ErrUnreadable)
	}
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	first := bytes.TrimLeft(start, " \t\r\n")
	unknown := o.Kind == "" && o.Map == ""
	switch {
	case o.Kind == "vcon" || unknown && vcon.Looks(start):
		return openVCon(buffered, o.Key)
	case o.Kind == "native" || unknown && len(first) > 0 && first[0] == '{':
		return file{Lines: native.NewLines(buffered), kind: "native"}, nil
	}
	mapping, err := csv.ParseMap([]byte(o.Map))
	if err != nil {
		return file{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return file{}, err
	}
	f, err := csv.Open(buffered, csv.Options{Kind: o.Kind, Map: mapping, Zone: policy.Zone()})
	if err != nil {
		return file{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return file{Lines: f, kind: "native", csv: f}, nil
}

func openVCon(r *bufio.Reader, secret string) (file, error) {
	if mark, _ := r.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = r.Discard(3)
	}
	var key *vcon.Key
	if secret != "" {
		var err error
		if key, err = vcon.ParseKey([]byte(secret)); err != nil {
			return file{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
	}
	return file{Lines: vcon.NewFile(r, key), kind: "vcon"}, nil
}

// FilePreview is what Import would read: columns, and the first rows with every value masked.
type FilePreview struct {
	Kind    string
	Columns []PreviewColumn
	Rows    [][]PreviewCell
}

// PreviewColumn is a column and the field it feeds; an empty Field means that it is not used.
type PreviewColumn struct{ Header, Field, Note string }

// PreviewCell is one masked value.
type PreviewCell struct{ Field, Value string }

// Preview reads the beginning of a file and imports nothing.
func (z *Zone) Preview(ctx context.Context, ws workspace.ID, r io.Reader, o ImportOptions) (FilePreview, error) {
	f, err := z.openFile(ctx, ws, r, o)
	if err != nil {
		return FilePreview{}, err
	}
	if f.csv == nil {
		return f.preview()
	}
	p := f.csv.Preview()
	out := FilePreview{Kind: p.Kind}
	for _, c := range p.Columns {
		out.Columns = append(out.Columns, PreviewColumn{Header: z.detector.Label(c.Header.Reveal()).Masked(), Field: c.Field, Note: c.Note})
	}
	for _, row := range p.Rows {
		var cells []PreviewCell
		for _, v := range row {
			cells = append(cells, PreviewCell{v.Name, z.maskCell(v.Name, v.Value.Reveal())})
		}
		out.Rows = append(out.Rows, cells)
	}
	return out, nil
}

// preview shows what the first rows of a file without columns are, never their values.
func (f file) preview() (FilePreview, error) {
	out := FilePreview{Kind: f.kind}
	src, _ := connect.For(f.kind)
	err := f.Rows(func(_ int, row []byte, bad *source.Verdict) bool {
		var cells []PreviewCell
		events, err := src.Decode(source.Delivery{Body: row})
		switch {
		case bad != nil:
			cells = append(cells, PreviewCell{"type", "unreadable"})
		case err != nil:
			cells = append(cells, PreviewCell{"type", "unreadable: " + reason(err)})
		}
		for kind := fact.KindCall; kind <= fact.KindConsent && len(events) > 0; kind++ {
			n := 0
			for i := range events {
				if events[i].Kind() == kind {
					n++
				}
			}
			switch {
			case n == 1:
				cells = append(cells, PreviewCell{"type", kind.String()})
			case n > 1:
				cells = append(cells, PreviewCell{"type", fmt.Sprintf("%d of %s", n, kind)})
			}
		}
		out.Rows = append(out.Rows, cells)
		return len(out.Rows) < 5
	})
	return out, fileError(err)
}

// openCells are the fields that hold no person: their values are shown as they stand.
var openCells = map[string]bool{
	"schema": true, "type": true, "direction": true, "number": true, "team": true, "outcome": true, "status": true, "voicemail": true,
	"occurred_at": true, "answered_at": true, "ended_at": true, "asked_at": true, "in_at": true, "out_at": true, "source_updated_at": true,
	"ring_s": true, "talk_s": true, "survey": true, "scale": true, "score": true, "medium": true, "flow": true, "flow_version": true,
	"node": true, "node_kind": true, "key": true, "label": true, "automatic": true, "inferred": true, "media": true, "error_code": true,
}

// maskCell masks a value of a preview: words by the redactor, everything that may be a person's by its length.
func (z *Zone) maskCell(field, value string) string {
	if _, err := time.Parse(time.RFC3339, value); err == nil {
		return value
	}
	if openCells[field] {
		return z.detector.Label(value).Masked()
	}
	if field == "body" || field == "comment" {
		if r, err := z.detector.Redact(detect.Doc{Turns: []detect.Turn{{Text: value}}}); err == nil && r.Verified() {
			return r.Masked()
		}
	}
	return fmt.Sprintf("[%d characters]", len([]rune(value)))
}

// unreadable is the outcome of a row that could not be read.
func unreadable(body []byte) fact.Outcome {
	why, err := strconv.ParseInt(string(body), 10, 64)
	if err != nil {
		why = int64(fact.WhyBadField)
	}
	return fact.Outcome{State: fact.Quarantined, Why: fact.Why(why)}
}
