package lake

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/apache/iceberg-go"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// The layout: rows arrive in loose files, one a table and commit, whatever their days. When there are enough of them
// they are sorted into one file for each day and bucket; files of one day and bucket are merged when there are
// several of about one size, so that a row is rewritten a few times and never once a commit. Compact leaves one file
// a day and bucket, or as many as have mergeRows rows.
const (
	looseRows  = 1 << 17  // so many loose rows are sorted into their days; an append of as many goes there at once
	mergeRows  = 1 << 18  // a file with more rows is merged no more: this bounds the writer's memory
	mergeBytes = 64 << 20 // the same in bytes
)

// part is where the rows of a file belong: to one day and bucket, or, loose, anywhere.
type part struct {
	day    Day
	bucket int32
	loose  bool
}

// folder is where the part's files are, below the table's data.
func (p part) folder() string {
	if p.loose {
		return "loose"
	}
	return fmt.Sprintf("at_day=%s/workspace_bucket=%d", p.day.Start().Format("2006-01-02"), p.bucket)
}

// dataFile is one Parquet file of a table.
type dataFile struct {
	iceberg.DataFile
	path     string // below the lake's directory
	part     part
	from, to Day // its rows lie in these days
}

func (l *Lake) dataFile(df iceberg.DataFile) (dataFile, error) {
	rel, err := l.catalog.disk.rel(df.FilePath())
	if err != nil {
		return dataFile{}, err
	}
	f := dataFile{DataFile: df, path: rel}
	var ok1, ok2 bool
	if f.part.loose = df.SpecID() == looseSpec; f.part.loose {
		f.from, ok1 = dayBound(df.LowerBoundValues())
		f.to, ok2 = dayBound(df.UpperBoundValues())
	} else {
		var day int32
		day, ok1 = number(df.Partition()[1000])
		f.part.bucket, ok2 = number(df.Partition()[1001])
		f.part.day, f.from, f.to = Day(day), Day(day), Day(day)
	}
	if !ok1 || !ok2 || df.ContentType() != iceberg.EntryContentData {
		return dataFile{}, errors.New("lake: a file that is not of our making")
	}
	return f, nil
}

func number(v any) (int32, bool) {
	switch v := v.(type) {
	case int32:
		return v, true
	case iceberg.Date:
		return int32(v), true
	}
	return 0, false
}

func dayBound(bounds map[int][]byte) (Day, bool) {
	b := bounds[int(fact.ColAt)]
	if len(b) != 8 {
		return 0, false
	}
	return Day(floorDiv(int64(binary.LittleEndian.Uint64(b)), dayMicros)), true
}

// holds reports whether a file can have rows of a workspace.
func (f dataFile) holds(ws workspace.ID) bool { return f.part.loose || f.part.bucket == bucketOf(ws) }

// linked reports whether a file has a contact's value, referring whether it has a row that belongs to a call.
func (f dataFile) linked() bool    { return f.has(fact.ColContact) }
func (f dataFile) referring() bool { return f.has(fact.ColCallHi) }

// has reports whether a file has a value in a column of table facts whose nulls are counted.
func (f dataFile) has(c fact.Column) bool {
	return f.ValueCounts()[int(c)] > f.NullValueCounts()[int(c)]
}

// parts gives a table's files by partition, in the order of their paths.
func (s *tableState) parts() map[part][]dataFile {
	m := map[part][]dataFile{}
	for _, f := range s.files {
		m[f.part] = append(m[f.part], f)
	}
	for _, files := range m {
		slices.SortFunc(files, func(a, b dataFile) int { return cmp.Compare(a.path, b.path) })
	}
	return m
}

// scattered gives what is to be merged: loose files, and files of one day and bucket. With all, whatever can be;
// otherwise what there is enough of.
func (l *Lake) scattered(all bool) (loose, sorted []group) {
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			if !all {
				files = slices.DeleteFunc(files, func(f dataFile) bool { return l.damaged[f.path] })
			}
			switch {
			case p.loose && (all || len(files) >= l.cfg.LooseFiles || rowsOf(files) >= looseRows):
				for _, files := range merging(files, 1) {
					loose = append(loose, group{table: t, files: files})
				}
			case p.loose:
			case all:
				for _, files := range merging(files, 2) {
					sorted = append(sorted, group{table: t, files: files})
				}
			default:
				if files := l.alike(files); len(files) > 0 {
					sorted = append(sorted, group{table: t, files: files})
				}
			}
		}
	}
	byDay := func(a, b group) int {
		return cmp.Or(cmp.Compare(a.files[0].from, b.files[0].from), cmp.Compare(a.files[0].path, b.files[0].path))
	}
	slices.SortFunc(loose, byDay)
	slices.SortFunc(sorted, byDay)
	return loose, sorted
}

func rowsOf(files []dataFile) (n int64) {
	for _, f := range files {
		n += f.Count()
	}
	return n
}

// merging cuts files into groups of at least n files that are merged into one each, none above the limits.
func merging(files []dataFile, n int) (out [][]dataFile) {
	files = slices.SortedFunc(slices.Values(files), func(a, b dataFile) int { return cmp.Compare(a.Count(), b.Count()) })
	for len(files) > 0 {
		end, rows, bytes := 0, int64(0), int64(0)
		for end < len(files) && (end == 0 || rows+files[end].Count() <= mergeRows && bytes+files[end].FileSizeBytes() <= mergeBytes) {
			rows, bytes = rows+files[end].Count(), bytes+files[end].FileSizeBytes()
			end++
		}
		if end >= n {
			out = append(out, files[:end])
		}
		files = files[end:]
	}
	return out
}

// alike gives the files of one day and bucket up to a size that many of them have: SmallFiles files whose numbers of
// rows are of one power of eight are merged, with all that are smaller.
func (l *Lake) alike(files []dataFile) []dataFile {
	tier := func(f dataFile) int { return bits.Len64(uint64(f.Count())) / 3 }
	count := map[int]int{}
	top := -1
	for _, f := range files {
		if f.Count() >= mergeRows || f.FileSizeBytes() >= mergeBytes {
			continue
		}
		count[tier(f)]++
		if n := tier(f); count[n] >= l.cfg.SmallFiles && n > top {
			top = n
		}
	}
	files = slices.DeleteFunc(slices.Clone(files), func(f dataFile) bool { return tier(f) > top })
	if groups := merging(files, 2); len(groups) > 0 {
		return groups[0]
	}
	return nil
}
