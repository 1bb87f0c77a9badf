package lake

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
)

// docs/format/lake.md lists every column with its field id; the tables and the files have those ids.
func TestTheFormatPageHasTheFieldIDs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	must(t, l.Append(ctx, []Row{message(1, noon, mk.Contact(1), 1, mk.Text("words"))}, to(l, 1)))
	must(t, l.refresh(ctx))
	page, err := os.ReadFile("../../../../docs/format/lake.md")
	must(t, err)
	for _, tab := range tables {
		var list []string
		ids := map[string]int{}
		for _, f := range l.state[tab].t.Schema().Fields() {
			list, ids[f.Name] = append(list, fmt.Sprintf("%d %s", f.ID, f.Name)), f.ID
		}
		if line := fmt.Sprintf("| `%s` | %s |\n", tableName(tab), strings.Join(list, ", ")); !strings.Contains(string(page), line) {
			t.Errorf("docs/format/lake.md should have the line\n%s", line)
		}
		for i, d := range fact.Schema(tab) {
			if ids[d.Name] != i+1 {
				t.Errorf("table %s: column %s has id %d, want its place %d", tableName(tab), d.Name, ids[d.Name], i+1)
			}
		}
		for _, f := range l.state[tab].files {
			pf, err := file.OpenParquetFile(l.catalog.disk.path(f.path), false)
			must(t, err)
			s := pf.MetaData().Schema
			for i := range s.NumColumns() {
				c := s.Column(i)
				if want := ids[c.Name()]; int(c.SchemaNode().FieldID()) != want {
					t.Errorf("table %s: a file has column %s as %d, the table as %d", tableName(tab), c.Name(), c.SchemaNode().FieldID(), want)
				}
			}
			must(t, pf.Close())
		}
	}
}
