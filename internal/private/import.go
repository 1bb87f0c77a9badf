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
	"murmur/internal/private/internal/source/csv"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/workspace"
)

// ImportSource is the name under which imported rows are counted.
const ImportSource = "import"

// kindUnreadable marks a row that could not be read: its body is the number of the reason. It is kept as a
// delivery so that every row has a state.
const kindUnreadable = "unreadable"

// ErrUnreadable is returned for a file that is not understood at all.
var ErrUnreadable = errors.New("the file cannot be read")

// ImportOptions say what the file is: Kind is calls, messages, surveys, steps, native or empty (found out); Map is
// the YAML of --map.
type ImportOptions struct{ Kind, Map string }

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

// rows is what both file formats give.
type rows interface {
	Rows(yield func(line int, native []byte, bad *source.Verdict) bool) error
}

// Import reads a file of native lines or CSV; every row is a delivery of its own. The same file twice changes
// nothing. When it returns nil, every row is durable.
func (z *Zone) Import(ctx context.Context, ws workspace.ID, r io.Reader, o ImportOptions) (ImportReport, error) {
	f, _, err := z.openFile(ctx, ws, r, o)
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
		kind, d := "native", rowDelivery(row)
		if bad == nil {
			report.note(line, judge(d))
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
		return report, fmt.Errorf("read the file: %w", err)
	}
	return report, nil
}

// judge reads a row before it is journalled, so that whoever imports learns the line of what will be quarantined.
func judge(d source.Delivery) *source.Verdict {
	_, err := (native.Source{}).Decode(d)
	var v *source.Verdict
	if errors.As(err, &v) && v.State == fact.Quarantined {
		return v
	}
	return nil
}

// rowDelivery names a native line by the delivery_id it carries; without one the caller's hash stands for it.
func rowDelivery(row []byte) source.Delivery {
	if all, err := (native.Source{}).Split(source.Delivery{Body: row}); err == nil && len(all) == 1 {
		return all[0]
	}
	return source.Delivery{Body: row}
}

func (r *ImportReport) note(line int, v *source.Verdict) {
	if v == nil {
		return
	}
	if len(r.Bad) == badListed {
		r.Unlisted++
		return
	}
	why := v.Why.String()
	if v.Field != "" {
		why += " (" + v.Field + ")"
	}
	r.Bad = append(r.Bad, BadRow{line, why})
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

// openFile finds out whether a file has native lines or CSV.
func (z *Zone) openFile(ctx context.Context, ws workspace.ID, r io.Reader, o ImportOptions) (rows, *csv.File, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	start, err := buffered.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the file: %w", err)
	}
	if len(bytes.TrimSpace(start)) == 0 {
		return nil, nil, fmt.Errorf("%w: it is empty", ErrUnreadable)
	}
	first := bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n")
	if o.Kind == "native" || o.Kind == "" && o.Map == "" && first[0] == '{' {
		return native.NewLines(buffered), nil, nil
	}
	mapping, err := csv.ParseMap([]byte(o.Map))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return nil, nil, err
	}
	f, err := csv.Open(buffered, csv.Options{Kind: o.Kind, Map: mapping, Zone: policy.Zone()})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return f, f, nil
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
	all, f, err := z.openFile(ctx, ws, r, o)
	if err != nil {
		return FilePreview{}, err
	}
	if f == nil {
		return z.previewLines(all)
	}
	p := f.Preview()
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

// previewLines shows the kinds of the first native lines, never their values.
func (z *Zone) previewLines(all rows) (FilePreview, error) {
	out := FilePreview{Kind: "native"}
	err := all.Rows(func(_ int, row []byte, bad *source.Verdict) bool {
		said := "unreadable"
		if bad == nil {
			if events, err := (native.Source{}).Decode(source.Delivery{Body: row}); err == nil && len(events) > 0 {
				said = events[0].Kind().String()
			}
		}
		out.Rows = append(out.Rows, []PreviewCell{{"type", said}})
		return len(out.Rows) < 5
	})
	return out, err
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
