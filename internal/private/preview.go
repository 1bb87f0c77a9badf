package private

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/redact"
	"murmur/internal/workspace"
)

// FilePreview is what Import would read: columns, and the first rows with every value masked.
type FilePreview struct {
	Kind    string
	Columns []PreviewColumn
	Rows    [][]PreviewCell

	In       int64    // rows of the whole file
	Bad      []BadRow // the first badListed that Import would put into quarantine
	Unlisted int64    // further ones
	Unread   int64    // rows whose contact's address cannot be read
}

// PreviewColumn is a column and the field it feeds; an empty Field means that it is not used.
type PreviewColumn struct{ Header, Field, Note string }

// PreviewCell is one masked value.
type PreviewCell struct{ Field, Value string }

// Preview reads a file, shows its beginning and which of its rows could not be read, and imports nothing.
func (z *Zone) Preview(ctx context.Context, ws workspace.ID, r io.Reader, o ImportOptions) (FilePreview, error) {
	f, err := z.openFile(ctx, ws, r, o)
	if err != nil {
		return FilePreview{}, err
	}
	out := FilePreview{Kind: f.kind}
	if f.csv != nil {
		out = z.previewColumns(f)
	}
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return FilePreview{}, err
	}
	return out, fileError(f.check(ctx, z.now(), policy.Region, &out))
}

func (z *Zone) previewColumns(f file) FilePreview {
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
	return out
}

// check reads all rows as Import would and notes those that it could not, and those whose contact it could not; of a file without
// columns it shows the first.
func (f file) check(ctx context.Context, now time.Time, region string, out *FilePreview) error {
	err := f.Rows(func(line int, row []byte, unread *source.Verdict) bool {
		out.In++
		var events []event.Event
		var bad error = unread
		if unread == nil {
			events, bad = readable(f.kind, f.delivery(row), now)
		}
		switch {
		case bad != nil && len(out.Bad) < badListed:
			out.Bad = append(out.Bad, BadRow{line, reason(bad)})
		case bad != nil:
			out.Unlisted++
		}
		if slices.ContainsFunc(events, func(e event.Event) bool { return nobodys(e.Party, region) }) {
			out.Unread++
		}
		if f.csv == nil && len(out.Rows) < shownRows {
			out.Rows = append(out.Rows, kindsOf(events, bad))
		}
		return ctx.Err() == nil
	})
	return cmp.Or(err, ctx.Err())
}

// nobodys reports a party whose address cannot be read, as package person judges it.
func nobodys(p event.Party, region string) (some bool) {
	if p.Known != [16]byte{} {
		return false
	}
	for i, v := range append([]personal.Value{p.Address}, p.Also...) {
		a := identity.Parse(v, region)
		if a.Person() || i == 0 && a.Kind() == identity.Withheld {
			return false
		}
		some = some || a.Kind() == identity.Unreadable
	}
	own := identity.OwnID(p.Own, region)
	return !own.Person() && (some || own.Kind() == identity.Unreadable)
}

// shownRows is how many rows a preview shows.
const shownRows = 5

// readable decodes a row; bad is why it would go to quarantine.
func readable(kind string, d source.Delivery, now time.Time) (events []event.Event, bad error) {
	events, err := decode(envelope{origin: origin{kind: kind}, delivery: d}, now)
	if err != nil && unusable(err).State == fact.Quarantined {
		return nil, err
	}
	for i := range events {
		if !plausible(events[i].At, now) {
			return nil, source.Quarantine(fact.WhyBadTime, "occurred_at")
		}
	}
	return events, nil
}

// kindsOf shows what a row is, never its values.
func kindsOf(events []event.Event, bad error) (cells []PreviewCell) {
	if bad != nil {
		return []PreviewCell{{"type", "unreadable: " + reason(bad)}}
	}
	for kind := fact.KindCall; kind <= fact.KindConsent; kind++ {
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
	return cells
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
		if r, err := z.detector.Redact(redact.Doc{Turns: []redact.Turn{{Text: value}}}); err == nil && r.Verified() {
			return r.Masked()
		}
	}
	return fmt.Sprintf("[%d characters]", len([]rune(value)))
}
