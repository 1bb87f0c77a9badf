package private

import (
	"context"
	"fmt"
	"io"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/detect"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/workspace"
)

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
