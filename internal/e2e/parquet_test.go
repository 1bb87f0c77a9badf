package e2e

import (
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// parquetValues gives every text and byte string of a Parquet file, decompressed and decoded.
func parquetValues(t testing.TB, path string) (values [][]byte) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil // merged away since it was listed
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := file.NewParquetReader(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer r.Close()
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		for c := range group.NumColumns() {
			column, err := group.Column(c)
			if err != nil {
				t.Fatal(err)
			}
			texts, ok := column.(*file.ByteArrayColumnChunkReader)
			if !ok {
				continue
			}
			batch, levels := make([]parquet.ByteArray, 1024), make([]int16, 1024)
			for texts.HasNext() {
				_, n, err := texts.ReadBatch(int64(len(batch)), batch, levels, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range batch[:n] {
					values = append(values, append([]byte{}, v...))
				}
			}
		}
	}
	return values
}
