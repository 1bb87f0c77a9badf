package private

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/csv"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/private/internal/source/strictjson"
	"murmur/internal/private/internal/source/vcon"
	"murmur/internal/workspace"
)

// file is an opened file: its rows are deliveries of a kind. csv is set for one that has columns.
type file struct {
	source.Lines
	kind string
	csv  *csv.File
	ids  string // the connection whose ids it uses
	name string // of the source that somebody says it belongs to; empty: none
}

// belongs says whose ids a file uses: those of the source that the user names, which need not be connected; otherwise
// those of files with the same headers, or of the same format.
func (z *Zone) belongs(ctx context.Context, ws workspace.ID, f *file, name string) error {
	if name == "" {
		f.ids = importOf(f.kind)
		if f.csv != nil {
			f.ids = importOf(f.csv.Shape())
		}
		return nil
	}
	if !workspace.ValidSourceName(name) {
		return ErrImportSource
	}
	src, err := z.store.Source(ctx, ws, name)
	if err != nil && !errors.Is(err, workspace.ErrNotFound) {
		return err
	}
	if f.ids, f.name = name, name; err == nil {
		f.ids = src.IDs()
	}
	return nil
}

// importOf names the connection of files of one shape. No source can be called so.
func importOf(shape string) string { return ImportSource + ":" + shape }

// ErrImportSource is returned for a name that no source can have.
var ErrImportSource = errors.New("a source is named by small letters, digits and -, at most 32")

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

// fileError tells a malformed file from one that the system cannot read.
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
